"""How much the values of one operation may hold, variables and literals, counted before anything is made of them.

To make a filter of what was sent takes a hundred times as long as to count it, so what resolvers/filters/inputs.py
would refuse is refused here; the walk ends at the first limit.
"""

from collections.abc import Iterable
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
)

from api.document.limits import LimitExceeded
from model.filters import MAX_DEPTH, MAX_TESTS

MAX_VALUES: Final = 10_000  # graphql-core needs about 5 µs for each
MAX_OBJECTS: Final = 2 * MAX_TESTS + 100
"""A condition is an object in an object; about 0.2 ms go into each."""
_NESTED: Final = MAX_DEPTH + 1  # one is the match of a condition
_CONDITIONS: Final = frozenset(
    {"eq", "in", "gte", "lte", "startsWith", "contains", "wildcard", "fuzzy", "isNull", "exists"}
    | {"any", "all", "none", "text", "cohort"}
)
"""Members of input objects that are a condition each."""


def check_values(given: Iterable[Any]) -> None:
    """given: of each variable, or the literals of a document. Raises LimitExceeded."""
    values = objects = 0
    for each in given:
        conditions = 0
        waiting = [(each, 0)]
        while waiting:
            value, depth = waiting.pop()
            values += 1
            if isinstance(value, dict | ObjectValueNode):
                objects += 1
                names, inner = _members(value)
                conditions += sum(name in _CONDITIONS for name in names)
                depth += 1
            else:
                inner = _items(value)
            _check(values + len(waiting) + len(inner), objects, conditions, depth)
            waiting += [(one, depth) for one in inner]


def literals(document: DocumentNode) -> list[Any]:
    """Arguments of fields, and defaults of variables."""
    found: list[Any] = []
    waiting: list[Any] = []
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            found += [each.default_value for each in node.variable_definitions or () if each.default_value]
        waiting.append(getattr(node, "selection_set", None))
    while waiting:
        selections = waiting.pop()
        for node in selections.selections if selections is not None else ():
            if isinstance(node, FieldNode):
                found += [each.value for each in node.arguments or ()]
            waiting.append(getattr(node, "selection_set", None))
    return found


def _check(values: int, objects: int, conditions: int, depth: int) -> None:
    if values > MAX_VALUES:
        words = f"The operation holds more than {MAX_VALUES} values. Ask in several requests."
        raise LimitExceeded("QUERY_TOO_LARGE", words)
    if conditions > MAX_TESTS:
        words = f"filter: more than {MAX_TESTS} conditions, at most {MAX_TESTS} are allowed; use `in` for long lists."
        raise LimitExceeded("BAD_INPUT", words)
    if objects > MAX_OBJECTS:
        words = f"The values of the operation have more than {MAX_OBJECTS} objects. Ask in several requests."
        raise LimitExceeded("QUERY_TOO_LARGE", words)
    if depth > _NESTED:
        raise LimitExceeded("BAD_INPUT", f"filter: nested deeper than {MAX_DEPTH} levels; flatten it.")


def _members(value: dict[str, Any] | ObjectValueNode) -> tuple[Iterable[str], list[Any]]:
    if isinstance(value, ObjectValueNode):
        given = [each for each in value.fields if not isinstance(each.value, NullValueNode)]
        return [each.name.value for each in given], [each.value for each in given]
    return [name for name, each in value.items() if each is not None], list(value.values())


def _items(value: object) -> list[Any]:
    if isinstance(value, ListValueNode):
        return list(value.values)
    return value if isinstance(value, list) else []
