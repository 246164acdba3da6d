"""Archives without a listing: one search, or slices of StudyDate when they cap it."""

from datetime import date, timedelta
from itertools import pairwise

import pytest

from archives.client import Answer, Selection
from indexer.results import RunState
from indexer.windows import pieces
from tests.indexer.conftest import Bench
from tests.indexer.scripted import ScriptedArchive, breaks_after, uids

ODD_DATES = ["18500101", "19000101", "19791231", "19800101", "19991231", "20200229", "29990101"]


def spread(archive: ScriptedArchive, count: int = 300) -> list[str]:
    """Studies of many days, of days that archives have and should not, and of none."""
    made = uids(count)
    for number, uid in enumerate(made):
        day = date(2015, 1, 1) + timedelta(days=number * 7)
        archive.fill([uid], parts=1, StudyDate=f"{day:%Y%m%d}")
    for written, uid in zip([*ODD_DATES, None, "unknown"], uids(9, "1.7"), strict=True):
        archive.fill([uid], parts=1, StudyDate=written)
    return sorted([*made, *uids(9, "1.7")])


@pytest.mark.parametrize("cap", [None, 100, 10])
async def test_every_study_is_found(bench: Bench, cap: int | None) -> None:
    archive = ScriptedArchive(listed=False, cap=cap)
    made = spread(archive)
    result = await bench.run(archive)
    assert (result.state, result.error_code) == (RunState.COMPLETED, None)
    assert await bench.studies() == made
    assert len(await bench.rows("1", "series")) == len(made)


@pytest.mark.parametrize("cap", [None, 10])
async def test_removals_only_when_asked_for(bench: Bench, cap: int | None) -> None:
    archive = ScriptedArchive(listed=False, cap=cap)
    made = spread(archive)
    await bench.run(archive)
    archive.remove(made[:20])
    result = await bench.run(archive)
    assert (result.removed, result.reconciled) == (0, False)
    result = await bench.run(archive, reconcile=True)
    assert (result.removed, result.reconciled) == (20, True)
    assert await bench.studies() == made[20:]


async def test_a_day_that_is_capped_makes_the_run_incomplete(bench: Bench) -> None:
    archive = ScriptedArchive(listed=False, cap=10)
    archive.fill(uids(30), StudyDate="20200101")
    for _ in range(2):
        result = await bench.run(archive, reconcile=True)
        assert (result.state, result.error_code) == (RunState.FAILED, "INCOMPLETE")
        assert "2020-01-01" in (result.error_message or "")
        assert len(await bench.studies()) == 10
    assert (await bench.archive()).last_completed_at is None


async def test_undated_studies_that_are_capped_make_the_run_incomplete(bench: Bench) -> None:
    archive = ScriptedArchive(listed=False, cap=10)
    archive.fill(uids(11), StudyDate=None)
    result = await bench.run(archive, reconcile=True)
    assert (result.state, result.error_code, result.removed) == (RunState.FAILED, "INCOMPLETE", 0)
    assert "without a date" in (result.error_message or "")


async def test_a_broken_pass_goes_on_by_date(bench: Bench) -> None:
    archive = ScriptedArchive(listed=False, cap=20)
    made = spread(archive)
    archive.before = breaks_after(70)
    assert (await bench.run(archive)).state is RunState.FAILED
    some = len(await bench.studies())
    assert 0 < some < len(made)
    archive.before = lambda level, selection: None
    searched = len(archive.searches)
    result = await bench.run(archive)
    assert result.state is RunState.COMPLETED
    assert await bench.studies() == made
    resumed = len(archive.searches) - searched
    await bench.run(archive, reconcile=True)
    assert resumed < len(archive.searches) - searched - resumed


class Unsure(ScriptedArchive):
    """Says of every search by date that it was not all; of one that is `unending` that it goes on."""

    unending = False
    asked = 0

    async def search_studies(self, selection: Selection) -> Answer:
        if selection.study_uids or selection.undated:
            return await super().search_studies(selection)
        self.asked += 1
        rows = [] if self.unending else (await super().search_studies(selection)).rows[:1]
        return Answer(rows, not rows and not self.unending, "its pages go on", unending=self.unending)


async def test_an_archive_that_is_never_whole_is_given_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a word of its own, and of what it did answer nothing is lost."""
    monkeypatch.setattr("indexer.windows._MOST_CUT", 200)
    archive = Unsure(listed=False)
    made = spread(archive, 1000)
    result = await bench.run(archive, reconcile=True)
    assert (result.state, result.error_code, result.removed) == (RunState.FAILED, "INCOMPLETE", 0)
    assert "200 searches by StudyDate were not answered whole" in (result.error_message or "")
    assert archive.asked < 2 * 200 + 1
    kept = await bench.studies()
    assert 0 < len(kept) < len(made)
    await bench.run(archive)
    assert await bench.studies() == kept


async def test_an_archive_whose_searches_by_date_never_end_is_given_up(bench: Bench) -> None:
    archive = Unsure(listed=False)
    spread(archive)
    archive.unending = True
    for reconcile in (True, False):
        archive.asked = 0
        result = await bench.run(archive, reconcile=reconcile)
        assert (result.state, result.error_code, result.removed) == (RunState.FAILED, "INCOMPLETE", 0)
        assert "it is not asked for the rest" in (result.error_message or "")
        assert archive.asked == 1 + 20


async def test_a_large_archive_is_halved_however_often_it_does_not_end(bench: Bench) -> None:
    """As long as smaller parts of it do."""

    class Large(ScriptedArchive):
        async def search_studies(self, selection: Selection) -> Answer:
            answer = await super().search_studies(selection)
            if selection.study_uids or len(answer.rows) < 5:
                return answer
            return Answer([], False, "its pages go on", unending=True)

    archive = Large(listed=False)
    made = spread(archive, 400)
    result = await bench.run(archive, reconcile=True)
    assert (result.state, result.error_code) == (RunState.COMPLETED, None)
    assert await bench.studies() == made


async def test_who_goes_on_begins_before_what_was_not_answered_whole(bench: Bench) -> None:
    """A run that breaks off behind such a slice has not said so yet."""
    archive = ScriptedArchive(listed=False, cap=10)
    archive.fill(uids(30), StudyDate="20200101")
    archive.fill(uids(150, "1.7"), StudyDate="20210101")
    archive.before = breaks_after(60)
    assert (await bench.run(archive)).error_code == "UNREACHABLE"
    archive.before = lambda level, selection: None
    result = await bench.run(archive)
    assert (result.state, result.error_code) == (RunState.FAILED, "INCOMPLETE")
    assert "2020-01-01" in (result.error_message or "")


def test_pieces_cover_every_day_once() -> None:
    ranges = list(pieces(date(2026, 3, 2)))
    assert ranges[0][0] is None
    assert ranges[-1][1] is None
    for (_, last), (first, _) in pairwise(ranges):
        assert last is not None
        assert first == last + timedelta(days=1)
