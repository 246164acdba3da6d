"""The schedule: each archive in its rhythm, failures backed off, recovery, archives that come and go."""

import asyncio
from collections.abc import Callable

import pytest

from db.archives import sync_archives
from indexer.run import RunResult, RunState
from indexer.watch import pause, watch
from tests.indexer.conftest import Bench
from tests.indexer.scripted import ScriptedArchive, breaks_after, uids


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_it_keeps_up_and_recovers(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.watch._FIRST_BACK_OFF", 0.05)
    monkeypatch.setattr("indexer.watch._LOOK_EVERY", 0.05)
    one, two = ScriptedArchive("one", feed=True), ScriptedArchive("two")
    await sync_archives(bench.database, [one.config, two.config])
    one.fill(uids(3))
    two.before = breaks_after(0)
    two.fill(uids(2))
    results: list[RunResult] = []
    archives = [one, two]
    stop = asyncio.Event()
    watching = asyncio.create_task(watch(bench.database, archives, stop, told=results.append))

    def ended(code: str, state: RunState) -> int:
        return sum(1 for result in results if (result.code, result.state) == (code, state))

    await until(lambda: ended("one", RunState.COMPLETED) > 2 and ended("two", RunState.FAILED) > 1)
    two.before = lambda level, selection: None
    await until(lambda: ended("two", RunState.COMPLETED) > 1)
    one.fill(uids(1, "1.9"))
    before = ended("one", RunState.COMPLETED)
    await until(lambda: ended("one", RunState.COMPLETED) > before + 1)
    assert len(await bench.studies("one")) == 4
    assert (
        sum(result.full for result in results if result.code == "one") == 1
    )  # reconciled once, then the feed
    archives.remove(one)
    await asyncio.sleep(0.2)
    before = ended("one", RunState.COMPLETED)
    await asyncio.sleep(0.3)
    assert ended("one", RunState.COMPLETED) == before
    stop.set()
    await asyncio.wait_for(watching, 10)


async def test_stopping_ends_a_run_under_way(bench: Bench) -> None:
    archive = ScriptedArchive()
    archive.fill(uids(1))
    await sync_archives(bench.database, [archive.config])
    reached = asyncio.Event()

    async def hang() -> list[str]:
        reached.set()
        await asyncio.sleep(3600)
        return []

    archive.list_study_uids = hang  # type: ignore[method-assign]
    stop = asyncio.Event()
    watching = asyncio.create_task(watch(bench.database, [archive], stop))
    await asyncio.wait_for(reached.wait(), 10)
    stop.set()
    await asyncio.wait_for(watching, 10)
    assert await bench.rows("state", "index_run") == [("interrupted",)]


def test_pauses() -> None:
    assert 54 <= pause(60, 0) <= 66
    assert pause(-5, 0) == 0
    assert 4.5 <= pause(60, 1) <= 5.5
    assert 9 <= pause(60, 2) <= 11
    assert all(200 <= pause(3600, failures) <= 300 for failures in (8, 9, 100, 10_000))
