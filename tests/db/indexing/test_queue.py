"""The queue's tables are those of the installed pgqueuer, and a database that goes away comes back."""

import asyncio

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver

from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.indexing import jobs
from db.indexing.jobs import JobKind
from db.indexing.queue import Job, Later, take_jobs
from db.pool import Database


async def test_the_migration_is_what_pgqueuer_wants(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        plan = await jobs.queries_on(AsyncpgDriver(connection)).plan_upgrade()
    finally:
        await connection.close()
    assert (list(plan.statements), list(plan.notes)) == ([], [])


async def test_a_worker_outlives_its_connections(database: Database, database_url: str) -> None:
    await sync_archives(database, [ArchiveConfig(code="a", ern="ERN-EYE", title="a", kind="folder")])
    stop = asyncio.Event()
    done: asyncio.Queue[Job] = asyncio.Queue()

    async def work(job: Job) -> None:
        if job.attempt == 0:
            raise Later(0.05)
        done.put_nowait(job)

    task = asyncio.create_task(take_jobs(database_url, {JobKind.SYNC: work}, stop, at_once=2))
    await jobs.ask_for(database, "a", JobKind.SYNC)
    assert await asyncio.wait_for(done.get(), 20) == Job(JobKind.SYNC, "a", 1)
    await database.execute(
        "cut",
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'ernfed worker'"
        " and datname = current_database()",
    )
    async with asyncio.timeout(40):
        while not await jobs.ask_for(database, "a", JobKind.SYNC):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        assert (await done.get()).archive == "a"
    stop.set()
    await asyncio.wait_for(task, 20)
