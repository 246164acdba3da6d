"""A worker: puts on the queue what is due, and does what is on it. Any number of them may share a database."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog

from archives.client import ArchiveClient
from db.archives import ArchiveRow, list_archives
from db.indexing import runs
from db.indexing.jobs import JobKind, data_sets_after, enqueue_due, forget_log, probed
from db.indexing.queue import Job, Later, take_jobs
from db.outage import is_told, outage_of
from db.pool import Database
from db.writing.ingest import recount_reordered
from db.writing.purge import purge
from indexer.data_sets import fill_data_sets
from indexer.plan import RunOrder
from indexer.probing import probe
from indexer.progress import Progress, silent
from indexer.results import RunResult, RunState
from indexer.run import SIDE_BY_SIDE, index_archive

_LOOK_EVERY = 1.0  # seconds: for what is due
_FORGET_EVERY = 3600.0  # seconds: old lines of the queue's log
_RECOUNT_EVERY = 60.0  # seconds: until then statistics read families of reordered archives one by one
_AFTER_FAILURE = 5.0  # seconds: the database comes back, or what died is started again
_BUSY_AGAIN = 1.0  # seconds until a job is tried again whose archive another has now
_DATA_SETS_SECONDS = 20.0  # of one job, so that runs get their turn
_AFTER_TROUBLE = 60.0  # seconds in which an archive that gave no data sets is not asked for them
_STRANGER_TRIES = 30  # a second each: what another process has added is known to this one in some seconds
_log = structlog.get_logger(__name__)

ClientOf = Callable[[str], ArchiveClient | None]


class WorkerDied(Exception):
    """A part of a worker ended though nobody had asked for it."""


@dataclass(frozen=True, slots=True)
class Worker:
    """client_of: the archive of a code, None where this process does not know it (yet).

    told: called with each run's result.
    """

    database: Database
    client_of: ClientOf
    told: Callable[[RunResult], None] = lambda _result: None
    progress: Progress | None = None

    async def run(self, stop: asyncio.Event, *, at_once: int = SIDE_BY_SIDE) -> None:
        """Works until `stop` is set or it is cancelled: a run under way is then interrupted and given back to
        the queue. at_once: jobs at a time, 2 or more. Raises what ended a part of it, or WorkerDied."""
        leaving = asyncio.Event()
        handlers = {
            JobKind.SYNC: self._index,
            JobKind.RECONCILE: self._index,
            JobKind.PROBE: self._probe,
            JobKind.PURGE: self._purge,
            JobKind.DATA_SETS: self._data_sets,
        }
        tasks = [
            asyncio.create_task(take_jobs(self.database.url, handlers, leaving, at_once=at_once)),
            asyncio.create_task(_every(_LOOK_EVERY, lambda: enqueue_due(self.database))),
            asyncio.create_task(_every(_FORGET_EVERY, lambda: forget_log(self.database))),
            asyncio.create_task(_every(_RECOUNT_EVERY, lambda: recount_reordered(self.database))),
        ]
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait((*tasks, stopped), return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.set()
            for task in (*tasks[1:], stopped):
                task.cancel()
            await asyncio.gather(*tasks, stopped, return_exceptions=True)
        for task in tasks:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error
        if not stop.is_set():
            raise WorkerDied

    async def keep_running(self, stop: asyncio.Event, *, at_once: int = SIDE_BY_SIDE) -> None:
        """The same, and again after it died, which is told: else all would look well while the index grows old."""
        while not stop.is_set():
            try:
                await self.run(stop, at_once=at_once)
            except Exception:
                _log.exception("worker.died", again_after=_AFTER_FAILURE)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), _AFTER_FAILURE)

    async def _index(self, job: Job) -> None:
        archive, client = await self._known(job)
        if archive is None or client is None:
            return
        order = RunOrder(reconcile=job.kind is JobKind.RECONCILE)
        result = await index_archive(self.database, client, archive, order, self.progress)
        if result.state is RunState.SKIPPED:
            raise Later(_BUSY_AGAIN)
        self.told(result)
        # A run that the database broke off: the outage has been told of.
        if not (result.error_code == "INTERNAL" and outage_of(self.database.url).lasts):
            _note(result)
        if result.full and result.studies:
            # Without statistics Postgres plans for empty tables; its own daemon comes a minute later.
            await self.database.execute("analyze", "analyze")

    async def _probe(self, job: Job) -> None:
        archive, client = await self._known(job)
        if archive is None or client is None:
            return
        await probe(self.database, client, archive, "it is due")
        await probed(self.database, archive.archive_id)

    async def _data_sets(self, job: Job) -> None:
        archive, client = await self._known(job)
        if archive is None or client is None:
            return
        told = self.progress or silent
        well = await fill_data_sets(self.database, client, archive.archive_id, told, _DATA_SETS_SECONDS)
        await data_sets_after(self.database, archive.archive_id, 0.0 if well else _AFTER_TROUBLE)

    async def _purge(self, job: Job) -> None:
        rows = await list_archives(self.database)
        archive = next((row for row in rows if row.code == job.archive), None)
        if archive is None or archive.enabled:
            return  # it has come back since
        async with runs.lease(self.database, archive.archive_id) as ours:
            if not ours:
                raise Later(_BUSY_AGAIN)
            studies = await purge(self.database, archive.archive_id)
        _log.info("archive purged", archive=job.archive, studies=studies)

    async def _known(self, job: Job) -> tuple[ArchiveRow | None, ArchiveClient | None]:
        """The archive and its client; None for one that was removed or switched off since it was asked for.

        Raises Later where this process has yet to hear of it.
        """
        rows = await list_archives(self.database)
        archive = next((row for row in rows if row.code == job.archive and row.enabled), None)
        client = self.client_of(job.archive)
        if archive is not None and client is None and job.attempt < _STRANGER_TRIES:
            raise Later(_BUSY_AGAIN)
        return archive, client


def _note(result: RunResult) -> None:
    """A run that changed nothing is no news."""
    failed = result.state is RunState.FAILED
    level = logging.WARNING if failed else logging.INFO if result.changed else logging.DEBUG
    counts = ("studies", "series", "instances", "removed", "rejected", "seconds")
    problem = {"code": result.error_code, "problem": result.error_message} if result.error_code else {}
    _log.log(
        level,
        "index run",
        archive=result.code,
        state=result.state.value,
        **{name: getattr(result, name) for name in counts},
        **problem,
    )


async def _every(seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """Again and again. What fails is logged: the database, most likely, which comes back."""
    while True:
        try:
            await work()
        except Exception as error:
            if not is_told(error):
                _log.error("worker.schedule", error=type(error).__name__, again_after=_AFTER_FAILURE)
            await asyncio.sleep(_AFTER_FAILURE)
        await asyncio.sleep(seconds)
