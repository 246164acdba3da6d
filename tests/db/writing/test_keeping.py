"""Counts that no integer holds, and families that the database refuses to settle: the others are written."""

import pytest

from db.pool import Connection, Database
from db.writing import ingest
from db.writing.keeping import KeptAnswers, Told, keep
from db.writing.rollup_tables import differences
from model.attributes import Level
from tests.db.writing.ingesting import rows, store, two_archives
from tests.db.writing.refusing import allow, refuse
from tests.rows import Row, instance, records, series, study

pytestmark = pytest.mark.usefixtures("archives")

MOST = 2**31 - 1
UIDS = [f"1.{number}" for number in range(8)]
BAD = UIDS[5]


@pytest.fixture
async def archives(database: Database) -> None:
    await two_archives(database)


def family(uid: str, **values: object) -> Told:
    return Told(
        studies=records(Level.STUDY, [study(uid, **values)]),
        series=records(Level.SERIES, [series(uid, f"{uid}.1", **values)]),
        instances=records(Level.INSTANCE, [instance(uid, f"{uid}.1", f"{uid}.1.1")]),
        studies_whole={uid},
        series_whole={uid},
        instances_whole={(uid, f"{uid}.1")},
    )


async def write(database: Database, told: Told) -> KeptAnswers:
    async def work(conn: Connection) -> KeptAnswers:
        return await keep(conn, 1, told)

    return await ingest.write(database, "keep", work)


def together(*parts: Told) -> Told:
    whole = Told()
    for part in parts:
        for name in ("studies", "series", "instances"):
            setattr(whole, name, [*getattr(whole, name), *getattr(part, name)])
        for name in ("studies_whole", "series_whole", "instances_whole"):
            setattr(whole, name, getattr(whole, name) | getattr(part, name))
    return whole


@pytest.mark.parametrize(
    ("counts", "number"),
    [
        ([MOST, MOST], None),
        ([MOST, 1], None),
        ([MOST - 1, 1], MOST),
        ([-5, 7], None),  # -5 is not known
        ([-(2**31), 2**31], None),
        ([3, 4], 7),
    ],
)
async def test_a_sum_that_no_integer_holds_is_not_known(
    database: Database, counts: list[int], number: int | None
) -> None:
    serieses = [
        series("1.2", f"1.2.{n}", NumberOfSeriesRelatedInstances=count) for n, count in enumerate(counts)
    ]
    for archive in (1, 2):  # alone, and as the union of copies
        await store(database, archive, [study("1.2")], serieses, series_of=["1.2"])
        assert set(await rows(database, "select number_of_series, number_of_instances from study")) == {
            (len(counts), number)
        }
        for projection in ("records", "counts", "pseudonyms"):
            await rows(database, f"select {projection}.study_union_instances('1.2', '{{1,2}}')")
        assert set((await differences(database)).values()) == {0}
    await store(database, 1, [study("1.2")], serieses[:1], series_of=["1.2"])  # what overflowed goes again
    assert set((await differences(database)).values()) == {0}


@pytest.mark.parametrize("told", [MOST, 2**31, -1, -(2**31), 10**30, "1e400"])
async def test_counts_that_a_study_tells_are_counts(database: Database, told: object) -> None:
    row: Row = study("1.2") | {"00201208": {"vr": "IS", "Value": [told]}}
    await store(database, 1, [row])
    assert await rows(database, "select number_of_instances from study") == [
        (MOST if told == MOST else None,)
    ]


async def test_one_family_that_cannot_be_settled_is_set_aside(database: Database) -> None:
    await write(database, together(*[family(uid) for uid in UIDS if uid != "1.7"]))
    await refuse(database, BAD)
    again = together(*[family(uid, StudyDescription="new", SeriesDescription="new") for uid in UIDS])
    kept = await write(database, again)
    assert [(each.level, each.uid) for each in kept.rejected] == [(Level.STUDY, BAD)]
    assert kept.changed
    found = await rows(database, "select study_uid, study_description from study order by 1")
    assert found == [(uid, None if uid == BAD else "new") for uid in UIDS]
    found = await rows(database, "select study_uid, series_description from series order by 1")
    assert found == [(uid, None if uid == BAD else "new") for uid in UIDS]
    assert len(await rows(database, "select from instance")) == len(UIDS)
    ((uid, reason),) = await rows(database, "select uid, reason from rejected_record")
    assert (uid, reason) == (
        BAD,
        "the study and what is in it are in the index as before, if at all: NumericValueOutOfRangeError",
    )
    assert set((await differences(database)).values()) == {0}

    await allow(database)
    assert (await write(database, again)).rejected == []
    assert set(await rows(database, "select study_description from study")) == {("new",)}


async def test_a_new_family_that_cannot_be_settled_is_not_there_at_all(database: Database) -> None:
    await refuse(database, BAD)
    await write(database, together(*[family(uid) for uid in UIDS]))
    for table in ("study", "series", "instance"):
        found = {uid for (uid,) in await rows(database, f"select study_uid from {table}")}  # noqa: S608
        assert found == set(UIDS) - {BAD}


async def test_removing_goes_on_beside_what_cannot_be_settled(database: Database) -> None:
    await write(database, together(*[family(uid) for uid in UIDS]))
    await database.execute(
        "test",
        f"""create function kept() returns trigger language plpgsql as $$ begin
            if old.study_uid = '{BAD}' then raise numeric_value_out_of_range; end if; return old; end $$;
        create trigger kept before delete on study_fact for each row execute function kept()""",
    )
    kept = await write(database, Told(gone=UIDS))
    assert (kept.removed, [each.uid for each in kept.rejected]) == (7, [BAD])
    assert await rows(database, "select study_uid from study") == [(BAD,)]
