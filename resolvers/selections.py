"""What a field of a document selects: whether its nodes may be made later than those of others (reads/pace.py).

graphql-core completes a list in one piece; one that comes item by item (an async iterator) it completes so, too.
"""

from collections.abc import Iterator, Mapping

from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, SelectionNode, SelectionSetNode
from graphql.pyutils import Path


def is_below_a_list(path: Path | None) -> bool:
    """Whether a field of an answer is one of many of its kind."""
    while path is not None:
        if isinstance(path.key, int):
            return True
        path = path.prev
    return False


def is_plain(selected: SelectionSetNode | None, fragments: Mapping[str, FragmentDefinitionNode]) -> bool:
    """Whether nodes are asked for values of their own only. What lies below them is loaded for all of them at once,
    so they may not wait for each other."""
    return all(
        each.name.value == "node" and is_plain(each.selection_set, fragments)
        if each.selection_set is not None
        else not each.arguments
        for each in _fields(selected, fragments)
    )


def _fields(
    selected: SelectionSetNode | None, fragments: Mapping[str, FragmentDefinitionNode]
) -> Iterator[FieldNode]:
    waiting: list[SelectionNode] = list(selected.selections) if selected is not None else []
    while waiting:
        each = waiting.pop()
        if isinstance(each, FieldNode):
            yield each
        else:
            inner = fragments[each.name.value] if isinstance(each, FragmentSpreadNode) else each
            waiting += getattr(inner, "selection_set").selections  # noqa: B009
