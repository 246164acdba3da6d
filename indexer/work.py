"""One run at work: writes batches with their checkpoint, keeps count, tells progress."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import TypeVar

from archives.client import ArchiveClient
from db.indexing import runs
from db.pool import Connection, Database
from db.writing import ingest
from indexer.batch import Batch, Written, write_batch
from indexer.progress import Progress

T = TypeVar("T")


@dataclass(slots=True)
class Tally:
    """What a run has done so far. shortfalls: what the archive did not tell whole."""

    studies: int = 0
    series: int = 0
    instances: int = 0
    rejected: int = 0
    removed: int = 0
    changed: bool = False
    done: int = 0
    missing: list[str] = field(default_factory=list)
    shortfalls: list[str] = field(default_factory=list)


class RunFailed(Exception):
    """The run ends without being complete. start_over: the next one must not go on from its checkpoint."""

    def __init__(self, code: str, message: str, *, start_over: bool) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.start_over = start_over


@dataclass(slots=True)
class Work:
    """What every step of a run has at hand."""

    database: Database
    client: ArchiveClient
    run: runs.Run
    progress: Progress
    tally: Tally = field(default_factory=Tally)
    total: int | None = None

    @property
    def archive_id(self) -> int:
        return self.run.archive_id

    async def expect(self, total: int, done: int = 0) -> None:
        """How many studies there will be, and how many of them an earlier run has written."""
        self.total = total
        self.tally.done = done
        await runs.set_total(self.database, self.run, total)
        self.progress(self.run.code, done, total, "indexing")

    async def write(self, batch: Batch, checkpoint: str, *, cursor: int | None = None) -> None:
        """A batch, its checkpoint and, where given, the change cursor: one transaction."""

        async def work(conn: Connection) -> Written:
            written = await write_batch(conn, self.archive_id, batch)
            if cursor is not None:
                await runs.move_cursor(conn, self.archive_id, cursor)
            await runs.advance(
                conn,
                self.run,
                checkpoint,
                done=len(batch.asked),
                rejected=written.rejected,
                removed=written.removed,
                changed=written.changed,
            )
            return written

        written = await ingest.write(self.database, "write_batch", work)
        tally = self.tally
        tally.done += len(batch.asked)
        tally.studies += len(batch.studies)
        tally.series += len(batch.series)
        tally.instances += len(batch.instances)
        tally.rejected += written.rejected
        tally.removed += written.removed
        tally.changed |= written.changed
        tally.missing += batch.missing
        tally.shortfalls += batch.shortfalls
        self.progress(self.run.code, tally.done, self.total, "indexing")


async def ahead(source: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """The same items; the next one is fetched while the caller works on the present one."""
    upcoming = asyncio.ensure_future(_next(source))
    try:
        while (item := await upcoming) is not None:
            upcoming = asyncio.ensure_future(_next(source))
            yield item[0]
    finally:
        upcoming.cancel()
        await asyncio.gather(upcoming, return_exceptions=True)


async def _next(source: AsyncGenerator[T, None]) -> tuple[T] | None:
    async for item in source:
        return (item,)
    return None
