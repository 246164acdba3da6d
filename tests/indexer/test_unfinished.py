"""What a search brought that did not end whole: what of it is believed, and that nothing is removed by it."""

from collections.abc import Callable

import pytest

from archives.client import Answer, Row, Selection
from archives.registry import open_archives
from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from indexer.results import RunState
from indexer.run import index_once
from model.dicom_json import first
from tests.archives.faulty import faulty, holds, studies
from tests.indexer.conftest import Bench
from tests.indexer.scripted import STUDY, ScriptedArchive, uids
from tests.rows import study

Answering = Callable[[Selection, Answer], Answer]


class Doubtful(ScriptedArchive):
    """Answers searches by UID well; of all others `answering` says what comes of them."""

    answering: Answering | None = None

    async def search_studies(self, selection: Selection) -> Answer:
        answer = await super().search_studies(selection)
        return answer if self.answering is None or selection.study_uids else self.answering(selection, answer)


def invents(selection: Selection, answer: Answer) -> Answer:
    """Twenty-five studies without a date that there are not, and more to come."""
    if selection.study_date is not None:
        return answer
    made: list[Row] = [study(uid, StudyDate=None) for uid in uids(25, "6.6")]
    return Answer([*answer.rows, *made], complete=False, incomplete_because="its pages go on")


def cut(*lost: str) -> Answering:
    """Studies are lacking, and nothing says so."""
    return lambda _, answer: Answer([row for row in answer.rows if first(row, STUDY) not in lost])


async def test_what_an_unfinished_search_made_up_is_not_written(bench: Bench) -> None:
    """So that it is neither to be removed later, nor counted beside what is."""
    archive = Doubtful(listed=False)
    archive.fill(uids(10), StudyDate="20200101")
    archive.answering = invents
    result = await bench.run(archive, reconcile=True)
    assert (result.state, result.error_code) == (RunState.FAILED, "INCOMPLETE")
    assert await bench.studies() == uids(10)
    archive.answering = None
    result = await bench.run(archive, reconcile=True)
    assert (result.state, result.error_code, result.removed) == (RunState.COMPLETED, None, 0)
    assert await bench.studies() == uids(10)
    assert await bench.rows("1", "suspicious_removal") == []


@pytest.mark.parametrize("lost", [1, 4, 15])
async def test_what_is_answered_by_uid_is_not_gone(bench: Bench, lost: int) -> None:
    """A cap that came while the pass went on, say. That is no removal for anybody to confirm."""
    archive = Doubtful(listed=False)
    archive.fill(uids(30), StudyDate="20200101")
    await bench.run(archive)
    archive.answering = cut(*uids(30)[30 - lost :])
    result = await bench.run(archive, reconcile=True)
    assert (result.state, result.error_code, result.removed) == (RunState.FAILED, "INCOMPLETE", 0)
    assert f"{lost} of {lost}" in (result.error_message or "")
    assert await bench.studies() == uids(30)
    assert await bench.rows("1", "suspicious_removal") == []
    archive.answering = None
    archive.remove(uids(30)[29:])
    result = await bench.run(archive, reconcile=True)
    assert (result.state, result.error_code, result.removed) == (RunState.COMPLETED, None, 1)


async def test_what_is_kept_back_when_it_is_asked_for_by_uid_is_not_gone(bench: Bench) -> None:
    """An empty answer that says that there is more."""

    class KeepsBack(Doubtful):
        async def search_studies(self, selection: Selection) -> Answer:
            answer = await super().search_studies(selection)
            if self.answering is None or not selection.study_uids or answer.rows:
                return answer
            return Answer([], False, "it holds more and does not answer it")

    archive = KeepsBack(listed=False)
    archive.fill(uids(30), StudyDate="20200101")
    await bench.run(archive)
    archive.answering = cut()
    archive.remove(uids(1))
    result = await bench.run(archive, reconcile=True)
    assert (result.state, result.error_code, result.removed) == (RunState.FAILED, "INCOMPLETE", 0)
    assert "it holds more" in (result.error_message or "")
    archive.answering = None
    assert (await bench.run(archive, reconcile=True)).removed == 1


async def test_a_cap_that_says_nothing_hides_and_removes_nothing(bench: Bench) -> None:
    """More studies of one day than the archive sends at a time; then the cap is a smaller one."""
    sent = 60
    with faulty(lambda exchange: holds(studies(60), cap=sent)(exchange)) as server:
        config = ArchiveConfig("eye", "ERN-EYE", "Eye", "dicomweb", url=server.url, index="study")
        await sync_archives(bench.database, [config])
        for sent in (60, 25, 7):
            async with open_archives([config]) as archives:
                (result,) = await index_once(bench.database, archives, reconcile=True)
            assert (result.state, result.removed) == (RunState.COMPLETED, 0), sent
            assert len(await bench.studies()) == 60
    assert await bench.rows("1", "suspicious_removal") == []
