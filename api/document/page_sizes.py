"""Pages in the schema: which types are connections, how many nodes or items a field may answer with, and whether it
asks archives (cost.py)."""

from collections.abc import Mapping
from typing import Any, Final

from graphql import (
    GRAPHQL_MAX_INT,
    GRAPHQL_MIN_INT,
    EnumValueNode,
    FieldNode,
    GraphQLField,
    GraphQLNamedType,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_interface_type,
    is_list_type,
    is_object_type,
)

from db.cohorts.cohorts import MAX_VERSIONS

PAGE_FIELDS: Final = frozenset({"nodes", "edges"})
_SIZES: Final = ("first", "last")
_IDS: Final = "ids"
_BOUNDS: Final = {"CohortVersion": MAX_VERSIONS, "EarlierExport": 1000}
"""The most items of a plain list, by their type, where the schema says so and no argument does."""
_MOST: Final = 1_000_000
"""More is refused by whoever answers the field; here it must only not become too large to reckon with."""


def is_connection(on: GraphQLNamedType | None) -> bool:
    """Whether the type is a page: `nodes` or `edges` beside `pageInfo`."""
    fields = _fields(on)
    return "pageInfo" in fields and not PAGE_FIELDS.isdisjoint(fields)


def field_of(on: GraphQLNamedType | None, name: str) -> tuple[GraphQLField, GraphQLNamedType] | None:
    """A field and the type of what is below it; None for what the schema does not have."""
    found = _fields(on).get(name)
    return (found, get_named_type(found.type)) if found is not None else None


def size_of(field: GraphQLField, node: FieldNode, variables: Mapping[str, Any]) -> int | None:
    """The most nodes that the field answers with: `first`, `last` or their defaults, or the number of `ids`; of a
    plain list of objects the most items, where it has a bound.

    None for a field that is no page and has no bound. A value that is no Int counts as none: it is refused later.
    """
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    is_list, named = is_list_type(_bare(field.type)), get_named_type(field.type)
    if is_list and _IDS in field.args:
        return _length(given.get(_IDS), variables)
    if is_list and named.name in _BOUNDS:
        return _BOUNDS[named.name]
    names = [name for name in (*_SIZES, "bins") if name in field.args]
    if not (is_list and names and is_object_type(named)) and not is_connection(named):
        return None
    sizes = [size for name in names if (size := _number(given.get(name), variables)) is not None]
    if not sizes:
        defaults = (field.args[name].default_value for name in names)
        sizes = [value for value in defaults if isinstance(value, int)]
    return max(1, min(max(sizes, default=1), _MOST))


def asks_archives(node: FieldNode, variables: Mapping[str, Any]) -> bool:
    """Whether the field has a `freshness` that is not CACHED; what cannot be read counts as one."""
    given = next((each.value for each in node.arguments or () if each.name.value == "freshness"), None)
    freshness = _value(given, variables)
    if freshness is None:
        return False
    mode: Any = "CACHED"
    if isinstance(freshness, ObjectValueNode):
        found = next((each.value for each in freshness.fields if each.name.value == "mode"), None)
        mode = _value(found, variables) if found is not None else mode
    elif isinstance(freshness, Mapping):
        mode = freshness.get("mode", mode)
    return (mode.value if isinstance(mode, EnumValueNode) else mode) != "CACHED"


def _number(node: ValueNode | None, variables: Mapping[str, Any]) -> int | None:
    value = _value(node, variables)
    if isinstance(value, IntValueNode):
        # int() of a very long one takes long, or is refused by Python
        value = int(value.value) if len(value.value) <= len(str(GRAPHQL_MIN_INT)) else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # GraphQL takes 300.0 of a variable for an Int
    is_int = isinstance(value, int) and not isinstance(value, bool)
    return value if is_int and GRAPHQL_MIN_INT <= value <= GRAPHQL_MAX_INT else None


def _length(node: ValueNode | None, variables: Mapping[str, Any]) -> int:
    value = _value(node, variables)
    if isinstance(value, ListValueNode):
        return max(len(value.values), 1)
    return max(len(value), 1) if isinstance(value, list) else 1


def _value(node: ValueNode | None, variables: Mapping[str, Any]) -> Any:
    """A literal as its node, a variable as what was sent, or as the node of its default."""
    found: Any = variables.get(node.name.value) if isinstance(node, VariableNode) else node
    return None if isinstance(found, NullValueNode) else found


def _fields(on: GraphQLNamedType | None) -> dict[str, GraphQLField]:
    return on.fields if is_object_type(on) or is_interface_type(on) else {}


def _bare(kind: Any) -> Any:
    return getattr(kind, "of_type", kind) if not is_list_type(kind) else kind
