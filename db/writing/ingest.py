"""Writing records to the index: COPY into a staging table, then one upsert of what differs.

Every function runs inside the caller's transaction (`write`), so that rows and cursor move together.
All writers hold one advisory lock from their first row to their commit: a writer then sees every copy
that others wrote, which the `shared` flags need, and writers cannot deadlock.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import asyncpg
import orjson
import structlog

from db.locks import Lock
from db.outage import is_told
from db.pool import Connection, Database
from db.statements import statements
from db.writing.events import note
from db.writing.ingest_sql import ingest_sql
from db.writing.rollup_tables import fill_rollups, follow_rollups
from db.writing.upserts import Stored, upsert_all
from model.attributes import Key, Level
from model.records import Record, Rejected

T = TypeVar("T")
K = TypeVar("K", str, Key)

_log = structlog.get_logger(__name__)

_TRIES = 3  # deadlocks end one of two writers, which waits a little and writes again
_AT_ONCE = timedelta(0)


async def write(database: Database, name: str, work: Callable[[Connection], Awaitable[T]]) -> T:
    """Runs `work` in a transaction; again, from its beginning, after a deadlock or serialization failure."""
    result = await _written(database, name, work)
    await followed(database)
    return result


async def followed(database: Database) -> None:
    """What follows every write. What fails is tried again after the next one: the write has succeeded."""
    for follow in database.after_write:
        try:
            await follow()
        except Exception as error:  # its message may quote values of records
            if not is_told(error):
                _log.error("after_write.failed", error=type(error).__name__)


async def _written(database: Database, name: str, work: Callable[[Connection], Awaitable[T]]) -> T:
    for attempt in range(1, _TRIES + 1):
        try:
            async with database.transaction(name) as connection:
                return await work(connection)
        except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
            if attempt == _TRIES:
                raise
            await asyncio.sleep(attempt * random.uniform(0.05, 0.2))  # noqa: S311
    raise AssertionError("unreachable")


async def store_studies(
    conn: Connection, archive_id: int, records: Sequence[Record], complete: Collection[str] = ()
) -> Stored:
    """Studies of one archive. `complete`: StudyInstanceUIDs of which this is the archive's whole answer;
    their rows that are not in it go (a moved patient), with series and instances when none is left."""
    stored = await _put(conn, archive_id, Level.STUDY, "upsert_study", records)
    asked = _without_refused(complete, [record.study_uid for record in _refused_records(stored, records)])
    if asked:
        gone = await conn.fetch(ingest_sql("drop_unanswered_studies"), archive_id, asked)
        if gone:
            uids = [row["study_uid"] for row in gone]
            lost = await conn.fetch(ingest_sql("delete_children"), archive_id, uids)
            stored.removed = len(lost)
            stored.changed += len(gone)
    return stored


async def store_series(
    conn: Connection,
    archive_id: int,
    records: Sequence[Record],
    complete_studies: Collection[str] = (),
    *,
    stamp_older_than: timedelta = _AT_ONCE,
) -> Stored:
    """Series of one archive, best before their studies, whose rows are then written once. Series of
    studies that are not in the index go when it is derived. `complete_studies`: their other series go and
    `series_synced_at` is set, where it is empty or at least `stamp_older_than` old."""
    stored = await _put(conn, archive_id, Level.SERIES, "upsert_series", records)
    refused = _refused_records(stored, records)
    asked = _without_refused(complete_studies, [record.study_uid for record in refused])
    if asked:
        stored.removed = await conn.fetchval(ingest_sql("drop_unanswered_series"), archive_id, asked)
        await conn.execute(ingest_sql("stamp_series"), archive_id, asked, stamp_older_than)
    return stored


async def store_instances(
    conn: Connection,
    archive_id: int,
    records: Sequence[Record],
    complete_series: Collection[Key] = (),
    *,
    full: bool = False,
    stamp_older_than: timedelta = _AT_ONCE,
) -> Stored:
    """Instances of series that are in the index (others are left out). `complete_series`, each with its study's
    UID: their other instances go and `instances_synced_at` is set. full: the records are whole data sets (metadata)."""
    upsert = "upsert_full_instance" if full else "upsert_instance"
    stored = await _put(conn, archive_id, Level.INSTANCE, upsert, records)
    refused = _refused_records(stored, records)
    asked = _without_refused(complete_series, [record.key[:2] for record in refused])
    if asked:
        studies, series = zip(*asked, strict=True)
        stored.removed = await conn.fetchval(
            ingest_sql("drop_unanswered_instances"), archive_id, studies, series
        )
        await conn.execute(ingest_sql("stamp_instances"), archive_id, studies, series, stamp_older_than)
    return stored


async def delete_studies(conn: Connection, archive_id: int, study_uids: Collection[str]) -> int:
    """Removes all copies of these studies from one archive's index; returns how many were there."""
    await begin(conn)
    gone = await conn.fetch(ingest_sql("delete_studies"), archive_id, list(study_uids))
    await conn.fetch(ingest_sql("delete_children"), archive_id, list(study_uids))
    return len(gone)


