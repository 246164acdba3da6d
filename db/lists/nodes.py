"""Reads of the index: pages, counts, nodes by UID, copies. The viewer's scope is always required."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import orjson

from access.scope import Scope
from db.lists.pages import Listing, Page, is_best, named, node_columns, source_pk
from db.lists.where import same_node
from db.params import Params
from db.pool import Reader, StatementTimeout, TooBroad
from model.attributes import KEY_COLUMNS, Key, Level, attribute
from model.filters import Condition

Row = asyncpg.Record

_CHILDREN = {
    Level.STUDY: "NumberOfStudyRelatedSeries",
    Level.SERIES: "NumberOfSeriesRelatedInstances",
}

BROAD_SECONDS = 5.0
"""How long a statement may take whose filter no index answers, or whose matches all have to be ranked."""


WALK_SECONDS = 0.5
"""How long a page may walk along its order. Where that comes upon nothing for so long, matches are few, or all at the
far end: then they are gathered, and sorted. No estimate tells, what an archive holds comes in lots."""


async def page(database: Reader, listing: Listing, window: Page) -> list[Row]:
    """Rows of a whole list, in order."""
    if listing.hints:
        return await _listed(database, "page", listing, listing.page(window))
    try:
        sql = listing.page(window)
        return await database.fetch("page", sql, *listing.params.values, seconds=WALK_SECONDS)
    except StatementTimeout:
        sorted_plan = listing.again()
        sql = sorted_plan.page(window, sorted_plan=True)
        return await database.fetch("page_sorted", sql, *sorted_plan.params.values)


async def counts(database: Reader, listing: Listing) -> list[Row]:
    """Rows (archive_id, matched, nodes) of a whole list."""
    return await _listed(database, "counts", listing, listing.counts())


async def _listed(database: Reader, name: str, listing: Listing, sql: str) -> list[Row]:
    """Rows of a list's statement. A broad search has less time. Raises TooBroad when that is not enough."""
    if not listing.hints:
        return await database.fetch(name, sql, *listing.params.values)
    try:
        return await database.fetch(name, sql, *listing.params.values, seconds=BROAD_SECONDS)
    except StatementTimeout:
        raise TooBroad(listing.hints) from None


async def page_by_version(database: Reader, listing: Listing, versions: list[str], window: Page) -> list[Row]:
    """The same page of each version of a cohort; rows carry `parent`. The condition is of EACH_VERSION."""
    try:
        sql = listing.page_by_version(versions, window)
        return await database.fetch(
            "page_by_version", sql, *listing.params.values, seconds=WALK_SECONDS * len(versions)
        )
    except StatementTimeout:
        sorted_plan = listing.again()
        sql = sorted_plan.page_by_version(versions, window, sorted_plan=True)
        return await database.fetch("page_sorted", sql, *sorted_plan.params.values)


async def counts_by_version(database: Reader, listing: Listing, versions: list[str]) -> list[Row]:
    """Rows (parent, archive_id, matched, nodes)."""
    sql = listing.counts_by_version(versions)
    return await database.fetch("counts_by_version", sql, *listing.params.values)


async def page_by_parent(
    database: Reader, listing: Listing, parents: Sequence[Key], parent: Level, window: Page
) -> list[Row]:
    """The same page of each parent's children, which carry its UIDs."""
    sql = listing.page_by_parent(parents, parent, window)
    return await database.fetch("page_by_parent", sql, *listing.params.values)


async def counts_by_parent(
    database: Reader, listing: Listing, parents: Sequence[Key], parent: Level
) -> list[Row]:
    """Rows (the parent's UIDs, archive_id, matched, nodes)."""
    sql = listing.counts_by_parent(parents, parent)
    return await database.fetch("counts_by_parent", sql, *listing.params.values)


async def by_key(database: Reader, scope: Scope, level: Level, keys: Sequence[Key]) -> list[Row]:
    """The visible nodes with these UIDs; what is not visible is not there."""
    asked = _Named(scope, level, keys)
    projection, visible = scope.projection, asked.visible
    columns = node_columns(level, "s", projection, visible, shared=True)
    best = f"(not s.shared or {is_best(level, 's', projection, visible)})"
    return await database.fetch("by_key", f"{asked.select(columns)} and {best}", *asked.values)


