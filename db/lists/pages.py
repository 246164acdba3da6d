"""Statements of pages: one for a page, or for the same page of many versions or parents."""

from collections.abc import Sequence

from db.lists.by_value import ByValue
from db.lists.listing import Listing, Window
from db.lists.orders import Walk
from db.lists.part import INDEXED_AT, Part, key_columns, named, source_pk
from db.lists.where import same_node
from db.params import Compiled, Params
from model.attributes import KEY_COLUMNS, Key, Level


def page(listing: Listing, window: Window, *, sorted_plan: bool = False) -> Compiled:
    """Rows in order, with sort values k0, k1, …; ask for one row more than a page to know of the next.

    sorted_plan: all that match are found first, and then sorted, whatever the planner thinks of it.
    """
    params = Params()
    return params.compiled(_page(params, listing, window, sorted_plan))


def page_by_version(
    listing: Listing, versions: list[str], window: Window, *, sorted_plan: bool = False
) -> Compiled:
    """The same page of the studies of each version; rows carry `parent`, the version's id. The condition is of
    EACH_VERSION."""
    params = Params()
    pages = each_version(params, versions, _page(params, listing, window, sorted_plan))
    in_order = listing.order.of_found("c", backward=window.backward)
    return params.compiled(f"{pages} order by asked.version_id, {in_order}")


def each_version(params: Params, versions: list[str], sql: str) -> str:
    """What `sql` finds of each version."""
    ids = params.add(versions, "uuid[]")
    return (
        f"select asked.version_id::text as parent, c.* from unnest({ids}) asked (version_id)"
        f" cross join lateral ({sql}) c"
    )


def page_by_parent(listing: Listing, parents: Sequence[Key], parent: Level, window: Window) -> Compiled:
    """The same page of each parent's children, and beside it what is known of the parent's visible copies: `holders`,
    their archives; `lacking_in` and `lacking`, archive and source_pk of those whose children are not indexed. Its UIDs
    are `of_` and their columns; where it has no children on the page, `uid` is null. Of a listing with one scope."""
    params, (scope,) = Params(), listing.scopes
    part, order = Part(params, scope, listing.level, listing.condition), listing.order
    walk = part.walk(order, shared=True, backward=window.backward)
    rows = (
        f"select {part.columns(walk)} from {part.table} s where {same_node(parent, 's', 'p')}"
        f" and {part.child('s')} and {walk.beyond(window.position, inclusive=window.inclusive)}"
        f" order by {walk.order_by} limit {params.add(window.limit, 'integer')}"
    )
    lacking = f"filter (where q.{INDEXED_AT[parent]} is null)"
    copies = (
        f"select array_agg(distinct q.archive_id) as holders, array_agg(q.archive_id) {lacking} as lacking_in,"
        f" array_agg({source_pk('q', scope.projection, parent)}) {lacking} as lacking"
        f" from {scope.projection}.{parent} q where {same_node(parent, 'q', 'p')}"
        f" and q.archive_id = any({part.visible})"
    )
    of_parent = ", ".join(f"p.{column} as of_{column}" for column in KEY_COLUMNS[parent])
    return params.compiled(
        f"select {of_parent}, q.*, c.* from {named(params, parents, parent)} p cross join lateral ({copies}) q"
        f" left join lateral ({rows}) c on true"
        f" order by {key_columns('p', parent)}, {order.of_found('c', backward=window.backward)}"
    )


def _page(params: Params, listing: Listing, window: Window, sorted_plan: bool) -> str:
    order, limit = listing.order, params.add(window.limit, "integer")
    branches: list[str] = []
    looked_up: list[str] = []
    for scope in listing.scopes:
        part = Part(params, scope, listing.level, listing.condition)
        start = part.by_value if order.is_newest_first and not sorted_plan else None
        if start and (values := start.looked_up(params, part.projection)):
            looked_up.append(values)
        for shared in (False, True):
            walk = part.walk(order, shared=shared, backward=window.backward, sorted_plan=sorted_plan)
            for region in walk.regions(window.position, inclusive=window.inclusive):
                branches += _branches(params, part, walk, region, limit, start)
    values = f"with {', '.join(looked_up)} " if looked_up else ""
    rows = " union all ".join(f"({branch} limit {limit})" for branch in branches)
    in_order = order.of_found("page", backward=window.backward)
    return f"{values}select * from ({rows}) page order by {in_order} limit {limit}"


def _branches(
    params: Params, part: Part, walk: Walk, region: str, limit: str, start: ByValue | None
) -> Sequence[str]:
    """The queries of one region of a part's order."""
    rows = part.rows("s", shared=walk.shared)
    # a shared study has a value once for each archive that it comes from
    once = f"distinct on ({', '.join([*walk.expressions, *walk.uids])}) " if walk.shared else ""

    def select(table: str, first: str) -> str:
        return (
            f"select {'' if table == part.table else once}{part.columns(walk)} from {table} s"
            f" where {first}{rows} and {region} order by {walk.order_by}"
        )

    if start is None:
        return [select(part.table, "")]
    of_page = (walk.order.of_found("n", backward=walk.backward), limit)
    return start.branches(params, part.projection, of_page, select)
