"""What stands in the index after batches were stored, replaced and deleted."""

import asyncio
from collections.abc import Collection
from datetime import timedelta
from typing import Any

import asyncpg
import orjson
import pytest

from config.archives_file import ArchiveConfig
from db import ingest
from db.archives import sync_archives
from db.pool import Connection, Database
from model.attributes import Level
from model.records import Rejected
from tests.rows import Row, instance, records, series, study

CODES = ("eye", "rnd")


@pytest.fixture(autouse=True)
async def archives(database: Database) -> dict[str, int]:
    """eye is 1, rnd is 2."""
    configs = [ArchiveConfig(code=code, ern="ERN-EYE", title=code, kind="folder") for code in CODES]
    ids = await sync_archives(database, configs)
    assert ids == {"eye": 1, "rnd": 2}
    return ids


async def store(
    database: Database,
    archive_id: int,
    studies: Collection[Row] = (),
    serieses: Collection[Row] = (),
    instances: Collection[Row] = (),
    *,
    whole: Collection[str] = (),
    series_of: Collection[str] = (),
    instances_of: Collection[str] = (),
) -> list[ingest.Stored]:
    async def work(conn: Connection) -> list[ingest.Stored]:
        done = [
            await ingest.store_series(
                conn, archive_id, records(Level.SERIES, serieses), series_of, stamp_older_than=timedelta(1)
            ),
            await ingest.store_studies(conn, archive_id, records(Level.STUDY, studies), whole),
            await ingest.store_instances(
                conn,
                archive_id,
                records(Level.INSTANCE, instances),
                instances_of,
                stamp_older_than=timedelta(1),
            ),
        ]
        await ingest.settle(conn)
        return done

    return await ingest.write(database, "store", work)


async def delete(database: Database, archive_id: int, *study_uids: str) -> int:
    async def work(conn: Connection) -> int:
        removed = await ingest.delete_studies(conn, archive_id, study_uids)
        await ingest.settle(conn)
        return removed

    return await ingest.write(database, "delete", work)


async def rows(database: Database, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await database.fetch("test", sql)]


async def shared(database: Database) -> set[str]:
    """'study 1.2 in 1' of every row that is flagged."""
    found = await database.fetch(
        "test",
        "select 'study ' || study_uid || ' in ' || archive_id from study where shared"
        " union all select 'series ' || series_uid || ' in ' || archive_id from series where shared"
        " union all select 'instance ' || sop_uid || ' in ' || archive_id from instance where shared",
    )
    return {row[0] for row in found}


async def versions(database: Database) -> list[tuple[Any, ...]]:
    """Changes whenever a row was written."""
    return await rows(
        database,
        "select 'study', study_pk, xmin::text, xmax::text from study"
        " union all select 'series', series_pk, xmin::text, xmax::text from series"
        " union all select 'instance', instance_pk, xmin::text, xmax::text from instance"
        " union all select 'link', study_pk, xmin::text, xmax::text from study_modality order by 1, 2, 3",
    )


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
    await store(database, 1, *batch, whole=whole, series_of=whole, instances_of=["1.2.1"])
    before = await versions(database)
    stored = await store(database, 1, *batch, whole=whole, series_of=whole, instances_of=["1.2.1"])
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
        instances_of=["1.2.1", "1.2.2"],
    )
    await store(database, 1, [], [series("1.2", "1.2.2")], series_of=["1.2"])
    assert await rows(database, "select series_uid from series order by 1") == [("1.2.2",), ("1.3.1",)]
    assert await rows(database, "select sop_uid from instance") == [("1.2.2.1",)]
    await store(database, 1, instances_of=["1.2.2"])
    assert await rows(database, "select sop_uid from instance") == []
    assert await rows(database, "select number_of_instances from series where series_uid = '1.2.2'") == [(0,)]
    await store(database, 1, whole=["1.2"])
    assert await rows(database, "select study_uid from study") == [("1.3",)]
    assert await rows(database, "select series_uid from series") == [("1.3.1",)]


async def test_series_without_a_study_do_not_stay(database: Database) -> None:
    await store(database, 1, [], [series("1.2", "1.2.1")], [instance("1.9", "1.9.1", "1.9.1.1")])
    assert await rows(database, "select series_uid from series") == []
    assert await rows(database, "select sop_uid from instance") == []


