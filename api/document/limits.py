"""How much one GraphQL document may ask for, measured before anything of it is validated or run.

`measure` visits every selection once and adds up every fragment once, as numbers: a fragment that is
spread twice counts twice, but is never expanded. So the work is linear in the size of the document,
also for fragments that spread each other twice, thirty levels deep. Only what is then known to be
small is expanded, by `pairs`: validation compares fields of one name with each other, two by two.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionSetNode,
)

MAX_BODY_BYTES = 1_000_000
# A page of 1,000 studies of 12 fields, each with 10 series of 8, costs 94,002; some more for fields with
# fields of their own, totals and sources. At 6 µs a field, about a second of one core.
MAX_COST = 150_000
MAX_DOCUMENT = 120_000  # characters; reading a string of a megabyte takes 200 ms
MAX_TOKENS = 4_000  # graphql-core needs about 8 µs for each
MAX_DEPTH = 15  # the standard introspection query is exactly that deep, so it needs no exemption
MAX_SELECTIONS = 2_000
MAX_DIRECTIVES = 50
MAX_PAIRS = 20_000  # 200 fields of one name at one place; graphql-core needs about 50 ms for them


class LimitExceeded(GraphQLError):
    """A document beyond a limit; `extensions.code` says which, the message says how far."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, extensions={"code": code})


@dataclass(slots=True)
class Measure:
    """What a document asks for; `visits` is the work that measuring it took."""

    depth: int = 0
    selections: int = 0
    directives: int = 0
    visits: int = 0


@dataclass(slots=True)
class _PartSize:
    """One operation or fragment on its own: fragments it spreads by the depth at which it does."""

    depth: int = 0
    selections: int = 0
    spreads: list[tuple[str, int]] = field(default_factory=list)


def check(document: DocumentNode) -> Measure:
    """What the document asks for. Raises LimitExceeded for the first limit that it breaks."""
    measured = measure(document)
    if measured.directives > MAX_DIRECTIVES:
        raise LimitExceeded(
            "QUERY_TOO_MANY_DIRECTIVES",
            f"The document uses {measured.directives} directives; {MAX_DIRECTIVES} are allowed.",
        )
    if measured.depth > MAX_DEPTH:
        raise LimitExceeded(
            "QUERY_TOO_DEEP",
            f"The document nests fields {_bounded(measured.depth, MAX_DEPTH * 10)} deep; "
            f"{MAX_DEPTH} are allowed.",
        )
    if measured.selections > MAX_SELECTIONS:
        raise LimitExceeded(
            "QUERY_TOO_LARGE",
            f"The document selects {_bounded(measured.selections, MAX_SELECTIONS * 10)} fields, fragments "
            f"counted each time they are spread; {MAX_SELECTIONS} are allowed. Ask in several requests.",
        )
    repeated = pairs(document, 2 * MAX_SELECTIONS)
    if repeated is None:
        raise LimitExceeded(
            "GRAPHQL_VALIDATION_FAILED", "Fragments spread each other in a circle, or too many are not used."
        )
    if repeated > MAX_PAIRS:
        raise LimitExceeded(
            "QUERY_TOO_LARGE",
            "The document selects the same field at the same place too often: give aliases.",
        )
    return measured


def measure(document: DocumentNode) -> Measure:
    """Depth is that of the deepest operation; selections are those of all operations together."""
    total = Measure()
    operations: list[_PartSize] = []
    fragments: dict[str, _PartSize] = {}
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            total.directives += sum(
                len(variable.directives or ()) for variable in definition.variable_definitions or ()
            )
            operations.append(_part(definition.selection_set, definition.directives, total))
        elif isinstance(definition, FragmentDefinitionNode):
            part = _part(definition.selection_set, definition.directives, total)
            fragments.setdefault(definition.name.value, part)
    # A fragment that nothing spreads is validated all the same, so its depth counts.
    for name in fragments:
        total.depth = max(total.depth, _resolved(name, fragments, total).depth)
    for operation in operations:
        _add_spreads(operation, fragments, total)
        total.depth = max(total.depth, operation.depth)
        total.selections += operation.selections
    return total


def pairs(document: DocumentNode, most_visits: int) -> int | None:
    """How many pairs of fields have the same response name at the same place; None after `most_visits`.

    Only fragments in a circle, or unused ones, lead beyond the number of selections that `measure` found.
    """
    fragments = {
        node.name.value: node.selection_set
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    unused = dict(fragments)
    roots = [node.selection_set for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    fields: dict[tuple[int, str], list[int]] = {}  # (place, response name) → place below, occurrences
    found = visits = places = 0
    while roots or unused:
        places += 1
        waiting = [(roots.pop() if roots else unused.popitem()[1], places)]
        while waiting:
            nodes, place = waiting.pop()
            for node in nodes.selections:
                visits += 1
                if visits > most_visits:
                    return None
                nested: SelectionSetNode | None = getattr(node, "selection_set", None)
                below = place
                if isinstance(node, FragmentSpreadNode):
                    nested = fragments.get(node.name.value)
                    unused.pop(node.name.value, None)
                elif isinstance(node, FieldNode):
                    name = (node.alias or node.name).value
                    places += (place, name) not in fields
                    same = fields.setdefault((place, name), [places, 0])
                    found += same[1]
                    same[1] += 1
                    below = same[0]
                if nested is not None:
                    waiting.append((nested, below))
    return found


def _part(
    selection_set: SelectionSetNode, directives: tuple[DirectiveNode, ...] | None, total: Measure
) -> _PartSize:
    part = _PartSize()
    total.directives += len(directives or ())
    waiting = [(selection_set, 0)]
    while waiting:
        nodes, depth = waiting.pop()
        for node in nodes.selections:
            total.visits += 1
            total.directives += len(node.directives or ())
            part.selections += 1
            if isinstance(node, FragmentSpreadNode):
                part.spreads.append((node.name.value, depth))
                continue
            below = depth + 1 if isinstance(node, FieldNode) else depth
            part.depth = max(part.depth, below)
            nested: SelectionSetNode | None = getattr(node, "selection_set", None)
            if nested is not None:
                waiting.append((nested, below))
    return part


def _resolved(name: str, fragments: dict[str, _PartSize], total: Measure) -> _PartSize:
    """The fragment with what it spreads added in. Without recursion: chains can be a thousand long.

    A spread that closes a cycle adds nothing; validation refuses the cycle.
    """
    path: list[tuple[_PartSize, Iterator[tuple[str, int]]]] = [
        (fragments[name], iter(fragments[name].spreads))
    ]
    open_now = {name}
    names = [name]
    while path:
        part, spreads = path[-1]
        for spread, _ in spreads:
            total.visits += 1
            inner = fragments.get(spread)
            if inner is not None and inner.spreads and spread not in open_now:
                path.append((inner, iter(inner.spreads)))
                open_now.add(spread)
                names.append(spread)
                break
        else:
            path.pop()
            open_now.discard(names.pop())
            _add_spreads(part, fragments, total)
    return fragments[name]


def _add_spreads(part: _PartSize, fragments: dict[str, _PartSize], total: Measure) -> None:
    """Adds each spread fragment's numbers; from then on the part spreads nothing."""
    for name, depth in part.spreads:
        total.visits += 1
        inner = fragments.get(name)
        if inner is not None and inner is not part:
            part.depth = max(part.depth, depth + inner.depth)
            part.selections += inner.selections
    part.spreads = []


def _bounded(count: int, most: int) -> str:
    return str(count) if count <= most else f"more than {most}"
