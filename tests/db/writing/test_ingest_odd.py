"""Values that the database refuses, long ones, rejected rows, retries and rollbacks."""

import asyncpg
import orjson
import pytest

from db.pool import Connection, Database
from db.writing import ingest
from db.writing.upserts import Stored
from model.attributes import Level
from model.records import Rejected
from tests.db.writing.ingesting import rows, store, two_archives, versions
from tests.rows import records, series, study

pytestmark = pytest.mark.usefixtures("archives")


@pytest.fixture
async def archives(database: Database) -> None:
    await two_archives(database)


async def test_values_the_database_refuses_are_set_aside(database: Database) -> None:
    good = records(Level.STUDY, [study(f"1.{n}") for n in range(20)])
    bad = records(Level.STUDY, [study("2.1"), study("2.2")])
    spoilt = [
        type(bad[0])(Level.STUDY, "2.1", "2.1", "", bad[0].values, "{not json"),
        type(bad[1])(Level.STUDY, "2.2", "2.2", "", (*bad[1].values[:-1], "text"), bad[1].data),
    ]

    async def work(conn: Connection) -> Stored:
        stored = await ingest.store_studies(conn, 1, [*good[:7], *spoilt, *good[7:]], ["2.1", "1.1"])
        await ingest.reject(conn, 1, stored.refused)
        await ingest.derive(conn)
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
    stored = await store(database, 1, whole=["1.2"], series_of=["1.2"], instances_of=[("1.2", "1.2.1")])
    assert [(each.changed, each.removed) for each in stored] == [(0, 0)] * 3


async def test_data_that_the_parser_made_safe(database: Database) -> None:
    text = orjson.dumps(study("1.2", StudyDescription="nul \0 and more")).decode()
    await store(database, 1, [orjson.loads(text)])
    assert await rows(database, "select study_description from study") == [("nul  and more",)]
