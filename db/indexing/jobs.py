"""Jobs as everybody sees them: asking for one, what is due, when an archive is next looked at.

Taking jobs up is queue.py. A job names an archive by its code; that only one run at a time works on an archive
is held by keys (the same thing is not asked for twice) and by the archive's lease (db/indexing/runs.py).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import Channel
from pgqueuer.ports.driver import Driver

from db.pool import Database, Reader
from db.statements import statements
from db.writing.data_sets import TRIED_AGAIN

CHANNEL = Channel("ernfed_jobs")
# Priorities of pgqueuer; what is due by the clock has 0.
_BY_HAND_FIRST = 10
_WHEN_THERE_IS_TIME = -10


class JobKind(StrEnum):
    """sync: what changed. reconcile: everything, and what is gone. probe: what the archive can do.

    purge: the rows of an archive that was removed. data_sets: whole data sets of its instances.
    """

    SYNC = "sync"
    RECONCILE = "reconcile"
    PROBE = "probe"
    PURGE = "purge"
    DATA_SETS = "data_sets"


_APART = (JobKind.PROBE, JobKind.DATA_SETS)
"""What may be done beside a run of the same archive."""


@dataclass(frozen=True, slots=True)
class JobState:
    """When an archive is due, and the job that waits for it or runs; kind is None when there is none.

    lag_seconds: the index knows all that the archive held so long ago; None: no complete run yet.
    overdue_seconds: how long ago the next run was due, negative when it is still to come.
    """

    next_sync_at: datetime | None = None
    failures: int | None = None
    lag_seconds: float | None = None
    overdue_seconds: float | None = None
    kind: str | None = None
    running: bool = False
    queued_at: datetime | None = None


def queries_on(driver: Driver) -> Queries:
    """pgqueuer's statements on our schema, whatever its own variables in the environment say."""
    settings = DBSettings(
        prefix="",
        db_schema="jobs",
        channel=CHANNEL,
        function="fn_pgqueuer_changed",
        statistics_table="pgqueuer_statistics",
        queue_status_type="pgqueuer_status",
        queue_table="pgqueuer",
        queue_table_log="pgqueuer_log",
        trigger="tg_pgqueuer_changed",
        schedules_table="pgqueuer_schedules",
    )
    return Queries(
        driver,
        QueryBuilderEnvironment(settings),
        QueryQueueBuilder(settings),
        QuerySchedulerBuilder(settings),
    )


async def ask_for(database: Database, code: str, kind: JobKind) -> bool:
    """A job by hand, before those of the schedule. False when the same one waits or runs already.

    A run of the schedule that is under way does not count: it may have looked before what is asked about.
    """
    return await _enqueue(database, [(f"hand:{kind}:{code}", kind, code)], _BY_HAND_FIRST) > 0


async def enqueue_due(database: Database) -> int:
    """Jobs for all that is due now; the number of new ones. Safe in any number of processes at once."""
    rows = await database.fetch("jobs_due", statements("jobs")["due"], TRIED_AGAIN)
    wanted = [
        (f"{row['kind'] if row['kind'] in _APART else 'index'}:{row['code']}", row["kind"], row["code"])
        for row in rows
    ]
    later = [each for each in wanted if each[1] == JobKind.DATA_SETS]
    first = [each for each in wanted if each not in later]
    return await _enqueue(database, first, 0) + await _enqueue(database, later, _WHEN_THERE_IS_TIME)


async def _enqueue(database: Database, wanted: list[tuple[str, str, str]], priority: int) -> int:
    """Jobs as (key, kind, archive); one whose key waits or runs already is left out."""
    if not wanted:
        return 0
    found = await queries_on(AsyncpgPoolDriver(database.pool)).enqueue(
        [kind for _, kind, _ in wanted],
        [None] * len(wanted),
        [priority] * len(wanted),
        dedupe_key=[key for key, _, _ in wanted],
        headers=[{"archive": code} for _, _, code in wanted],
        on_conflict="skip",
    )
    return sum(each is not None for each in found)


async def rhythm(database: Database, archive_id: int) -> tuple[float, int]:
    """Seconds between the runs of an archive, and how many failed one after the other until now."""
    row = await database.fetchrow("rhythm", statements("jobs")["rhythm"], archive_id)
    return (row["sync_every"], row["failures"]) if row else (60.0, 0)


async def run_ended(
    database: Database,
    archive_id: int,
    *,
    failed: bool,
    pause: float,
    reconciled: bool,
    current_as_of: datetime | None,
) -> None:
    """The end of a run: when the next one is due (`pause` in seconds)."""
    sql = statements("jobs")["run_ended"]
    await database.execute("run_ended", sql, archive_id, failed, pause, reconciled, current_as_of)


async def data_sets_after(database: Database, archive_id: int, pause: float) -> None:
    """Whole data sets of the archive are not asked for before so many seconds."""
    await database.execute("data_sets_after", statements("jobs")["data_sets_after"], archive_id, pause)


async def probed(database: Database, archive_id: int) -> None:
    """A probe was made, or tried: the next one is a day away."""
    await database.execute("probed", statements("jobs")["probed"], archive_id)


async def forget_log(database: Database) -> None:
    """Removes old lines of the queue's log."""
    await database.execute("forget_job_log", statements("jobs")["forget_log"])


async def job_states(database: Reader) -> dict[int, JobState]:
    """The job state of every archive by archive_id."""
    rows = await database.fetch("job_states", statements("jobs")["states"])
    names = JobState.__dataclass_fields__
    return {row["archive_id"]: JobState(**{name: row[name] for name in names}) for row in rows}
