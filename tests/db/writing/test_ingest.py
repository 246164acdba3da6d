"""What stands in the index after batches were stored, replaced and deleted."""

import pytest

from db.pool import Connection, Database
from db.writing import ingest
from model.attributes import Level
from tests.db.writing.ingesting import rows, store, two_archives, versions
from tests.rows import instance, records, series, study

pytestmark = pytest.mark.usefixtures("archives")


@pytest.fixture
async def archives(database: Database) -> None:
    await two_archives(database)


async def test_typed_columns_and_data(database: Database) -> None:
    await store(
        database,
        1,
        [study("1.2", PatientName="Müller^Hans", StudyTime="101500", ModalitiesInStudy=["MR", "SR"])],
        [series("1.2", "1.2.1", SeriesNumber=4, SeriesDescription="T2 axial", BodyPartExamined="HEAD")],
        [instance("1.2", "1.2.1", "1.2.1.1", Rows=512, NumberOfFrames="3")],
        series_of=["1.2"],
    )
    assert await rows(
        database,
        "select study_uid, study_date::text, study_time::text, patient_name, modalities, shared,"
        " data -> '00100020' -> 'Value' ->> 0, series_synced_at is not null from study",
    ) == [("1.2", "2020-01-01", "10:15:00", "Müller^Hans", ["MR", "SR"], False, "P1", True)]
    assert await rows(database, "select series_uid, series_number, series_description from series") == [
        ("1.2.1", 4, "T2 axial")
    ]
    assert await rows(database, "select sop_uid, rows, number_of_frames from instance") == [
        ("1.2.1.1", 512, 3)
    ]


async def test_unchanged_rows_are_not_written(database: Database) -> None:
    batch = (
        [study("1.2", ModalitiesInStudy=["CT"], NumberOfStudyRelatedSeries=9), study("1.3")],
        [series("1.2", "1.2.1", SeriesDescription="a"), series("1.3", "1.3.1")],
        [instance("1.2", "1.2.1", "1.2.1.1")],
    )
    whole = ["1.2", "1.3"]
    await store(database, 1, *batch, whole=whole, series_of=whole, instances_of=[("1.2", "1.2.1")])
    before = await versions(database)
    stored = await store(database, 1, *batch, whole=whole, series_of=whole, instances_of=[("1.2", "1.2.1")])
    assert [(each.changed, each.removed) for each in stored] == [(0, 0)] * 3
    assert await versions(database) == before


async def test_a_changed_row_moves_synced_at_and_only_that_row(database: Database) -> None:
    await store(database, 1, [study("1.2"), study("1.3")])
    first = dict(await rows(database, "select study_uid, synced_at from study"))
    await store(database, 1, [study("1.2", StudyDescription="new"), study("1.3")])
    second = dict(await rows(database, "select study_uid, synced_at from study"))
    assert second["1.2"] > first["1.2"]
    assert second["1.3"] == first["1.3"]


async def test_the_last_of_duplicates_in_a_batch_counts(database: Database) -> None:
    await store(
        database,
        1,
        [study("1.2", StudyDescription="old"), study("1.2", StudyDescription="new")],
        [series("1.2", "1.2.1", SeriesNumber=n) for n in range(5)],
        [instance("1.2", "1.2.1", "1.2.1.1", InstanceNumber=n) for n in range(5)],
    )
    assert await rows(database, "select study_description from study") == [("new",)]
    assert await rows(database, "select series_number from series") == [(4,)]
    assert await rows(database, "select instance_number from instance") == [(4,)]


async def test_a_moved_patient_keeps_the_series(database: Database) -> None:
    await store(database, 1, [study("1.2", PatientID="A")], [series("1.2", "1.2.1")], series_of=["1.2"])
    await store(database, 1, [study("1.2", PatientID="B")], whole=["1.2"])
    assert await rows(database, "select patient_id from study") == [("B",)]
    assert await rows(database, "select series_uid from series") == [("1.2.1",)]


async def test_a_whole_answer_replaces(database: Database) -> None:
    await store(
        database,
        1,
        [study("1.2"), study("1.3")],
        [series("1.2", "1.2.1"), series("1.2", "1.2.2"), series("1.3", "1.3.1")],
        [instance("1.2", "1.2.1", "1.2.1.1"), instance("1.2", "1.2.2", "1.2.2.1")],
        series_of=["1.2", "1.3"],
        instances_of=[("1.2", "1.2.1"), ("1.2", "1.2.2")],
    )
    await store(database, 1, [], [series("1.2", "1.2.2")], series_of=["1.2"])
    assert await rows(database, "select series_uid from series order by 1") == [("1.2.2",), ("1.3.1",)]
    assert await rows(database, "select sop_uid from instance") == [("1.2.2.1",)]
    await store(database, 1, instances_of=[("1.2", "1.2.2")])
    assert await rows(database, "select sop_uid from instance") == []
    assert await rows(database, "select number_of_instances from series where series_uid = '1.2.2'") == [(0,)]
    await store(database, 1, whole=["1.2"])
    assert await rows(database, "select study_uid from study") == [("1.3",)]
    assert await rows(database, "select series_uid from series") == [("1.3.1",)]


async def test_series_without_a_study_do_not_stay(database: Database) -> None:
    await store(database, 1, [], [series("1.2", "1.2.1")], [instance("1.9", "1.9.1", "1.9.1.1")])
    assert await rows(database, "select series_uid from series") == []
    assert await rows(database, "select sop_uid from instance") == []


async def test_full_data_sets_stay_when_a_search_says_nothing_new(database: Database) -> None:
    found = instance("1.2", "1.2.1", "1.2.1.1", InstanceNumber=1, AvailableTransferSyntaxUID="1.2.840.1")
    await store(database, 1, [study("1.2")], [series("1.2", "1.2.1")], [found])
    whole = instance("1.2", "1.2.1", "1.2.1.1", InstanceNumber=1, Rows=64)

    async def keep(conn: Connection) -> None:
        await ingest.store_instances(conn, 1, records(Level.INSTANCE, [whole]), full=True)
        await ingest.derive(conn)

    await ingest.write(database, "keep", keep)
    state = "select rows, transfer_syntax_uid, metadata_synced_at is not null from instance"
    assert await rows(database, state) == [(64, "1.2.840.1", True)]
    await store(database, 1, [], [], [found])
    assert await rows(database, state) == [(64, "1.2.840.1", True)]
    await store(database, 1, [], [], [found | {"00200013": {"vr": "IS", "Value": [2]}}])
    assert await rows(database, state) == [(None, "1.2.840.1", False)]
