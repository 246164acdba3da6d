"""Pages (Relay cursor connections, keyset inside): what the three connection types share."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

import strawberry

from db.lists import nodes
from db.lists.listing import Listing, Page
from db.lists.nodes import Row
from db.lists.orders import Order, Sort
from model.attributes import Key, Level
from model.filters import CohortTest, Condition
from reads.list_query import ListQuery, Shortfall, list_query_of
from refresh.live import Fresh
from resolvers.archives.sources import COMPLETE, SourceReport, is_complete, reports_of, warn_of_unasked
from resolvers.filters.arguments import PageArguments
from resolvers.info import Info
from resolvers.pace import FREE, PART, in_parts
from resolvers.ranking import ordered
from resolvers.records.loaders import Children, Counts, Loaders, counted
from resolvers.slow import AnswerWarning, slow_warnings

if TYPE_CHECKING:
    from resolvers.context import Context


T = TypeVar("T")


def _describe(description: str) -> Any:
    return strawberry.field(description=description)


@dataclass(slots=True)
class ListPage:
    """An answered page, and how to find out what else may be asked of its list."""

    context: "Context"
    list_query: ListQuery
    order: Order
    rows: Sequence[Row]
    has_more: bool
    backward: bool
    other_way: Callable[[], Awaitable[bool]]
    count: Callable[[], Coroutine[Any, Any, Counts]]
    warnings: list[AnswerWarning] = field(default_factory=list)
    _counts: asyncio.Future[Counts] | None = None

    async def made(self, info: Info, make: Callable[[Row], T]) -> list[T]:
        """The rows as nodes of the answer, or as edges: its audit line tells of them."""
        context, rows = self.context, self.rows
        context.touched.add(rows)
        context.made += len(rows)
        if context.made <= FREE or not context.may_wait(info):
            return [make(row) for row in rows]
        if len(rows) > PART:
            return cast(list[T], in_parts(context.services.pace, rows, make))
        await context.services.pace.turn()
        return [make(row) for row in rows]

    def cursor(self, row: Row) -> str:
        """The sealed position of a row of this page."""
        return self.context.cursors.seal(self.order.signature, self.order.position(row))

    async def counts(self) -> Counts:
        """Counted once, however many fields ask."""
        if self._counts is None:
            self._counts = asyncio.ensure_future(self.count())
        return await asyncio.shield(self._counts)

    async def has_next(self) -> bool:
        return await self.other_way() if self.backward else self.has_more

    async def has_previous(self) -> bool:
        return self.has_more if self.backward else await self.other_way()

    def start(self) -> str | None:
        return self.cursor(self.rows[0]) if self.rows else None

    def end(self) -> str | None:
        return self.cursor(self.rows[-1]) if self.rows else None

    async def reports(self) -> list[SourceReport]:
        return await reports_of(self.context, self.list_query, self.counts)


class Ends(Protocol):
    """What PageInfo asks of a page."""

    async def has_next(self) -> bool: ...

    async def has_previous(self) -> bool: ...

    def start(self) -> str | None: ...

    def end(self) -> str | None: ...


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    ends: strawberry.Private[Ends]

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
        return self.listed.warnings

    @strawberry.field(description="One report for each archive that the query asked for.")
    async def sources(self) -> list[SourceReport] | None:
        return await self.listed.reports()


async def list_nodes(
    context: "Context",
    list_query: ListQuery,
    level: Level,
    condition: Condition,
    sorts: Sequence[Sort],
    page: PageArguments,
) -> ListPage:
    """A page of all nodes of a level that match. One statement; counts and the other way only when asked."""
    database = context.database

    chosen = await ordered(context, list_query, level, condition, sorts, page)

    wanted = chosen.listing(list_query, level)
    window = page.window(wanted.order, context.cursors)
    rows = await nodes.page(database, wanted, window)

    async def other_way(edge: Page | None) -> bool:
        return edge is not None and bool(await nodes.page(database, wanted, edge))

    async def count() -> Counts:
        return counted(await nodes.counts(database, Listing(list_query.scopes, level, chosen.counted)))

    listed = _listed(context, list_query, wanted.order, rows, page, window, other_way, count)
    listed.warnings = await slow_warnings(context, level, condition)
    if chosen.warning is not None:
        listed.warnings.append(chosen.warning)
    return listed


async def list_children(
    context: "Context",
    loaders: Loaders,
    wanted: Children,
    page: PageArguments,
    parent: Key,
    shortfall: Shortfall,
    fresh: Fresh | None = None,
) -> ListPage:
    """A page of one parent's children; the parents of a list share their statements."""
    order = wanted.listing(loaders.scope).order
    rows = await loaders.children(wanted).load(parent)

    async def other_way(edge: Page | None) -> bool:
        if edge is None:
            return False
        return bool(await loaders.children(replace(wanted, window=edge)).load(parent))

    async def count() -> Counts:
        return await loaders.child_counts(wanted.level, wanted.parent, wanted.condition).load(parent)

    holders = await loaders.archives_holding(wanted.parent, parent)
    asked = tuple(a for a in loaders.scope.visible if a.archive_id in holders)
    list_query = ListQuery((loaders.scope,), asked, shortfall, fresh=fresh)
    return _listed(context, list_query, order, rows, page, wanted.window, other_way, count)


async def list_version(context: "Context", test: CohortTest, page: PageArguments) -> ListPage:
    """A page of the studies of a version of a cohort, newest first; versions of a list share their statements."""
    list_query = list_query_of(context.access_scope, None, test, ())
    scopes, version, lists = list_query.scopes, str(test.version), context.version_lists
    order = Listing(scopes, Level.STUDY, test).order
    window = page.window(order, context.cursors)
    rows = await lists.page(scopes, window).load(version)

    async def other_way(edge: Page | None) -> bool:
        return edge is not None and bool(await lists.page(scopes, edge).load(version))

    async def count() -> Counts:
        return await lists.counts(scopes).load(version)

    return _listed(context, list_query, order, rows, page, window, other_way, count)


def _listed(
    context: "Context",
    list_query: ListQuery,
    order: Order,
    rows: Sequence[Row],
    page: PageArguments,
    window: Page,
    other_way: Callable[[Page | None], Awaitable[bool]],
    count: Callable[[], Coroutine[Any, Any, Counts]],
) -> ListPage:
    context.touched.asked(archive.archive_id for archive in list_query.asked)
    warn_of_unasked(context, list_query)
    shown = list(rows[: page.size])
    if page.backward:
        shown.reverse()
    near = (shown[-1] if page.backward else shown[0]) if shown else None
    return ListPage(
        context=context,
        list_query=list_query,
        order=order,
        rows=shown,
        has_more=len(rows) > page.size,
        backward=page.backward,
        other_way=lambda: other_way(_edge(order, near, window)),
        count=count,
    )


def _edge(order: Order, near: Row | None, window: Page) -> Page | None:
    """The one row on the other side of a page: before its first row, or at the cursor of an empty page."""
    if window.position is None:
        return None
    if near is None:
        return Page(1, window.position, not window.backward, inclusive=True)
    return Page(1, order.position(near), not window.backward)
