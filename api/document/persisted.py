"""Operations that are known beforehand: found by their SHA-256, and where asked for the only ones that run.

A client names one by `documentId` (GraphQL over HTTP, appendix A) or by the extension `persistedQuery` of
Apollo's clients. Nothing is learnt from requests: what is known stands in a file (config/persisted_operations.py).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    parse,
    validate,
)
from starlette.requests import HTTPConnection

from access.audit import document_digest
from api.document import limits
from api.document.wording import position
from api.identity.auth import shows_token
from api.problems import HttpProblem
from config.persisted_operations import digest
from config.settings import SettingsError

Operations = Literal["any", "persisted", "persisted-for-browsers"]

REQUIRED: Final = "PERSISTED_OPERATION_REQUIRED"
WORDS: Final = (
    "This server runs known operations only, and this is none of them. Its operator has the list; "
    "to the letter, white space included."
)
_SHA256: Final = re.compile(r"(?:sha256:)?([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Persisted:
    """documents: by SHA-256. names: of their operations, by the digest that audit lines have."""

    mode: Operations = "any"
    documents: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def takes_any(self, connection: HTTPConnection) -> bool:
        """Whether whoever asks may send documents that are not known."""
        return self.mode == "any" or (self.mode == "persisted-for-browsers" and shows_token(connection))

    def knows(self, document: str) -> bool:
        return digest(document) in self.documents

    def document(self, request: Mapping[str, Any], status: int) -> object:
        """What a request asks to be run: its `query`, or what it names. Raises HttpProblem.

        status: of the answer for a name that is not known.
        """
        query, wanted = request.get("query"), _wanted(request)
        if wanted is None:
            return query
        if query:
            if not isinstance(query, str) or digest(query) != wanted:
                raise HttpProblem(400, "The SHA-256 of the request is not that of its query.")
            return query
        if wanted in self.documents:
            return self.documents[wanted]
        # Clients look for these very words: after the first they send the document, after the other
        # they do not try again.
        if self.mode != "any":
            raise HttpProblem(status, WORDS, code=REQUIRED)
        if self.documents:
            raise HttpProblem(status, "PersistedQueryNotFound", code="PERSISTED_QUERY_NOT_FOUND")
        raise HttpProblem(status, "PersistedQueryNotSupported", code="PERSISTED_QUERY_NOT_SUPPORTED")


def persisted_of(documents: Mapping[str, str], mode: Operations, schema: GraphQLSchema) -> Persisted:
    """Raises SettingsError for a document that could never be run."""
    names = {
        document_digest(document): ", ".join(_names(_fitting(name, document, schema)))
        for name, document in documents.items()
    }
    return Persisted(mode, documents, {key: found for key, found in names.items() if found})


def _fitting(name: str, document: str, schema: GraphQLSchema) -> DocumentNode:
    try:
        parsed = parse(document, max_tokens=limits.MAX_TOKENS)
        limits.check(parsed)
        if wrong := validate(schema, parsed, max_errors=1):
            raise wrong[0]
    except GraphQLError as error:
        called = document.split("{")[0].strip()[:60]
        raise SettingsError(
            f'ERNFED_PERSISTED_OPERATIONS: the document "{called}", sha256:{name}, cannot be run: '
            f"{error.message.rstrip('.')} ({position(error)}). Correct it, or take it out."
        ) from None
    return parsed


def _names(document: DocumentNode) -> list[str]:
    return [
        node.name.value
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode) and node.name is not None
    ]


def _wanted(request: Mapping[str, Any]) -> str | None:
    """The SHA-256 that a request names a document by; None where it names none. Raises HttpProblem."""
    name = request.get("documentId")
    extensions = request.get("extensions")
    told = extensions.get("persistedQuery") if isinstance(extensions, dict) else None
    if name is None and told is None:
        return None
    if name is None:
        name = told.get("sha256Hash") if isinstance(told, dict) and told.get("version") == 1 else None
    found = _SHA256.fullmatch(name) if isinstance(name, str) else None
    if found is None:
        raise HttpProblem(
            400,
            "A document is named by documentId, sha256: and 64 lower-case hexadecimal digits, or by the "
            "extension persistedQuery with version 1 and sha256Hash.",
        )
    return found[1]
