"""Indexing runs: which kind an archive needs, under its lease, and how it ended. One failed archive never
stops the others."""

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

import structlog

from archives.client import ArchiveClient
from archives.errors import ArchiveError
from archives.lengths import one_piece_of_work
from db.archives import ArchiveRow, list_archives, save_health
from db.indexing import jobs, runs
from db.outage import is_told
from db.pool import Connection, Database
from db.writing import ingest
from indexer.data_sets import after_run
from indexer.full import run_full
from indexer.incremental import run_incremental
from indexer.plan import WHAT_CHANGED, Plan, RunOrder, decide, needs_full
from indexer.probing import note_drift, probe_if_due
from indexer.progress import Progress, silent
from indexer.reconcile import compare_totals, note_feed
from indexer.representatives import fill_representatives
from indexer.results import RunResult, RunState, result_of, warning_of
from indexer.rhythm import pause
from indexer.work import RunFailed, Tally, Work

SIDE_BY_SIDE = 4  # archives: they wait for their answers, and together for one database
_log = structlog.get_logger(__name__)


async def index_once(
    database: Database,
    archives: Iterable[ArchiveClient],
    *,
    codes: Collection[str] | None = None,
    reconcile: bool = False,
    confirmed: bool = False,
    progress: Progress | None = None,
    side_by_side: int = SIDE_BY_SIDE,
) -> list[RunResult]:
    """One run for each archive (of `codes`), several side by side; results in the archives' order."""
    rows = {row.code: row for row in await list_archives(database)}
    wanted = [client for client in archives if codes is None or client.config.code in codes]
    gate = asyncio.Semaphore(side_by_side)
    order = RunOrder(reconcile=reconcile, confirmed=confirmed)

    async def one(client: ArchiveClient) -> RunResult:
        async with gate:
            result = await index_archive(database, client, row := rows[client.config.code], order, progress)
            if result.state is RunState.COMPLETED:
                await after_run(database, client, row.archive_id, progress or silent)
            return result

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(client)) for client in wanted]
    results = [task.result() for task in tasks]
    if any(result.full and result.studies for result in results):
        # Without statistics Postgres plans for empty tables; its own daemon comes a minute later.
        await database.execute("analyze", "analyze")
    return results


async def index_archive(
    database: Database,
    client: ArchiveClient,
    archive: ArchiveRow,
    order: RunOrder = WHAT_CHANGED,
    progress: Progress | None = None,
) -> RunResult:
    """One run over one archive. Whatever goes wrong becomes a failed result; only cancellation is raised."""
    started = time.monotonic()
    try:
        async with runs.lease(database, archive.archive_id) as ours:
            if not ours:
                return RunResult(archive.code, RunState.SKIPPED, error_code="BUSY", error_message=_BUSY)
            with one_piece_of_work():
                result = await _run(database, client, archive, order, progress or silent, started)
    except Exception as error:  # a bug, or the database: it must not stop the other archives
        if not is_told(error):
            _log.exception("index run failed", archive=archive.code)
        why = ("INTERNAL", f"{type(error).__name__}; the log says more")
        result = result_of(archive.code, started, Tally(), why, failed=True)
    try:
        await _plan_next(database, archive, result)
    except Exception as error:  # the database; the archive stays due
        if not is_told(error):
            _log.exception("next run not planned", archive=archive.code)
    return result


async def _plan_next(database: Database, archive: ArchiveRow, result: RunResult) -> None:
    every, failures = await jobs.rhythm(database, archive.archive_id)
    failed = result.state is RunState.FAILED
    await jobs.run_ended(
        database,
        archive.archive_id,
        failed=failed,
        pause=pause(every - result.seconds, failures + 1 if failed else 0),
        reconciled=result.reconciled,
        current_as_of=result.as_of,
    )


_BUSY = "another indexer is at work on this archive"


async def _run(
    database: Database,
    client: ArchiveClient,
    archive: ArchiveRow,
    order: RunOrder,
    progress: Progress,
    started: float,
) -> RunResult:
    """Under the lease: a run row, the run, how it ended."""
    left = await runs.resumable(database, archive.archive_id)
    position = await runs.position(database, archive.archive_id)
    run = await runs.start(
        database, archive.archive_id, archive.code, left if needs_full(order, position) else None
    )
    work = Work(database, client, run, progress)
    full = reconciled = False
    try:
        known = await _look_at(database, client, archive)
        plan = await decide(work, order, position, left)
        full = plan.full
        await runs.plan(database, run, full=full, change_cursor=plan.cursor, checkpoint=plan.checkpoint)
        try:
            reconciled = await _follow(work, plan, order)
            await fill_representatives(work)
        finally:
            await note_drift(database, client, archive, known)
        await _complete(work, plan, reconciled=reconciled)
        await note_feed(database, archive.archive_id, client)
        await compare_totals(database, archive.archive_id, client, compared=reconciled)
    except (ArchiveError, RunFailed) as error:
        start_over = isinstance(error, RunFailed) and error.start_over
        await runs.fail(database, run, error.code, error.message, start_over=start_over)
        return result_of(
            archive.code, started, work.tally, (error.code, error.message), failed=True, full=full
        )
    except asyncio.CancelledError:
        await asyncio.shield(runs.fail(database, run, "INTERRUPTED", _STOPPED, state="interrupted"))
        raise
    except Exception as error:
        await runs.fail(database, run, "INTERNAL", f"{type(error).__name__}; the log says more")
        raise
    # What an earlier run read before it broke off may have changed since.
    as_of = None if plan.checkpoint else run.started_at
    done = result_of(
        archive.code, started, work.tally, warning_of(work.tally), full=full, reconciled=reconciled
    )
    return replace(done, as_of=as_of)


_STOPPED = "The indexer was stopped in the middle of this run; the next one goes on from there."


async def _follow(work: Work, plan: Plan, order: RunOrder) -> bool:
    """True when it also removed what the archive no longer has."""
    if plan.full:
        return await run_full(work, plan.checkpoint, reconcile=order.reconcile, confirmed=order.confirmed)
    await run_incremental(work, plan.cursor or 0, plan.newest)
    return False


async def _look_at(database: Database, client: ArchiveClient, archive: ArchiveRow) -> Mapping[str, str]:
    """Notes the archive's health; its capabilities, probed when that is due."""
    health = await client.health()
    await save_health(
        database,
        archive.archive_id,
        health.state,
        latency_ms=health.latency_ms,
        error_code=health.error_code,
        error_message=health.error_message,
    )
    if health.state == "DOWN":  # twenty more requests would only wait for it
        return archive.capabilities
    return await probe_if_due(database, client, archive)


async def _complete(work: Work, plan: Plan, *, reconciled: bool) -> None:
    async def complete(conn: Connection) -> None:
        if plan.full:
            await runs.move_cursor(conn, work.archive_id, plan.cursor)
        await runs.complete(conn, work.run, reconciled=reconciled, warning=warning_of(work.tally))

    await ingest.write(work.database, "complete_run", complete)
    work.progress(work.run.code, work.tally.done, work.total, "done")
