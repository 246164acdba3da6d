"""Reads of the index: pages, counts, nodes by UID, copies. The viewer's scope is always required."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import orjson

from access.scope import Scope
from db.pages import Listing, Page, is_best, node_columns
from db.pool import Database
from model.attributes import UID_COLUMN, Level
from model.filters import Condition

Row = asyncpg.Record


async def page(database: Database, listing: Listing, window: Page) -> list[Row]:
    """Rows of a whole list, in order."""
    sql = listing.page(window)
    return await database.fetch("page", sql, *listing.params.values)


async def counts(database: Database, listing: Listing) -> list[Row]:
    """Rows (archive_id, matched, nodes) of a whole list."""
    sql = listing.counts()
    return await database.fetch("counts", sql, *listing.params.values)


async def page_by_parent(
    database: Database, listing: Listing, parents: list[str], parent: Level, window: Page
) -> list[Row]:
    """The same page of each parent's children; rows carry `parent`."""
    sql = listing.page_by_parent(parents, parent, window)
    return await database.fetch("page_by_parent", sql, *listing.params.values)


async def counts_by_parent(
    database: Database, listing: Listing, parents: list[str], parent: Level
) -> list[Row]:
    """Rows (parent, archive_id, matched, nodes)."""
    sql = listing.counts_by_parent(parents, parent)
    return await database.fetch("counts_by_parent", sql, *listing.params.values)


async def by_uid(database: Database, scope: Scope, level: Level, uids: Sequence[str]) -> list[Row]:
    """The visible nodes with these UIDs; what is not visible is not there."""
    uid, visible = UID_COLUMN[level], "$1::smallint[]"
    sql = (
        f"select {node_columns(level, 's', visible, shared=True)} from {level} s"
        f" where s.{uid} = any($2::text[]) and s.archive_id = any({visible})"
        f" and (not s.shared or {is_best(level, 's', (uid,), visible)})"
    )
    return await database.fetch("by_uid", sql, scope.visible_ids, list(uids))


async def copies(database: Database, scope: Scope, level: Level, uids: Sequence[str]) -> list[Row]:
    """Every visible copy (uid, archive_id, counts, synced_at), best-ranked first."""
    counts = {
        Level.STUDY: ", s.number_of_series, s.number_of_instances",
        Level.SERIES: ", s.study_uid, s.number_of_instances",
        Level.INSTANCE: ", s.study_uid, s.series_uid, s.metadata_synced_at",
    }
    sql = _copies_sql(
        level, "s.archive_id, greatest(s.synced_at, a.last_completed_at) as synced_at" + counts[level]
    )
    return await database.fetch("copies", sql, scope.visible_ids, list(uids))


async def data_sets(database: Database, scope: Scope, level: Level, uids: Sequence[str]) -> list[Row]:
    """The data set (`data`, DICOM JSON text) of every visible copy, best-ranked first."""
    sql = _copies_sql(level, "s.archive_id, s.data")
    return await database.fetch("data_sets", sql, scope.visible_ids, list(uids))


def data_set(row: Row) -> dict[str, Any]:
    """The data set of a row of `data_sets`, parsed."""
    parsed: dict[str, Any] = orjson.loads(row["data"])
    return parsed


def _copies_sql(level: Level, columns: str) -> str:
    uid = UID_COLUMN[level]
    return (
        f"select s.{uid} as uid, {columns} from {level} s join archive a on a.archive_id = s.archive_id"
        f" where s.{uid} = any($2::text[]) and s.archive_id = any($1::smallint[])"
        f" order by s.{uid}, array_position($1::smallint[], s.archive_id), s.{level}_pk"
    )


async def unindexed(
    database: Database, scope: Scope, level: Level, condition: Condition, limit: int
) -> list[Row]:
    """Visible asked copies at `level` that match and whose children are not in the index yet."""
    listing = Listing(scope, level, condition)
    sql, values = listing.unindexed(limit)
    return await database.fetch("unindexed", sql, *values)


async def childless(database: Database, scope: Scope, level: Level, uids: Sequence[str]) -> list[Row]:
    """The visible copies (archive_id, study_uid, series_uid) of these nodes that lack their children."""
    done, series = _CHILDREN[level]
    sql = (
        f"select s.archive_id, s.study_uid, {series} as series_uid from {level} s"
        f" where s.{UID_COLUMN[level]} = any($2::text[]) and s.archive_id = any($1::smallint[])"
        f" and s.{done} is null"
    )
    return await database.fetch("childless", sql, scope.visible_ids, list(uids))


# The column that says when a copy's children were indexed, and how to name the series of such a copy.
_CHILDREN = {
    Level.STUDY: ("series_synced_at", "null::text"),
    Level.SERIES: ("instances_synced_at", "s.series_uid"),
}


async def archives_with_gaps(database: Database, scope: Scope, level: Level) -> set[int]:
    """The asked archives that hold copies at `level` whose children are not in the index yet."""
    done, _ = _CHILDREN[level]
    sql = (
        "select a.archive_id from unnest($1::smallint[]) a (archive_id) where exists"
        f" (select 1 from {level} s where s.archive_id = a.archive_id and s.{done} is null)"
    )
    return {row["archive_id"] for row in await database.fetch("gaps", sql, scope.asked_ids)}
