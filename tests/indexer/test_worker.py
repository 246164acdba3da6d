"""Workers: each archive in its rhythm, failures backed off, jobs by hand, workers that stop or die."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from archives.client import ArchiveClient
from db.archives import sync_archives
from db.indexing import jobs
from db.indexing.jobs import JobKind
from indexer.results import RunResult, RunState
from indexer.worker import Worker
from tests.indexer.conftest import Bench
from tests.indexer.scripted import ScriptedArchive, breaks_after, uids


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@asynccontextmanager
async def working(
    bench: Bench, *archives: ScriptedArchive, workers: int = 1
) -> AsyncIterator[list[RunResult]]:
    """Workers on these archives; the results of their runs."""
    results: list[RunResult] = []
    clients: dict[str, ArchiveClient] = {archive.config.code: archive for archive in archives}
    stop = asyncio.Event()
    worker = Worker(bench.database, clients.get, results.append)
    tasks = [asyncio.create_task(worker.run(stop)) for _ in range(workers)]
    try:
        yield results
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 20)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.rhythm._FIRST_BACK_OFF", 0.05)
    monkeypatch.setattr("indexer.worker._LOOK_EVERY", 0.05)
    monkeypatch.setattr("indexer.worker._BUSY_AGAIN", 0.05)


async def test_they_keep_up_and_recover(bench: Bench) -> None:
    one, two = ScriptedArchive("one", feed=True), ScriptedArchive("two")
    await sync_archives(bench.database, [one.config, two.config])
    one.fill(uids(3))
    two.before = breaks_after(0)
    two.fill(uids(2))
    async with working(bench, one, two, workers=2) as results:

        def ended(code: str, state: RunState) -> int:
            return sum(1 for result in results if (result.code, result.state) == (code, state))

        await until(lambda: ended("one", RunState.COMPLETED) > 2 and ended("two", RunState.FAILED) > 1)
        two.before = lambda level, selection: None
        await until(lambda: ended("two", RunState.COMPLETED) > 1)
        one.fill(uids(1, "1.9"))
        before = ended("one", RunState.COMPLETED)
        await until(lambda: ended("one", RunState.COMPLETED) > before + 1)
        assert len(await bench.studies("one")) == 4
        # reconciled once, then the feed
        assert sum(result.full for result in results if result.code == "one") == 1
        await sync_archives(bench.database, [two.config])
        await asyncio.sleep(0.2)
        before = ended("one", RunState.COMPLETED)
        await asyncio.sleep(0.3)
        assert ended("one", RunState.COMPLETED) == before
    states = await bench.rows("error_code", "index_run", "one")
    assert set(states) == {(None,)}, "no run of one was in the way of another"


async def test_stopping_gives_a_run_back(bench: Bench) -> None:
    archive = ScriptedArchive()
    archive.fill(uids(1))
    await sync_archives(bench.database, [archive.config])
    reached = asyncio.Event()
    listing = archive.list_study_uids

    async def hang() -> list[str]:
        reached.set()
        await asyncio.sleep(3600)
        return []

    archive.list_study_uids = hang  # type: ignore[method-assign]
    async with working(bench, archive):
        await asyncio.wait_for(reached.wait(), 10)
    assert await bench.rows("state", "index_run") == [("interrupted",)]
    (state,) = (await jobs.job_states(bench.database)).values()
    assert (state.kind, state.running) == ("reconcile", False)
    archive.list_study_uids = listing  # type: ignore[method-assign]
    async with working(bench, archive) as results:
        await until(lambda: bool(results))
    assert results[0].state is RunState.COMPLETED


async def test_a_dead_workers_job_is_taken_up(bench: Bench) -> None:
    """A row that a worker picked and does not beat for any more, as kill -9 leaves it."""
    archive = ScriptedArchive()
    archive.fill(uids(2))
    await sync_archives(bench.database, [archive.config])
    assert await jobs.enqueue_due(bench.database) == 1
    assert await jobs.enqueue_due(bench.database) == 0
    await bench.database.execute(
        "die",
        "update jobs.pgqueuer set status = 'picked', queue_manager_id = gen_random_uuid(),"
        " heartbeat = now() - interval '11 s'",
    )
    (state,) = (await jobs.job_states(bench.database)).values()
    assert (state.kind, state.running) == ("reconcile", True)
    async with working(bench, archive) as results:
        await until(lambda: bool(results))
    assert await bench.studies() == uids(2)


async def test_a_run_by_hand_goes_first_and_once(bench: Bench) -> None:
    begun = time.monotonic()
    archive = ScriptedArchive(feed=True)
    archive.fill(uids(1))
    await bench.run(archive)
    await bench.database.execute("later", "update archive_schedule set next_sync_at = now() + interval '1 h'")
    assert await jobs.ask_for(bench.database, "eye", JobKind.RECONCILE)
    assert not await jobs.ask_for(bench.database, "eye", JobKind.RECONCILE)
    assert await jobs.ask_for(bench.database, "eye", JobKind.SYNC)
    async with working(bench, archive, workers=2) as results:
        await until(lambda: len(results) == 2)
    assert sorted(result.full for result in results) == [False, True]
    (state,) = (await jobs.job_states(bench.database)).values()
    assert state.failures == 0
    assert state.lag_seconds is not None
    assert 0 <= state.lag_seconds <= time.monotonic() - begun


async def test_probes_come_daily(bench: Bench) -> None:
    archive = ScriptedArchive()
    await bench.run(archive)
    await bench.database.execute("due", "update archive_schedule set next_probe_at = now()")
    tomorrow = "next_probe_at > now() + interval '23 h'"
    async with working(bench, archive):
        async with asyncio.timeout(20):
            while await bench.rows(tomorrow, "archive_schedule") != [(True,)]:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


async def test_jobs_of_removed_archives_end(bench: Bench) -> None:
    archive = ScriptedArchive()
    await bench.run(archive)
    await jobs.ask_for(bench.database, "eye", JobKind.SYNC)
    await sync_archives(bench.database, [])
    async with working(bench, archive) as results:
        async with asyncio.timeout(20):
            while (await jobs.job_states(bench.database))[1].kind is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    assert results == []


async def test_a_run_that_changed_nothing_is_no_news(bench: Bench) -> None:
    """A server without a change feed is read whole each time, which is no change of the index."""
    archive = ScriptedArchive("one")
    await sync_archives(bench.database, [archive.config])
    archive.fill(uids(3))
    with capture_logs() as told:
        async with working(bench, archive) as results:
            await until(lambda: len(results) > 2)
            archive.before = breaks_after(0)
            await until(lambda: results[-1].state is RunState.FAILED)
    levels = [line["log_level"] for line in told if line["event"] == "index run"]
    assert [result.studies for result in results[:3]] == [3, 3, 3]
    assert levels[:3] == ["info", "debug", "debug"]
    assert levels[-1] == "warning"
