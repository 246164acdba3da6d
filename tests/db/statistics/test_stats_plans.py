"""Plans of statistics that rollups answer: cells and the rows of shared families are read, no table of copies."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from access.scope import Scope, ScopedArchive
from db.pool import Database
from db.scoped import ScopedDatabase
from db.statements import Schema, within
from db.statistics.cells import AXES
from db.statistics.facets import Facet, dimension
from db.statistics.rolled_up import RolledUp
from db.statistics.stats_statement import Groups, StatsQuery
from model.attributes import Level, attribute
from model.filters import EVERYTHING, Condition, Op, Test
from tests.db.lists.test_plans import Large, fill, scans

# What its tests share takes its time on a busy machine.
pytestmark = pytest.mark.timeout(600)

STUDIES = 20_000
SHARED_ROWS = 1_500  # 400 studies of shared families, 800 series and instances


@pytest.fixture(scope="module")
def large(new_database_url: Callable[[], str]) -> Iterator[Large]:
    with asyncio.Runner() as runner:
        yield runner.run(_large(new_database_url(), runner))


async def _large(url: str, runner: asyncio.Runner) -> Large:
    database = await Database.open(url, max_size=1)
    async with database.connection() as connection:
        await fill(connection, STUDIES)
        await connection.execute("vacuum analyze")
        await connection.execute("call fill_rollups()")
        await connection.execute("analyze study_fact, rollup_cell, rollup_person_set")
        ids = [
            row["archive_id"]
            for row in await connection.fetch("select archive_id from archive order by rank")
        ]
    archives = tuple(ScopedArchive(archive_id, f"a{archive_id}", "ERN-EYE") for archive_id in ids)
    await database.close()
    return Large(await ScopedDatabase.open(url, size=1), Scope(archives, archives), runner)


def _test(keyword: str, op: Op, value: Any) -> Condition:
    return Test(attribute(keyword), op, value)


ROLLED_UP: list[tuple[Condition, list[Facet]]] = [
    (EVERYTHING, [Facet.MODALITY, Facet.ERN, Facet.STUDY_YEAR]),
    (EVERYTHING, [Facet.BODY_PART]),
    (EVERYTHING, [Facet.SERIES_DESCRIPTION, Facet.ARCHIVE]),
    (EVERYTHING, [Facet.STUDY_DESCRIPTION]),
    (EVERYTHING, [Facet.AGE_BAND, Facet.PATIENT_SEX]),
    (_test("ModalitiesInStudy", Op.HAS, "MR"), [Facet.STUDY_YEAR]),
    (_test("StudyDate", Op.GTE, date(2005, 3, 1)), [Facet.MODALITY]),
]


@pytest.mark.parametrize(("condition", "facets"), ROLLED_UP, ids=str)
def test_statistics_from_rollups(large: Large, condition: Condition, facets: list[Facet]) -> None:
    stats_query = StatsQuery(Groups(tuple(large.scope.asked_ids)), condition)
    axes = [AXES[each] for each in facets]
    rollup = stats_query.rollup(axes)
    assert rollup is not None
    dimensions = [dimension(each, Level.STUDY) for each in facets]
    statement = RolledUp(stats_query).cells_and_looks(dimensions, axes, rollup, 20)
    _assert_reads_shared_only(large.plan(*statement))


def test_totals_from_rollups(large: Large) -> None:
    stats_query = StatsQuery(Groups(tuple(large.scope.asked_ids)), EVERYTHING)
    rollup = stats_query.rollup()
    assert rollup is not None
    for persons in (False, True):
        statement = RolledUp(stats_query)
        _assert_reads_shared_only(large.plan(*(statement.persons() if persons else statement.sums(rollup))))


def test_the_states_of_archives(large: Large) -> None:
    _assert_reads_shared_only(large.plan(within(Schema.SCOPED, "archives", "index_states"), []))


def _assert_reads_shared_only(plan: dict[str, Any]) -> None:
    for node in scans(plan):
        if node.get("Relation Name") in ("study", "series", "instance", "study_fact"):
            assert node["Node Type"] != "Seq Scan", node
            read = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
            assert read <= SHARED_ROWS, (node["Node Type"], node.get("Index Name"), read)
