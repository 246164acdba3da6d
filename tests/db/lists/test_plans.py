"""Plans of pages at scale: on 100,000 studies no page reads a table from end to end."""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from access.scope import AccessScope, Projection, Scope, ScopedArchive
from db.lists import nodes, pages
from db.lists.listing import Listing, Window
from db.lists.orders import KEYS, Sort
from db.lists.ranking import looked_up
from db.pool import Connection, Database, TooBroad, metered
from db.scoped import ScopedDatabase, session_scope_of
from model.attributes import Level, attribute
from model.cursors import Position
from model.filters import EVERYTHING, AllOf, CohortTest, Condition, Op, Related, Test, TextTest
from model.name_keys import keys_of
from model.text_search import parse_text
from model.vocabulary import CODE_COLUMNS, Coded
from reads.ranking import newest_first
from tests.names.table import crowd

pytestmark = pytest.mark.timeout(600)

STUDIES = 100_000
NOBODYS = Scope((), (), Projection.PSEUDONYMISED)

_FILL = (Path(__file__).parent / "large_index.sql").read_text(encoding="utf-8")


SMALL, WIDE = (f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2))
COHORTS = f"""insert into cohort (cohort_id, owner, name, filter, identifying)
  values ('{SMALL}', 'o', 'n', '{{}}', false);
insert into cohort_version (version_id, cohort_id, number, entries)
  values ('{SMALL}', '{SMALL}', 1, 50), ('{WIDE}', '{SMALL}', 2, 20000);
insert into cohort_study
  select v.id, archive_id, study_uid, true, true, v.id, v.id
  from (values ('{SMALL}'::uuid, 2000), ('{WIDE}'::uuid, 5)) v (id, every)
  join study on study_pk % v.every = 0 on conflict do nothing;"""  # noqa: S608


@dataclass
class Large:
    """An index of 100,000 studies, 200,000 series and instances."""

    scoped: ScopedDatabase
    scope: Scope
    runner: asyncio.Runner

    def plan(self, sql: str, values: list[Any]) -> dict[str, Any]:
        return self.runner.run(self._plan(sql, values))

    async def _plan(self, sql: str, values: list[Any]) -> dict[str, Any]:
        async with self.scoped.connection(session_scope_of(AccessScope(self.scope, NOBODYS))) as connection:
            text = await connection.fetchval(f"explain (analyze, timing off, format json) {sql}", *values)
        plan: dict[str, Any] = json.loads(text)[0]["Plan"]
        return plan


@pytest.fixture(scope="module")
def large(new_database_url: Callable[[], str]) -> Iterator[Large]:
    with asyncio.Runner() as runner:
        yield runner.run(_large(new_database_url(), runner))


async def _large(url: str, runner: asyncio.Runner) -> Large:
    database = await Database.open(url, max_size=1)
    async with database.connection() as connection:
        await fill(connection, STUDIES)
        await connection.execute(COHORTS)
        await connection.execute("vacuum analyze")
        ids = [
            row["archive_id"]
            for row in await connection.fetch("select archive_id from archive order by rank")
        ]
    archives = tuple(ScopedArchive(archive_id, f"a{archive_id}", "ERN-EYE") for archive_id in ids)
    await database.close()
    scoped = await ScopedDatabase.open(url, size=1)
    return Large(scoped, Scope(archives, archives), runner)


