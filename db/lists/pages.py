"""Statements of pages and counts: one for a page, one for its counts, whatever the number of rows.

A page unites two kinds of rows: unshared ones, read as they are, and shared families, where the best-ranked
visible copy stands for the node (architecture: what a viewer cannot see does not decide what they see).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from access.scope import Projection, Scope
from db.lists.by_value import ByValue, by_value
from db.lists.orders import Order, Sort, Walk, order_of
from db.lists.where import Where, same_node, union_count
from db.params import Params
from model.attributes import KEY_COLUMNS, UID_COLUMN, Attribute, Key, Level, columns_of
from model.broad import hints
from model.cursors import Position
from model.filters import Condition
from model.vocabulary import CODE_COLUMNS

_PK = {Level.STUDY: "study_pk", Level.SERIES: "series_pk", Level.INSTANCE: "instance_pk"}


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows of an order: `limit` of them beyond `position`, towards the end or the beginning."""

    limit: int
    position: Position | None = None
    backward: bool = False
    inclusive: bool = False


class Part:
    """The rows of one scope in a list's statement: which match, what stands for a node, its columns."""

    def __init__(self, params: Params, scope: Scope, level: Level, condition: Condition) -> None:
        self._params = params
        self._scope = scope
        self._level = level
        self._condition = condition
        self.projection = scope.projection
        self.table = f"{scope.projection}.{level}"
        self.uid = UID_COLUMN[level]

    # A parameter that a statement does not mention is an error: each is added when it is first needed.

    @cached_property
    def visible(self) -> str:
        return self._params.add(self._scope.visible_ids, "smallint[]")

    @cached_property
    def asked(self) -> str:
        if self._scope.asks_everything:
            return self.visible
        return self._params.add(self._scope.asked_ids, "smallint[]")

    @cached_property
    def _where(self) -> Where:
        return Where(self._params, self.projection, self.asked)

    def walk(self, order: Order, *, shared: bool, backward: bool, sorted_plan: bool = False) -> Walk:
        return Walk(order, "s", shared, self.projection, self.visible, backward, sorted_plan)

    def rows(self, alias: str, *, shared: bool) -> str:
        """True for the row that stands for a matching node: any unshared row, the best of a shared family."""
        if not shared:
            matches = self._where.copies(self._condition, alias, self._level)
            return f"not {alias}.shared and {alias}.archive_id = any({self.asked}) and {matches}"
        asked = "" if self._scope.asks_everything else f" and {self._has_asked_copy(alias)}"
        return (
            # no `= any`: an index of archives would be read from end to end beside that of shared rows
            f"{alias}.shared and array_position({self.visible}, {alias}.archive_id) is not null"
            f" and {self._is_best(alias)}{asked} and {self.matches(alias)}"
        )

    def child(self, alias: str) -> str:
        """The same for the children of one parent, shared or not."""
        return (
            f"{alias}.archive_id = any({self.visible})"
            f" and (not {alias}.shared or {self._is_best(alias)})"
            f" and {self.matches(alias)}"
        )

    @cached_property
    def by_value(self) -> ByValue | None:
        """Where pages of studies, newest first, may start."""
        return by_value(self._condition, self.projection) if self._level is Level.STUDY else None

    def matches(self, alias: str) -> str:
        return self._where.nodes(self._condition, alias, self._level)

    def columns(self, walk: Walk) -> str:
        sort_values = "".join(f", {sql} as k{number}" for number, sql in enumerate(walk.expressions))
        columns = node_columns(self._level, walk.alias, self.projection, self.visible, shared=walk.shared)
        return columns + sort_values

    def _has_asked_copy(self, alias: str) -> str:
        return (
            f"exists (select 1 from {self.table} a where {same_node(self._level, 'a', alias)}"
            f" and a.archive_id = any({self.asked}))"
        )

    def _is_best(self, alias: str) -> str:
        return is_best(self._level, alias, self.projection, self.visible)


