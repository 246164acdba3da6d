"""Reads of the index: pages, counts, nodes by UID, copies. The viewer's scope is always required."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import orjson

from access.scope import Scope
from db.pages import Listing, Page, is_best, node_columns, source_pk
from db.pool import Reader, StatementTimeout, TooBroad
from model.attributes import UID_COLUMN, Level
from model.filters import Condition

Row = asyncpg.Record

BROAD_SECONDS = 5.0
"""How long a statement may take whose filter no index answers, or whose matches all have to be ranked."""


WALK_SECONDS = 0.5
"""How long a page may walk along its order. Where that comes upon nothing for so long, matches are few, or all at the
far end: then they are gathered, and sorted. No estimate tells, what an archive holds comes in lots."""


async def page(database: Reader, listing: Listing, window: Page) -> list[Row]:
    """Rows of a whole list, in order."""
    if listing.remedies:
        return await _listed(database, "page", listing, listing.page(window))
    try:
        sql = listing.page(window)
        return await database.fetch("page", sql, *listing.params.values, seconds=WALK_SECONDS)
    except StatementTimeout:
        gathered = listing.again()
        sql = gathered.page(window, gathered=True)
        return await database.fetch("page_gathered", sql, *gathered.params.values)


async def counts(database: Reader, listing: Listing) -> list[Row]:
    """Rows (archive_id, matched, nodes) of a whole list."""
    return await _listed(database, "counts", listing, listing.counts())


async def _listed(database: Reader, name: str, listing: Listing, sql: str) -> list[Row]:
    """Rows of a list's statement. A broad search has less time. Raises TooBroad when that is not enough."""
    if not listing.remedies:
        return await database.fetch(name, sql, *listing.params.values)
    try:
        return await database.fetch(name, sql, *listing.params.values, seconds=BROAD_SECONDS)
    except StatementTimeout:
        raise TooBroad(listing.remedies) from None


async def page_by_parent(
    database: Reader, listing: Listing, parents: list[str], parent: Level, window: Page
) -> list[Row]:
    """The same page of each parent's children; rows carry `parent`."""
    sql = listing.page_by_parent(parents, parent, window)
    return await database.fetch("page_by_parent", sql, *listing.params.values)


async def counts_by_parent(
    database: Reader, listing: Listing, parents: list[str], parent: Level
) -> list[Row]:
    """Rows (parent, archive_id, matched, nodes)."""
    sql = listing.counts_by_parent(parents, parent)
    return await database.fetch("counts_by_parent", sql, *listing.params.values)


async def by_uid(database: Reader, scope: Scope, level: Level, uids: Sequence[str]) -> list[Row]:
    """The visible nodes with these UIDs; what is not visible is not there."""
    uid, visible, face = UID_COLUMN[level], "$1::smallint[]", scope.face
    sql = (
        f"select {node_columns(level, 's', face, visible, shared=True)} from {face}.{level} s"
        f" where s.{uid} = any($2::text[]) and s.archive_id = any({visible})"
        f" and (not s.shared or {is_best(level, 's', face, (uid,), visible)})"
    )
    return await database.fetch("by_uid", sql, scope.visible_ids, list(uids))


async def copies(database: Reader, scope: Scope, level: Level, uids: Sequence[str]) -> list[Row]:
    """Every visible copy (uid, archive_id, counts, synced_at), best-ranked first."""
    counts = {
        Level.STUDY: ", s.number_of_series, s.number_of_instances",
        Level.SERIES: ", s.study_uid, s.number_of_instances",
        Level.INSTANCE: ", s.study_uid, s.series_uid, s.metadata_synced_at",
    }
    synced_at = "greatest(s.synced_at, a.last_completed_at) as synced_at"
    sql = _copies_sql(scope, level, f"s.archive_id, {synced_at}{counts[level]}")
    return await database.fetch("copies", sql, scope.visible_ids, list(uids))


async def data_sets(database: Reader, scope: Scope, level: Level, uids: Sequence[str]) -> list[Row]:
    """The data set (`data`, DICOM JSON text) of every visible copy, best-ranked first."""
    sql = _copies_sql(scope, level, "s.archive_id, s.data")
    return await database.fetch("data_sets", sql, scope.visible_ids, list(uids))


async def representatives(database: Reader, scope: Scope, uids: Sequence[str]) -> list[Row]:
    """The representative (`data`, `synced_at`) of every visible copy of series that has one, best-ranked first."""
    columns = "s.archive_id, s.representative as data, s.representative_synced_at as synced_at"
    rows = await database.fetch(
        "representatives", _copies_sql(scope, Level.SERIES, columns), scope.visible_ids, list(uids)
    )
    return [row for row in rows if row["data"] is not None]


