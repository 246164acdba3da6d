"""Lists of nodes: the one way in for every face, and the page that comes of it."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from db.lists import nodes, pages
from db.lists.listing import Listing, Window
from db.lists.orders import Order, Sort
from db.pool import Row
from model.attributes import Level
from model.filters import Condition
from reads.backfill import go_deep_enough
from reads.cohort_scope import opened
from reads.counts import Counts, counted
from reads.ends import Ends
from reads.freshness import Refresh, refreshed
from reads.list_query import ListQuery, list_query_of
from reads.page_arguments import PageArguments
from reads.ranking import ordered
from reads.reports import Report, reports_of, warn_of_unasked
from reads.request import Request
from reads.slow import ListWarning, slow_warnings
from refresh.single_flight import SingleFlight


@dataclass(slots=True, kw_only=True)
class ListPage(Ends[Row]):
    """An answered page, and how to find out what else may be asked of its list."""

    request: Request
    list_query: ListQuery
    count: Callable[[], Coroutine[Any, Any, Counts]]
    warnings: list[ListWarning] = field(default_factory=list)
    _once: SingleFlight[None, Counts] = field(default_factory=lambda: SingleFlight(remembers=True))

    async def counts(self) -> Counts:
        """Counted once, however many fields ask."""
        return await self._once.shared(None, self.count)

    async def reports(self) -> list[Report]:
        return await reports_of(self.request, self.list_query, self.counts)


async def list_nodes(
    request: Request,
    level: Level,
    condition: Condition,
    page: PageArguments,
    *,
    archives: Sequence[str] | None = None,
    sorts: Sequence[Sort] = (),
    refresh: Refresh | None = None,
) -> ListPage:
    """A page of all nodes of a level that match, of these archives (None: all). What the list needs and the index
    lacks is fetched, when it is little; refresh: the archives are asked first.

    One statement reads the page; its counts, and whether there is anything the other way, only when they are asked
    for. Rows that are shown are for the caller to note (`request.touched`). Raises InputError of many kinds.
    """
    condition = await opened(request, condition)
    list_query = list_query_of(request.access_scope, archives, condition, sorts)
    if refresh is not None:  # what cannot be answered is refused before anybody is asked
        chosen = await ordered(request, list_query, level, condition, sorts, page)
        listing = chosen.listing(list_query, level)
        pages.page(listing, page.window(listing.order, request.cursors))
    is_later_page = page.cursor is not None
    list_query = await refreshed(request, list_query, level, condition, refresh, is_later_page=is_later_page)
    list_query = await go_deep_enough(request, list_query, level, condition)
    return await _page(request, list_query, level, condition, sorts, page)


async def _page(
    request: Request,
    list_query: ListQuery,
    level: Level,
    condition: Condition,
    sorts: Sequence[Sort],
    page: PageArguments,
) -> ListPage:
    database = request.database
    chosen = await ordered(request, list_query, level, condition, sorts, page)

    wanted = chosen.listing(list_query, level)
    window = page.window(wanted.order, request.cursors)
    rows = await nodes.page(database, wanted, window)

    async def other_way(edge: Window) -> bool:
        return bool(await nodes.page(database, wanted, edge))

    async def count() -> Counts:
        return counted(await nodes.counts(database, Listing(list_query.scopes, level, chosen.counted)))

    listed = page_of(request, list_query, wanted.order, rows, page, window, other_way, count)
    listed.warnings = await slow_warnings(request, level, condition)
    if chosen.warning is not None:
        listed.warnings.append(chosen.warning)
    return listed


def page_of(
    request: Request,
    list_query: ListQuery,
    order: Order,
    rows: Sequence[Row],
    page: PageArguments,
    window: Window,
    other_way: Callable[[Window], Awaitable[bool]],
    count: Callable[[], Coroutine[Any, Any, Counts]],
) -> ListPage:
    """The page of rows that were read in `window`. other_way: whether a list has rows in a window; count: of all."""
    request.touched.asked(archive.archive_id for archive in list_query.asked)
    warn_of_unasked(request, list_query)
    shown = list(rows[: page.size])
    if page.backward:
        shown.reverse()
    near = (shown[-1] if page.backward else shown[0]) if shown else None
    edge = _edge(order, near, window)

    async def is_beyond() -> bool:
        return edge is not None and await other_way(edge)

    return ListPage(
        request=request,
        list_query=list_query,
        items=shown,
        more=len(rows) > page.size,
        backward=page.backward,
        other_way=is_beyond,
        cursor=lambda row: request.cursors.seal(order.signature, order.position(row)),
        count=count,
    )


def _edge(order: Order, near: Row | None, window: Window) -> Window | None:
    """The one row on the other side of a page: before its first row, or at the cursor of an empty page."""
    if window.position is None:
        return None
    if near is None:
        return Window(1, window.position, not window.backward, inclusive=True)
    return Window(1, order.position(near), not window.backward)