@pytest.mark.parametrize(
    ("studies", "serieses", "series_of", "expected"),
    [
        pytest.param([study("1.2")], [], [], (None, None, []), id="nothing known"),
        pytest.param(
            [study("1.2", NumberOfStudyRelatedSeries=3, NumberOfStudyRelatedInstances="40")],
            [],
            [],
            (3, 40, []),
            id="the archive's figures",
        ),
        pytest.param(
            [study("1.2", NumberOfStudyRelatedSeries=9, ModalitiesInStudy=["SR", " MR ", "", None, 5])],
            [
                series("1.2", "1.2.1", Modality="CT", NumberOfSeriesRelatedInstances=4),
                series("1.2", "1.2.2", Modality="MR", NumberOfSeriesRelatedInstances=5),
            ],
            ["1.2"],
            (2, 9, ["CT", "MR", "SR"]),
            id="series win",
        ),
        pytest.param(
            [study("1.2", NumberOfStudyRelatedInstances=7)],
            [series("1.2", "1.2.1", NumberOfSeriesRelatedInstances=4), series("1.2", "1.2.2")],
            ["1.2"],
            (2, 7, ["MR"]),
            id="series that give no figure",
        ),
        pytest.param([study("1.2", NumberOfStudyRelatedSeries=1)], [], ["1.2"], (0, 0, []), id="no series"),
        pytest.param(
            [study("1.2", NumberOfStudyRelatedSeries="many", NumberOfStudyRelatedInstances=3e12)],
            [],
            [],
            (None, None, []),
            id="figures that are none",
        ),
    ],
)
async def test_counts_and_modalities(
    database: Database,
    studies: list[Row],
    serieses: list[Row],
    series_of: list[str],
    expected: tuple[int | None, int | None, list[str]],
) -> None:
    await store(database, 1, studies, serieses, series_of=series_of)
    found = "select number_of_series, number_of_instances, modalities from study"
    assert await rows(database, found) == [expected]
    links = await rows(database, "select modality from study_modality order by 1")
    assert [modality for (modality,) in links] == expected[2]
    # The other order of storing comes to the same.
    await delete(database, 1, "1.2")

    async def work(conn: Connection) -> None:
        await ingest.store_studies(conn, 1, records(Level.STUDY, studies))
        await ingest.store_series(conn, 1, records(Level.SERIES, serieses), series_of)
        await ingest.settle(conn)

    await ingest.write(database, "other order", work)
    assert await rows(database, found) == [expected]


async def test_links_follow_the_study(database: Database) -> None:
    await store(database, 1, [study("1.2", ModalitiesInStudy=["CT", "MR"])])
    await store(database, 1, [study("1.2", ModalitiesInStudy=["MR"], StudyDate="20210101")])
    assert await rows(database, "select modality, study_date::text from study_modality") == [
        ("MR", "2021-01-01")
    ]


async def test_words_of_the_study_and_its_series(database: Database) -> None:
    await store(
        database,
        1,
        [study("1.2", StudyDescription="Schädel MRT")],
        [
            series(
                "1.2", "1.2.1", SeriesDescription="T2 axial", BodyPartExamined="HEAD", ProtocolName="Kopf"
            ),
            series("1.2", "1.2.2", SeriesDescription="Übersicht"),
        ],
        series_of=["1.2"],
    )
    found = await rows(database, "select tsvector_to_array(search) from study")
    assert set(found[0][0]) == {"schadel", "mrt", "t2", "axial", "head", "kopf", "ubersicht"}
    await store(database, 1, [], [series("1.2", "1.2.1", SeriesDescription="T1")], series_of=["1.2"])
    found = await rows(database, "select tsvector_to_array(search) from study")
    assert set(found[0][0]) == {"schadel", "mrt", "t1"}


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


async def test_full_data_sets_stay_when_a_search_says_nothing_new(database: Database) -> None:
    found = instance("1.2", "1.2.1", "1.2.1.1", InstanceNumber=1, AvailableTransferSyntaxUID="1.2.840.1")
    await store(database, 1, [study("1.2")], [series("1.2", "1.2.1")], [found])
    whole = instance("1.2", "1.2.1", "1.2.1.1", InstanceNumber=1, Rows=64)

    async def keep(conn: Connection) -> None:
        await ingest.store_instances(conn, 1, records(Level.INSTANCE, [whole]), full=True)
        await ingest.settle(conn)

    await ingest.write(database, "keep", keep)
    state = "select rows, transfer_syntax_uid, metadata_synced_at is not null from instance"
    assert await rows(database, state) == [(64, "1.2.840.1", True)]
    await store(database, 1, [], [], [found])
    assert await rows(database, state) == [(64, "1.2.840.1", True)]
    await store(database, 1, [], [], [found | {"00200013": {"vr": "IS", "Value": [2]}}])
    assert await rows(database, state) == [(None, "1.2.840.1", False)]