def data_set(row: Row) -> dict[str, Any]:
    """The data set of a row of `data_sets`, parsed."""
    parsed: dict[str, Any] = orjson.loads(row["data"])
    return parsed


def _copies_sql(scope: Scope, level: Level, columns: str) -> str:
    uid = UID_COLUMN[level]
    return (
        f"select s.{uid} as uid, {columns} from {scope.face}.{level} s"
        f" join archive a on a.archive_id = s.archive_id"
        f" where s.{uid} = any($2::text[]) and s.archive_id = any($1::smallint[])"
        f" order by s.{uid}, array_position($1::smallint[], s.archive_id), s.{level}_pk"
    )


_PK = {Level.STUDY: "study_pk", Level.SERIES: "series_pk"}


# ---- copies whose children are not in the index yet: (source_pk, archive_id, uid) -----------------------

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
    """Asked copies of studies that match: (source_pk, archive_id, uid)."""
    sql, values = Listing(scope, Level.STUDY, condition).copies(limit)
    return await database.fetch("known_studies", sql, *values)


async def parents_now(
    database: Reader, scope: Scope, level: Level, uids: Sequence[str], archive_ids: Sequence[int]
) -> list[Row]:
    """The visible copies of these nodes in these archives, whether their children are indexed or not."""
    uid = UID_COLUMN[level]
    sql = (
        f"select {source_pk(scope.face, level)} as source_pk, s.archive_id, s.{uid} as uid"
        f" from {scope.face}.{level} s where s.{uid} = any($2::text[])"
        f" and s.archive_id = any($1::smallint[]) and s.archive_id = any($3::smallint[])"
    )
    return await database.fetch("parents_now", sql, scope.visible_ids, list(uids), list(archive_ids))


async def childless(database: Reader, scope: Scope, level: Level, uids: Sequence[str]) -> list[Row]:
    """The visible copies of these nodes that lack their children."""
    uid = UID_COLUMN[level]
    sql = (
        f"select {source_pk(scope.face, level)} as source_pk, s.archive_id, s.{uid} as uid"
        f" from {scope.face}.{level} s where s.{uid} = any($2::text[])"
        f" and s.archive_id = any($1::smallint[]) and s.{_DONE[level]} is null"
    )
    return await database.fetch("childless", sql, scope.visible_ids, list(uids))


async def series_of_instances(database: Reader, scope: Scope, uids: Sequence[str]) -> list[Row]:
    """The series copies of these instances' best copies whose whole data sets are not in the index yet."""
    sql = (
        f"select distinct on (i.sop_uid) i.sop_uid as uid, i.archive_id, i.metadata_synced_at,"
        f" {source_pk(scope.face, Level.SERIES)} as source_pk from {scope.face}.instance i"
        f" join {scope.face}.series s on s.archive_id = i.archive_id and s.series_uid = i.series_uid"
        f" and s.study_uid = i.study_uid"
        f" where i.sop_uid = any($2::text[]) and i.archive_id = any($1::smallint[])"
        f" order by i.sop_uid, array_position($1::smallint[], i.archive_id), i.instance_pk"
    )
    return await database.fetch("series_of_instances", sql, scope.visible_ids, list(uids))


async def stored_uids(database: Reader, level: Level, source_pks: Sequence[int]) -> list[Row]:
    """(study_uid, series_uid) of stored rows, as their archive calls them: not for answers."""
    series = "series_uid" if level is Level.SERIES else "null"
    sql = (
        f"select study_uid, {series} as series_uid from public.{level} where {_PK[level]} = any($1::bigint[])"
    )
    return await database.fetch("stored_uids", sql, list(source_pks))


async def archives_with_gaps(database: Reader, scope: Scope, level: Level) -> set[int]:
    """The asked archives that hold copies at `level` that lack their children (of instances: the whole
    data set)."""
    sql = (
        "select a.archive_id from unnest($1::smallint[]) a (archive_id) where exists (select 1"
        f" from {scope.face}.{level} s where s.archive_id = a.archive_id and s.{_DONE[level]} is null)"
    )
    return {row["archive_id"] for row in await database.fetch("gaps", sql, scope.asked_ids)}


async def archives_without_representatives(database: Reader, scope: Scope) -> set[int]:
    """The asked archives that hold series without a representative."""
    sql = (
        "select a.archive_id from unnest($1::smallint[]) a (archive_id) where exists (select 1"
        f" from {scope.face}.series s where s.archive_id = a.archive_id and s.representative is null)"
    )
    return {row["archive_id"] for row in await database.fetch("unrepresented", sql, scope.asked_ids)}
