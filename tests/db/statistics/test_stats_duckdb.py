"""Statistics of studies, series and instances against DuckDB on the same rows as Parquet, by generated filters."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access.scope import AccessScope, Scope, ScopedArchive
from db.archives import sync_archives
from db.pool import Database
from db.scoped import ScopedDatabase, ScopedReader
from db.statistics import stats
from db.statistics.attribute_facets import numeric
from db.statistics.facets import DateFacet, DateInterval, Facet
from db.statistics.stats import Bucket
from db.statistics.stats_statement import Groups, StatsQuery
from model.attributes import Key, Level
from model.filters import EVERYTHING, Condition
from tests.conditions import conditions
from tests.federation import Federation, generate, load
from tests.oracle import Oracle
from tests.stats_duckdb import NUMBERS, Cells, DuckStats
from tests.stats_oracle import ARCHIVES

EXAMPLES = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
THICKNESS = """update series set representative = jsonb_build_object('00180050', jsonb_build_object('vr', 'DS', 'Value',
    jsonb_build_array((array[0.5, 1, 1.25, 2.5, 5])[1 + abs(hashtext(series_uid)) % 5])))
    where abs(hashtext(series_uid)) % 7 > 0"""


@dataclass
class Loaded:
    scoped: ScopedDatabase
    made: Federation
    duck: DuckStats
    runner: asyncio.Runner

    @property
    def reader(self) -> ScopedReader:
        everything = tuple(ScopedArchive(each, "", "") for each in self.made.archive_ids)
        return self.scoped.within(AccessScope(Scope(everything, everything), Scope((), ())))

    def ids(self, which: str) -> tuple[int, ...]:
        return tuple(self.made.archive_ids[int(n)] for n in which)

    def matching(self, level: Level, which: str, condition: Condition) -> list[Key]:
        return Oracle(self.made.copies, list(self.ids(which))).matching(level, condition)


@pytest.fixture(scope="module")
def loaded(new_database_url: Callable[[], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    async def opened(url: str, folder: Path) -> Loaded:
        database = await Database.open(url)
        ids = await sync_archives(database, ARCHIVES)
        made = generate(11, list(ids.values()), studies=80, twins=True)
        await load(database, made)
        await database.execute("representatives", THICKNESS)
        duck = await DuckStats.of(database, folder)
        await database.close()
        return Loaded(await ScopedDatabase.open(url), made, duck, runner)

    with asyncio.Runner() as runner:
        yield runner.run(opened(new_database_url(), tmp_path_factory.mktemp("parquet")))


LEVELS = st.sampled_from(list(Level))
OPEN = st.sampled_from(["0123", "31", "2"])
MATCHED = LEVELS.flatmap(lambda level: st.tuples(st.just(level), st.just(EVERYTHING) | conditions(level)))


def cells(buckets: Sequence[Bucket]) -> Cells:
    return {bucket.values: bucket.cell.visible for bucket in buckets}


@EXAMPLES
@given(archives=OPEN, matched=MATCHED, facets=st.lists(st.sampled_from(list(Facet)), min_size=1, max_size=3))
def test_facets_cross_tables_and_cubes(
    loaded: Loaded, archives: str, matched: tuple[Level, Condition], facets: list[Facet]
) -> None:
    level, condition = matched
    stats_query = StatsQuery(Groups(loaded.ids(archives)), condition, level=level)
    found = cells(loaded.runner.run(stats.facet(loaded.reader, stats_query, facets, 100_000)))
    keys = loaded.matching(level, archives, condition)
    assert found == loaded.duck.cells(level, loaded.ids(archives), keys, facets)


@EXAMPLES
@given(
    archives=OPEN,
    matched=MATCHED,
    by=st.sampled_from(list(DateFacet)),
    interval=st.sampled_from(list(DateInterval)),
)
def test_histograms_of_dates(
    loaded: Loaded, archives: str, matched: tuple[Level, Condition], by: DateFacet, interval: DateInterval
) -> None:
    level, condition = matched
    stats_query = StatsQuery(Groups(loaded.ids(archives)), condition, level=level)
    found = cells(loaded.runner.run(stats.date_histogram(loaded.reader, stats_query, by, interval)))
    keys = loaded.matching(level, archives, condition)
    assert found == loaded.duck.dates(level, loaded.ids(archives), keys, by, interval)


@EXAMPLES
@given(
    archives=OPEN,
    matched=MATCHED,
    name=st.sampled_from(sorted(NUMBERS)),
    edges=st.sampled_from([(0.0, 4.0), (0.5, 2.5), (1.0, 5.0), (-8.0, -4.0)]),
    bins=st.sampled_from([1, 2, 8]),
)
def test_histograms_of_numbers(
    loaded: Loaded,
    archives: str,
    matched: tuple[Level, Condition],
    name: str,
    edges: tuple[float, float],
    bins: int,
) -> None:
    level, condition = matched
    if level is Level.INSTANCE and name == "SliceThickness":
        return  # of instances it is their own, and these have none
    stats_query = StatsQuery(Groups(loaded.ids(archives)), condition, level=level)
    attribute = numeric(name, level)
    found = cells(
        loaded.runner.run(stats.number_histogram(loaded.reader, stats_query, attribute, edges, bins))
    )
    found.pop((None,), None)
    keys = loaded.matching(level, archives, condition)
    assert found == loaded.duck.numbers(level, loaded.ids(archives), keys, name, edges, bins)


@EXAMPLES
@given(archives=OPEN, matched=MATCHED)
def test_totals(loaded: Loaded, archives: str, matched: tuple[Level, Condition]) -> None:
    level, condition = matched
    stats_query = StatsQuery(Groups(loaded.ids(archives)), condition, level=level)
    found = loaded.runner.run(stats.totals(loaded.reader, stats_query))
    keys = loaded.matching(level, archives, condition)
    name = {Level.STUDY: "studies", Level.SERIES: "series", Level.INSTANCE: "instances"}[level]
    assert found[name].visible == len(keys)
    if level is Level.STUDY:
        assert found["patients"].visible == loaded.duck.patients(loaded.ids(archives), keys)


def test_there_is_something_to_count(loaded: Loaded) -> None:
    """What both leave out would be equal too."""
    keys = loaded.matching(Level.SERIES, "0123", EVERYTHING)
    ids = loaded.ids("0123")
    assert len(keys) > 100
    facets = [Facet.MODALITY, Facet.ERN, Facet.STUDY_YEAR]
    assert len(loaded.duck.cells(Level.SERIES, ids, keys, facets)) > 10
    assert len(loaded.duck.numbers(Level.SERIES, ids, keys, "SliceThickness", (0.0, 5.0), 8)) == 5


def test_the_lowest_and_the_highest_number_are_the_edges(loaded: Loaded) -> None:
    stats_query = StatsQuery(Groups(loaded.ids("0123")), EVERYTHING, level=Level.SERIES)
    thickness = numeric("SliceThickness", Level.SERIES)
    assert loaded.runner.run(stats.bounds(loaded.reader, stats_query, thickness)) == (0.5, 5.0)
    one = loaded.runner.run(stats.number_histogram(loaded.reader, stats_query, thickness, (2.5, 2.5), 1))
    keys = loaded.matching(Level.SERIES, "0123", EVERYTHING)
    same = loaded.duck.numbers(Level.SERIES, loaded.ids("0123"), keys, "SliceThickness", (2.5, 2.6), 1)
    assert cells(one)[1,] == same[1,]
