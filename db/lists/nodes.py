"""Reads of the index: pages, counts, nodes by UID, copies. The viewer's scope is always required."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from access.scope import Scope
from db.lists import counts as counting
from db.lists import pages
from db.lists.listing import Listing, Window
from db.lists.part import is_best, key_columns, named, node_columns
from db.lists.where import same_node
from db.params import Compiled, Params
from db.pool import Reader, Row, StatementTimeout, TooBroad
from model.attributes import KEY_COLUMNS, Key, Level

BROAD_SECONDS = 5.0
"""How long a statement may take whose filter no index answers, or whose matches all have to be ranked."""


WALK_SECONDS = 0.5
"""How long a page may walk along its order. Where that comes upon nothing for so long, matches are few, or all at the
far end: then all of them are found, and sorted. No estimate tells, what an archive holds comes in lots."""


async def page(database: Reader, listing: Listing, window: Window) -> list[Row]:
    """Rows of a whole list, in order."""
    walked = pages.page(listing, window)
    if listing.hints:
        return await _listed(database, "page", listing, walked)
    try:
        return await walked.fetch(database, "page", seconds=WALK_SECONDS)
    except StatementTimeout:
        return await pages.page(listing, window, sorted_plan=True).fetch(database, "page_sorted")


async def counts(database: Reader, listing: Listing) -> list[Row]:
    """Rows (archive_id, matched, nodes) of a whole list."""
    return await _listed(database, "counts", listing, counting.counts(listing))


async def _listed(database: Reader, name: str, listing: Listing, statement: Compiled) -> list[Row]:
    """Rows of a list's statement. A broad search has less time. Raises TooBroad when that is not enough."""
    if not listing.hints:
        return await statement.fetch(database, name)
    try:
        return await statement.fetch(database, name, seconds=BROAD_SECONDS)
    except StatementTimeout:
        raise TooBroad(listing.hints) from None


async def page_by_version(
    database: Reader, listing: Listing, versions: list[str], window: Window
) -> list[Row]:
    """The same page of each version of a cohort; rows carry `parent`. The condition is of EACH_VERSION."""
    try:
        walked = pages.page_by_version(listing, versions, window)
        return await walked.fetch(database, "page_by_version", seconds=WALK_SECONDS * len(versions))
    except StatementTimeout:
        found = pages.page_by_version(listing, versions, window, sorted_plan=True)
        return await found.fetch(database, "page_sorted")


async def counts_by_version(database: Reader, listing: Listing, versions: list[str]) -> list[Row]:
    """Rows (parent, archive_id, matched, nodes)."""
    return await counting.counts_by_version(listing, versions).fetch(database, "counts_by_version")


@dataclass(frozen=True, slots=True)
class Below:
    """A page of one parent's children; the archives of the parent's visible copies, and (archive_id, source_pk) of
    those that lack their children."""

    rows: list[Row] = field(default_factory=list)
    holders: frozenset[int] = frozenset()
    lacking: list[tuple[int, int]] = field(default_factory=list)


async def page_by_parent(
    database: Reader, listing: Listing, parents: Sequence[Key], parent: Level, window: Window
) -> dict[Key, Below]:
    """The same page of each parent's children, by the parent."""
    statement = pages.page_by_parent(listing, parents, parent, window)
    found: dict[Key, Below] = {}
    for row in await statement.fetch(database, "page_by_parent"):
        key = tuple(row[f"of_{column}"] for column in KEY_COLUMNS[parent])
        if key not in found:
            lacking = zip(row["lacking_in"] or (), row["lacking"] or (), strict=True)
            found[key] = Below([], frozenset(row["holders"] or ()), list(lacking))
        if row["uid"] is not None:
            found[key].rows.append(row)
    return found


async def counts_by_parent(
    database: Reader, listing: Listing, parents: Sequence[Key], parent: Level
) -> list[Row]:
    """Rows (the parent's UIDs, archive_id, matched, nodes)."""
    return await counting.counts_by_parent(listing, parents, parent).fetch(database, "counts_by_parent")


async def by_key(database: Reader, scope: Scope, level: Level, keys: Sequence[Key]) -> list[Row]:
    """The visible nodes with these UIDs; what is not visible is not there."""
    asked = NamedNodes(scope, level, keys)
    columns = node_columns(level, "s", scope.projection, asked.visible, shared=True)
    best = f"(not s.shared or {is_best(level, 's', scope.projection, asked.visible)})"
    return await asked.fetch(database, "by_key", f"{asked.select(columns)} and {best}")


async def copies(database: Reader, scope: Scope, level: Level, keys: Sequence[Key]) -> list[Row]:
    """Every visible copy (its UIDs, archive_id, counts, synced_at), best-ranked first."""
    counts = {
        Level.STUDY: ", s.number_of_series, s.number_of_instances",
        Level.SERIES: ", s.number_of_instances",
        Level.INSTANCE: ", s.metadata_synced_at",
    }
    synced_at = "greatest(s.synced_at, a.last_completed_at) as synced_at"
    asked = NamedNodes(scope, level, keys)
    sql = asked.best_first(f"s.archive_id, {synced_at}{counts[level]}")
    return await asked.fetch(database, "copies", sql)


async def data_sets(database: Reader, scope: Scope, level: Level, keys: Sequence[Key]) -> list[Row]:
    """The data set (`data`, DICOM JSON text) of every visible copy, best-ranked first."""
    asked = NamedNodes(scope, level, keys)
    return await asked.fetch(database, "data_sets", asked.best_first("s.archive_id, s.data"))


async def representatives(database: Reader, scope: Scope, keys: Sequence[Key]) -> list[Row]:
    """The representative (`data`, `synced_at`) of every visible copy of series that has one, best-ranked first."""
    asked = NamedNodes(scope, Level.SERIES, keys)
    sql = asked.best_first("s.archive_id, s.representative as data, s.representative_synced_at as synced_at")
    rows = await asked.fetch(database, "representatives", sql)
    return [row for row in rows if row["data"] is not None]


def data_set(row: Row) -> dict[str, Any]:
    """The data set of a row of `data_sets`, parsed."""
    parsed: dict[str, Any] = orjson.loads(row["data"])
    return parsed


def key_of(row: Row, level: Level) -> Key:
    """The UIDs of a row that has those of KEY_COLUMNS, its own also as `uid`."""
    return tuple(row["uid" if column not in row else column] for column in KEY_COLUMNS[level])


class NamedNodes:
    """The visible copies `s` of nodes that are named by their keys."""

    def __init__(self, scope: Scope, level: Level, keys: Sequence[Key]) -> None:
        self.params = Params()
        self._scope = scope
        self._level = level
        self._keys = keys

    @property
    def visible(self) -> str:
        return self.params.add(self._scope.visible_ids, "smallint[]")

    def select(self, columns: str, joined: str = "") -> str:
        """A query that may go on with `and`."""
        return (
            f"select {columns} from {named(self.params, self._keys, self._level)} w"
            f" join {self._scope.projection}.{self._level} s on {same_node(self._level, 's', 'w')}{joined}"
            f" where s.archive_id = any({self.visible})"
        )

    def best_first(self, columns: str) -> str:
        key = key_columns("s", self._level)
        copies = self.select(f"{key}, {columns}", " join archive a on a.archive_id = s.archive_id")
        return f"{copies} order by {key}, array_position({self.visible}, s.archive_id), s.{self._level}_pk"

    async def fetch(self, database: Reader, name: str, sql: str) -> list[Row]:
        return await self.params.compiled(sql).fetch(database, name)
