"""Runs of the indexer: the lease that keeps two from one archive, checkpoints, and how each run ended."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import orjson

from db.locks import LEASES
from db.pool import Connection, Database
from db.statements import statements


@dataclass(frozen=True, slots=True)
class IndexedUpTo:
    """How far an archive's index has come. `change_cursor`: None where no feed was followed yet."""

    change_cursor: int | None
    last_completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Resumable:
    """A full run that did not complete: go on after `checkpoint`, with the cursor it began with."""

    checkpoint: str
    change_cursor: int | None
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Run:
    """A run under way. started_at is the database's time."""

    run_id: int
    archive_id: int
    code: str
    started_at: datetime


@asynccontextmanager
async def lease(database: Database, archive_id: int) -> AsyncIterator[bool]:
    """Holds an archive's lease while the block runs; False when another indexer has it.

    It belongs to a session of its own, so a killed process frees it at once.
    """
    sql = statements("runs")
    async with database.connection() as connection:
        with database.heeding():
            ours = await connection.fetchval(sql["try_lease"], LEASES, archive_id)
        if not ours:
            yield False
            return
        given_back = False
        try:
            yield True
            with database.heeding():
                await connection.execute(sql["end_lease"], LEASES, archive_id)
            given_back = True
        finally:
            if not given_back:  # an error or a cancellation: the lock must not stay with a pooled session
                connection.terminate()


async def position(database: Database, archive_id: int) -> IndexedUpTo:
    """Where the archive's index stands. Ask under the lease."""
    row = await database.fetchrow("position", statements("runs")["position"], archive_id)
    return IndexedUpTo(row["change_cursor"], row["last_completed_at"]) if row else IndexedUpTo(None, None)


async def resumable(database: Database, archive_id: int) -> Resumable | None:
    """Marks runs of dead processes as interrupted; then the full run to go on with, if there is one."""
    sql = statements("runs")
    await database.execute("interrupt", sql["interrupt"], archive_id)
    row = await database.fetchrow("resumable", sql["resumable"], archive_id)
    return Resumable(row["checkpoint"], row["change_cursor"], row["started_at"]) if row else None


async def start(database: Database, archive_id: int, code: str, goes_on: Resumable | None) -> Run:
    """A new run row, with what it goes on from: so that it is not lost when the archive does not answer."""
    sql = statements("runs")
    kind = "full" if goes_on is not None else "incremental"
    cursor, checkpoint = (goes_on.change_cursor, goes_on.checkpoint) if goes_on is not None else (None, "")
    row = await database.fetchrow("start_run", sql["start"], archive_id, kind, cursor, checkpoint)
    if row is None:
        raise AssertionError("insert … returning gave no row")
    await database.execute("forget_old_runs", sql["forget_old"], archive_id)
    return Run(row["run_id"], archive_id, code, row["started_at"])


async def plan(
    database: Database, run: Run, *, full: bool, change_cursor: int | None, checkpoint: str
) -> None:
    """What the run will do, once the archive has said where its feed stands."""
    kind = "full" if full else "incremental"
    sql = statements("runs")["plan"]
    await database.execute("plan_run", sql, run.run_id, kind, change_cursor, checkpoint)


async def set_total(database: Database, run: Run, total: int) -> None:
    await database.execute("set_total", statements("runs")["total"], run.run_id, total)


async def advance(
    conn: Connection, run: Run, checkpoint: str, *, done: int, rejected: int, removed: int, changed: bool
) -> None:
    """Inside the transaction that writes a chunk: moves the checkpoint and tells listeners."""
    sql = statements("runs")
    await conn.execute(
        sql["advance"], run.run_id, run.archive_id, checkpoint, done, rejected, removed, changed
    )


async def removed(conn: Connection, run: Run, count: int) -> None:
    """Inside the transaction that removes studies the archive no longer has."""
    sql = statements("runs")
    await conn.execute(sql["removed"], run.run_id, run.archive_id, count)


async def move_cursor(conn: Connection, archive_id: int, cursor: int | None) -> None:
    """Inside the transaction that writes the last chunk of what the feed told up to `cursor`."""
    await conn.execute(statements("runs")["move_cursor"], archive_id, cursor)


