"""Arguments that every list has: their descriptions, and what first, after, last and before mean."""

from typing import Annotated

import strawberry
from graphql import VariableNode

from model.errors import BadInput
from reads.page_arguments import PageArguments
from resolvers.descriptions import argument
from resolvers.engine import core_info

MAX_PAGE = 1000

First = Annotated[
    int | None,
    argument("How many from the start or after `after`: 1 to 1000; not with `last`."),
]
After = Annotated[str | None, argument("A cursor of this list: what follows it.")]
Last = Annotated[
    int | None,
    argument("How many from the end or before `before`: 1 to 1000; not with `first`."),
]
Before = Annotated[str | None, argument("A cursor of this list: what precedes it.")]
Given = tuple[int | None, str | None, int | None, str | None]
"""first, after, last, before."""
Archives = Annotated[list[str] | None, argument("Only what these archives hold, by code; null: all.")]


def page_arguments(
    info: strawberry.Info, first: int | None, after: str | None, last: int | None, before: str | None
) -> PageArguments:
    """Checks the four arguments. Raises BadInput; more than 1000 is refused, never cut."""
    if last is not None and _is_given(info, "first") and first is not None:
        raise BadInput("first and last: give one of them.")
    if last is not None:
        if after is not None:
            raise BadInput("after: goes with `first`; with `last` use `before`.")
        return PageArguments(_size("last", last), before, backward=True)
    if before is not None:
        raise BadInput("before: goes with `last`; with `first` use `after`.")
    if first is None:
        raise BadInput("first or last: give one of them.")
    return PageArguments(_size("first", first), after, backward=False)


def _size(name: str, value: int) -> int:
    if not 1 <= value <= MAX_PAGE:
        raise BadInput(f"{name}: 1 to {MAX_PAGE}, got {value}.")
    return value


def _is_given(info: strawberry.Info, name: str) -> bool:
    """True when the query itself gives the argument: a default value is not a choice."""
    for given in core_info(info).field_nodes[0].arguments or ():
        if given.name.value == name:
            variable = given.value.name.value if isinstance(given.value, VariableNode) else None
            return variable is None or variable in info.variable_values
    return False
