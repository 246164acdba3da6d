"""Statements of pages and counts: one for a page, one for its counts, whatever the number of rows.

A page unites two kinds of rows: unshared ones, read as they are, and shared families, where the best-ranked
visible copy stands for the node (architecture: what a viewer cannot see does not decide what they see).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from access.scope import Scope
from db.orders import Order, Sort, Walk, order_of
from db.params import Params
from db.where import Where, union_count
from model.attributes import UID_COLUMN, Attribute, Level, columns_of
from model.cursors import Position
from model.filters import Condition

_PK = {Level.STUDY: "study_pk", Level.SERIES: "series_pk", Level.INSTANCE: "instance_pk"}
_PARENTS: dict[Level, tuple[str, ...]] = {
    Level.STUDY: (),
    Level.SERIES: ("study_uid",),
    Level.INSTANCE: ("study_uid", "series_uid"),
}


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows of an order: `limit` of them beyond `position`, towards the end or the beginning."""

    limit: int
    position: Position | None = None
    backward: bool = False
    inclusive: bool = False


class Listing:
    """Composes one statement of a list: a level, a condition, an order and the viewer's scope."""

    def __init__(self, scope: Scope, level: Level, condition: Condition, sorts: Sequence[Sort] = ()) -> None:
        self.params = Params()
        self._scope = scope
        self._level = level
        self._condition = condition
        self._sorts = sorts

    # A parameter that a statement does not mention is an error: each is added when it is first needed.

    @cached_property
    def order(self) -> Order:
        """The order of the pages; its signature is what cursors are bound to. Raises BadInput."""
        return order_of(self._level, self._sorts, self._condition, self.params)

    @cached_property
    def _visible(self) -> str:
        return self.params.add(self._scope.visible_ids, "smallint[]")

    @cached_property
    def _asked(self) -> str:
        return (
            self._visible
            if self._scope.asks_everything
            else self.params.add(self._scope.asked_ids, "smallint[]")
        )

    @cached_property
    def _where(self) -> Where:
        return Where(self.params, self._asked)

    # ---- whole lists ---------------------------------------------------------------------------------

    def page(self, page: Page) -> str:
        """Rows in order, with sort values k0, k1, …; ask for one row more than a page to know of the next."""
        limit = self.params.add(page.limit, "integer")
        branches = []
        for shared in (False, True):
            walk = Walk(self.order, "s", shared, self._visible, page.backward)
            rows = self._rows("s", shared)
            for region in walk.regions(self.params, page.position, inclusive=page.inclusive):
                branches.append(
                    f"(select {self._columns(walk)} from {self._level} s where {rows} and {region}"
                    f" order by {walk.order_by()} limit {limit})"
                )
        return self._in_order(" union all ".join(branches), page.backward) + f" limit {limit}"

    def counts(self) -> str:
        """Rows (archive_id, matched, nodes): nodes in each asked archive; the sum of `nodes` is the total."""
        uid = UID_COLUMN[self._level]
        shared = self._rows("s", shared=True)
        return (
            f"select s.archive_id, count(*) as matched, count(*) as nodes from {self._level} s"
            f" where {self._rows('s', shared=False)} group by s.archive_id"
            f" union all select c.archive_id, count(distinct s.{uid}), 0 from {self._level} s"
            f" join {self._level} c on c.{uid} = s.{uid} and c.archive_id = any({self._asked})"
            f" where {shared} group by c.archive_id"
            f" union all select null, 0, count(*) from {self._level} s where {shared}"
        )

    # ---- children of many parents, one statement -----------------------------------------------------

    def page_by_parent(self, parents: list[str], parent: Level, page: Page) -> str:
        """The same page of each parent's children; rows carry `parent`."""
        limit = self.params.add(page.limit, "integer")
        walk = Walk(self.order, "s", True, self._visible, page.backward)
        keys, uids = UID_COLUMN[parent], self.params.add(parents, "text[]")
        rows = (
            f"select {self._columns(walk)} from {self._level} s where s.{keys} = p.parent"
            f" and {self._child('s', keys)}"
            f" and {walk.beyond(self.params, page.position, inclusive=page.inclusive)}"
            f" order by {walk.order_by()} limit {limit}"
        )
        numbered = [f"k{number}" for number in range(len(self.order.keys))]
        return (
            f"select p.parent, c.* from unnest({uids}) p (parent) cross join lateral ({rows}) c"
            f" order by p.parent, {walk.order_by(numbered, 'c.uid')}"
        )

    def counts_by_parent(self, parents: list[str], parent: Level) -> str:
        """Rows (parent, archive_id, matched, nodes) as in counts."""
        uid, keys = UID_COLUMN[self._level], UID_COLUMN[parent]
        uids = self.params.add(parents, "text[]")
        children = (
            f"select s.{keys} as parent, s.{uid} as uid from {self._level} s"
            f" where s.{keys} = any({uids}) and {self._child('s', keys)}"
        )
        return (
            f"with child as materialized ({children})"
            f" select child.parent, c.archive_id, count(distinct c.{uid}) as matched, 0 as nodes from child"
            f" join {self._level} c on c.{uid} = child.uid and c.{keys} = child.parent"
            f" and c.archive_id = any({self._asked}) group by child.parent, c.archive_id"
            f" union all select parent, null, 0, count(*) from child group by parent"
        )

    # ---- copies whose children are not indexed yet ---------------------------------------------------

    def unindexed(self, limit: int) -> tuple[str, list[Any]]:
        """Asked copies (archive_id, study_uid, series_uid) that match and lack their children."""
        done = {Level.STUDY: "series_synced_at", Level.SERIES: "instances_synced_at"}[self._level]
        series = "s.series_uid" if self._level is Level.SERIES else "null"
        sql = (
            f"select s.archive_id, s.study_uid, {series} as series_uid from {self._level} s"
            f" where s.{done} is null and s.archive_id = any({self._asked})"
            f" and {self._where.nodes(self._condition, 's', self._level)}"
            f" order by s.archive_id, s.{UID_COLUMN[self._level]} limit {self.params.add(limit, 'integer')}"
        )
        return sql, self.params.values

    # ---- parts ---------------------------------------------------------------------------------------

    def _rows(self, alias: str, shared: bool) -> str:
        if not shared:
            matches = self._where.copies(self._condition, alias, self._level)
            return f"not {alias}.shared and {alias}.archive_id = any({self._asked}) and {matches}"
        matches = self._where.nodes(self._condition, alias, self._level)
        uid = UID_COLUMN[self._level]
        asked = ""
        if self._asked != self._visible:
            asked = (
                f" and exists (select 1 from {self._level} a where a.{uid} = {alias}.{uid}"
                f" and a.archive_id = any({self._asked}))"
            )
        return (
            f"{alias}.shared and {alias}.archive_id = any({self._visible})"
            f" and {self._is_best(alias, (uid,))}{asked} and {matches}"
        )

    def _child(self, alias: str, parent_key: str) -> str:
        uid = UID_COLUMN[self._level]
        matches = self._where.nodes(self._condition, alias, self._level)
        return (
            f"{alias}.archive_id = any({self._visible})"
            f" and (not {alias}.shared or {self._is_best(alias, (uid, parent_key))}) and {matches}"
        )

    def _is_best(self, alias: str, keys: tuple[str, ...]) -> str:
        return is_best(self._level, alias, keys, self._visible)

    def _columns(self, walk: Walk) -> str:
        sort_values = "".join(f", {sql} as k{number}" for number, sql in enumerate(walk.expressions))
        return f"{node_columns(self._level, walk.alias, self._visible, shared=walk.shared)}{sort_values}"

    def _in_order(self, rows: str, backward: bool) -> str:
        walk = Walk(self.order, "page", False, self._visible, backward)
        numbered = [f"page.k{number}" for number in range(len(self.order.keys))]
        return f"select * from ({rows}) page order by {walk.order_by(numbered, 'page.uid')}"