async def fill(connection: Connection, studies: int) -> None:
    """An index of so many studies, in an empty database."""
    await connection.execute("create temp table person (number integer, keys text[], forms text)")
    people = [
        (number, list(found.keys), found.forms)
        for number, found in enumerate(map(keys_of, crowd(studies // 3 + 1)))
    ]
    await connection.copy_records_to_table("person", records=people)
    await connection.execute(_FILL.replace(":studies", str(studies)))


def scans(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Every node of a plan."""
    return [plan, *(each for child in plan.get("Plans", []) for each in scans(child))]


def assert_bounded(plan: dict[str, Any], rows: int) -> None:
    """No table is read from end to end, and no node reads many more rows than the page holds."""
    for node in scans(plan):
        assert node["Node Type"] != "Seq Scan" or node["Relation Name"] == "archive", node
        read = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        assert read <= rows, (node["Node Type"], node.get("Index Name"), read)


def _test(keyword: str, op: Op, value: Any) -> Condition:
    return Test(attribute(keyword), op, value)


def _series(keyword: str, op: Op, value: Any) -> Condition:
    return Related(Level.SERIES, _test(keyword, op, value))


def _day(op: Op, year: int, month: int) -> Condition:
    return _test("SeriesDate", op, date(year, month, 1))


STUDY_ORDERS = [(Sort(name, down),) for name in KEYS[Level.STUDY] for down in (False, True)]
SERIES_ORDERS = [(Sort(name, down),) for name in KEYS[Level.SERIES] for down in (False, True)]
# A tie of a sort value is walked by UID, so a page of a much tied value still starts at its place.
SHARED = 6_000  # rows of shared families, which every page may look at
FEW = 2_000  # what starts at a value of a series looks at no more than its page, and what stands in its way


@pytest.mark.parametrize("keys", STUDY_ORDERS, ids=str)
@pytest.mark.parametrize("back", [False, True])
def test_study_orders(large: Large, keys: tuple[Sort, ...], back: bool) -> None:
    listing = Listing((large.scope,), Level.STUDY, EVERYTHING, keys)
    assert_bounded(large.plan(*pages.page(listing, Window(21, None, back))), rows=SHARED)


@pytest.mark.parametrize("keys", SERIES_ORDERS, ids=str)
def test_series_orders(large: Large, keys: tuple[Sort, ...]) -> None:
    listing = Listing((large.scope,), Level.SERIES, EVERYTHING, keys)
    assert_bounded(large.plan(*pages.page(listing, Window(21))), rows=SHARED)


@pytest.mark.parametrize("level", [Level.INSTANCE])
@pytest.mark.parametrize("keys", [(Sort("INSTANCE_NUMBER"),), (Sort("SOP_INSTANCE_UID", True),)], ids=str)
def test_instance_orders(large: Large, level: Level, keys: tuple[Sort, ...]) -> None:
    listing = Listing((large.scope,), level, EVERYTHING, keys)
    for node in scans(large.plan(*pages.page(listing, Window(21)))):
        assert node["Node Type"] != "Seq Scan", node


DEEP = [
    ((Sort("STUDY_DATE", True),), (date(2003, 5, 5),)),
    ((Sort("STUDY_DATE"),), (date(2020, 5, 5),)),
    ((Sort("STUDY_DATE", True),), (None,)),
    ((Sort("PATIENT_ID"),), ("P25",)),
    ((Sort("NUMBER_OF_INSTANCES", True),), (7,)),
]


@pytest.mark.parametrize(("keys", "values"), DEEP, ids=str)
@pytest.mark.parametrize("back", [False, True])
def test_deep_pages_start_at_their_place(
    large: Large, keys: tuple[Sort, ...], values: tuple[Any, ...], back: bool
) -> None:
    listing = Listing((large.scope,), Level.STUDY, EVERYTHING, keys)
    page = Window(21, Position(values, "1.2.3.5"), back)
    assert_bounded(large.plan(*pages.page(listing, page)), rows=SHARED)


# Filters and how many rows a page may read: a filter's own matches are read, the table is not.
FILTERS: list[tuple[Condition, int]] = [
    (_test("PatientID", Op.EQ, "P17"), SHARED),
    (_test("PatientID", Op.STARTS_WITH, "p1234"), SHARED),
    (_test("AccessionNumber", Op.IN, ("A7", "A8")), SHARED),
    (_test("AccessionNumber", Op.CONTAINS, "9999"), SHARED),
    (_test("StudyID", Op.EQ, "S77"), SHARED),
    (_test("PatientName", Op.STARTS_WITH, "c4ca4238"), SHARED),
    (_test("PatientName", Op.WILDCARD, "c4ca4238*"), SHARED),
    (_test("PatientName", Op.FUZZY, "Mueller Hans"), SHARED),
    (_test("PatientName", Op.FUZZY, "Yiorgos Papadopoulos"), SHARED),
    (_test("PatientName", Op.FUZZY, "J. Kowalska"), SHARED),
    (_test("PatientName", Op.FUZZY, "Li"), SHARED),
    (_test("ReferringPhysicianName", Op.FUZZY, "Gonzales Lucia"), SHARED),
    (_test("PatientName", Op.EQ, "nobody^at all"), SHARED),
    (_test("ReferringPhysicianName", Op.STARTS_WITH, "ref^c4ca4238a0b9"), 20_000),
    (_test("StudyDescription", Op.CONTAINS, "c4ca4238a0b9"), SHARED),
    (_test("StudyDescription", Op.EQ, "Study c4ca4238a0b9"), FEW),
    (_test("StudyDescription", Op.IN, ("Study c4ca4238a0b9", "none")), FEW),
    (_test("NumberOfStudyRelatedSeries", Op.EQ, 2), SHARED),
    (_test("NumberOfStudyRelatedInstances", Op.EQ, 17), SHARED),
    (_test("PatientBirthDate", Op.EQ, date(1960, 1, 1)), SHARED),
    (_test("ModalitiesInStudy", Op.HAS, "XRARE"), SHARED),
    (_test("ModalitiesInStudy", Op.HAS, "MR"), SHARED),
    (TextTest(("c4ca4238a0b9",)), SHARED),
    (parse_text("c4ca4238*"), SHARED),
    (parse_text('"study c4ca4238a0b9"'), SHARED),
    (Related(Level.SERIES, parse_text('"series c4ca4238a0b9"')), 20_000),
    (
        AllOf((_test("StudyDate", Op.GTE, date(2005, 1, 1)), _test("StudyDate", Op.LTE, date(2005, 2, 1)))),
        SHARED,
    ),
    (_test("StudyID", Op.CONTAINS, "S77"), SHARED),
    (_test("ReferringPhysicianName", Op.EQ, "Ref^c4ca4238a0b9"), SHARED),
    (_series("Modality", Op.EQ, "CT"), FEW),
    (_series("Modality", Op.STARTS_WITH, "c"), FEW),
    (_test("ModalitiesInStudy", Op.HAS, "CT"), FEW),
    (_series("BodyPartExamined", Op.CONTAINS, "hea"), FEW),
    (_series("Manufacturer", Op.WILDCARD, "acm? 3"), FEW),
    (AllOf((_series("Manufacturer", Op.EQ, "ACME 3"), _test("PatientID", Op.EQ, "P17"))), FEW),
    (Related(Level.SERIES, AllOf((_day(Op.GTE, 2003, 5), _day(Op.LTE, 2003, 6)))), FEW),
    (_series("SeriesDate", Op.EQ, date(2003, 5, 5)), FEW),
    (_series("NumberOfSeriesRelatedInstances", Op.EQ, 10), FEW),
    (_series("NumberOfSeriesRelatedInstances", Op.EQ, 11), SHARED),
    (_series("NumberOfSeriesRelatedInstances", Op.GTE, 3), FEW),
    (Related(Level.SERIES, Test(CODE_COLUMNS[Coded.BODY_PART], Op.EQ, "69536005")), FEW),
    (Related(Level.SERIES, Test(CODE_COLUMNS[Coded.BODY_PART], Op.EQ, "80144004")), SHARED),
    (CohortTest(SMALL, SMALL), SHARED),
    (CohortTest(WIDE, WIDE), 110_000),  # a fifth of the index: one of its indexes is read, and no table
    (AllOf((CohortTest(WIDE, WIDE), _test("PatientID", Op.EQ, "P17"))), SHARED),
    (_series("ManufacturerModelName", Op.EQ, "Model 17"), FEW),
    (_series("SeriesDescription", Op.CONTAINS, "c4ca4238a0b9"), FEW),
    (_series("SeriesDescription", Op.EQ, "Series c4ca4238a0b9"), FEW),
    (_series("ProtocolName", Op.STARTS_WITH, "protocol 17"), FEW),
    (_series("ProtocolName", Op.EQ, "Protocol 17"), FEW),
]


@pytest.mark.parametrize(("condition", "rows"), FILTERS, ids=str)
def test_filters(large: Large, condition: Condition, rows: int) -> None:
    listing = Listing((large.scope,), Level.STUDY, condition)
    assert_bounded(large.plan(*pages.page(listing, Window(21))), rows)


@pytest.mark.parametrize("text", ["c4ca4238*", '"series c4ca4238a0b9"', "c4ca4238a0b9 protocol"])
def test_text_of_series(large: Large, text: str) -> None:
    listing = Listing((large.scope,), Level.SERIES, parse_text(text))
    assert_bounded(large.plan(*pages.page(listing, Window(21))), rows=20_000)


def test_a_word_that_every_row_has_is_by_date(large: Large) -> None:
    reader = large.scoped.within(AccessScope(large.scope, NOBODYS))
    condition = parse_text("stud*")
    assert large.runner.run(looked_up(reader, [large.scope], condition)) is None
    newest = newest_first(condition, (), condition)
    listing = Listing((large.scope,), Level.STUDY, newest.condition, tuple(newest.sorts))
    assert_bounded(large.plan(*pages.page(listing, Window(21))), rows=SHARED)


def test_beside_a_rare_word_it_is_asked_of_the_rare_ones(large: Large) -> None:
    reader = large.scoped.within(AccessScope(large.scope, NOBODYS))
    found = large.runner.run(looked_up(reader, [large.scope], parse_text("study c4ca4238a0b9")))
    assert isinstance(found, TextTest)
    assert found.common == ("study",)
    listing = Listing((large.scope,), Level.STUDY, found)
    assert_bounded(large.plan(*pages.page(listing, Window(21))), rows=SHARED)


BROAD = [
    (_test("AccessionNumber", Op.CONTAINS, "zq"), "AccessionNumber.contains"),
    (_test("PatientID", Op.WILDCARD, "*?zq*"), "PatientID.wildcard"),
    (_test("PatientName", Op.STARTS_WITH, "zq"), "PatientName.startsWith"),
]


@pytest.mark.parametrize(("condition", "named"), BROAD, ids=str)
def test_a_search_that_no_index_answers_is_cut_off(
    large: Large, monkeypatch: pytest.MonkeyPatch, condition: Condition, named: str
) -> None:
    reader = large.scoped.within(AccessScope(large.scope, NOBODYS))
    monkeypatch.setattr(nodes, "BROAD_SECONDS", 0.02)
    with pytest.raises(TooBroad, match=named):
        large.runner.run(nodes.page(reader, Listing((large.scope,), Level.STUDY, condition), Window(21)))
    narrowed = AllOf((_test("PatientID", Op.EQ, "P17"), condition))
    monkeypatch.setattr(nodes, "BROAD_SECONDS", 5.0)
    assert (
        large.runner.run(nodes.page(reader, Listing((large.scope,), Level.STUDY, narrowed), Window(21))) == []
    )


def test_children_of_a_page(large: Large) -> None:
    parents = [(f"1.2.3.{n}",) for n in range(1, 101)]
    listing = Listing((large.scope,), Level.SERIES, EVERYTHING)
    statement = pages.page_by_parent(listing, parents, Level.STUDY, Window(11))
    assert_bounded(large.plan(*statement), rows=1_000)


def test_a_page_that_walks_too_far_is_gathered(large: Large, monkeypatch: pytest.MonkeyPatch) -> None:
    """Matches may all stand at the far end of the order, and no estimate tells."""
    reader = large.scoped.within(AccessScope(large.scope, NOBODYS))
    condition = _test("ManufacturerModelName", Op.EQ, "Model 17")

    async def page() -> tuple[list[str], list[str]]:
        async with metered() as meter:
            rows = await nodes.page(reader, Listing((large.scope,), Level.SERIES, condition), Window(21))
        return [row["uid"] for row in rows], meter.statements

    walked, statements = large.runner.run(page())
    assert (len(walked), statements) == (21, ["page"])
    monkeypatch.setattr(nodes, "WALK_SECONDS", 1e-6)
    assert large.runner.run(page()) == (walked, ["page", "page_sorted"])
