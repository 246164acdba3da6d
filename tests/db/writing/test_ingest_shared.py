"""Which rows are flagged as shared: whole families, and no longer when the other copy is gone."""

import asyncio

import pytest

from db.pool import Database
from tests.db.writing.ingesting import delete, rows, shared, store, two_archives
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


@pytest.mark.parametrize("archive_id", [1, 2])
async def test_a_part_of_another_study_with_the_same_uid_is_another_part(
    database: Database, archive_id: int
) -> None:
    """Nothing is shared, and what goes from one study stays in the other."""
    for archive, uid in ((1, "1.2"), (archive_id, "1.3")):
        await store(
            database,
            archive,
            [study(uid)],
            [series(uid, "7.1", Modality=f"M{uid[-1]}"), series(uid, "7.5")],
            [instance(uid, "7.1", "8.1"), instance(uid, "7.5", "8.1")],
            series_of=[uid],
            instances_of=[(uid, "7.1"), (uid, "7.5")],
        )
    assert await shared(database) == set()
    told = "select study_uid, modality, number_of_instances from series where series_uid = '7.1' order by 1"
    assert await rows(database, told) == [("1.2", "M2", 1), ("1.3", "M3", 1)]
    assert len(await rows(database, "select from instance")) == 4
    await store(database, archive_id, instances_of=[("1.3", "7.1")])
    assert await rows(database, told) == [("1.2", "M2", 1), ("1.3", "M3", 0)]
    await store(database, archive_id, [], [series("1.3", "7.5")], series_of=["1.3"])
    assert await rows(database, "select study_uid, series_uid from instance order by 1, 2") == [
        ("1.2", "7.1"),
        ("1.2", "7.5"),
        ("1.3", "7.5"),
    ]


async def test_a_part_without_its_study_takes_nothing_of_another_along(database: Database) -> None:
    """A series of the same UID came without a study, with an instance: both go, alone."""
    await store(database, 1, [study("1.2")], [series("1.2", "7.1")], [instance("1.2", "7.1", "8.1")])
    await store(database, 1, [], [series("1.3", "7.1")], [instance("1.3", "7.1", "8.1")])
    assert await rows(database, "select study_uid from series") == [("1.2",)]
    assert await rows(database, "select study_uid from instance") == [("1.2",)]


async def test_an_instance_moves_to_another_study(database: Database) -> None:
    """It is where the archive answers it, and goes from where it is no longer answered."""
    both = [series("1.2", "7.1"), series("1.3", "7.1")]
    await store(database, 1, [study("1.2"), study("1.3")], both, [instance("1.2", "7.1", "8.1")])
    await store(database, 1, [], [], [instance("1.3", "7.1", "8.1")])
    where = "select study_uid from instance order by 1"
    assert await rows(database, where) == [("1.2",), ("1.3",)]
    await store(database, 1, instances_of=[("1.2", "7.1")])
    assert await rows(database, where) == [("1.3",)]


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
