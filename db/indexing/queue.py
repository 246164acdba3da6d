"""Taking jobs up: pgqueuer on connections of its own, so that heartbeats never wait for writers.

A worker that dies stops its heartbeat, and another one takes its jobs up. One that is stopped gives its jobs
back. After an error of the database it starts anew by itself.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import FailingListenerError, RetryRequested
from pgqueuer.domain.models import Job as QueuedJob

from db.indexing.jobs import CHANNEL, JobKind, queries_on
from db.outage import outage_of, tell
from db.pool import FAILED

# A job whose worker has been silent so long is another's: heartbeats come at half of it.
HEARTBEAT_TIMEOUT = timedelta(seconds=10)
_LOOK_EVERY = timedelta(seconds=1)  # for such jobs; new ones are notified
_START_AGAIN = 2.0  # seconds after an error: an outage is met again, but not in a loop without a pause


@dataclass(frozen=True, slots=True)
class Job:
    """One job, taken up for the `attempt`-th time (from 0)."""

    kind: JobKind
    archive: str
    attempt: int


class Later(Exception):
    """The job cannot be done now: again after `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__("cannot be done now")
        self.seconds = seconds


Handler = Callable[[Job], Awaitable[None]]


async def take_jobs(
    url: str, handlers: Mapping[JobKind, Handler], stop: asyncio.Event, *, at_once: int
) -> None:
    """Does the jobs of these kinds until `stop` is set, `at_once` (2 or more) at a time."""
    while not stop.is_set():
        since = time.monotonic()
        try:
            async with asyncpg.create_pool(
                url, min_size=0, max_size=3, server_settings={"application_name": "ernfed worker"}
            ) as pool:
                await _take(pool, handlers, stop, at_once)
        except (*FAILED, FailingListenerError) as error:
            if isinstance(error, FailingListenerError):
                outage_of(url).met(error, since)
            else:
                tell(url, error, "worker.database", since, again_after=_START_AGAIN)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _START_AGAIN)


async def _take(
    pool: asyncpg.Pool, handlers: Mapping[JobKind, Handler], stop: asyncio.Event, at_once: int
) -> None:
    manager = QueueManager(queries_on(AsyncpgPoolDriver(pool)), CHANNEL)
    leaving = asyncio.Event()
    for kind, handler in handlers.items():
        manager.entrypoint(kind.value, accepts_context=False)(_entry(handler, leaving))
    running = asyncio.ensure_future(
        manager.run(
            dequeue_timeout=_LOOK_EVERY,
            batch_size=1,
            max_concurrent_tasks=max(at_once, 2),
            shutdown_on_listener_failure=True,
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            log_aggregation_interval=timedelta(0),
        )
    )
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((running, stopping), return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        leaving.set()
        manager.shutdown.set()
        await asyncio.wait((running,))
        failure = running.exception()
    # Not in there: what fails because its connection is long gone would take the place of a cancellation.
    if failure is not None:
        raise failure


def _entry(handler: Handler, leaving: asyncio.Event) -> Callable[[QueuedJob], Awaitable[None]]:
    async def entry(queued: QueuedJob) -> None:
        archive = str((queued.headers or {}).get("archive"))
        job = Job(JobKind(queued.entrypoint), archive, queued.attempts)
        work = asyncio.ensure_future(handler(job))
        stopping = asyncio.ensure_future(leaving.wait())
        try:
            await asyncio.wait((work, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                work.cancel()
                await asyncio.wait((work,))
                raise RetryRequested(timedelta(0), "the worker was stopped")
            work.result()
        except Later as later:
            raise RetryRequested(timedelta(seconds=later.seconds), "cannot be done now") from None
        finally:
            stopping.cancel()
            work.cancel()

    return entry
