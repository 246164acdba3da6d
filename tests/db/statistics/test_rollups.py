"""Rollups against a recount after random writes, and against the scan that they spare."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access.scope import AccessScope, Scope, ScopedArchive
from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.pool import Connection, Database
from db.scoped import ScopedDatabase
from db.statistics import stats
from db.statistics.facets import Facet
from db.statistics.stats_statement import Groups, StatsQuery
from db.writing import ingest
from db.writing.rollup_tables import differences
from model.attributes import Level
from model.filters import EVERYTHING
from tests.rows import instance, records, series, study

ARCHIVES = (1, 2, 3, 4)  # a family in all of them is in no cell
UIDS = st.sampled_from(["1.1", "1.2", "1.3", "1.4"])
PARTS = st.sampled_from(["5.1", "5.2", "5.3", "5.4", "5.5"])
TABLES = "study_fact, rollup_cell, rollup_person, rollup_person_set"
NOTHING = {"rollup_cell": 0, "rollup_person": 0, "rollup_person_set": 0, "study_fact": 0}


@dataclass(frozen=True)
class Batch:
    """One transaction in one archive."""

    archive: int
    studies: list[tuple[str, str | None, str | None, str | None]]  # uid, patient, date, sex
    serieses: list[tuple[str, str, str | None, str | None]]  # study, uid, modality, body part
    instances: list[tuple[str, str, str]]
    whole: list[str]
    series_of: list[str]
    deleted: list[str]


BATCHES = st.builds(
    Batch,
    archive=st.sampled_from(ARCHIVES),
    studies=st.lists(
        st.tuples(
            UIDS,
            st.sampled_from(["A", "B", None]),
            st.sampled_from(["20200131", "20200201", None]),
            st.sampled_from(["F", "M", None]),
        ),
        max_size=4,
    ),
    serieses=st.lists(
        st.tuples(UIDS, PARTS, st.sampled_from(["MR", "CT"]), st.sampled_from(["EYE", "HEAD", None])),
        max_size=5,
    ),
    instances=st.lists(st.tuples(UIDS, PARTS, st.sampled_from(["8.1", "8.2", "8.3"])), max_size=4),
    whole=st.lists(UIDS, max_size=2, unique=True),
    series_of=st.lists(UIDS, max_size=2, unique=True),
    deleted=st.lists(UIDS, max_size=2, unique=True),
)


async def write(conn: Connection, batch: Batch) -> None:
    a = batch.archive
    studies = [
        study(uid, PatientID=patient, StudyDate=day, PatientSex=sex, PatientBirthDate="19800201")
        for uid, patient, day, sex in batch.studies
    ]
    serieses = [
        series(study_uid, uid, Modality=modality, BodyPartExamined=part, NumberOfSeriesRelatedInstances=3)
        for study_uid, uid, modality, part in batch.serieses
    ]
    await ingest.store_series(conn, a, records(Level.SERIES, serieses), batch.series_of)
    await ingest.store_studies(conn, a, records(Level.STUDY, studies), batch.whole)
    instances = [instance(*uids) for uids in batch.instances]
    await ingest.store_instances(conn, a, records(Level.INSTANCE, instances))
    if batch.deleted:
        await ingest.delete_studies(conn, a, batch.deleted)
    await ingest.derive(conn)


@dataclass
class Index:
    database: Database

    async def empty(self) -> None:
        await self.database.execute("test", f"truncate study, series, instance, {TABLES} cascade")

    async def apply(self, batch: Batch) -> None:
        await ingest.write(self.database, "batch", lambda conn: write(conn, batch))


async def archives(database: Database) -> None:
    await ranked(database, *ARCHIVES)


async def ranked(database: Database, *order: int) -> None:
    configs = [ArchiveConfig(code=f"a{n}", ern="ERN-EYE", title="", kind="folder") for n in order]
    await sync_archives(database, configs)


@pytest.fixture(scope="module")
def index(new_database_url: Callable[[], str]) -> Iterator[tuple[Index, asyncio.Runner]]:
    async def opened(url: str) -> Database:
        database = await Database.open(url)
        await archives(database)
        return database

    with asyncio.Runner() as runner:
        database = runner.run(opened(new_database_url()))
        yield Index(database), runner
        runner.run(database.close())


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(batches=st.lists(BATCHES, min_size=1, max_size=6))
def test_rollups_equal_a_recount_after_random_writes(
    index: tuple[Index, asyncio.Runner], batches: list[Batch]
) -> None:
    """Inserts, changes, removals; UIDs that come to be in two archives and go from one of them."""
    written, runner = index

    async def compare() -> None:
        await written.empty()
        for batch in batches:
            await written.apply(batch)
            assert await differences(written.database) == NOTHING
        empty = "select count(*) from rollup_cell where nodes <= 0"
        assert [tuple(row) for row in await written.database.fetch("test", empty)] == [(0,)]

    runner.run(compare())


def _some(archive: int, *uids: str, patient: str = "A", sex: str = "F") -> Batch:
    return Batch(
        archive,
        [(uid, patient, "20200131", sex) for uid in uids],
        [(uid, f"{uid}.1", "MR", "EYE") for uid in uids],
        [(uid, f"{uid}.1", f"{uid}.1.1") for uid in uids],
        list(uids),
        [],
        [],
    )


async def test_an_archive_that_goes_takes_its_part_along(database: Database) -> None:
    await archives(database)
    for batch in (_some(1, "1.1", "1.2"), _some(2, "1.3"), _some(3, "1.4", patient="B")):
        await Index(database).apply(batch)
    sets = """select array(select seen[1] from rollup_holding where holding_id = any (holdings) order by 1), persons
        from rollup_person_set where persons > 0 order by 1"""
    assert [tuple(row) for row in await database.fetch("test", sets)] == [([1, 2], 1), ([3], 1)]
    await database.execute("test", "delete from archive where archive_id = 1")
    assert await differences(database) == NOTHING
    assert [tuple(row) for row in await database.fetch("test", sets)] == [([2], 1), ([3], 1)]


async def test_what_is_wrong_is_found_and_made_right(database: Database) -> None:
    await archives(database)
    await Index(database).apply(_some(1, "1.1", "1.2"))
    await database.execute("test", "update rollup_cell set nodes = nodes + 1 where kind = 0")
    await database.execute("test", "delete from study_fact where study_uid = '1.1'")
    await database.execute("test", "update rollup_person set studies = 7")
    await database.execute("test", "update rollup_person_set set persons = 7")
    found = await differences(database)
    assert found == {"rollup_cell": 2, "rollup_person": 2, "rollup_person_set": 2, "study_fact": 1}
    await ingest.rebuild_rollups(database)
    assert await differences(database) == NOTHING


async def test_nothing_is_written_where_nothing_changes(database: Database) -> None:
    await archives(database)
    sql = "select kind, holding_id, cell, xmin::text from rollup_cell order by 1, 2, 3"
    await Index(database).apply(_some(1, "1.1", "1.2"))
    before = await database.fetch("test", sql)
    await Index(database).apply(_some(1, "1.1", "1.2"))
    assert await database.fetch("test", sql) == before


async def _sexes(database: Database, *asked: int) -> tuple[dict[object, int], dict[object, int]]:
    """Studies and patients by what the rollups say, and by a look at each study."""
    scoped = await ScopedDatabase.open(database.url, size=1)
    try:
        scope = tuple(ScopedArchive(each, "", "") for each in asked)
        reader = scoped.within(AccessScope(Scope(scope, scope), Scope((), ())))
        stats_query = StatsQuery(Groups(asked), EVERYTHING)
        found: list[dict[object, int]] = []
        for scan in (False, True):
            buckets = await stats.facet(reader, replace(stats_query, scan=scan), [Facet.PATIENT_SEX], 10)
            found.append({bucket.values[0]: bucket.cell.visible for bucket in buckets})
        found[0]["patients"] = (await stats.patients(reader, stats_query)).visible
        found[1]["patients"] = (await stats.totals(reader, stats_query))["patients"].visible
        return found[0], found[1]
    finally:
        await scoped.close()


async def _looked_at(database: Database) -> int:
    (row,) = await database.fetch("test", "select count(*) from study_fact where apart")
    return int(row[0])


async def test_archives_change_their_order(database: Database) -> None:
    """Right at once, by a look at what was counted in another order; counted again by a worker."""
    await archives(database)
    for batch in (_some(1, "1.1", "1.2"), _some(2, "1.1", patient="B", sex="M"), _some(3, "1.1", sex="M")):
        await Index(database).apply(batch)
    first, looked = await _sexes(database, 1, 2, 3)
    assert first == looked == {"F": 2, "patients": 1}
    await ranked(database, 2, 3, 1, 4)
    for _ in range(2):
        found, looked = await _sexes(database, 2, 3, 1)
        assert found == looked == {"F": 1, "M": 1, "patients": 2}
        assert (await _sexes(database, 3, 1))[0] == {"F": 1, "M": 1, "patients": 1}
        await ingest.recount_reordered(database)
        assert await differences(database) == NOTHING
    assert await _looked_at(database) == 0


async def test_a_study_in_more_archives_than_are_counted_ahead(database: Database) -> None:
    await archives(database)
    for archive in ARCHIVES[:3]:
        await Index(database).apply(_some(archive, "1.1"))
    assert await _looked_at(database) == 0
    await Index(database).apply(_some(4, "1.1", "1.2", sex="M"))
    assert await _looked_at(database) == 4
    for asked in (ARCHIVES, (4, 2), (4,)):
        found, looked = await _sexes(database, *asked)
        assert found == looked
    assert await differences(database) == NOTHING


async def test_nothing_tells_of_copies_that_may_not_be_seen(database: Database) -> None:
    await archives(database)
    for batch in (
        _some(1, "1.1", "1.2"),
        _some(2, "1.1", patient="B", sex="M"),
        _some(3, "1.1", "1.3", patient="B"),
    ):
        await Index(database).apply(batch)
    scoped = await ScopedDatabase.open(database.url, size=1)
    scope = (ScopedArchive(1, "", ""), ScopedArchive(2, "", ""))
    reader = scoped.within(AccessScope(Scope(scope, scope), Scope((), ())))
    holdings = await reader.fetch(
        "test", "select seen, elsewhere from counts.rollup_holding where elsewhere <> '{}'"
    )
    assert {(*row["seen"], "not", *row["elsewhere"]) for row in holdings} == {
        (1, "not", 2),
        (2, "not", 1),
    }
    visible = "select holding_id from counts.rollup_holding"
    for view in ("rollup_cell", "rollup_family", "rollup_person", "rollup_person_set"):
        sql = f"select count(*) from counts.{view} where holding_id not in ({visible})"  # noqa: S608
        assert (await reader.fetch("test", sql))[0][0] == 0, view
    for view in ("rollup_archive", "rollup_apart"):
        sql = f"select count(*) from counts.{view} where archive_id not in (1, 2)"  # noqa: S608
        assert (await reader.fetch("test", sql))[0][0] == 0, view
    studies = await reader.fetch("test", "select distinct study_uid from counts.rollup_family")
    assert [row[0] for row in studies] == ["1.1"]
    await scoped.close()
