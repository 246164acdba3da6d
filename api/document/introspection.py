"""Who may ask what the schema is: `__schema`, `__type`, /schema.graphql, and hints of names in errors."""

import re
from typing import Final, Literal

from graphql import DocumentNode, ExecutableDefinitionNode, FieldNode
from starlette.requests import HTTPConnection

from api.identity.auth import is_signed_in

Introspection = Literal["on", "signed-in", "off"]

OFF: Final = "INTROSPECTION_OFF"
# Hints of the schema's names (near_inputs.py, graphql-core). Those of attributes of DICOM, which are public, have
# no quotes.
_HINT: Final = re.compile(
    r" Did you mean (?:the enum value |to use an inline fragment on )?['`].*\?$", re.DOTALL
)


def words(rule: Introspection) -> str:
    """What somebody is told who may not."""
    if rule == "signed-in":
        return "What its schema is, this server tells only those who are signed in."
    return "This server does not tell what its schema is. __typename can always be asked for."


def may_introspect(rule: Introspection, connection: HTTPConnection) -> bool:
    """Whether whoever asks may be told."""
    return rule == "on" or (rule == "signed-in" and is_signed_in(connection))


def introspects(document: DocumentNode) -> bool:
    """Whether the document asks for `__schema` or `__type`, anywhere."""
    waiting = [
        node.selection_set for node in document.definitions if isinstance(node, ExecutableDefinitionNode)
    ]
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode) and node.name.value in ("__schema", "__type"):
                return True
            if (nested := getattr(node, "selection_set", None)) is not None:
                waiting.append(nested)
    return False


def without_hints(message: str) -> str:
    """A message of graphql-core without the names that it suggests."""
    return _HINT.sub("", message)
