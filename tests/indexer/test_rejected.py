"""Studies that a run cannot bring to the index: counted as long as the archive answers them."""

import pytest

from archives.client import Answer, Selection
from indexer.results import RunState
from tests.indexer.conftest import Bench
from tests.indexer.scripted import ScriptedArchive, uids
from tests.rows import row, series

LONG, LETTERS = "1." + "2" * 65, "1.2.ABC-x"


async def test_uids_that_break_the_rules_are_in_the_index(bench: Bench) -> None:
    archive = ScriptedArchive(index="instance")
    archive.fill([*uids(3), LONG, LETTERS])
    result = await bench.run(archive)
    assert (result.state, result.studies, result.rejected) == (RunState.COMPLETED, 5, 0)
    assert set(await bench.studies()) == {*uids(3), LONG, LETTERS}
    assert await bench.counts() == (5, 10, 10)
    assert (await bench.archive()).rejected_studies == 0
    notes = await bench.rows("uid, lost, level, reason", "rejected_record")
    assert {(uid, reason) for uid, lost, level, reason in notes if not lost and level == "study"} == {
        (uid, "in the index, but 0020000D does not conform (PS3.5 9.1)") for uid in (LONG, LETTERS)
    }


@pytest.mark.parametrize("listed", [True, False])
async def test_a_study_that_cannot_be_read_is_counted_until_it_is_gone(bench: Bench, listed: bool) -> None:
    archive = ScriptedArchive(listed=listed)
    archive.fill(uids(3))
    bad = row(StudyInstanceUID="no uid", StudyDate="20200101")
    archive.studies.append(bad)
    for _ in range(2):
        result = await bench.run(archive)
        assert result.state is RunState.COMPLETED
        if not listed:  # a listing of UIDs does not have it, so nobody asks for it
            assert (await bench.archive()).rejected_studies == 1
    archive.studies.remove(bad)
    await bench.run(archive)
    assert (await bench.archive()).rejected_studies == 0


async def test_series_that_cannot_be_read_do_not_count_as_studies(bench: Bench) -> None:
    archive = ScriptedArchive()
    archive.fill(uids(3))
    bad = series(uids(3)[1], "no uid")
    archive.serieses.append(bad)
    assert (await bench.run(archive)).rejected == 1
    assert (await bench.archive()).rejected_studies == 0
    assert len(await bench.rows("1", "study")) == 3
    archive.serieses.remove(bad)
    await bench.run(archive)
    assert await bench.rows("1", "rejected_record") == []


async def test_a_pass_that_was_not_answered_whole_forgets_nothing(bench: Bench) -> None:
    archive = ScriptedArchive()
    archive.fill(uids(3))
    archive.serieses.append(series(uids(3)[1], "no uid"))
    await bench.run(archive)
    whole = archive.search_series

    async def without_the_last(selection: Selection) -> Answer:
        return Answer((await whole(selection)).rows[:-1], complete=False, incomplete_because="it is busy")

    archive.search_series = without_the_last  # type: ignore[method-assign]
    assert (await bench.run(archive)).error_code == "PARTIAL"
    assert [level for (level,) in await bench.rows("level", "rejected_record")] == ["series"]
