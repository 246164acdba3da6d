"""Which rows are flagged as shared: whole families, and no longer when the other copy is gone."""

import asyncio

import pytest

from db.pool import Database
from tests.db.ingesting import delete, rows, shared, store, two_archives
from tests.rows import instance, series, study

pytestmark = pytest.mark.usefixtures("archives")


@pytest.fixture
async def archives(database: Database) -> None:
    await two_archives(database)


async def test_two_patients_under_one_study(database: Database) -> None:
    both = [study("1.2", PatientID="A"), study("1.2", PatientID="B")]
    await store(database, 1, both, [series("1.2", "1.2.1")], whole=["1.2"], series_of=["1.2"])
    assert await rows(database, "select patient_id, shared from study order by 1") == [
        ("A", True),
        ("B", True),
    ]
    await store(database, 1, both[:1], [series("1.2", "1.2.1")], whole=["1.2"], series_of=["1.2"])
    assert await rows(database, "select patient_id, shared from study") == [("A", False)]
    assert await rows(database, "select series_uid, shared from series") == [("1.2.1", False)]


async def test_two_archives_share_a_study(database: Database) -> None:
    for archive_id in (1, 2):
        await store(database, archive_id, [study("1.2")], [series("1.2", f"1.2.{archive_id}")])
    await store(database, 2, [study("1.3")])
    assert await shared(database) == {
        "study 1.2 in 1",
        "study 1.2 in 2",
        "series 1.2.1 in 1",
        "series 1.2.2 in 2",
    }
    assert await delete(database, 2, "1.2", "9.9") == 1
    assert await shared(database) == set()
    assert await rows(database, "select series_uid from series") == [("1.2.1",)]


@pytest.mark.parametrize("common", ["series", "instance"])
async def test_two_studies_share_a_part(database: Database, common: str) -> None:
    """Whole families are flagged and unflagged, whichever side goes."""
    for archive_id, uid in ((1, "1.2"), (2, "1.3")):
        series_uid = "7.1" if common == "series" else f"{uid}.1"
        sop_uid = "8.1" if common == "instance" else f"{uid}.1.1"
        await store(
            database,
            archive_id,
            [study(uid)],
            [series(uid, series_uid), series(uid, f"{uid}.5")],
            [instance(uid, series_uid, sop_uid)],
            series_of=[uid],
        )
    assert len(await shared(database)) == 8
    await store(database, 2, [], [series("1.3", "1.3.5")], series_of=["1.3"])
    assert await shared(database) == set()
    assert len(await rows(database, "select from series")) == 3


async def test_an_instance_moves_to_another_study(database: Database) -> None:
    both = [series("1.2", "7.1"), series("1.3", "7.1")]
    await store(database, 1, [study("1.2"), study("1.3")], both, [instance("1.2", "7.1", "8.1")])
    assert len(await shared(database)) == 4  # both series have one name here
    await store(database, 1, [], [], [instance("1.3", "7.1", "8.1")])
    assert await rows(database, "select study_uid, shared from instance") == [("1.3", True)]


async def test_concurrent_writers_see_each_other(database: Database) -> None:
    """Two archives store the same studies at the same time, in opposite orders."""
    uids = [f"1.{n}" for n in range(40)]

    async def fill(archive_id: int, order: list[str]) -> None:
        for uid in order:
            await store(database, archive_id, [study(uid)], [series(uid, f"{uid}.1")], series_of=[uid])

    await asyncio.gather(fill(1, uids), fill(2, uids[::-1]), fill(1, uids[::-1]), fill(2, uids))
    assert len(await shared(database)) == 160

    async def empty(archive_id: int, order: list[str]) -> None:
        for uid in order:
            await delete(database, archive_id, uid)

    await asyncio.gather(empty(1, uids[:20]), empty(2, uids[20:]), empty(1, uids[5:15]))
    assert await shared(database) == set()
    assert len(await rows(database, "select from study")) == 40