async def copies(database: Reader, scope: Scope, level: Level, keys: Sequence[Key]) -> list[Row]:
    """Every visible copy (its UIDs, archive_id, counts, synced_at), best-ranked first."""
    counts = {
        Level.STUDY: ", s.number_of_series, s.number_of_instances",
        Level.SERIES: ", s.number_of_instances",
        Level.INSTANCE: ", s.metadata_synced_at",
    }
    synced_at = "greatest(s.synced_at, a.last_completed_at) as synced_at"
    asked = _Named(scope, level, keys)
    sql = asked.best_first(f"s.archive_id, {synced_at}{counts[level]}")
    return await database.fetch("copies", sql, *asked.values)


async def data_sets(database: Reader, scope: Scope, level: Level, keys: Sequence[Key]) -> list[Row]:
    """The data set (`data`, DICOM JSON text) of every visible copy, best-ranked first."""
    asked = _Named(scope, level, keys)
    return await database.fetch("data_sets", asked.best_first("s.archive_id, s.data"), *asked.values)


async def representatives(database: Reader, scope: Scope, keys: Sequence[Key]) -> list[Row]:
    """The representative (`data`, `synced_at`) of every visible copy of series that has one, best-ranked first."""
    asked = _Named(scope, Level.SERIES, keys)
    sql = asked.best_first("s.archive_id, s.representative as data, s.representative_synced_at as synced_at")
    rows = await database.fetch("representatives", sql, *asked.values)
    return [row for row in rows if row["data"] is not None]


def data_set(row: Row) -> dict[str, Any]:
    """The data set of a row of `data_sets`, parsed."""
    parsed: dict[str, Any] = orjson.loads(row["data"])
    return parsed


def key_of(row: Row, level: Level) -> Key:
    """The UIDs of a row that has those of KEY_COLUMNS, its own also as `uid`."""
    return tuple(row["uid" if column not in row else column] for column in KEY_COLUMNS[level])


class _Named:
    """The visible copies of nodes that are named by their keys."""

    def __init__(self, scope: Scope, level: Level, keys: Sequence[Key]) -> None:
        self._params = Params()
        self.visible = self._params.add(scope.visible_ids, "smallint[]")
        self._level = level
        self._keys = named(self._params, keys, level)
        self._table = f"{scope.projection}.{level}"

    @property
    def values(self) -> list[Any]:
        return self._params.values

    def add(self, value: Any, sql_type: str) -> str:
        return self._params.add(value, sql_type)

    def select(self, columns: str, joined: str = "") -> str:
        return (
            f"select {columns} from {self._keys} w join {self._table} s on {same_node(self._level, 's', 'w')}{joined}"
            f" where s.archive_id = any({self.visible})"
        )

    def best_first(self, columns: str) -> str:
        key = ", ".join(f"s.{column}" for column in KEY_COLUMNS[self._level])
        copies = self.select(f"{key}, {columns}", " join archive a on a.archive_id = s.archive_id")
        return f"{copies} order by {key}, array_position({self.visible}, s.archive_id), s.{self._level}_pk"


_PK = {Level.STUDY: "study_pk", Level.SERIES: "series_pk"}


# ---- copies whose children are not in the index yet: (source_pk, archive_id, their UIDs) ------------------

_DONE = {
    Level.STUDY: "series_synced_at",
    Level.SERIES: "instances_synced_at",
    Level.INSTANCE: "metadata_synced_at",
}


async def unindexed(
    database: Reader, scope: Scope, level: Level, condition: Condition, limit: int
) -> list[Row]:
    """Asked copies at `level` that match and lack their children."""
    listing = Listing(scope, level, condition)
    sql, values = listing.unindexed(limit)
    return await database.fetch("unindexed", sql, *values)


async def known_studies(database: Reader, scope: Scope, condition: Condition, limit: int) -> list[Row]:
    """Asked copies of studies that match: (source_pk, archive_id, study_uid)."""
    sql, values = Listing(scope, Level.STUDY, condition).copies(limit)
    return await database.fetch("known_studies", sql, *values)


