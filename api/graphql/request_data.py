"""From the bytes of a request to what it asks for; what does not fit is refused as HTTP has it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from graphql import GraphQLError, get_operation_ast, parse
from starlette.requests import Request
from strawberry.types.graphql import OperationType

from api.document.limits import MAX_DOCUMENT, MAX_TOKENS
from api.document.persisted import Persisted
from api.document.reading_thread import beside
from api.graphql.media_types import GRAPHQL, answer_type, require_json
from api.problems import HttpProblem

_OTHER_THAN_QUERIES = re.compile(r"\b(?:mutation|subscription)\b", re.ASCII)


@dataclass(frozen=True, slots=True)
class AskedOperation:
    """kind: of the operation that is to be run."""

    query: str
    kind: OperationType
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    extensions: dict[str, Any] | None = None

    def arguments(self, context: Any) -> dict[str, Any]:
        """Those of `Schema.execute` and `Schema.stream`."""
        return {
            "query": self.query,
            "variable_values": self.variables,
            "context_value": context,
            "operation_name": self.operation_name,
            "operation_extensions": self.extensions,
        }


async def asked_by(request: Request, most_bytes: int, persisted: Persisted) -> AskedOperation:
    """What a GET or POST asks for. Raises HttpProblem."""
    if request.method == "GET":
        given: Any = dict(request.query_params)
        for name in ("variables", "extensions"):
            given[name] = _parsed(given[name]) if given.get(name) else None
        given["operationName"] = given.get("operationName") or None
    else:
        require_json(request.headers.get("content-type"))
        given = _parsed(await body_of(request, most_bytes))
    status = 400 if answer_type(request.headers.get("accept")) == GRAPHQL else 200
    return await asked_of(given, persisted, status)


async def body_of(request: Request, most: int) -> bytes:
    """No more than is allowed is ever in memory. Raises HttpProblem 413."""
    too_large = HttpProblem(413, f"The request is larger than {most} bytes.")
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length) > most:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise too_large
    return bytes(body)


async def asked_of(data: Any, persisted: Persisted, status: int) -> AskedOperation:
    """What the members of a request ask for. status: of the answer for a name that is not known. Raises HttpProblem."""
    if isinstance(data, list):
        raise HttpProblem(400, "Batches are not taken: send one operation, with several fields if need be.")
    if not isinstance(data, dict):
        raise HttpProblem(400, "The request must be a JSON object with the member query.")
    query = persisted.document(data, status)
    if not isinstance(query, str) or not query.strip():
        raise HttpProblem(400, "The member query must be a string that holds a GraphQL document.")
    if len(query) > MAX_DOCUMENT:
        words = f"The document has more than {MAX_DOCUMENT} characters: values go into variables."
        raise HttpProblem(413, words, code="QUERY_TOO_LARGE")
    _check_kinds(data)
    name = data.get("operationName")
    kind = await beside(query, partial(kind_of, query, name))
    return AskedOperation(query, kind, data.get("variables"), name, data.get("extensions"))


def kind_of(document: str, name: str | None) -> OperationType:
    """QUERY also for what cannot be run: whoever runs it says why.

    A document without the word of another kind, as most are, is not parsed for this.
    """
    if _OTHER_THAN_QUERIES.search(document) is None:
        return OperationType.QUERY
    try:
        operation = get_operation_ast(parse(document, no_location=True, max_tokens=MAX_TOKENS), name)
    except GraphQLError:
        return OperationType.QUERY
    return OperationType(operation.operation.value) if operation is not None else OperationType.QUERY


def _parsed(text: str | bytes) -> object:
    try:
        return orjson.loads(text)
    except json.JSONDecodeError:
        raise HttpProblem(400, "The request is not valid JSON.") from None


def _check_kinds(data: Mapping[str, Any]) -> None:
    for name, kind, words in (
        ("variables", dict, "an object"),
        ("extensions", dict, "an object"),
        ("operationName", str, "a string"),
    ):
        if not isinstance(data.get(name), kind | None):
            raise HttpProblem(400, f"The member {name} must be {words} or null.")