class Listing:
    """Composes one statement of a list: a level, a condition, an order and the viewer's scopes."""

    def __init__(
        self,
        scopes: Scope | Sequence[Scope],
        level: Level,
        condition: Condition,
        sorts: Sequence[Sort] = (),
    ) -> None:
        self.params = Params()
        self._level = level
        self._condition = condition
        self._sorts = sorts
        # what to do about a filter that may read a large index from end to end; [] where it cannot
        self.hints = hints(condition)
        given = [scopes] if isinstance(scopes, Scope) else scopes
        self._scopes = given
        self._parts = [Part(self.params, scope, level, condition) for scope in given]

    @cached_property
    def order(self) -> Order:
        """The order of the pages; its signature is what cursors are bound to. Raises BadInput."""
        return order_of(self._level, self._sorts, self._condition, self.params)

    def again(self) -> "Listing":
        """The same list, for another statement."""
        return Listing(self._scopes, self._level, self._condition, self._sorts)

    # ---- whole lists ---------------------------------------------------------------------------------

    def page(self, page: Page, *, sorted_plan: bool = False) -> str:
        """Rows in order, with sort values k0, k1, …; ask for one row more than a page to know of the next.

        gathered: all that match are found first, and then sorted, whatever the planner thinks of it.
        """
        limit = self.params.add(page.limit, "integer")
        branches: list[str] = []
        looked_up: list[str] = []
        for part in self._parts:
            start = part.by_value if self.order.is_newest_first and not sorted_plan else None
            if start and (values := start.looked_up(self.params, part.projection)):
                looked_up.append(values)
            for shared in (False, True):
                walk = part.walk(self.order, shared=shared, backward=page.backward, sorted_plan=sorted_plan)
                for region in walk.regions(self.params, page.position, inclusive=page.inclusive):
                    branches += self._branches(part, walk, region, limit, start)
        rows = " union all ".join(f"({branch} limit {limit})" for branch in branches)
        return f"{_with(looked_up)}{self._in_order(rows, page.backward)} limit {limit}"

    def _branches(
        self, part: Part, walk: Walk, region: str, limit: str, start: ByValue | None
    ) -> Sequence[str]:
        """The queries of one region of a part's order."""
        rows = part.rows("s", shared=walk.shared)
        # a shared study has a value once for each archive that it comes from
        once = f"distinct on ({', '.join([*walk.expressions, *walk.uids])}) " if walk.shared else ""

        def select(table: str, first: str) -> str:
            return (
                f"select {'' if table == part.table else once}{part.columns(walk)} from {table} s"
                f" where {first}{rows} and {region} order by {walk.order_by()}"
            )

        if start is None:
            return [select(part.table, "")]
        return start.branches(self.params, part.projection, (walk.order_of_page("n"), limit), select)

    def counts(self) -> str:
        """Rows (archive_id, matched, nodes): nodes in each asked archive; the sum of `nodes` is the total."""
        return " union all ".join(self._counts(part) for part in self._parts)

    def _counts(self, part: Part) -> str:
        shared, same = part.rows("s", shared=True), same_node(self._level, "c", "s")
        # only of a study an archive has two rows, under two patients
        held = "count(distinct s.study_uid)" if self._level is Level.STUDY else "count(*)"
        return (
            f"select s.archive_id, count(*) as matched, count(*) as nodes from {part.table} s"
            f" where {part.rows('s', shared=False)} group by s.archive_id"
            f" union all select c.archive_id, {held}, 0 from {part.table} s"
            f" join {part.table} c on {same} and c.archive_id = any({part.asked})"
            f" where {shared} group by c.archive_id"
            f" union all select null, 0, count(*) from {part.table} s where {shared}"
        )

    # ---- versions of cohorts, one statement; the condition is of EACH_VERSION --------------------------

    def page_by_version(self, versions: list[str], page: Page, *, sorted_plan: bool = False) -> str:
        """The same page of the studies of each version; rows carry `parent`, the version's id."""
        walk = Walk(self.order, "c", False, Projection.IDENTIFIED, "", page.backward)
        pages = self._each_version(versions, self.page(page, sorted_plan=sorted_plan))
        return f"{pages} order by asked.version_id, {walk.order_of_page('c')}"

    def counts_by_version(self, versions: list[str]) -> str:
        """Rows (parent, archive_id, matched, nodes) as in counts."""
        return self._each_version(versions, self.counts())

    def _each_version(self, versions: list[str], sql: str) -> str:
        ids = self.params.add(versions, "uuid[]")
        return (
            f"select asked.version_id::text as parent, c.* from unnest({ids}) asked (version_id)"
            f" cross join lateral ({sql}) c"
        )

    # ---- children of many parents, one statement -----------------------------------------------------

    def page_by_parent(self, parents: Sequence[Key], parent: Level, page: Page) -> str:
        """The same page of each parent's children, which carry its UIDs. Of a listing with one scope."""
        (part,) = self._parts
        limit = self.params.add(page.limit, "integer")
        walk = part.walk(self.order, shared=True, backward=page.backward)
        rows = (
            f"select {part.columns(walk)} from {part.table} s where {same_node(parent, 's', 'p')}"
            f" and {part.child('s')}"
            f" and {walk.beyond(self.params, page.position, inclusive=page.inclusive)}"
            f" order by {walk.order_by()} limit {limit}"
        )
        return (
            f"select c.* from {named(self.params, parents, parent)} p cross join lateral ({rows}) c"
            f" order by {_key('p', parent)}, {walk.order_of_page('c')}"
        )

    def counts_by_parent(self, parents: Sequence[Key], parent: Level) -> str:
        """Rows (the parent's UIDs, archive_id, matched, nodes) as in counts. Of a listing with one scope."""
        (part,) = self._parts
        children = (
            f"select {_key('s', self._level)} from {named(self.params, parents, parent)} p"
            f" join {part.table} s on {same_node(parent, 's', 'p')} where {part.child('s')}"
        )
        of_parent = _key("child", parent)
        return (
            f"with child as materialized ({children})"
            f" select {of_parent}, c.archive_id, count(*) as matched, 0 as nodes"
            f" from child join {part.table} c on {same_node(self._level, 'c', 'child')}"
            f" and c.archive_id = any({part.asked}) group by {of_parent}, c.archive_id"
            f" union all select {of_parent}, null, 0, count(*) from child group by {of_parent}"
        )

    # ---- copies whose children are not indexed yet ---------------------------------------------------

    def unindexed(self, limit: int) -> tuple[str, list[Any]]:
        """Asked copies (source_pk) that match and lack their children. Of a listing with one scope."""
        done = {Level.STUDY: "series_synced_at", Level.SERIES: "instances_synced_at"}[self._level]
        return self.copies(limit, f"s.{done} is null and ")

    def copies(self, limit: int, narrowed: str = "") -> tuple[str, list[Any]]:
        """Asked copies (source_pk, archive_id, their UIDs) of nodes that match. Of a listing with one scope."""
        (part,) = self._parts
        sql = (
            f"select {source_pk(part.projection, self._level)} as source_pk, s.archive_id, {_key('s', self._level)}"
            f" from {part.table} s where {narrowed}s.archive_id = any({part.asked})"
            f" and {part.matches('s')} order by s.archive_id, s.{part.uid} limit {self.params.add(limit, 'integer')}"
        )
        return sql, self.params.values

    def _in_order(self, rows: str, backward: bool) -> str:
        walk = Walk(self.order, "page", False, Projection.IDENTIFIED, "", backward)
        return f"select * from ({rows}) page order by {walk.order_of_page('page')}"