def is_best(level: Level, alias: str, keys: tuple[str, ...], visible: str) -> str:
    """No visible copy of the same node ranks before this row: rank is the place in the scope, then age."""
    same = " and ".join(f"b.{key} = {alias}.{key}" for key in keys)
    pk = _PK[level]
    return (
        f"not exists (select 1 from {level} b where {same} and b.archive_id = any({visible})"
        f" and (array_position({visible}, b.archive_id), b.{pk})"
        f" < (array_position({visible}, {alias}.archive_id), {alias}.{pk}))"
    )


def node_columns(level: Level, alias: str, visible: str, *, shared: bool) -> str:
    """The columns of a node: its UID as `uid`, parents, typed attributes; unions where it is shared."""
    plain = [f"{alias}.{name}" for name in ("archive_id", *_PARENTS[level], "shared", "synced_at")]
    columns = [_column(column, alias, visible, shared) for column in columns_of(level)]
    return ", ".join([f"{alias}.{UID_COLUMN[level]} as uid", *plain, *columns[1:]])


def _column(column: Attribute, alias: str, visible: str, shared: bool) -> str:
    own = f"{alias}.{column.column}"
    if not shared:
        return own
    union = union_count(column, alias, visible)
    if column.keyword == "ModalitiesInStudy":
        union = f"study_union_modalities({alias}.study_uid, {visible})"
    return f"case when {alias}.shared then {union} else {own} end as {column.column}" if union else own
