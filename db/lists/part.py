"""The rows of one scope as SQL: which of them match, what stands for a node that several copies hold, and its columns.

Two kinds of rows: unshared ones, read as they are, and shared families, where the best-ranked visible copy stands for
the node (architecture: what a viewer cannot see does not decide what they see).
"""

from collections.abc import Sequence
from functools import cached_property

from access.scope import Projection, Scope
from db.lists.by_value import ByValue, by_value
from db.lists.orders import Order, Walk
from db.lists.where import Where, same_node, union_of
from db.params import Params
from model.attributes import KEY_COLUMNS, UID_COLUMN, Attribute, Key, Level, columns_of
from model.filters import Condition
from model.vocabulary import CODE_COLUMNS


class Part:
    """The rows of one scope in a statement: which match, what stands for a node, its columns."""

    def __init__(self, params: Params, scope: Scope, level: Level, condition: Condition) -> None:
        self._params = params
        self._scope = scope
        self._level = level
        self._condition = condition
        self.projection = scope.projection
        self.table = f"{scope.projection}.{level}"
        self.uid = UID_COLUMN[level]

    # A parameter that a statement does not mention is an error: each is added where it is needed.

    @property
    def visible(self) -> str:
        return self._params.add(self._scope.visible_ids, "smallint[]")

    @property
    def asked(self) -> str:
        return self._params.add(self._scope.asked_ids, "smallint[]")

    @cached_property
    def _where(self) -> Where:
        return Where(self._params, self.projection, self._scope.asked_ids)

    def walk(self, order: Order, *, shared: bool, backward: bool, sorted_plan: bool = False) -> Walk:
        return Walk(self._params, order, "s", shared, self.projection, self.visible, backward, sorted_plan)

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

    @property
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


INDEXED_AT = {
    Level.STUDY: "series_synced_at",
    Level.SERIES: "instances_synced_at",
    Level.INSTANCE: "metadata_synced_at",
}
"""When what is below a copy came into the index (of an instance its whole data set); null: it is lacking."""


def named(params: Params, keys: Sequence[Key], level: Level) -> str:
    """The nodes with these keys as a FROM item, without its alias: the columns of KEY_COLUMNS."""
    uids = zip(*keys, strict=True) if keys else ([] for _ in KEY_COLUMNS[level])
    listed = ", ".join(params.add(list(each), "text[]") for each in uids)
    return f"(select * from unnest({listed}) k ({', '.join(KEY_COLUMNS[level])}))"


def key_columns(alias: str, level: Level) -> str:
    """The columns of a row's key."""
    return ", ".join(f"{alias}.{column}" for column in KEY_COLUMNS[level])


def source_pk(alias: str, projection: Projection, level: Level) -> str:
    """The stored row behind a row of a projection."""
    return f"{alias}.{level}_pk" if projection is Projection.IDENTIFIED else f"{alias}.source_pk"


def is_best(level: Level, alias: str, projection: Projection, visible: str) -> str:
    """No visible copy of the same node ranks before this row: rank is the place in the scope, then age."""
    same, pk = same_node(level, "b", alias), f"{level}_pk"
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
    union = union_of(column, projection, alias, visible) if shared else None
    return f"case when {alias}.shared then {union} else {own} end as {column.column}" if union else own