async def complete(conn: Connection, run: Run, *, reconciled: bool, warning: tuple[str, str] | None) -> None:
    """The run is done. reconciled: it also removed what the archive no longer has."""
    code, message = warning or (None, None)
    sql = statements("runs")
    await conn.execute(sql["complete"], run.run_id, run.archive_id, reconciled, code, message)


async def fail(
    database: Database,
    run: Run,
    code: str,
    message: str,
    *,
    state: str = "failed",
    start_over: bool = False,
) -> None:
    """The run ended early, as 'failed' or 'interrupted'. start_over: its checkpoint is not gone on from."""
    sql = statements("runs")["fail"]
    await database.execute("fail_run", sql, run.run_id, state, code, message, start_over)


async def unseen(
    database: Database, archive_id: int, seen: Collection[str], before: datetime
) -> tuple[list[str], int]:
    """Studies written before `before` that a complete pass did not see, and how many studies there are."""
    sql = statements("runs")
    rows = await database.fetch("unseen", sql["unseen"], archive_id, before, list(seen))
    return [row["study_uid"] for row in rows], await count_studies(database, archive_id)


async def unlisted(database: Database, archive_id: int, listed: Collection[str]) -> None:
    """Forgets rejected studies that the archive does not list any more."""
    sql = statements("rejected")["unlisted"]
    await database.execute("rejected_unlisted", sql, archive_id, list(listed))


async def differing(database: Database, archive_id: int, copies: Mapping[str, int]) -> list[str]:
    """StudyInstanceUIDs that the archive lists (with how many patients each), and the index lacks or holds
    under another number of patients."""
    sql = statements("runs")["differing"]
    rows = await database.fetch("differing", sql, archive_id, list(copies), list(copies.values()))
    return [row["uid"] for row in rows]


async def feed_marks(database: Database, archive_id: int) -> tuple[int, dict[int, str]]:
    """The cursor at which entries of the feed were noted, and these: sequence → digest; empty: none were."""
    row = await database.fetchrow("feed_marks", statements("runs")["marks"], archive_id)
    noted = orjson.loads(row["feed_marks"]) if row else {}
    return noted.get("upto", 0), {int(each): digest for each, digest in noted.get("marks", {}).items()}


async def forget_feed(database: Database, archive_id: int) -> None:
    """The archive's feed is another one than was followed."""
    await database.execute("forget_feed", statements("runs")["forget_feed"], archive_id)


async def note_feed_marks(database: Database, archive_id: int, upto: int, marks: Mapping[int, str]) -> None:
    noted = {"upto": upto, "marks": {str(each): digest for each, digest in marks.items()}}
    await database.execute(
        "note_feed_marks", statements("runs")["save_marks"], archive_id, orjson.dumps(noted).decode()
    )


async def totals(database: Database, archive_id: int) -> tuple[tuple[int, int], tuple[int, int] | None]:
    """Series and instances that the index counts, and how many more the archive counted when everything was last
    compared (None: not known)."""
    row = await database.fetchrow("index_totals", statements("runs")["totals"], archive_id)
    if row is None:
        return (0, 0), None
    return (row["series"], row["instances"]), tuple(row["drift"]) if row["drift"] is not None else None


async def save_drift(database: Database, archive_id: int, drift: tuple[int, int] | None) -> None:
    """How many series and instances more the archive counts, now that everything was compared."""
    sql = statements("runs")["save_drift"]
    await database.execute("save_drift", sql, archive_id, list(drift) if drift else None)


async def reconcile_soon(database: Database, archive_id: int) -> None:
    """The next run compares everything, unless one just did."""
    await database.execute("reconcile_soon", statements("runs")["reconcile_soon"], archive_id)


async def count_studies(database: Database, archive_id: int) -> int:
    """Distinct StudyInstanceUIDs of an archive in the index."""
    row = await database.fetchrow("count_studies", statements("runs")["count_studies"], archive_id)
    return row["count"] if row else 0
