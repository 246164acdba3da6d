"""Whole runs over archives that are complete, capped, broken, emptied, moved on, or wrong in a row."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from archives.client import Selection
from archives.errors import TimedOut
from db.archives import index_states
from db.indexing import removals, runs
from indexer.results import RunState
from tests.db.writing.refusing import refuse
from tests.indexer.conftest import Bench
from tests.indexer.scripted import ScriptedArchive, breaks_after, uids
from tests.rows import series, study


@pytest.mark.parametrize(
    ("level", "expected"), [("study", (250, 0, 0)), ("series", (250, 500, 0)), ("instance", (250, 500, 500))]
)
async def test_a_first_run_by_listing(bench: Bench, level: str, expected: tuple[int, int, int]) -> None:
    archive = ScriptedArchive(index=level)
    archive.fill(uids(250))
    result = await bench.run(archive)
    assert (result.state, result.full, result.error_code) == (RunState.COMPLETED, True, None)
    assert (result.studies, result.series, result.instances) == expected
    assert await bench.counts() == expected
    row = await bench.archive()
    assert row.last_completed_at is not None
    assert (row.health_state, row.capabilities["kind"]) == ("UP", "scripted")
    synced = "series_synced_at is not null"
    assert set(await bench.rows(synced, "study")) == {(level != "study",)}
    if level == "instance":
        assert set(await bench.rows("instances_synced_at is not null", "series")) == {(True,)}


async def test_progress_is_told(bench: Bench, told: Any) -> None:
    archive = ScriptedArchive()
    archive.fill(uids(250))
    await bench.run(archive, progress=told)
    assert told.lines[0] == ("eye", 0, 250, "indexing")
    assert told.lines[-1] == ("eye", 250, 250, "done")
    assert [line[1] for line in told.lines] == sorted(line[1] for line in told.lines)


async def test_a_run_that_breaks_goes_on_where_it_was(bench: Bench) -> None:
    archive = ScriptedArchive()
    archive.fill(uids(500))
    archive.before = breaks_after(5, TimedOut("no answer within 5 s"))
    first = await bench.run(archive)
    assert (first.state, first.error_code) == (RunState.FAILED, "TIMEOUT")
    assert await bench.counts() == (200, 400, 0)
    state = (await index_states(bench.database))[(await bench.archive()).archive_id]
    assert (state.state, state.error_code, state.done, state.total) == ("failed", "TIMEOUT", 200, 500)

    archive.before = breaks_after(0)
    assert (await bench.run(archive)).error_code == "UNREACHABLE"  # nothing of the checkpoint is lost
    archive.before = lambda level, selection: None
    archive.searches.clear()
    second = await bench.run(archive)
    assert (second.state, second.studies) == (RunState.COMPLETED, 300)
    assert await bench.counts() == (500, 1000, 0)
    assert len(archive.searches) == 6
    archive.searches.clear()
    assert (await bench.run(archive)).studies == 500  # the next one is whole again


async def test_a_cancelled_run_is_interrupted_and_resumed(bench: Bench) -> None:
    archive = ScriptedArchive()
    archive.fill(uids(300))
    stop: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def before(level: str, selection: Selection) -> None:
        if len(archive.searches) == 4:
            stop.set_result(None)

    archive.before = before
    run = asyncio.create_task(bench.run(archive))
    await stop
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert (await bench.rows("state", "index_run")) == [("interrupted",)]
    result = await bench.run(archive)
    assert result.state is RunState.COMPLETED
    assert await bench.counts() == (300, 600, 0)


async def test_one_failed_archive_does_not_stop_the_others(bench: Bench) -> None:
    broken, bug, well = (ScriptedArchive(code) for code in ("broken", "bug", "well"))
    for archive in (broken, bug, well):
        archive.fill(uids(3))
    broken.before = breaks_after(0)

    def wrong(level: str, selection: Selection) -> None:
        raise KeyError("a bug of ours")

    bug.before = wrong
    results = await bench.once(broken, bug, well)
    assert [(result.code, result.state.value, result.error_code) for result in results] == [
        ("broken", "failed", "UNREACHABLE"),
        ("bug", "failed", "INTERNAL"),
        ("well", "completed", None),
    ]
    only = await bench.once(broken, bug, well, codes=["well"])
    assert [result.code for result in only] == ["well"]


async def test_what_the_listing_lacks_is_removed(bench: Bench) -> None:
    archive = ScriptedArchive()
    archive.fill(uids(50))
    await bench.run(archive)
    archive.remove(uids(50)[:10])
    result = await bench.run(archive)
    assert (result.state, result.removed, result.reconciled) == (RunState.COMPLETED, 10, True)
    assert await bench.studies() == uids(50)[10:]
    assert await bench.counts() == (40, 80, 0)


@pytest.mark.parametrize(("held", "left"), [(30, 14), (30, 23), (30, 0), (5, 0)])
async def test_a_suspicious_removal_waits_for_a_word(bench: Bench, held: int, left: int) -> None:
    archive = ScriptedArchive()
    archive.fill(uids(held))
    await bench.run(archive)
    archive.remove(uids(held)[left:])
    for _ in range(2):
        result = await bench.run(archive)
        assert (result.state, result.error_code) == (RunState.FAILED, "SUSPICIOUS_REMOVAL")
        assert "index reconcile --archive eye --confirm" in (result.error_message or "")
        assert len(await bench.studies()) == held
    confirmed = await bench.run(archive, reconcile=True, confirmed=True)
    assert (confirmed.state, confirmed.removed) == (RunState.COMPLETED, held - left)
    assert await bench.studies() == uids(held)[:left]


async def test_the_limit_is_the_archives(bench: Bench) -> None:
    archive = ScriptedArchive()
    archive.config = replace(archive.config, removal_limit=0.6)
    archive.fill(uids(30))
    await bench.run(archive)
    archive.remove(uids(30)[14:])
    assert (await bench.run(archive)).removed == 16


async def test_few_studies_may_go_at_once(bench: Bench) -> None:
    archive = ScriptedArchive()
    archive.fill(uids(10))
    await bench.run(archive)
    archive.remove(uids(10)[1:])
    assert (await bench.run(archive)).removed == 9


async def test_studies_that_are_listed_and_not_answered_are_kept(bench: Bench) -> None:
    archive = ScriptedArchive()
    archive.fill(uids(30))
    await bench.run(archive)
    archive.hidden = set(uids(3))
    result = await bench.run(archive)
    assert (result.state, result.error_code, result.removed) == (RunState.COMPLETED, "PARTIAL", 0)
    assert len(await bench.studies()) == 30
    archive.hidden = set(uids(29))
    result = await bench.run(archive)
    assert (result.state, result.error_code) == (RunState.FAILED, "INCOMPLETE")
    assert len(await bench.studies()) == 30


async def test_a_bad_row_is_kept_aside(bench: Bench) -> None:
    archive = ScriptedArchive()
    archive.fill(uids(3))
    archive.serieses.append(series(uids(3)[0], "not a uid"))
    archive.studies.append(study(uids(3)[1], StudyDescription="x" * 100_000, PatientID="P1"))
    result = await bench.run(archive)
    assert (result.state, result.rejected) == (RunState.COMPLETED, 1)
    assert await bench.counts() == (3, 6, 0)
    assert await bench.rows("level, reason", "rejected_record") == [("series", "0020000E is not a UID")]
    # What is not whole replaces nothing: a series that was not answered may be the bad row.
    del archive.serieses[0]
    await bench.run(archive)
    assert await bench.counts() == (3, 6, 0)


async def test_a_moved_patient(bench: Bench) -> None:
    archive = ScriptedArchive()
    archive.fill(uids(3))
    await bench.run(archive)
    archive.studies[1] = study(uids(3)[1], PatientID="P2")
    await bench.run(archive)
    assert await bench.rows("study_uid, patient_id", "study") == list(
        zip(uids(3), ["P1", "P2", "P1"], strict=True)
    )
    assert await bench.counts() == (3, 6, 0)


async def test_the_lease_keeps_others_away(bench: Bench) -> None:
    archive = ScriptedArchive()
    archive.fill(uids(3))
    await bench.run(archive)
    archive_id = (await bench.archive()).archive_id
    async with runs.lease(bench.database, archive_id) as ours:
        assert ours
        result = await bench.run(archive)
        assert (result.state, result.error_code) == (RunState.SKIPPED, "BUSY")
    assert (await bench.run(archive)).state is RunState.COMPLETED
    with pytest.raises(ValueError, match="on purpose"):
        async with runs.lease(bench.database, archive_id):
            raise ValueError("on purpose")
    for _ in range(100):
        if (await bench.run(archive)).state is RunState.COMPLETED:
            break
        await asyncio.sleep(0.02)
    else:
        pytest.fail("the lease was not freed")


async def test_runs_are_forgotten_but_the_newest(bench: Bench) -> None:
    archive = ScriptedArchive(feed=True)
    archive.fill(uids(1))
    await bench.run(archive)
    archive_id = (await bench.archive()).archive_id
    for _ in range(105):
        await runs.start(bench.database, archive_id, "eye", None)
    assert len(await bench.rows("run_id", "index_run")) == 100


async def test_a_family_that_cannot_be_settled_does_not_stop_an_archive(bench: Bench) -> None:
    archive = ScriptedArchive(index="instance")
    archive.fill(uids(250))
    bad = uids(250)[123]
    await bench.run(archive)
    archive.fill(["2.1"])
    await refuse(bench.database, bad)
    archive.studies[123] |= {"00081030": {"vr": "LO", "Value": ["new"]}}
    result = await bench.run(archive)
    assert (result.state, result.rejected) == (RunState.COMPLETED, 1)
    assert await bench.counts() == (251, 502, 502)
    assert await bench.rows("uid", "rejected_record") == [(bad,)]


async def waits(bench: Bench) -> list[tuple[Any, ...]]:
    return await bench.rows("gone, total, confirmed_gone is not null", "suspicious_removal")


async def confirm(bench: Bench) -> bool:
    archive_id, (found,) = (
        (await bench.archive()).archive_id,
        (await removals.waiting(bench.database)).values(),
    )
    return await removals.confirm(bench.database, archive_id, found.since, "somebody")


async def test_what_was_confirmed_goes_with_the_next_run_and_no_more_than_that(bench: Bench) -> None:
    archive = ScriptedArchive()
    archive.fill(uids(30))
    await bench.run(archive)
    archive.remove(uids(30)[20:])
    assert (await bench.run(archive)).error_code == "SUSPICIOUS_REMOVAL"
    assert await waits(bench) == [(10, 30, False)]
    assert await confirm(bench)
    assert not await removals.confirm(
        bench.database, (await bench.archive()).archive_id, datetime.now(UTC), "x"
    )
    archive.remove(uids(30)[15:])  # more than anybody has seen
    assert (await bench.run(archive)).error_code == "SUSPICIOUS_REMOVAL"
    assert await waits(bench) == [(15, 30, False)]
    assert await confirm(bench)
    archive.fill(uids(30)[15:18])  # three came back: less than was confirmed
    done = await bench.run(archive)
    assert (done.state, done.removed) == (RunState.COMPLETED, 12)
    assert await waits(bench) == []
    archive.remove(uids(30)[5:])  # a confirmation is for one time
    assert (await bench.run(archive)).removed == 13  # fewer than twenty are left: no longer suspicious


async def test_an_archive_that_is_well_again_settles_it(bench: Bench) -> None:
    archive = ScriptedArchive()
    archive.fill(uids(30))
    await bench.run(archive)
    archive.remove(uids(30))
    assert (await bench.run(archive)).error_code == "SUSPICIOUS_REMOVAL"
    assert await confirm(bench)
    archive.fill(uids(30))
    assert (await bench.run(archive)).state is RunState.COMPLETED
    assert await waits(bench) == []
    archive.remove(uids(30))
    assert (await bench.run(archive)).error_code == "SUSPICIOUS_REMOVAL"
