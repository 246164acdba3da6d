"""Pages (Relay cursor connections, keyset inside): what the connections of all levels share."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Protocol, TypeVar, cast

import strawberry

from db.lists.listing import Window
from db.pool import Row
from model.attributes import Level
from reads.backfill import looked_into_below, unsearched
from reads.children import Children
from reads.counts import Counts
from reads.ends import Ends
from reads.list_query import ListQuery, Shortfall
from reads.lists import ListPage, page_of
from reads.pace import FREE, PART, in_parts
from reads.reports import is_complete
from resolvers.archives.sources import COMPLETE, SourceReport, source_reports
from resolvers.context import Info
from resolvers.descriptions import described
from resolvers.engine import core_info
from resolvers.filters.arguments import Given, page_arguments
from resolvers.filters.inputs import Filter, condition_of
from resolvers.filters.orders import Order, sorts_of
from resolvers.records.level_node import LevelNode

T = TypeVar("T")


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    ends: strawberry.Private[Ends[Any]]

    @strawberry.field(description="True when more follows this page.")
    async def has_next_page(self) -> bool:
        return await self.ends.has_next()

    @strawberry.field(description="True when something precedes this page.")
    async def has_previous_page(self) -> bool:
        return await self.ends.has_previous()

    @strawberry.field(description="Cursor of the first node of this page; null when it is empty.")
    def start_cursor(self) -> str | None:
        return self.ends.start()

    @strawberry.field(description="Cursor of the last node of this page; null when it is empty.")
    def end_cursor(self) -> str | None:
        return self.ends.end()


@strawberry.type(name="Warning", description="Something to know about an answer that is right all the same.")
class AnswerWarning:
    code: str = described(
        "NOT_FAST: a filter reads records one by one. NOT_RANKED: so many match that they are by date."
    )
    message: str = described("The same for people, with the remedy.")


@strawberry.type(description="What the connections of all levels have in common.")
class Connection:
    listed: strawberry.Private[ListPage]

    @strawberry.field(description="Where this page stands in its list.")
    def page_info(self) -> PageInfo:
        return PageInfo(ends=self.listed)

    @strawberry.field(description="Exact number of matching nodes over the archives that answered.")
    async def total_count(self) -> int | None:
        return (await self.listed.counts()).total

    @strawberry.field(description=COMPLETE)
    async def complete(self) -> bool | None:
        return is_complete(await self.listed.reports(), self.listed.list_query)

    @strawberry.field(
        description="What to know about this list: filters that are slow, and matches too many to be ranked."
    )
    def warnings(self) -> list[AnswerWarning]:
        return [AnswerWarning(code=each.code, message=each.message) for each in self.listed.warnings]

    @strawberry.field(description="One report for each archive that the query asked for.")
    async def sources(self, info: Info) -> list[SourceReport] | None:
        return source_reports(info.context, await self.listed.reports())

    edge_type: ClassVar[type]

    def node(self, row: Row) -> Any:
        """A row of the page as a node of the level."""
        raise NotImplementedError

    def edge(self, row: Row) -> Any:
        return self.edge_type(node=self.node(row), listed=self.listed)


class _Edge(Protocol):
    """What `cursor` asks of an edge."""

    node: LevelNode
    listed: ListPage


async def _nodes(self: Connection, info: Info) -> list[Any]:
    return await _made(self.listed, info, self.node)


async def _edges(self: Connection, info: Info) -> list[Any]:
    return await _made(self.listed, info, self.edge)


def _cursor(self: _Edge) -> str:
    return self.listed.cursor(self.node.row)


def nodes_of(many: str) -> Any:
    """The field `nodes` of a connection."""
    return strawberry.field(resolver=_nodes, description=f"The {many} of this page.")


def edges_of(many: str) -> Any:
    """The field `edges` of a connection."""
    return strawberry.field(resolver=_edges, description=f"The {many} of this page with their cursors.")


def cursor_of(one: str) -> Any:
    """The field `cursor` of an edge."""
    return strawberry.field(resolver=_cursor, description=f"Where the {one} stands in this list; opaque.")


async def _made(listed: ListPage, info: Info, make: Callable[[Row], T]) -> list[T]:
    """The rows as nodes of the answer, or as edges: its audit line tells of them."""
    context, rows = info.context, listed.items
    context.touched.add(rows)
    context.made += len(rows)
    if context.made <= FREE or not context.may_wait(core_info(info)):
        return [make(row) for row in rows]
    if len(rows) > PART:
        return cast(list[T], in_parts(context.services.pace, rows, make))
    await context.services.pace.turn()
    return [make(row) for row in rows]


async def children_of(
    parent: LevelNode,
    info: Info,
    level: Level,
    given: Filter | None,
    order_by: Sequence[Order] | None,
    page: Given,
) -> ListPage:
    """A page of a node's series, or instances; the parents of a list share their statements."""
    arguments = page_arguments(info, *page)
    context, loaders = info.context, info.context.loaders_of(parent.row)
    wanted = Children.of(
        loaders.scope, context.cursors, level, condition_of(given), sorts_of(order_by), arguments
    )
    if parent.fresh is None:
        found = await loaders.backfilled_children(wanted).load(parent.key)
        failures = found.failures
    else:
        failures = await loaders.missing(wanted.parent, parent.fresh).load(parent.key)
        found = await loaders.children(wanted).load(parent.key)
    gaps = await loaders.gaps_by_level.load_many(looked_into_below(level, wanted.condition))
    beyond = await unsearched(context, level, wanted.condition, loaders.unsearched_by_level.load)
    order = wanted.listing(loaders.scope).order

    async def other_way(edge: Window) -> bool:
        return bool((await loaders.children(replace(wanted, window=edge)).load(parent.key)).rows)

    async def count() -> Counts:
        return await loaders.child_counts(level, wanted.parent, wanted.condition).load(parent.key)

    asked = tuple(each for each in loaders.scope.visible if each.archive_id in found.holders)
    lacks = Shortfall(failures, frozenset().union(*gaps), frozenset(beyond))
    list_query = ListQuery((loaders.scope,), asked, lacks, fresh=parent.fresh)
    return page_of(context, list_query, order, found.rows, arguments, wanted.window, other_way, count)
