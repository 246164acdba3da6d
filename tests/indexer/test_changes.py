"""Runs along a change feed."""

from dataclasses import replace

import pytest

from archives.client import Answer, ArchiveChange, ChangePage, Selection
from archives.errors import Unreachable
from indexer.results import RunState
from tests.indexer.conftest import Bench
from tests.indexer.scripted import ScriptedArchive, breaks_after, uids
from tests.rows import study


async def filled(bench: Bench, count: int = 30) -> ScriptedArchive:
    archive = ScriptedArchive(feed=True)
    archive.fill(uids(count))
    result = await bench.run(archive)
    assert (result.full, result.state) == (True, RunState.COMPLETED)
    assert (await bench.archive()).change_cursor == count
    archive.searches.clear()
    return archive


async def test_only_what_changed_is_read(bench: Bench) -> None:
    archive = await filled(bench)
    archive.fill(uids(7, "1.9"))
    archive.studies[0] = study(uids(1)[0], StudyDescription="new")
    archive.changed(uids(1)[0])
    result = await bench.run(archive)
    assert (result.full, result.state, result.studies) == (False, RunState.COMPLETED, 8)
    assert await bench.counts() == (37, 74, 0)
    assert (await bench.archive()).change_cursor == 38
    archive.searches.clear()
    assert (await bench.run(archive)).studies == 0
    assert archive.searches == []


async def test_changes_during_a_full_run_are_not_missed(bench: Bench) -> None:
    archive = ScriptedArchive(feed=True)
    archive.fill(uids(3))
    added = False

    def before(level: str, selection: object) -> None:
        nonlocal added
        if not added:
            added = True
            archive.fill(uids(2, "1.9"))

    archive.before = before
    await bench.run(archive)
    assert (await bench.archive()).change_cursor == 3
    assert (await bench.run(archive)).studies == 2
    assert await bench.counts() == (5, 10, 0)


async def test_a_resumed_full_run_keeps_its_first_cursor(bench: Bench) -> None:
    archive = ScriptedArchive(feed=True)
    archive.fill(uids(250))
    archive.before = breaks_after(3)
    await bench.run(archive)
    archive.before = lambda level, selection: None
    archive.studies[0] = study(uids(1)[0], StudyDescription="changed meanwhile")
    archive.changed(uids(1)[0])
    await bench.run(archive)
    assert (await bench.archive()).change_cursor == 250
    await bench.run(archive)
    assert ("changed meanwhile",) in await bench.rows("study_description", "study")


async def test_the_cursor_stays_when_a_page_fails(bench: Bench) -> None:
    archive = await filled(bench)
    archive.fill(uids(6, "1.9"))  # two pages of three
    archive.before = breaks_after(2, Unreachable("gone"))
    result = await bench.run(archive)
    assert (result.state, result.full) == (RunState.FAILED, False)
    assert (await bench.archive()).change_cursor == 33
    archive.before = lambda level, selection: None
    assert (await bench.run(archive)).studies == 3
    assert (await bench.archive()).change_cursor == 36


async def test_a_study_that_is_gone(bench: Bench) -> None:
    archive = await filled(bench)
    archive.remove(uids(2))
    archive.changed(uids(1)[0])
    archive.log.append(ArchiveChange(len(archive.log) + 1, None, "deleted", "native"))
    result = await bench.run(archive)
    # The feed is silent about the other one: the listing shows it.
    assert (result.full, result.removed) == (False, 2)
    assert await bench.studies() == uids(30)[2:]


async def test_a_study_that_is_hidden_stays(bench: Bench) -> None:
    archive = await filled(bench)
    archive.hidden = set(uids(1))
    archive.changed(uids(1)[0])
    result = await bench.run(archive)
    assert (result.error_code, result.removed) == ("PARTIAL", 0)
    assert len(await bench.studies()) == 30


async def test_a_feed_that_went_back_means_a_full_run(bench: Bench) -> None:
    archive = await filled(bench)
    archive.log = archive.log[:5]
    archive.remove(uids(30)[25:])
    result = await bench.run(archive)
    assert (result.full, result.removed) == (True, 5)
    assert (await bench.archive()).change_cursor == 5


async def test_a_feed_that_does_not_move_on(bench: Bench) -> None:
    archive = await filled(bench)
    archive.fill(uids(2, "1.9"))
    page = archive.changes

    async def stuck(since: int, limit: int = 1000) -> object:
        told = await page(since, limit)
        return type(told)(told.changes, since, False)

    archive.changes = stuck  # type: ignore[assignment,method-assign]
    result = await bench.run(archive)
    assert (result.state, result.error_code) == (RunState.FAILED, "BAD_ANSWER")


async def test_a_feed_that_is_never_done_is_followed_as_far_as_it_went(bench: Bench) -> None:
    """What came since is for the next run."""
    archive = await filled(bench)
    archive.fill(uids(2, "1.9"))
    page, asked = archive.changes, 0

    async def goes_on(since: int, limit: int = 1000) -> ChangePage:
        nonlocal asked
        asked += 1
        archive.changed(uids(1)[0])
        told = await page(since, limit)
        return ChangePage(told.changes, told.last, done=False)

    archive.changes = goes_on  # type: ignore[method-assign]
    result = await bench.run(archive)
    assert (result.state, result.error_code, result.full) == (RunState.COMPLETED, None, False)
    assert asked == 1
    assert len(await bench.studies()) == 32