async def derive(conn: Connection, study_uids: Collection[str] = ()) -> None:
    """What follows from the rows written since the transaction began, and for `study_uids`: modalities,
    counts, words, `shared`. Call it once, after the last store or delete of the transaction."""
    await begin(conn)
    sql = statements("derive")
    if study_uids:
        await conn.execute(sql["touch"], list(study_uids))
    if not await conn.fetchval("select exists (select from dirty)"):
        return
    for name in (
        *("drop_parentless", "decide_shared", "derive_instances", "derive_series", "derive_studies"),
        "link_values",
    ):
        await conn.execute(sql[name])
    await conn.execute(statements("projections")["enqueue"])
    await follow_rollups(conn)
    await note(conn, await conn.fetchval(statements("events")["families"]))
    await conn.execute(sql["settled"])


async def rebuild_rollups(database: Database) -> None:
    """Counts the rollups again from the index, while no other writer is at work."""

    async def work(conn: Connection) -> None:
        await conn.execute("select pg_advisory_xact_lock($1)", Lock.INDEX)
        await fill_rollups(conn)

    await _written(database, "rebuild_rollups", work)


async def recount_reordered(database: Database) -> None:
    """Counts shared families again whose archives changed their order; statistics look at them until then."""
    sql = statements("rollups")

    async def work(conn: Connection) -> None:
        await begin(conn)
        await conn.execute(sql["touch_reordered"])
        await follow_rollups(conn)
        await conn.execute(statements("derive")["settled"])

    (row,) = await database.fetch("rollups_reordered", sql["reordered"])
    if row["reordered"]:
        await _written(database, "recount_reordered", work)


async def reject(conn: Connection, archive_id: int, rejected: Sequence[Rejected]) -> None:
    """Keeps rows aside that could not become records, or not without doubts; one that is known only gets a
    new `last_seen_at`."""
    if rejected:
        await conn.execute(
            statements("rejected")["reject"],
            archive_id,
            [row.level.value for row in rejected],
            [row.uid for row in rejected],
            [row.reason for row in rejected],
            [row.data for row in rejected],
            [row.lost for row in rejected],
        )


async def no_longer_rejected(conn: Connection, archive_id: int, study_uids: Collection[str]) -> None:
    """Of studies that were stored."""
    if study_uids:
        await conn.execute(statements("rejected")["found"], archive_id, list(study_uids))


async def forget_rejected(
    conn: Connection, archive_id: int, levels: Collection[Level], since: datetime
) -> None:
    """What a whole pass over the archive that began then has not come upon at these levels."""
    sql = statements("rejected")["unseen"]
    await conn.execute(sql, archive_id, [level.value for level in levels], since)


async def begin(conn: Connection) -> None:
    """The first thing of every transaction that writes the index; again does no harm."""
    await conn.execute(ingest_sql("staging"))
    await conn.execute(ingest_sql("begin"), Lock.INDEX)


async def _put(
    conn: Connection, archive_id: int, level: Level, upsert: str, records: Sequence[Record]
) -> Stored:
    """Upserts all records but those that the database refuses, and keeps a note of what is not right in them."""
    await begin(conn)
    stored = await upsert_all(conn, archive_id, level, upsert, records)
    refused = {row.uid for row in stored.refused}
    odd = [record for record in records if (record.suspect or record.notes) and record.uid not in refused]
    await reject(conn, archive_id, [_note(record) for record in odd])
    return stored


def _note(record: Record) -> Rejected:
    """The row is in the index as it came; it stands beside the note, too, where letters of it may be lost."""
    reasons = [record.notes] if record.notes else []
    if record.suspect:
        reasons.insert(0, f"not decoded by its character set: {record.suspect}")
    data = record.data if record.suspect else orjson.dumps({"uid": record.uid}).decode()
    return Rejected(record.level, record.uid, f"in the index, but {'; '.join(reasons)}", data, lost=False)


def _refused_records(stored: Stored, records: Sequence[Record]) -> list[Record]:
    uids = {row.uid for row in stored.refused}
    return [record for record in records if record.uid in uids] if uids else []


def _without_refused(complete: Collection[K], refused: Collection[K]) -> list[K]:
    return sorted(set(complete) - set(refused))
