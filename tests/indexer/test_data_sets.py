"""Whole data sets of instances: what is fetched when, what becomes of what changes meanwhile, and where it ends."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from archives.errors import (
    ArchiveError,
    CircuitOpen,
    NotSupported,
    ServerFailed,
    TimedOut,
    TooLarge,
    Unreachable,
)
from db.archives import save_capabilities
from db.indexing import jobs
from db.pool import Connection, Database
from db.writing import ingest
from indexer import data_sets
from indexer.results import RunResult
from indexer.worker import Worker
from model.attributes import Level
from tests.indexer.conftest import Bench
from tests.indexer.scripted import SERIES, ScriptedArchive
from tests.rows import instance, records

THICKNESS = "data #>> '{00180050,Value,0}'"
WHOLE = f"sop_uid, {THICKNESS}, metadata_synced_at is not null"


def scripted(*, index: str = "instance", **options: Any) -> ScriptedArchive:
    archive = ScriptedArchive(index=index, representatives=False, **options)
    archive.fill(["1.1", "1.2"])
    return archive


async def whole(bench: Bench) -> dict[str, str | None]:
    """SOPInstanceUID → what only whole data sets tell; None where there is none."""
    rows = await bench.rows(WHOLE, "instance")
    assert all(is_whole == (told is not None) for _, told, is_whole in rows)
    return {sop: told for sop, told, _ in rows}


ALL = {"1.1.1.1": "2.5", "1.1.2.1": "2.5", "1.2.1.1": "2.5", "1.2.2.1": "2.5"}


async def test_they_come_after_the_run_and_once(bench: Bench, told: Any) -> None:
    archive = scripted()
    assert (await bench.run(archive, progress=told)).all_done
    assert await whole(bench) == ALL
    assert ("eye", 4, None, "4 data sets") in told.lines
    assert sorted(archive.told_whole) == ["1.1.1", "1.1.2", "1.2.1", "1.2.2"]
    await bench.run(archive, reconcile=True)
    assert len(archive.told_whole) == 4


async def test_of_a_series_that_changes_they_come_again(bench: Bench) -> None:
    archive = scripted()
    await bench.run(archive)
    archive.told_whole.clear()
    archive.whole = {"00180050": {"vr": "DS", "Value": [5]}}
    archive.instances[0]["00200013"] = {"vr": "IS", "Value": [7]}
    archive.instances.append(instance("1.2", "1.2.2", "1.2.2.2"))
    await bench.run(archive, reconcile=True)
    assert sorted(archive.told_whole) == ["1.1.1", "1.2.2"]
    assert await whole(bench) == ALL | {"1.1.1.1": "5", "1.2.2.1": "5", "1.2.2.2": "5"}


@pytest.mark.parametrize(
    "error", [ServerFailed("500"), TooLarge("large"), TimedOut("late"), NotSupported("none")]
)
async def test_what_is_not_given_keeps_nothing_else_waiting(
    bench: Bench, error: ArchiveError, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is asked for again hours later, not by the next run."""
    monkeypatch.setattr(data_sets, "AT_ONCE", 1)
    archive = scripted()
    archive.refused = {"1.1.1": error}
    assert (await bench.run(archive)).all_done
    assert await whole(bench) == ALL | {"1.1.1.1": None}
    archive.refused.clear()
    archive.told_whole.clear()
    await bench.run(archive)
    assert archive.told_whole == []
    await bench.database.execute(
        "t", "update series set data_sets_tried_at = data_sets_tried_at - interval '7h'"
    )
    await bench.run(archive)
    assert archive.told_whole == ["1.1.1"]
    assert await whole(bench) == ALL


@pytest.mark.parametrize("error", [Unreachable("connection reset"), CircuitOpen("resting")])
async def test_an_archive_in_trouble_is_left_and_gone_on_with(
    bench: Bench, error: ArchiveError, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_sets, "SIDE_BY_SIDE", 1)
    archive = scripted()
    archive.refused = {"1.1.2": error}
    assert (await bench.run(archive)).all_done
    assert archive.told_whole == ["1.1.1", "1.1.2"]
    assert [told for told in (await whole(bench)).values() if told] == ["2.5"]
    archive.refused.clear()
    await bench.run(archive)
    assert archive.told_whole == ["1.1.1", "1.1.2", "1.1.2", "1.2.1", "1.2.2"]
    assert await whole(bench) == ALL


async def test_they_end_when_the_time_is_over_and_go_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_sets, "BYTES_AT_ONCE", 1)
    monkeypatch.setattr(data_sets, "SIDE_BY_SIDE", 1)
    archive = scripted()
    await _index_without(bench, archive)
    # A clock that goes on by one with each series.
    monkeypatch.setattr(data_sets, "time", SimpleNamespace(monotonic=lambda: len(archive.told_whole)))
    archive_id = (await bench.archive()).archive_id
    for number in range(1, 5):
        assert await data_sets.fill_data_sets(bench.database, archive, archive_id, seconds=0.5)
        assert len(archive.told_whole) == number
    assert await whole(bench) == ALL


