"""Statistics against the brute-force oracle: open and hidden parts, shared studies, every facet."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access.identifying import identifying_tests
from access.scope import Reach, Scope, ScopedArchive
from access.small_counts import Cell, Hidden
from db import stats
from db.archives import sync_archives
from db.facets import DateFacet, DateInterval, Facet
from db.pool import Database, Reader
from db.stats import Bucket, Groups, Question
from db.walled import WalledDatabase, WalledReader
from model.attributes import Level
from model.filters import EVERYTHING, Condition
from tests.conditions import conditions
from tests.federation import Federation, generate, load
from tests.stats_oracle import ARCHIVES, Expected, expected_cells, interval_start, parts

EXAMPLES = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
SEED = 4711


@dataclass
class Loaded:
    """A loaded index, the copies in it, and a loop to ask it from synchronous properties."""

    walled: WalledDatabase
    made: Federation
    runner: asyncio.Runner

    @property
    def reader(self) -> WalledReader:
        """Somebody who may count everywhere."""
        nothing = Scope((), ())
        counted = tuple(ScopedArchive(each, "", "") for each in self.made.archive_ids)
        return self.walled.within(Reach(nothing, nothing, counted))

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
    made = generate(5, list(ids.values()), studies=90)
    await load(database, made)
    await database.close()
    return Loaded(await WalledDatabase.open(url), made, runner)


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
        stats.facet(loaded.reader, Question(asked, condition, seed=SEED), facets, 1000)
    )
    assert found_cells(buckets) == expected_cells(loaded.made, asked, condition, tuple(facets))
    assert all((bucket.cell.hidden is not None) == bool(asked.counted) for bucket in buckets)


@EXAMPLES
@given(groups=GROUPS, condition=conditions(Level.STUDY))
def test_totals_equal_the_oracle(loaded: Loaded, groups: tuple[str, str], condition: Condition) -> None:
    asked = loaded.groups(*groups)
    found = loaded.runner.run(stats.totals(loaded.reader, Question(asked, condition, seed=SEED)))
    seen, hidden = parts(loaded.made, asked, condition)
    known = {seen.person(uid) for uid in seen.uids}
    for part, is_hidden in ((seen, False), (hidden, True)):
        counts = (
            len(part.uids),
            sum(part.oracle.union_count("NumberOfStudyRelatedSeries", uid) or 0 for uid in part.uids),
            sum(part.oracle.union_count("NumberOfStudyRelatedInstances", uid) or 0 for uid in part.uids),
            len({part.person(uid) for uid in part.uids} - (known if is_hidden else set())),
        )
        cells = (found.studies, found.series, found.instances, found.patients)
        assert tuple(_count(cell, is_hidden) for cell in cells) == counts


def _count(cell: Cell, is_hidden: bool) -> int:
    return (cell.hidden or Hidden()).count if is_hidden else cell.visible


@EXAMPLES
@given(
    groups=GROUPS,
    by=st.sampled_from(list(DateFacet)),
    interval=st.sampled_from(list(DateInterval)),
    condition=conditions(Level.STUDY),
)
def test_histograms_equal_the_oracle(
    loaded: Loaded, groups: tuple[str, str], by: DateFacet, interval: DateInterval, condition: Condition
) -> None:
    asked = loaded.groups(*groups)
    question = Question(asked, condition, seed=SEED)
    buckets = loaded.runner.run(stats.date_histogram(loaded.reader, question, by, interval))
    for part, is_hidden in zip(parts(loaded.made, asked, condition), (False, True), strict=True):
        counts: dict[date | None, int] = defaultdict(int)
        for uid in part.uids:
            counts[interval_start(part.best(uid)[by.lower()], interval)] += 1
        found = {bucket.values[0]: _count(bucket.cell, is_hidden) for bucket in buckets}
        assert {day: n for day, n in found.items() if n} == dict(counts)


def test_the_largest_buckets_come_first_and_ties_by_value(loaded: Loaded) -> None:
    question = Question(loaded.groups("0123", ""), EVERYTHING)
    everything = loaded.runner.run(
        stats.facet(loaded.reader, question, [Facet.STUDY_DESCRIPTION, Facet.BODY_PART], 1000)
    )
    order = sorted(everything, key=lambda b: (-b.cell.visible, [(v is None, v or "") for v in b.values]))
    for first in (1, 3, 7):
        some = loaded.runner.run(
            stats.facet(loaded.reader, question, [Facet.STUDY_DESCRIPTION, Facet.BODY_PART], first)
        )
        assert some == order[:first]


def test_cells_of_few_hidden_patients_are_not_even_read(loaded: Loaded) -> None:
    question = Question(loaded.groups("", "0123"), EVERYTHING, threshold=4, seed=SEED)
    buckets = loaded.runner.run(stats.facet(loaded.reader, question, [Facet.AGE_BAND], 1000))
    assert buckets
    assert all(bucket.cell.hidden and bucket.cell.hidden.patients >= 4 for bucket in buckets)


@EXAMPLES
@given(condition=conditions(Level.STUDY))
def test_the_cell_key_depends_on_the_set_of_studies_only(loaded: Loaded, condition: Condition) -> None:
    """Two wordings of one set have one key: the condition, and the UIDs that it finds."""
    asked = loaded.groups("", "0123")
    _, hidden = parts(loaded.made, asked, condition)
    question = Question(asked, condition, seed=SEED)
    found = loaded.runner.run(stats.totals(loaded.reader, question)).studies.hidden
    keys = loaded.runner.run(_record_keys(loaded.reader, hidden.uids))
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
                    stats.facet(loaded.reader, Question(asked, condition), facets, 1000)
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