async def test_values_the_database_refuses_are_set_aside(database: Database) -> None:
    good = records(Level.STUDY, [study(f"1.{n}") for n in range(20)])
    bad = records(Level.STUDY, [study("2.1"), study("2.2")])
    spoilt = [
        type(bad[0])(Level.STUDY, "2.1", "2.1", "", bad[0].values, "{not json"),
        type(bad[1])(Level.STUDY, "2.2", "2.2", "", (*bad[1].values[:-1], "text"), bad[1].data),
    ]

    async def work(conn: Connection) -> ingest.Stored:
        stored = await ingest.store_studies(conn, 1, [*good[:7], *spoilt, *good[7:]], ["2.1", "1.1"])
        await ingest.reject(conn, 1, stored.refused)
        await ingest.settle(conn)
        return stored

    stored = await ingest.write(database, "store", work)
    assert stored.changed == 20
    assert {refused.uid for refused in stored.refused} == {"2.1", "2.2"}
    assert len(await rows(database, "select from study")) == 20
    assert len(await rows(database, "select from rejected_record")) == 2


async def test_long_values_are_cut_in_columns_and_whole_in_data(database: Database) -> None:
    long = "ﷺ wort " * 5000
    name = "Ω" * 3000
    texts = study("1.2", StudyDescription=long, PatientName=name, PatientID="p" * 9000, AccessionNumber=long)
    serieses = [series("1.2", f"1.2.{n}", SeriesDescription=f"{n} {long}") for n in range(30)]
    stored = await store(database, 1, [texts], serieses, whole=["1.2"], series_of=["1.2"])
    assert [each.refused for each in stored] == [[], [], []]
    found = "select length(study_description), length(data #>> '{00081030,Value,0}') from study"
    assert await rows(database, found) == [(400, len(long))]
    before = await versions(database)
    await store(database, 1, [texts], serieses, whole=["1.2"], series_of=["1.2"])
    assert await versions(database) == before


async def test_rejected_rows_are_counted_once(database: Database) -> None:
    rejected = [
        Rejected(Level.STUDY, None, "no UID", '{"a": 1}'),
        Rejected(Level.STUDY, None, "no UID", '{"a":1}'),
        Rejected(Level.SERIES, "1.2", "no UID", '{"a": 1}'),
    ]
    for _ in range(2):
        await ingest.write(database, "reject", lambda conn: ingest.reject(conn, 1, rejected))
    found = await rows(database, "select level, last_seen_at > first_seen_at from rejected_record order by 1")
    assert found == [("series", True), ("study", True)]


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


async def test_work_is_done_again_after_a_deadlock(database: Database) -> None:
    tries = 0

    async def work(conn: Connection) -> str:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise asyncpg.DeadlockDetectedError("made up")
        return "done"

    assert await ingest.write(database, "work", work) == "done"

    async def never(conn: Connection) -> None:
        raise asyncpg.SerializationError("made up")

    with pytest.raises(asyncpg.SerializationError):
        await ingest.write(database, "never", never)


async def test_a_rollback_leaves_the_connection_usable(database: Database) -> None:
    async def fails(conn: Connection) -> None:
        await ingest.store_studies(conn, 1, records(Level.STUDY, [study("1.2")]))
        raise ValueError("on purpose")

    for _ in range(3):
        with pytest.raises(ValueError, match="on purpose"):
            await ingest.write(database, "fails", fails)
        await store(database, 1, [study("1.3")])
    assert await rows(database, "select study_uid from study") == [("1.3",)]


async def test_nothing_to_store(database: Database) -> None:
    stored = await store(database, 1, whole=["1.2"], series_of=["1.2"], instances_of=["1.2.1"])
    assert [(each.changed, each.removed) for each in stored] == [(0, 0)] * 3


async def test_data_that_the_parser_made_safe(database: Database) -> None:
    text = orjson.dumps(study("1.2", StudyDescription="nul \0 and more")).decode()
    await store(database, 1, [orjson.loads(text)])
    assert await rows(database, "select study_description from study") == [("nul  and more",)]
