"""Statistics of the IDC's studies: from rollups, by a look at every study, and by DuckDB on the Parquet file."""

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import duckdb

from bench._idc_filters import Plan, explained
from bench._idc_index import Filled
from db.statistics import stats
from db.statistics.cells import AXES
from db.statistics.facets import DateFacet, DateInterval, Facet, dimension
from db.statistics.rolled_up import RolledUp
from db.statistics.stats_statement import Groups, Statement, StatsQuery
from model.attributes import Level, attribute
from model.filters import EVERYTHING, Condition, Op, Related, Test

_MOST = 1_000_000
_RUNS = 7
MR = Test(attribute("ModalitiesInStudy"), Op.HAS, "MR")
LUNG = Related(Level.SERIES, Test(attribute("BodyPartExamined"), Op.EQ, "LUNG"))
_VALUES = {
    Facet.MODALITY: "select study_uid, unnest(modalities) as v from study",
    Facet.ERN: "select study_uid, ern as v from holder join archive using (archive_id)",
    Facet.ARCHIVE: "select study_uid, code as v from holder join archive using (archive_id)",
    Facet.STUDY_YEAR: "select study_uid, year(study_date)::varchar as v from study",
    Facet.BODY_PART: "select study_uid, v from study left join (select distinct study_uid,"
    " body_part as v from series where body_part is not null) using (study_uid)",
    Facet.PATIENT_SEX: "select study_uid, sex as v from study",
}
_WHERE = {"": "true", "MR": "list_contains(modalities, 'MR')",
          "LUNG": "study_uid in (select study_uid from series where body_part = 'LUNG')"}  # fmt: skip
_OF_SERIES = {
    Facet.MODALITY: "modality",
    Facet.MANUFACTURER: "manufacturer",
    Facet.SERIES_DESCRIPTION: "series_description",
    Facet.PATIENT_SEX: "sex",
}
Cells = dict[tuple[Any, ...], int]

QUESTIONS: list[tuple[str, list[Facet], str, Condition]] = [
    ("modality × ERN × year", [Facet.MODALITY, Facet.ERN, Facet.STUDY_YEAR], "", EVERYTHING),
    ("modality × ERN", [Facet.MODALITY, Facet.ERN], "", EVERYTHING),
    ("modality", [Facet.MODALITY], "", EVERYTHING),
    ("body part", [Facet.BODY_PART], "", EVERYTHING),
    ("archive", [Facet.ARCHIVE], "", EVERYTHING),
    ("sex × year, MR", [Facet.PATIENT_SEX, Facet.STUDY_YEAR], "MR", MR),
    ("body part, MR", [Facet.BODY_PART], "MR", MR),
    ("modality × year, body part LUNG", [Facet.MODALITY, Facet.STUDY_YEAR], "LUNG", LUNG),
]
# Of series. Descriptions are cut at 400 characters in the index; none here is longer.
OF_SERIES: list[tuple[str, list[Facet]]] = [
    ("series: modality × manufacturer", [Facet.MODALITY, Facet.MANUFACTURER]),
    ("series: description", [Facet.SERIES_DESCRIPTION]),
]


def stats_query(index: Filled, condition: Condition = EVERYTHING, level: Level = Level.STUDY) -> StatsQuery:
    return StatsQuery(Groups(tuple(index.scope.asked_ids)), condition, level=level)


async def cells(index: Filled, asked: StatsQuery, facets: Sequence[Facet]) -> Cells:
    buckets = await stats.facet(index.reader, asked, facets, _MOST)
    return {bucket.values: bucket.cell.visible for bucket in buckets}


def duck_cells(duck: duckdb.DuckDBPyConnection, sample: str, facets: Sequence[Facet], where: str) -> Cells:
    """The same by DuckDB, from the series of the file."""
    studies = f"select study_uid from study where {sample} and {_WHERE[where]}"
    axes = "".join(f" join ({_VALUES[each]}) a{n} using (study_uid)" for n, each in enumerate(facets))
    values = ", ".join(f"a{n}.v" for n in range(len(facets)))
    sql = f"select {values}, count(distinct study_uid) from ({studies}) s{axes} group by all"
    return {tuple(row[:-1]): row[-1] for row in duck.execute(sql).fetchall()}


def duck_series_cells(duck: duckdb.DuckDBPyConnection, sample: str, facets: Sequence[Facet]) -> Cells:
    """Series by values of their own."""
    values = ", ".join(f"x.{_OF_SERIES[each]}" for each in facets)
    sql = f"select {values}, count(*) from series x join study using (study_uid) where {sample} group by all"
    return {tuple(row[:-1]): row[-1] for row in duck.execute(sql).fetchall()}


async def plan(index: Filled, asked: StatsQuery, facets: Sequence[Facet]) -> Plan:
    rollup = asked.rollup([AXES[each] for each in facets])
    dimensions = [dimension(each, asked.level) for each in facets]
    if rollup is None:
        statement = Statement(asked).cells(dimensions, _MOST)
    else:
        axes = [AXES[each] for each in facets]
        statement = RolledUp(asked).cells_and_looks(dimensions, axes, rollup, _MOST)
    return await explained(index, *statement)


def scanned(asked: StatsQuery) -> StatsQuery:
    return replace(asked, scan=True)


async def median_ms(work: Callable[[], Awaitable[object]]) -> float:
    took = []
    for _ in range(_RUNS):
        begun = time.perf_counter()
        await work()
        took.append((time.perf_counter() - begun) * 1000)
    return statistics.median(took)


OTHERS: dict[str, Callable[[Filled], Awaitable[object]]] = {
    "studies, series, instances": lambda index: stats.sums(index.reader, stats_query(index)),
    "patients": lambda index: stats.patients(index.reader, stats_query(index)),
    "studies by year": lambda index: stats.date_histogram(
        index.reader, stats_query(index), DateFacet.STUDY_DATE, DateInterval.YEAR
    ),
    "studies by month": lambda index: stats.date_histogram(
        index.reader, stats_query(index), DateFacet.STUDY_DATE, DateInterval.MONTH
    ),
}
"""What else is asked without a filter: from rollups."""
