"""PatientAge (AS) compares and is counted as ages: 18M is more than 1Y, and 045Y is 45."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from access.scope import AccessScope, Scope, ScopedArchive
from db.lists import nodes, pages
from db.lists.listing import Listing, Window
from db.pool import Database
from db.scoped import ScopedDatabase, ScopedReader
from db.statistics import stats
from db.statistics.attribute_facets import numeric
from db.statistics.stats_statement import Groups, StatsQuery
from model.attributes import Level
from model.errors import BadInput
from model.filters import EVERYTHING, all_of
from resolvers.filters.matches import AttributeMatch, attribute_tests
from tests.db.writing.ingesting import store, two_archives
from tests.rows import Row, study

AGES = {
    "1.1": "045Y",
    "1.2": "018M",
    "1.3": "001Y",
    "1.4": "540D",
    "1.5": "010D",
    "1.6": "unknown",
    "1.7": None,
}
EYE = ScopedArchive(1, "eye", "ERN-EYE")
REACH = AccessScope(Scope((EYE,), (EYE,)), Scope((), ()))


def aged(uid: str, age: str | None) -> Row:
    return study(uid) | ({} if age is None else {"00101010": {"vr": "AS", "Value": [age]}})


ASKED: list[tuple[dict[str, Any], str]] = [
    ({"gte": "18Y"}, "1.1"),
    ({"gte": "18"}, "1.1"),
    ({"gte": "1Y"}, "1.1 1.2 1.3 1.4"),
    ({"gte": "13M", "lte": "045Y"}, "1.1 1.2 1.4"),
    ({"lte": "12M"}, "1.3 1.5"),
    ({"eq": "12m"}, "1.3"),
    ({"in_": ["10D", "45Y"]}, "1.1 1.5"),
    ({"exists": True}, "1.1 1.2 1.3 1.4 1.5 1.6"),
]


@pytest.fixture
async def reader(database: Database) -> AsyncIterator[ScopedReader]:
    """Somebody who may read studies of these ages."""
    await two_archives(database)
    await store(database, 1, [aged(uid, age) for uid, age in AGES.items()])
    scoped = await ScopedDatabase.open(database.url)
    yield scoped.within(REACH)
    await scoped.close()


async def test_ages_compare_and_are_counted_as_ages(reader: ScopedReader) -> None:
    for asked, found in ASKED:
        tests = attribute_tests(Level.STUDY, [AttributeMatch(name="PatientAge", **asked)])
        rows = await nodes.page(reader, Listing((REACH.records,), Level.STUDY, all_of(tests)), Window(100))
        assert sorted(row["uid"] for row in rows) == found.split(), asked
    stats_query, of = StatsQuery(Groups((1,)), EVERYTHING), numeric("PatientAge", Level.STUDY)
    low, high = await stats.bounds(reader, stats_query, of) or (0, 0)
    assert (round(low, 4), high) == (0.0274, 45.0)
    buckets = await stats.number_histogram(reader, stats_query, of, (0.0, 45.0), 45)
    assert {bucket.values[0]: bucket.cell.visible for bucket in buckets} == {1: 1, 2: 3, 45: 1, None: 2}


@pytest.mark.parametrize("age", ["old", "", "18 years", "-1Y", "1234Y"])
def test_what_is_no_age_is_said(age: str) -> None:
    tests = attribute_tests(Level.STUDY, [AttributeMatch(name="PatientAge", gte=age)])
    listing = Listing((REACH.records,), Level.STUDY, all_of(tests))
    with pytest.raises(BadInput, match="compared as an age, such as 18Y"):
        pages.page(listing, Window(1))