async def parents_now(
    database: Reader, scope: Scope, level: Level, keys: Sequence[Key], archive_ids: Sequence[int]
) -> list[Row]:
    """The visible copies of these nodes in these archives, whether their children are indexed or not."""
    asked = _Named(scope, level, keys)
    sql = f"{_sources(asked, scope, level)} and s.archive_id = any({asked.add(list(archive_ids), 'smallint[]')})"
    return await database.fetch("parents_now", sql, *asked.values)


async def childless(database: Reader, scope: Scope, level: Level, keys: Sequence[Key]) -> list[Row]:
    """The visible copies of these nodes that lack their children."""
    asked = _Named(scope, level, keys)
    sql = f"{_sources(asked, scope, level)} and s.{_DONE[level]} is null"
    return await database.fetch("childless", sql, *asked.values)


def _sources(asked: _Named, scope: Scope, level: Level) -> str:
    key = ", ".join(f"s.{column}" for column in KEY_COLUMNS[level])
    return asked.select(f"{source_pk(scope.projection, level)} as source_pk, s.archive_id, {key}")


async def series_of_instances(database: Reader, scope: Scope, keys: Sequence[Key]) -> list[Row]:
    """The series copies of these instances' best copies, with the instances' UIDs, and when their whole data sets
    were indexed."""
    asked = _Named(scope, Level.INSTANCE, keys)
    joined = f" join {scope.projection}.series p on p.archive_id = s.archive_id and {same_node(Level.SERIES, 'p', 's')}"
    of_series = source_pk(scope.projection, Level.SERIES).replace("s.", "p.")
    key = "s.study_uid, s.series_uid, s.sop_uid"
    columns = f"distinct on ({key}) {key}, s.archive_id, s.metadata_synced_at, {of_series} as source_pk"
    best = f"array_position({asked.visible}, s.archive_id), s.instance_pk"
    sql = f"{asked.select(columns, joined)} order by {key}, {best}"
    return await database.fetch("series_of_instances", sql, *asked.values)


async def stored_keys(
    database: Reader, level: Level, source_pks: Sequence[int]
) -> list[tuple[Key, str | None]]:
    """The UIDs of stored studies or series, as their archive calls them, and how many series or instances it says that
    they have: not for answers."""
    columns = ", ".join(KEY_COLUMNS[level])
    said = f"data #>> '{{{attribute(_CHILDREN[level]).tag},Value,0}}'"
    sql = f"select {said}, {columns} from public.{level} where {_PK[level]} = any($1::bigint[])"
    rows = [tuple(row) for row in await database.fetch("stored_keys", sql, list(source_pks))]
    return [(row[1:], row[0]) for row in rows]


async def stored_series(database: Reader, source_pks: Sequence[int]) -> list[Row]:
    """(source_pk, study_uid, series_uid, asked_at: now) of stored series, as their archive says: not for answers."""
    sql = (
        "select series_pk as source_pk, study_uid, series_uid, now() as asked_at"
        " from public.series where series_pk = any($1::bigint[])"
    )
    return await database.fetch("stored_series", sql, list(source_pks))


async def archives_with_gaps(database: Reader, scope: Scope, level: Level) -> set[int]:
    """The asked archives that hold copies at `level` that lack their children (of instances: the whole
    data set)."""
    sql = (
        "select a.archive_id from unnest($1::smallint[]) a (archive_id) where exists (select 1"
        f" from {scope.projection}.{level} s where s.archive_id = a.archive_id and s.{_DONE[level]} is null)"
    )
    return {row["archive_id"] for row in await database.fetch("gaps", sql, scope.asked_ids)}


async def archives_without_representatives(database: Reader, scope: Scope) -> set[int]:
    """The asked archives that hold series without a representative."""
    sql = (
        "select a.archive_id from unnest($1::smallint[]) a (archive_id) where exists (select 1"
        f" from {scope.projection}.series s where s.archive_id = a.archive_id and s.representative is null)"
    )
    return {row["archive_id"] for row in await database.fetch("unrepresented", sql, scope.asked_ids)}
