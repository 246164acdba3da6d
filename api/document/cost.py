"""What one operation costs at most, known before anything of it is validated or run.

A field costs 1, times the size of each page it is on: `first` or `last` of the connections around it, the
number of ids of `nodes(ids:)`, the bound of a plain list that has one (buckets, versions). Fields that count over the
whole index have a price of their own. Directives
are not looked at: with @include and @skip both ways count. A fragment is added up once, as a few numbers (what
it costs alone, and what it costs for each node of the page it is spread on), and never expanded: the work is
linear in the size of the document. What a document may be apart from that is limits.py.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from api.document.limits import LimitExceeded
from api.document.page_sizes import PAGE_FIELDS, asks_archives, field_of, is_connection, size_of

MOST: Final = 2**53 - 1
"""Where counting ends: the largest whole number that every client reads exactly."""

_COUNTS: Final = {
    "StudyStats": ("studies", "series", "instances"),
    "SeriesStats": ("series", "instances"),
    "InstanceStats": ("instances",),
}
_AGGREGATES: Final = ("patients", "facet", "facetOf", "dateHistogram", "histogram", "crossTab", "cube")
PRICES: Final = {
    **{(of, name): 1_000 for of, counts in _COUNTS.items() for name in (*counts, *_AGGREGATES)},
    ("AttributeDefinition", "coverage"): 2_000,
    ("AttributeDefinition", "examples"): 1_000,
}
"""Fields that cost more than 1, whatever is asked below them: each reads a large part of the index."""

LIVE_PRICE: Final = 10_000
"""What `freshness` adds to a field when it is not CACHED: archives are asked."""

Path = tuple["Path", str] | None
"""Names of fields from the root, innermost last; linked, so that one more name is one step."""


@dataclass(slots=True)
class Cost:
    """requested: what the operation costs, at most MOST. dearest: the page that most of it is on."""

    requested: int
    dearest: str = ""
    visits: int = 0


@dataclass(slots=True)
class _Page:
    """What is selected directly on the nodes of one page, nested pages left out."""

    path: Path
    each: bool
    cost: int = 0


@dataclass(slots=True)
class _PartCost:
    """An operation or a fragment, as numbers.

    own and own_each: what costs once, and what costs for each node of the page that the fragment is spread on.
    inner and inner_each: the same of the pages inside. dearest and dearest_each: the dearest of those pages.
    """

    own: int = 0
    own_each: int = 0
    inner: int = 0
    inner_each: int = 0
    dearest: tuple[int, Path] = (0, None)
    dearest_each: tuple[int, Path] = (0, None)

    def add(self, page: _Page) -> None:
        """A page inside, complete."""
        self.add_inner(page.cost, (page.cost, page.path), each=page.each)

    def add_inner(self, cost: int, dearest: tuple[int, Path], *, each: bool) -> None:
        if each:
            self.inner_each += cost
            self.dearest_each = max(self.dearest_each, dearest, key=_first)
        else:
            self.inner += cost
            self.dearest = max(self.dearest, dearest, key=_first)


@dataclass(frozen=True, slots=True)
class _Place:
    """A selection set: on which type, how often, on which page. size: of the connection it stands on;
    None at the top of a fragment, where it is not known yet."""

    selections: SelectionSetNode
    type: GraphQLNamedType | None
    times: int
    size: int | None
    page: _Page
    path: Path


@dataclass(slots=True)
class _Pricing:
    """Adds up the parts of one document, each fragment before the first that spreads it."""

    schema: GraphQLSchema
    variables: Mapping[str, Any]
    fragments: Mapping[str, FragmentDefinitionNode]
    parts: dict[str, _PartCost] = field(default_factory=dict)
    visits: int = 0

    def operation(self, node: OperationDefinitionNode) -> _PartCost:
        for name in self._in_order(node.selection_set):
            definition = self.fragments[name]
            on = self.schema.get_type(definition.type_condition.name.value)
            self.parts[name] = self._part(definition.selection_set, on, None)
        return self._part(node.selection_set, self.schema.get_root_type(node.operation), 1)

    def _part(self, selections: SelectionSetNode, on: GraphQLNamedType | None, size: int | None) -> _PartCost:
        part = _PartCost()
        once, each = _Page(None, each=False), _Page(None, each=True)
        pages: list[_Page] = []
        waiting = [_Place(selections, on, 1, size, once, None)]
        while waiting:
            place = waiting.pop()
            for node in place.selections.selections:
                self.visits += 1
                if isinstance(node, FragmentSpreadNode):
                    self._spread(node.name.value, place, part, each)
                elif isinstance(node, FieldNode):
                    waiting += self._below(node, place, each, pages)
                elif isinstance(node, InlineFragmentNode):
                    name = node.type_condition and node.type_condition.name.value
                    inside = self.schema.get_type(name) if name else place.type
                    waiting.append(replace(place, selections=node.selection_set, type=inside))
        part.own, part.own_each = once.cost, each.cost
        for page in pages:
            part.add(page)
        return part

    def _below(self, node: FieldNode, place: _Place, each: _Page, pages: list[_Page]) -> Iterator[_Place]:
        """Adds the price of the field; where it has fields of its own, the place of these."""
        name = node.name.value
        owner = place.type.name if place.type is not None else ""
        price = PRICES.get((owner, name), 1) + (LIVE_PRICE if asks_archives(node, self.variables) else 0)
        place.page.cost += place.times * price
        if node.selection_set is None:
            return
        found = field_of(place.type, name)
        on = found[1] if found else None
        times, page = place.times, place.page
        size: int | None = None
        path: Path = (place.path, name)
        if name in PAGE_FIELDS and is_connection(place.type):
            if place.size is None:
                page = each
            else:
                times = min(times * place.size, MOST)
        elif found and (size := size_of(found[0], node, self.variables)) is not None:
            page = _Page(path, each=place.page.each)
            pages.append(page)
            if not is_connection(on):
                times, size = min(times * size, MOST), 1
        yield _Place(node.selection_set, on, times, size or 1, page, path)

    def _spread(self, name: str, place: _Place, part: _PartCost, each: _Page) -> None:
        inner = self.parts.get(name)
        if inner is None:  # not there, or in a circle: validation refuses the document
            return
        times, size = place.times, place.size
        if size is None:
            place.page.cost += inner.own
            each.cost += inner.own_each
            part.add_inner(inner.inner, _seen_from(place.path, inner.dearest, 1), each=False)
            part.add_inner(inner.inner_each, _seen_from(place.path, inner.dearest_each, 1), each=True)
            return
        place.page.cost += times * (inner.own + size * inner.own_each)
        dearest = max(
            _seen_from(place.path, inner.dearest, times),
            _seen_from(place.path, inner.dearest_each, times * size),
            key=_first,
        )
        cost = times * (inner.inner + size * inner.inner_each)
        part.add_inner(cost, dearest, each=place.page.each)

    def _in_order(self, root: SelectionSetNode) -> Iterator[str]:
        """The fragments that the operation reaches, each after those that it spreads itself."""
        spreads = {name: self._spreads(node.selection_set) for name, node in self.fragments.items()}
        seen: set[str] = set()
        path: list[tuple[str, Iterator[str]]] = [("", iter(self._spreads(root)))]
        while path:
            name, names = path[-1]
            for inner in names:
                if inner in spreads and inner not in seen:
                    seen.add(inner)
                    path.append((inner, iter(spreads[inner])))
                    break
            else:
                path.pop()
                if path:
                    yield name

    def _spreads(self, selections: SelectionSetNode) -> list[str]:
        found: dict[str, None] = {}
        waiting = [selections]
        while waiting:
            for node in waiting.pop().selections:
                self.visits += 1
                if isinstance(node, FragmentSpreadNode):
                    found[node.name.value] = None
                elif (nested := getattr(node, "selection_set", None)) is not None:
                    waiting.append(nested)
        return list(found)


def cost_of(
    schema: GraphQLSchema,
    document: DocumentNode,
    variables: Mapping[str, Any] | None = None,
    operation_name: str | None = None,
) -> Cost:
    """The cost of the operation of that name, or of the first one. Raises nothing for what is no operation."""
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if operation_name is not None:
        operations = [node for node in operations if node.name and node.name.value == operation_name]
    if not operations:
        return Cost(0)
    fragments: dict[str, FragmentDefinitionNode] = {}
    for node in document.definitions:
        if isinstance(node, FragmentDefinitionNode):
            fragments.setdefault(node.name.value, node)
    pricing = _Pricing(schema, _given(operations[0], variables or {}), fragments)
    part = pricing.operation(operations[0])
    requested = part.own + part.own_each + part.inner + part.inner_each
    return Cost(min(requested, MOST), _words(part.dearest[1]), pricing.visits)


def check_cost(cost: Cost, limit: int) -> None:
    """Raises LimitExceeded."""
    if cost.requested <= limit:
        return
    at = f" Most of it is below {cost.dearest}: ask for a smaller page there, or for fewer fields."
    costs = f"more than {MOST - 1}" if cost.requested == MOST else str(cost.requested)
    raise LimitExceeded(
        "COST_TOO_HIGH", f"The operation costs {costs}; {limit} are allowed.{at if cost.dearest else ''}"
    )


def _given(operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables, with the defaults of those that are missing (as nodes: only pages read them)."""
    defaults = {
        each.variable.name.value: each.default_value
        for each in operation.variable_definitions or ()
        if each.default_value is not None
    }
    return {**defaults, **variables}


def _seen_from(path: Path, dearest: tuple[int, Path], times: int) -> tuple[int, Path]:
    """The dearest page of a fragment, seen from where it is spread."""
    cost, inner = dearest
    names: list[str] = []
    while inner is not None:
        inner, name = inner
        names.append(name)
    for name in reversed(names):
        path = (path, name)
    return cost * times, path


def _first(pair: tuple[int, Path]) -> int:
    return pair[0]


def _words(path: Path) -> str:
    names: list[str] = []
    while path is not None:
        path, name = path
        names.append(name)
    return ".".join(reversed(names))