async def test_a_feed_of_small_steps_is_left_after_many(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And gone on with from there."""
    monkeypatch.setattr("indexer.incremental._MOST_PAGES", 10)
    archive = await filled(bench)
    archive.fill(uids(40, "1.9"))  # pages of three
    result = await bench.run(archive)
    assert (result.state, result.error_code) == (RunState.FAILED, "INCOMPLETE")
    assert "goes on after 10 pages, at 60 of 70" in (result.error_message or "")
    assert (await bench.archive()).change_cursor == 60
    result = await bench.run(archive)
    assert (result.state, result.error_code, result.full) == (RunState.COMPLETED, None, False)
    assert len(await bench.studies()) == 70


@pytest.mark.parametrize("doubt", ["unending", "cut", "nameless"])
async def test_without_a_listing_an_answer_that_is_not_whole_says_of_nothing_that_it_is_gone(
    bench: Bench, doubt: str
) -> None:
    archive = await filled(bench)
    archive.listed = False
    archive.remove(uids(2))
    for uid in uids(2):
        archive.changed(uid)
    search = archive.search_studies

    async def doubtful(selection: Selection) -> Answer:
        answer = await search(selection)
        if doubt == "nameless":
            return replace(answer, unread=[{"00081030": {"vr": "LO"}}])
        if uids(1)[0] not in selection.study_uids:
            return answer
        return replace(answer, complete=False, incomplete_because="more", unending=doubt == "unending")

    async def copies() -> dict[str, int]:
        return dict.fromkeys(uids(30), 1)

    archive.search_studies = doubtful  # type: ignore[method-assign]
    archive.copies = copies  # type: ignore[method-assign]
    result = await bench.run(archive)
    assert (result.full, result.state) == (False, RunState.COMPLETED)
    gone = {"unending": 1, "cut": 1, "nameless": 0}[doubt]
    assert result.removed == gone
    assert len(await bench.studies()) == 30 - gone


async def test_deletions_are_seen_at_the_next_look(bench: Bench) -> None:
    archive = await filled(bench)
    archive.remove(uids(30)[:3])
    result = await bench.run(archive)
    assert (result.full, result.state, result.removed) == (False, RunState.COMPLETED, 3)
    assert await bench.studies() == uids(30)[3:]
    assert archive.searches == []


@pytest.mark.parametrize("left", [0, 20])
async def test_a_sick_listing_wipes_nothing(bench: Bench, left: int) -> None:
    archive = await filled(bench)
    whole = list(archive.studies)
    archive.studies = archive.studies[:left]
    result = await bench.run(archive)
    assert (result.state, result.error_code) == (RunState.FAILED, "SUSPICIOUS_REMOVAL")
    assert len(await bench.studies()) == 30
    archive.studies = whole
    archive.fill(uids(1, "1.9"))
    assert (await bench.run(archive)).state is RunState.COMPLETED
    assert len(await bench.studies()) == 31


async def test_what_the_feed_did_not_tell_is_found_in_the_listing(bench: Bench) -> None:
    archive = await filled(bench)
    archive.fill(uids(2, "1.9"))
    archive.log = archive.log[:-2]  # a gap
    archive.studies.append(study(uids(1)[0], PatientID="another"))
    result = await bench.run(archive)
    assert (result.full, result.state, result.studies) == (False, RunState.COMPLETED, 4)
    assert await bench.counts() == (33, 64, 0)
    del archive.studies[-1]
    await bench.run(archive)
    assert await bench.counts() == (32, 64, 0)


@pytest.mark.parametrize("grown", [0, 40])
async def test_another_database_is_read_anew(bench: Bench, grown: int) -> None:
    """Its feed may be as long as the one that was followed, or longer."""
    archive = await filled(bench)
    archive.epoch = 2
    archive.studies[0] = study(uids(1)[0], StudyDescription="of another database")
    archive.log += [ArchiveChange(len(archive.log) + n, uids(1)[0], "changed") for n in range(1, grown + 1)]
    result = await bench.run(archive)
    assert (result.full, result.state) == (True, RunState.COMPLETED)
    assert ("of another database",) in await bench.rows("study_description", "study")
    assert (await bench.run(archive)).full is False


async def test_what_goes_inside_a_study_has_everything_compared(bench: Bench) -> None:
    archive = await filled(bench)

    async def reconcile_is_due() -> bool:
        found = await bench.rows("next_reconcile_at <= now()", "archive_schedule")
        return found == [(True,)]

    await bench.run(archive)
    assert not await reconcile_is_due()
    del archive.serieses[0]
    await bench.run(archive)
    assert not await reconcile_is_due()  # one was just now
    await bench.database.execute("past", "update archive set last_reconciled_at = now() - interval '1 h'")
    await bench.run(archive)
    assert await reconcile_is_due()
    await bench.run(archive, reconcile=True)
    assert (await bench.counts())[1] == 59
    await bench.run(archive)
    assert not await reconcile_is_due()


async def test_a_study_that_moves_to_another_archive(bench: Bench) -> None:
    here, there = ScriptedArchive("here", feed=True), ScriptedArchive("there", feed=True)
    here.fill(uids(30))
    await bench.once(here, there)
    moved = uids(30)[7]
    there.fill([moved])
    await bench.once(here, there)
    assert await bench.rows("shared", "study", "there") == [(True,)]
    here.remove([moved])
    await bench.once(here, there)
    assert moved not in await bench.studies("here")
    assert await bench.rows("study_uid, shared", "study", "there") == [(moved, False)]
