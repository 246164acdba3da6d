"""Statistics against the brute-force oracle: open and hidden parts, shared studies, every facet."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access import ages
from access.identifying import identifying_tests
from access.scope import AccessScope, Scope, ScopedArchive
from access.small_counts import Cell, Hidden
from db.archives import sync_archives
from db.pool import Database, Reader
from db.scoped import ScopedDatabase, ScopedReader
from db.statistics import stats
from db.statistics.cells import AXES
from db.statistics.facets import DateFacet, DateInterval, Facet
from db.statistics.rollups import rollup_for
from db.statistics.stats import Bucket
from db.statistics.stats_statement import Groups, StatsQuery
from model.attributes import Level, attribute
from model.filters import EVERYTHING, AllOf, AnyOf, Condition, Not, Op, Related, Test
from model.vocabulary import CODE_COLUMNS, Coded
from tests.conditions import conditions
from tests.federation import MODALITIES, Federation, generate, load
from tests.stats_oracle import ARCHIVES, Expected, expected_cells, interval_start, parts

EXAMPLES = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
ROLLUP_EXAMPLES = settings(EXAMPLES, max_examples=150)
SEED = 4711


@dataclass
class Loaded:
    """A loaded index, the copies in it, and a loop to ask it from synchronous properties."""

    scoped: ScopedDatabase
    made: Federation
    runner: asyncio.Runner

    @property
    def reader(self) -> ScopedReader:
        """Somebody who may read everywhere."""
        everything = tuple(ScopedArchive(each, "", "") for each in self.made.archive_ids)
        return self.scoped.within(AccessScope(Scope(everything, everything), Scope((), ())))

    def groups(self, open_: str, counted: str) -> Groups:
        ids = self.made.archive_ids
        return Groups(tuple(ids[int(n)] for n in open_), tuple(ids[int(n)] for n in counted))


@pytest.fixture(scope="module")
def loaded(new_database_url: Callable[[], str]) -> Iterator[Loaded]:
    with asyncio.Runner() as runner:
        yield runner.run(_loaded(new_database_url(), runner))


async def _loaded(url: str, runner: asyncio.Runner) -> Loaded:
    database = await Database.open(url)
    ids = await sync_archives(database, ARCHIVES)
    made = generate(5, list(ids.values()), studies=90, twins=True)
    await load(database, made)
    await database.close()
    return Loaded(await ScopedDatabase.open(url), made, runner)


# Which archives are open and which only counted, an ERN's together; those in neither are out of the question.
GROUPS = st.sampled_from([("0123", ""), ("02", ""), ("1", ""), ("03", "12"), ("12", "30"), ("", "012")])
FACETS = st.sampled_from(list(Facet))


def found_cells(buckets: list[Bucket]) -> Expected:
    return {
        bucket.values: (
            bucket.cell.visible,
            _figures(bucket.cell.hidden) if bucket.cell.hidden and bucket.cell.hidden.count else None,
        )
        for bucket in buckets
    }


def _figures(hidden: Hidden) -> tuple[int, int, int]:
    assert hidden.key is not None
    return hidden.count, hidden.patients, hidden.largest


@EXAMPLES
@given(groups=GROUPS, facets=st.lists(FACETS, min_size=1, max_size=2), condition=conditions(Level.STUDY))
def test_facets_and_cross_tables_equal_the_oracle(
    loaded: Loaded, groups: tuple[str, str], facets: list[Facet], condition: Condition
) -> None:
    asked = loaded.groups(*groups)
    buckets = loaded.runner.run(
        stats.facet(loaded.reader, StatsQuery(asked, condition, seed=SEED), facets, 1000)
    )
    assert found_cells(buckets) == expected_cells(loaded.made, asked, condition, tuple(facets))
    assert all((bucket.cell.hidden is not None) == bool(asked.counted) for bucket in buckets)


# ---- rollups: what they answer is what a look at every study finds ------------------------------------------

OPEN = st.sampled_from(["0123", "0", "13", "02", "21"])
DAYS = st.sampled_from([date(2020, 1, 1), date(2019, 12, 31), date(2020, 1, 3), date(2020, 2, 1), date.max])


def _of_studies(keyword: str, op: Op, value: Any) -> Condition:
    return Test(attribute(keyword), op, value)


def _of_series(keyword: str, op: Op, value: Any) -> Condition:
    return Related(Level.SERIES, Test(attribute(keyword), op, value))


_PARTS = _of_series("BodyPartExamined", Op.CONTAINS, "e")
LEAVES = st.one_of(
    st.sampled_from(MODALITIES).map(lambda value: _of_studies("ModalitiesInStudy", Op.HAS, value)),
    st.sampled_from(["F", "X"]).map(lambda value: _of_studies("PatientSex", Op.EQ, value)),
    st.booleans().map(lambda value: _of_studies("PatientSex", Op.IS_NULL, value)),
    st.tuples(st.sampled_from([Op.GTE, Op.LTE, Op.EQ]), DAYS).map(
        lambda given: _of_studies("StudyDate", *given)
    ),
    st.booleans().map(lambda value: _of_studies("StudyDate", Op.IS_NULL, value)),
    st.sampled_from(["CT", "ct thorax", "é"]).map(
        lambda value: _of_studies("StudyDescription", Op.CONTAINS, value)
    ),
    st.just(_of_studies("PatientBirthDate", Op.LTE, date(1990, 12, 31))),
    st.just(_of_series("BodyPartExamined", Op.EQ, "EYE")),
    st.just(_of_series("BodyPartExamined", Op.IS_NULL, False)),
    st.just(Related(Level.SERIES, Test(CODE_COLUMNS[Coded.BODY_PART], Op.EQ, "81745001"))),
    st.just(Related(Level.SERIES, Test(CODE_COLUMNS[Coded.BODY_PART], Op.IS_NULL, True))),
    st.just(_of_series("BodyPartExamined", Op.IS_NULL, True)),
    st.just(_of_series("Manufacturer", Op.IN, ("ACME", "Ümlaut"))),
    st.just(Related(Level.SERIES, AllOf((_PARTS.condition, Not(_PARTS.condition))))),  # type: ignore[union-attr]
    st.just(Related(Level.SERIES, AnyOf((_PARTS.condition, _PARTS.condition)))),  # type: ignore[union-attr]
)
ROLLED = st.one_of(
    st.just(EVERYTHING),
    LEAVES,
    LEAVES.map(Not),
    st.lists(LEAVES, min_size=2, max_size=3).map(tuple).map(AllOf),
    st.lists(LEAVES, min_size=2, max_size=2).map(tuple).map(AnyOf),
)


@ROLLUP_EXAMPLES
@given(archives=OPEN, facets=st.lists(FACETS, min_size=1, max_size=3), condition=ROLLED)
def test_rolled_up_cells_equal_a_scan(
    loaded: Loaded, archives: str, facets: list[Facet], condition: Condition
) -> None:
    asked = loaded.groups(archives, "")
    found, expected = (
        loaded.runner.run(stats.facet(loaded.reader, StatsQuery(asked, condition, scan=scan), facets, 1000))
        for scan in (False, True)
    )
    assert found == expected


@ROLLUP_EXAMPLES
@given(archives=OPEN, condition=ROLLED)
def test_rolled_up_sums_equal_a_scan(loaded: Loaded, archives: str, condition: Condition) -> None:
    stats_query = StatsQuery(loaded.groups(archives, ""), condition)
    expected = loaded.runner.run(stats.totals(loaded.reader, stats_query))
    if stats_query.rollup() is not None:
        found = loaded.runner.run(stats.sums(loaded.reader, stats_query))
        assert found == {name: expected[name] for name in found}
    if condition == EVERYTHING:
        assert loaded.runner.run(stats.patients(loaded.reader, stats_query)) == expected["patients"]


SERIES_LEAVES = st.one_of(
    st.sampled_from(MODALITIES).map(lambda value: Test(attribute("Modality"), Op.EQ, value)),
    st.booleans().map(lambda value: Test(attribute("BodyPartExamined"), Op.IS_NULL, value)),
    st.sampled_from(["CT", "é"]).map(lambda value: Test(attribute("SeriesDescription"), Op.CONTAINS, value)),
    st.booleans().map(lambda value: Test(attribute("SeriesDescription"), Op.IS_NULL, value)),
    st.just(Test(attribute("Manufacturer"), Op.IN, ("ACME", "Ümlaut"))),
    st.just(Related(Level.STUDY, _of_studies("PatientSex", Op.EQ, "F"))),
    st.just(Related(Level.STUDY, _of_studies("ModalitiesInStudy", Op.HAS, "MR"))),
    st.just(Related(Level.STUDY, _of_series("BodyPartExamined", Op.EQ, "EYE"))),
    DAYS.map(lambda day: Related(Level.STUDY, Not(_of_studies("StudyDate", Op.GTE, day)))),
)
INSTANCE_LEAVES = st.sampled_from(
    [
        Test(attribute("SOPClassUID"), Op.EQ, "1.2.840.10008.5.1.4.1.1.4"),
        Test(attribute("SOPClassUID"), Op.IN, ("1.2.3", "1.2.840.10008.5.1.4.1.1.2")),
        Test(attribute("Rows"), Op.EQ, 256),
    ]
)


def _trees(leaves: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    pairs = st.lists(leaves, min_size=2, max_size=2).map(tuple)
    return st.one_of(st.just(EVERYTHING), leaves, leaves.map(Not), pairs.map(AllOf), pairs.map(AnyOf))


BELOW = st.one_of(
    st.tuples(st.just(Level.SERIES), _trees(SERIES_LEAVES)),
    st.tuples(st.just(Level.INSTANCE), _trees(INSTANCE_LEAVES)),
)


@ROLLUP_EXAMPLES
@given(archives=OPEN, facets=st.lists(FACETS, min_size=1, max_size=2), below=BELOW)
def test_rolled_up_series_and_instances_equal_a_scan(
    loaded: Loaded, archives: str, facets: list[Facet], below: tuple[Level, Condition]
) -> None:
    level, condition = below
    stats_query = StatsQuery(loaded.groups(archives, ""), condition, level=level)
    found, expected = (
        loaded.runner.run(stats.facet(loaded.reader, replace(stats_query, scan=scan), facets, 1000))
        for scan in (False, True)
    )
    assert found == expected
    if stats_query.rollup() is not None:
        totals = loaded.runner.run(stats.totals(loaded.reader, stats_query))
        sums = loaded.runner.run(stats.sums(loaded.reader, stats_query))
        assert sums == {name: totals[name] for name in sums}


@pytest.mark.parametrize(
    ("level", "condition", "facets", "kind"),
    [
        (Level.SERIES, EVERYTHING, [Facet.MODALITY], 20),
        (Level.SERIES, EVERYTHING, [Facet.SERIES_DESCRIPTION, Facet.ERN], 21),
        (Level.SERIES, Test(attribute("Modality"), Op.EQ, "MR"), [Facet.STUDY_YEAR, Facet.AGE_BAND], 22),
        (Level.SERIES, Related(Level.STUDY, _of_studies("PatientSex", Op.EQ, "F")), [Facet.MODALITY], 22),
        (Level.SERIES, Related(Level.STUDY, _of_studies("PatientID", Op.EQ, "F")), [Facet.MODALITY], None),
        (Level.SERIES, Related(Level.STUDY, _of_studies("ModalitiesInStudy", Op.HAS, "MR")), [], None),
        (Level.SERIES, Test(attribute("SeriesNumber"), Op.EQ, 1), [Facet.MODALITY], None),
        (Level.INSTANCE, EVERYTHING, [Facet.SOP_CLASS], 30),
        (Level.INSTANCE, EVERYTHING, [Facet.MODALITY], None),
    ],
)
def test_which_rollup_answers_below_studies(
    level: Level, condition: Condition, facets: list[Facet], kind: int | None
) -> None:
    found = rollup_for(condition, [AXES[each].needs for each in facets], level)
    assert (None if found is None else found.kind) == kind


@ROLLUP_EXAMPLES
@given(
    archives=OPEN,
    by=st.sampled_from(list(DateFacet)),
    interval=st.sampled_from(list(DateInterval)),
    condition=ROLLED,
)
def test_rolled_up_histograms_equal_a_scan(
    loaded: Loaded, archives: str, by: DateFacet, interval: DateInterval, condition: Condition
) -> None:
    asked = loaded.groups(archives, "")
    found, expected = (
        loaded.runner.run(
            stats.date_histogram(loaded.reader, StatsQuery(asked, condition, scan=scan), by, interval)
        )
        for scan in (False, True)
    )
    assert found == expected


@pytest.mark.parametrize(
    ("condition", "facets", "kind"),
    [
        (EVERYTHING, [Facet.ERN], 0),
        (EVERYTHING, [Facet.MODALITY], 2),
        (EVERYTHING, [Facet.BODY_PART_CODE], 2),
        (EVERYTHING, [Facet.MODALITY, Facet.ERN, Facet.STUDY_YEAR], 1),
        (EVERYTHING, [Facet.SERIES_DESCRIPTION, Facet.ERN], 9),
        (EVERYTHING, [Facet.SERIES_DESCRIPTION, Facet.MODALITY], None),
        (EVERYTHING, [Facet.AGE_BAND, Facet.BODY_PART], None),
        (_of_studies("StudyDate", Op.GTE, date(2020, 1, 1)), [Facet.MODALITY], 1),
        (_of_studies("StudyDate", Op.LTE, date(2020, 3, 31)), [Facet.PATIENT_SEX], 4),
        (_of_studies("StudyDate", Op.LTE, date(2020, 3, 30)), [Facet.ARCHIVE], 7),
        (_of_studies("StudyDate", Op.LTE, date(2020, 3, 30)), [Facet.MODALITY], None),
        (_of_studies("PatientID", Op.EQ, "P1"), [Facet.MODALITY], None),
        (_of_series("Modality", Op.EQ, "MR"), [Facet.MODALITY], None),
        (_of_series("Manufacturer", Op.EQ, "ACME"), [Facet.BODY_PART], 2),
        (_of_series("Manufacturer", Op.IS_NULL, True), [Facet.BODY_PART], None),
    ],
)
def test_which_rollup_answers(condition: Condition, facets: list[Facet], kind: int | None) -> None:
    found = rollup_for(condition, [AXES[each].needs for each in facets])
    assert (None if found is None else found.kind) == kind


def test_who_may_only_count_is_not_answered_from_rollups(loaded: Loaded) -> None:
    assert StatsQuery(loaded.groups("0", "12"), EVERYTHING).rollup() is None
    counting = AccessScope(
        Scope((), ()), Scope((), ()), tuple(ScopedArchive(n, "", "") for n in loaded.made.archive_ids)
    )
    for view in ("holding", "cell", "family", "person", "person_set", "archive", "apart"):
        sql = f"select * from counts.rollup_{view}"  # noqa: S608
        rows = loaded.runner.run(loaded.scoped.within(counting).fetch("x", sql))
        assert rows == []


def test_bands_of_ages_are_those_of_pseudonymised_records(loaded: Loaded) -> None:
    born = date(1900, 3, 1)
    days = [born.replace(year=born.year + years, day=day) for years in range(132) for day in (1, 2)]
    days += [date(1900 + years, 2, 28) for years in range(132)]
    sql = "select age_band(day, $2) as band from unnest($1::date[]) with ordinality d (day, n) order by n"
    found = loaded.runner.run(loaded.reader.fetch("bands", sql, days, born))
    for day, row in zip(days, found, strict=True):
        years = ages.years_between(born, day)
        assert row["band"] == (None if years is None else ages.age_band(years))


@EXAMPLES
@given(groups=GROUPS, condition=conditions(Level.STUDY))
def test_totals_equal_the_oracle(loaded: Loaded, groups: tuple[str, str], condition: Condition) -> None:
    asked = loaded.groups(*groups)
    found = loaded.runner.run(stats.totals(loaded.reader, StatsQuery(asked, condition, seed=SEED)))
    seen, hidden = parts(loaded.made, asked, condition)
    known = {seen.person(key) for key in seen.keys}
    for part, is_hidden in ((seen, False), (hidden, True)):
        counts = (
            len(part.keys),
            sum(part.oracle.union_count("NumberOfStudyRelatedSeries", key) or 0 for key in part.keys),
            sum(part.oracle.union_count("NumberOfStudyRelatedInstances", key) or 0 for key in part.keys),
            len({part.person(key) for key in part.keys} - (known if is_hidden else set())),
        )
        cells = (found[name] for name in ("studies", "series", "instances", "patients"))
        assert tuple(_count(cell, is_hidden) for cell in cells) == counts


def _count(cell: Cell, is_hidden: bool) -> int:
    return (cell.hidden or Hidden()).count if is_hidden else cell.visible


@EXAMPLES
@given(
    groups=GROUPS,
    by=st.sampled_from([DateFacet.STUDY_DATE, DateFacet.PATIENT_BIRTH_DATE]),
    interval=st.sampled_from(list(DateInterval)),
    condition=conditions(Level.STUDY),
)
def test_histograms_equal_the_oracle(
    loaded: Loaded, groups: tuple[str, str], by: DateFacet, interval: DateInterval, condition: Condition
) -> None:
    asked = loaded.groups(*groups)
    stats_query = StatsQuery(asked, condition, seed=SEED)
    buckets = loaded.runner.run(stats.date_histogram(loaded.reader, stats_query, by, interval))
    for part, is_hidden in zip(parts(loaded.made, asked, condition), (False, True), strict=True):
        counts: dict[date | None, int] = defaultdict(int)
        for key in part.keys:
            counts[interval_start(part.best(key)[by.lower()], interval)] += 1
        found = {bucket.values[0]: _count(bucket.cell, is_hidden) for bucket in buckets}
        assert {day: n for day, n in found.items() if n} == dict(counts)


def test_the_largest_buckets_come_first_and_ties_by_value(loaded: Loaded) -> None:
    stats_query = StatsQuery(loaded.groups("0123", ""), EVERYTHING)
    everything = loaded.runner.run(
        stats.facet(loaded.reader, stats_query, [Facet.STUDY_DESCRIPTION, Facet.BODY_PART], 1000)
    )
    order = sorted(everything, key=lambda b: (-b.cell.visible, [(v is None, v or "") for v in b.values]))
    for first in (1, 3, 7):
        some = loaded.runner.run(
            stats.facet(loaded.reader, stats_query, [Facet.STUDY_DESCRIPTION, Facet.BODY_PART], first)
        )
        assert some == order[:first]


def test_cells_of_few_hidden_patients_are_not_even_read(loaded: Loaded) -> None:
    stats_query = StatsQuery(loaded.groups("", "0123"), EVERYTHING, threshold=4, seed=SEED)
    buckets = loaded.runner.run(stats.facet(loaded.reader, stats_query, [Facet.AGE_BAND], 1000))
    assert buckets
    assert all(bucket.cell.hidden and bucket.cell.hidden.patients >= 4 for bucket in buckets)


@EXAMPLES
@given(condition=conditions(Level.STUDY))
def test_the_cell_key_depends_on_the_set_of_studies_only(loaded: Loaded, condition: Condition) -> None:
    """Two wordings of one set have one key: the condition, and the UIDs that it finds."""
    asked = loaded.groups("", "0123")
    _, hidden = parts(loaded.made, asked, condition)
    stats_query = StatsQuery(asked, condition, seed=SEED)
    found = loaded.runner.run(stats.totals(loaded.reader, stats_query))["studies"].hidden
    keys = loaded.runner.run(_record_keys(loaded.reader, [uid for (uid,) in hidden.keys]))
    assert found is not None
    assert found.key == min(keys, default=None)


async def _record_keys(database: Reader, uids: list[str]) -> list[int]:
    sql = 'select hashtextextended(uid collate "C", $2::bigint) as key from unnest($1::text[]) uid'
    return [row["key"] for row in await database.fetch("keys", sql, uids, SEED)]


@EXAMPLES
@given(condition=conditions(Level.STUDY), groups=st.sampled_from([("0", "123"), ("01", "23"), ("2", "0")]))
def test_hidden_archives_never_change_what_counts_exactly(
    loaded: Loaded, condition: Condition, groups: tuple[str, str]
) -> None:
    both, alone = loaded.groups(*groups), loaded.groups(groups[0], "")
    for facets in ([Facet.MODALITY], [Facet.STUDY_DESCRIPTION]):
        found = [
            {
                bucket.values: bucket.cell.visible
                for bucket in loaded.runner.run(
                    stats.facet(loaded.reader, StatsQuery(asked, condition), facets, 1000)
                )
                if bucket.cell.visible
            }
            for asked in (both, alone)
        ]
        assert found[0] == found[1]


@given(condition=conditions(Level.STUDY))
def test_every_generated_test_of_an_identifying_attribute_is_found(condition: Condition) -> None:
    named = [word for word in _IDENTIFYING if word in repr(condition)]
    assert identifying_tests(condition) or not named


_IDENTIFYING = (
    "'PatientName'",
    "'StudyDate'",
    "'PatientID'",
    "TextTest(",
    "'SeriesDescription'",
    "'PatientSize'",
)