async def _index_without(bench: Bench, archive: ScriptedArchive) -> None:
    """A run that nothing is fetched after."""
    wanted = archive.config
    archive.config = replace(wanted, data_sets=False)
    await bench.run(archive)
    archive.config = wanted


async def test_what_goes_or_changes_meanwhile_stays_as_it_is(bench: Bench) -> None:
    """What was read before is of yesterday: it brings back nothing, and hides nothing newer."""
    archive = scripted()
    newer = instance("1.1", "1.1.2", "1.1.2.1", InstanceNumber=9)

    async def meanwhile(series_uid: str) -> None:
        if series_uid != "1.1.2" or len(archive.told_whole) > 4:
            return

        async def work(conn: Connection) -> None:
            row = await bench.archive()
            await ingest.delete_studies(conn, row.archive_id, ["1.2"])
            await ingest.store_instances(conn, row.archive_id, records(Level.INSTANCE, [newer]))
            await ingest.store_instances(conn, row.archive_id, [], [("1.1", "1.1.1")])
            await ingest.derive(conn)

        await ingest.write(bench.database, "meanwhile", work)

    archive.while_asked = meanwhile
    await bench.run(archive)
    assert await bench.rows(f"sop_uid, instance_number, {THICKNESS}", "instance") == [("1.1.2.1", 9, "2.5")]
    assert archive.told_whole.count("1.1.2") == 2  # the first answer was older than the row
    assert await bench.studies() == ["1.1"]


async def test_what_is_of_another_series_is_left_out(bench: Bench) -> None:
    archive = scripted()
    archive.whole = {SERIES: {"vr": "UI", "Value": ["1.2.2"]}, "00180050": {"vr": "DS", "Value": [5]}}
    await bench.run(archive)
    assert await whole(bench) == dict.fromkeys(ALL) | {"1.2.2.1": "5"}


@pytest.mark.parametrize(
    ("options", "found"),
    [({"data_sets": False}, {}), ({"index": "series"}, {}), ({}, {"metadata": "no: refused"})],
)
async def test_not_where_they_are_not_wanted_or_not_given(
    bench: Bench, options: dict[str, Any], found: dict[str, str]
) -> None:
    archive = scripted(**options)
    archive.probed = found or archive.probed
    assert (await bench.run(archive)).all_done
    assert archive.told_whole == []


async def test_a_worker_fetches_them_beside_the_runs(bench: Bench) -> None:
    """Runs end while data sets are on their way; what is lacking is a job until nothing is."""
    archive = scripted()
    released, ran = asyncio.Event(), asyncio.Queue[RunResult]()

    async def held(_series_uid: str) -> None:
        await released.wait()

    archive.while_asked = held
    await bench.once(archive, codes=[])
    worker = Worker(bench.database, {"eye": archive}.get, ran.put_nowait)
    stop = asyncio.Event()
    working = asyncio.create_task(worker.run(stop))
    try:
        async with asyncio.timeout(60):
            await ran.get()
            while not archive.told_whole:
                await ran.get()
            assert (await ran.get()).all_done
            assert await whole(bench) == dict.fromkeys(ALL)
            released.set()
            while await whole(bench) != ALL:
                await ran.get()
    finally:
        stop.set()
        await working


async def test_what_is_due_is_one_job_and_waits_after_trouble(bench: Bench) -> None:
    archive = scripted()
    await _index_without(bench, archive)
    await bench.once(archive, codes=[])
    row = await bench.archive()
    await bench.database.execute("t", "update archive_schedule set next_sync_at = now() + interval '1h'")
    assert await jobs.enqueue_due(bench.database) == 1
    assert await jobs.enqueue_due(bench.database) == 0
    assert await _jobs(bench.database) == [("data_sets:eye", -10)]
    assert (await jobs.job_states(bench.database))[row.archive_id].kind is None
    await bench.database.execute("t", "delete from jobs.pgqueuer")
    await jobs.data_sets_after(bench.database, row.archive_id, 60)
    assert await jobs.enqueue_due(bench.database) == 0
    await jobs.data_sets_after(bench.database, row.archive_id, 0)
    await save_capabilities(bench.database, row.archive_id, {"metadata": "no: refused"})
    assert await jobs.enqueue_due(bench.database) == 0


async def _jobs(database: Database) -> list[tuple[Any, ...]]:
    sql = "select dedupe_key, priority from jobs.pgqueuer"
    return [tuple(row) for row in await database.fetch("t", sql)]