def _with(tables: Sequence[str]) -> str:
    return f"with {', '.join(tables)} " if tables else ""


def named(params: Params, keys: Sequence[Key], level: Level) -> str:
    """The nodes with these keys as a FROM item, without its alias: the columns of KEY_COLUMNS."""
    uids = zip(*keys, strict=True) if keys else ([] for _ in KEY_COLUMNS[level])
    listed = ", ".join(params.add(list(each), "text[]") for each in uids)
    return f"(select * from unnest({listed}) k ({', '.join(KEY_COLUMNS[level])}))"


def _key(alias: str, level: Level) -> str:
    return ", ".join(f"{alias}.{column}" for column in KEY_COLUMNS[level])


def source_pk(projection: Projection, level: Level) -> str:
    """The stored row behind a row `s` of a projection."""
    return f"s.{_PK[level]}" if projection is Projection.IDENTIFIED else "s.source_pk"


def is_best(level: Level, alias: str, projection: Projection, visible: str) -> str:
    """No visible copy of the same node ranks before this row: rank is the place in the scope, then age."""
    same, pk = same_node(level, "b", alias), _PK[level]
    return (
        f"not exists (select 1 from {projection}.{level} b where {same} and b.archive_id = any({visible})"
        f" and (array_position({visible}, b.archive_id), b.{pk})"
        f" < (array_position({visible}, {alias}.archive_id), {alias}.{pk}) offset 0)"
    )


def node_columns(level: Level, alias: str, projection: Projection, visible: str, *, shared: bool) -> str:
    """The columns of a node: its UID as `uid`, parents, typed attributes; unions where it is shared."""
    plain = [f"{alias}.{name}" for name in ("archive_id", *KEY_COLUMNS[level][:-1], "shared", "synced_at")]
    columns = [_column(column, alias, projection, visible, shared) for column in columns_of(level)]
    codes = [f"{alias}.{each.column}" for each in CODE_COLUMNS.values() if each.level is level]
    return ", ".join(
        [f"'{projection}' as projection", f"{alias}.{UID_COLUMN[level]} as uid", *plain, *columns[1:], *codes]
    )


def _column(column: Attribute, alias: str, projection: Projection, visible: str, shared: bool) -> str:
    own = f"{alias}.{column.column}"
    if not shared:
        return own
    union = union_count(column, projection, alias, visible)
    if column.keyword == "ModalitiesInStudy":
        union = f"{projection}.study_union_modalities({alias}.study_uid, {visible})"
    return f"case when {alias}.shared then {union} else {own} end as {column.column}" if union else own
