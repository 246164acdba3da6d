"""Runs on a schedule: each archive in its own rhythm, until stopped. What fails is tried again, later and
later, up to five minutes apart."""

import asyncio
import random
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime

import structlog

from archives.client import ArchiveClient
from db.archives import list_archives
from db.pool import Database
from indexer.progress import Progress
from indexer.run import SIDE_BY_SIDE, Order, RunResult, RunState, index_archive

_MAX_BACK_OFF = 300.0
_FIRST_BACK_OFF = 5.0
_JITTER = 0.1
_LOOK_EVERY = 1.0  # for archives that were added or removed
_log = structlog.get_logger(__name__)


async def watch(
    database: Database,
    archives: Iterable[ArchiveClient],
    stop: asyncio.Event,
    *,
    progress: Progress | None = None,
    told: Callable[[RunResult], None] | None = None,
    side_by_side: int = SIDE_BY_SIDE,
) -> None:
    """Keeps the index of all archives fresh until `stop` is set; `archives` may change meanwhile.

    told: called with each run's result. A run under way at the stop is interrupted; the next start goes on.
    """
    gate = asyncio.Semaphore(side_by_side)
    at_work: dict[int, tuple[ArchiveClient, asyncio.Task[None]]] = {}
    try:
        while not stop.is_set():
            present = {id(client): client for client in archives}
            for key, client in present.items():
                if key not in at_work:
                    turns = _turns(database, client, gate, progress, told)
                    at_work[key] = client, asyncio.create_task(turns)
            for key in [key for key in at_work if key not in present]:
                await _end(at_work.pop(key)[1])
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _LOOK_EVERY)
    finally:
        await asyncio.gather(*(_end(task) for _, task in at_work.values()))


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def _turns(
    database: Database,
    client: ArchiveClient,
    gate: asyncio.Semaphore,
    progress: Progress | None,
    told: Callable[[RunResult], None] | None,
) -> None:
    """One archive's runs, one after the other, for ever."""
    failures = 0
    while True:
        began = time.monotonic()
        try:
            async with gate:
                result = await _turn(database, client, progress)
        except Exception:
            # The database, most likely: nothing about the archive is known now.
            _log.exception("index turn failed", archive=client.config.code)
            result = None
        if result is not None and told is not None:
            told(result)
        failed = result is None or result.state is RunState.FAILED
        failures = failures + 1 if failed else 0
        rest = client.config.sync_every - (time.monotonic() - began)
        await asyncio.sleep(pause(rest, failures))


async def _turn(database: Database, client: ArchiveClient, progress: Progress | None) -> RunResult | None:
    """The run that is due; None when the archive is not in the database (yet)."""
    archive = next((row for row in await list_archives(database) if row.code == client.config.code), None)
    if archive is None or not archive.enabled:
        return None
    order = Order(reconcile=_due(archive.last_reconciled_at, client.config.reconcile_every))
    return await index_archive(database, client, archive, order, progress)


def _due(last: datetime | None, every: float) -> bool:
    return last is None or (datetime.now(UTC) - last).total_seconds() >= every


def pause(rest: float, failures: int) -> float:
    """Seconds to wait: the rest of the rhythm, or the back-off after so many failures in a row; ± 10 %."""
    if failures:
        rest = min(_MAX_BACK_OFF / (1 + _JITTER), _FIRST_BACK_OFF * 2.0 ** min(failures - 1, 10))
    return max(rest, 0.0) * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311
