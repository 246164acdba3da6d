"""Histograms with their empty buckets and what is in none: whole where records are open, silent where they are not."""

from datetime import date
from itertools import pairwise
from typing import Any

import pytest

from access.scope import AccessLevel
from db.statistics.facets import DateInterval
from model.errors import BadInput
from reads.bins import check_edges, ends, starts
from tests.resolvers.runtime import Runtime

NUMBERS = """query (
  $min: Float, $max: Float, $bins: Int = 5, $attribute: String = "SeriesNumber", $archives: [String!]
) {
  seriesStats(archives: $archives) {
    series { value }
    histogram(attribute: $attribute, min: $min, max: $max, bins: $bins, includeEmpty: true, includeNone: true) {
      from to count { value atMost suppressed } }
    bare: histogram(attribute: $attribute, min: $min, max: $max, bins: $bins) { from to count { value } } } }"""
DATES = """query ($interval: DateInterval!) { studyStats {
    studies { value }
    dateHistogram(interval: $interval, includeEmpty: true, includeNone: true) { start count { value } }
    bare: dateHistogram(interval: $interval) { start count { value } } } }"""
FEW = {"value": None, "atMost": 9, "suppressed": True}


def values(buckets: list[Any]) -> list[Any]:
    return [each["count"]["value"] for each in buckets]


async def test_every_series_is_in_a_bucket(runtime: Runtime) -> None:
    """SeriesNumber has one value: nothing is in two buckets."""
    found = (await runtime.data(NUMBERS, {"min": -10, "max": 2, "bins": 6}))["seriesStats"]
    *bins, none = found["histogram"]
    assert [(each["from"], each["to"]) for each in bins] == [(n, n + 2) for n in range(-10, 2, 2)]
    assert values(bins)[:5] == [0] * 5
    assert (none["from"], none["to"]) == (None, None)
    assert none["count"]["value"] > 0
    assert sum(values(found["histogram"])) == found["series"]["value"]
    filled = [{**each, "count": {"value": each["count"]["value"]}} for each in bins if each["count"]["value"]]
    assert filled == found["bare"] != []


@pytest.mark.parametrize("interval", ["YEAR", "QUARTER", "MONTH"])
async def test_every_study_is_in_an_interval(runtime: Runtime, interval: str) -> None:
    found = (await runtime.data(DATES, {"interval": interval}))["studyStats"]
    *dated, undated = found["dateHistogram"]
    assert undated["start"] is None
    assert sum(values(found["dateHistogram"])) == found["studies"]["value"]
    assert [each for each in dated if each["count"]["value"]] == found["bare"]
    expected = starts(
        date.fromisoformat(dated[0]["start"]), date.fromisoformat(dated[-1]["start"]), DateInterval[interval]
    )
    assert [each["start"] for each in dated] == [str(each) for each in expected]


async def test_an_attribute_that_nothing_has(runtime: Runtime) -> None:
    found = (await runtime.data(NUMBERS, {"attribute": "EchoTrainLength"}))["seriesStats"]
    assert found["histogram"] == found["bare"] == []
    found = (await runtime.data(NUMBERS, {"attribute": "EchoTrainLength", "min": 0, "max": 1, "bins": 2}))[
        "seriesStats"
    ]
    assert values(found["histogram"]) == [0, 0, found["series"]["value"]]


async def test_empty_and_few_look_the_same_where_one_may_only_count(runtime: Runtime) -> None:
    counting = runtime.seeing(a0=AccessLevel.COUNTS, a1=AccessLevel.COUNTS, a2=AccessLevel.COUNTS)
    given = {"min": 1, "max": 1.000001, "bins": 3}
    found = (await counting.data(NUMBERS, given | {"min": 5000, "max": 6000}))["seriesStats"]
    assert [each["count"] for each in found["histogram"][:-1]] == [FEW] * 3
    found = (await counting.data(NUMBERS, given | {"min": 1, "max": 1.0005}))["seriesStats"]
    assert [each["count"] for each in found["histogram"][1:-1]] == [FEW] * 2
    assert {each["from"] for each in found["bare"]} <= {1}


async def test_edges_are_asked_for_where_no_open_record_has_them(runtime: Runtime) -> None:
    """An empty histogram would say that the records which are only counted have no numbers either."""
    half_open = runtime.seeing(a1=AccessLevel.COUNTS)
    refused = await half_open.ask(NUMBERS, {"attribute": "EchoTrainLength"})
    assert refused.codes == ["BAD_INPUT"] * len(refused.codes)
    assert "no record that you may see has such a number" in refused.errors[0]["message"]
    assert (await half_open.ask(NUMBERS, {"attribute": "EchoTrainLength", "archives": ["a0"]})).errors == []


async def test_too_many_empty_days(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reads.disclosure.MOST_CELLS", 30)
    refused = await runtime.ask(
        "{ studyStats { dateHistogram(by: PATIENT_BIRTH_DATE, interval: DAY, includeEmpty: true) { start } } }"
    )
    assert refused.codes == ["BAD_INPUT"]
    assert "more than 30 buckets" in refused.errors[0]["message"]


def test_bins_meet() -> None:
    bins = [ends((0.1, 0.7), 7, n) for n in range(1, 8)]
    assert all(one[1] == other[0] for one, other in pairwise(bins))
    assert (bins[0][0], bins[-1][1]) == (0.1, 0.7)


@pytest.mark.parametrize(
    ("interval", "first", "last", "count"),
    [
        (DateInterval.DAY, date(2024, 2, 28), date(2024, 3, 1), 3),
        (DateInterval.MONTH, date(2023, 12, 1), date(2024, 2, 1), 3),
        (DateInterval.QUARTER, date(2023, 10, 1), date(2024, 4, 1), 3),
        (DateInterval.YEAR, date(9997, 1, 1), date(9999, 1, 1), 3),
        (DateInterval.DAY, date(9999, 12, 30), date(9999, 12, 31), 2),
        (DateInterval.DAY, date(1, 1, 1), date(1, 1, 1), 1),
    ],
)
def test_intervals_follow_each_other(interval: DateInterval, first: date, last: date, count: int) -> None:
    found = list(starts(first, last, interval))
    assert (found[0], found[-1], len(found)) == (first, last, count)


@pytest.mark.parametrize(
    "edges", [(1, 1), (2, 1), (float("inf"), None), (None, float("nan")), (-1e301, 0), (None, 1e300)]
)
def test_edges_that_nothing_lies_between(edges: tuple[float | None, float | None]) -> None:
    with pytest.raises(BadInput):
        check_edges(*edges)
