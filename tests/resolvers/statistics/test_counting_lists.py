"""What one may list exactly one may count exactly; what was not asked is null and said, never 0."""

from dataclasses import replace
from typing import Any

import pytest

from access.scope import Viewer
from access.small_counts import Policies
from tests.resolvers.cohort_home import ANALYST, COUNTS, FULL, MR, PSEUDO, Home, person
from tests.resolvers.runtime import Runtime

MIXED = person("mixed", eye=FULL, rnd=PSEUDO, vasc=COUNTS)
LISTING = person("listing", eye=FULL, rnd=PSEUDO, vasc=PSEUDO)
COUNTER = person("counter", eye=COUNTS, rnd=COUNTS)
BOTH = person("both", eye=FULL, rnd=COUNTS)
IDENTIFYING = {"patientName": {"startsWith": "m"}}
FILTERS: list[dict[str, Any]] = [
    {},
    MR,
    {"series": {"modality": {"eq": "CT"}}},
    {"not": MR},
    {"numberOfStudyRelatedSeries": {"gte": 2}},
    {"modalitiesInStudy": {"any": ["NONE"]}},
]

ASK = """query ($f: StudyFilter, $a: [String!]) {
  studies(filter: $f, archives: $a) { totalCount complete sources { archive { code ern } matched state } }
  series(filter: {study: $f}, archives: $a) { totalCount }
  instances(filter: {series: {study: $f}}, archives: $a) { totalCount }
  studyStats(filter: $f, archives: $a) { studies { value atMost suppressed } patients { value suppressed }
    archive: facet(by: ARCHIVE) { value count { value suppressed } }
    ern: facet(by: ERN) { value count { value suppressed } }
    modality: facet(by: MODALITY) { value count { value } }
    crossTab(rows: ERN, columns: MODALITY) { row } dateHistogram { start } facetOf(attribute: "Manufacturer") { value }
    complete sources { archive { code ern } matched state error { code } } }
  seriesStats(filter: {study: $f}, archives: $a) { series { value } }
  instanceStats(filter: {series: {study: $f}}, archives: $a) { instances { value } } }"""
UNKNOWN = {"value": None, "suppressed": False}


@pytest.fixture
def strict(home: Home) -> Home:
    """The same with small counts protected as by default."""
    services = replace(home.runtime.services, small_counts=Policies())
    return replace(home, runtime=Runtime(services))


@pytest.mark.parametrize("viewer", [ANALYST, LISTING], ids=lambda each: each.subject)
async def test_statistics_count_what_lists_have(strict: Home, viewer: Viewer) -> None:
    for given in FILTERS:
        found = await strict.data(viewer, ASK, f=given)
        total = found["studies"]["totalCount"]
        assert found["studyStats"]["studies"] == {"value": total, "atMost": None, "suppressed": False}, given
        assert found["seriesStats"]["series"]["value"] == found["series"]["totalCount"]
        assert found["instanceStats"]["instances"]["value"] == found["instances"]["totalCount"]
        matched = {each["archive"]["code"]: each["matched"] for each in found["studies"]["sources"]}
        assert {
            each["archive"]["code"]: each["matched"] for each in found["studyStats"]["sources"]
        } == matched
        buckets = {each["value"]: each["count"]["value"] for each in found["studyStats"]["archive"]}
        assert {code: buckets.get(code, 0) for code in matched} == matched
        by_ern = {each["archive"]["ern"]: each["matched"] for each in found["studies"]["sources"]}
        buckets = {each["value"]: each["count"]["value"] for each in found["studyStats"]["ern"]}
        assert {ern: buckets.get(ern, 0) for ern in by_ern} == by_ern
    assert (await strict.data(viewer, ASK, f={}))["studies"]["totalCount"] > 10


async def test_the_rest_is_protected_as_it_was(strict: Home) -> None:
    """Beside what lists have, the part that may only be counted is what it is without them, or hidden."""
    for given in FILTERS:
        listed = (await strict.data(MIXED, ASK, f=given, a=["a0", "a1"]))["studies"]["totalCount"]
        count = (await strict.data(MIXED, ASK, f=given))["studyStats"]["studies"]
        assert (count["atMost"] == listed + 9) if count["suppressed"] else count["value"] >= listed + 10
        alone = (await strict.data(MIXED, ASK, f=given, a=["a2"]))["studyStats"]
        assert [each["count"]["suppressed"] for each in alone["archive"]] == [alone["studies"]["suppressed"]]
        assert alone["sources"][0]["matched"] is None


async def test_of_what_was_not_asked_nothing_is_known(strict: Home) -> None:
    answer = await strict.ask(ANALYST, ASK, f=IDENTIFYING)
    assert answer.errors == []
    stats = answer.data["studyStats"]
    assert stats["studies"] == {"value": None, "atMost": None, "suppressed": False}
    assert stats["patients"] == UNKNOWN
    assert [stats[name] for name in ("modality", "crossTab", "dateHistogram", "facetOf")] == [None] * 4
    assert stats["archive"] == [{"value": code, "count": UNKNOWN} for code in ("a0", "a1")]
    assert {each["state"] for each in stats["sources"]} == {"SKIPPED"}
    assert {each["matched"] for each in stats["sources"]} == {None}
    assert stats["complete"] is False
    assert answer.data["seriesStats"]["series"]["value"] is None
    [warning] = answer.body["extensions"]["warnings"]
    assert warning["code"] == "IDENTIFYING_FILTER"
    assert warning["message"].startswith("Not asked: a0, a1;")


async def test_what_was_not_asked_is_null_beside_what_was(strict: Home) -> None:
    answer = await strict.ask(BOTH, ASK, f=IDENTIFYING)
    stats, listed = answer.data["studyStats"], answer.data["studies"]
    assert stats["studies"]["value"] == listed["totalCount"] > 0
    assert stats["archive"] == [
        {"value": "a0", "count": {"value": listed["totalCount"], "suppressed": False}},
        {"value": "a1", "count": UNKNOWN},
    ]
    assert stats["complete"] is False


@pytest.mark.parametrize(
    ("viewer", "archives", "complete", "codes"),
    [
        (ANALYST, None, True, []),
        (BOTH, None, True, ["FORBIDDEN"]),
        (BOTH, ["a0"], True, []),
        (BOTH, ["a0", "a1"], False, ["FORBIDDEN"]),
        (COUNTER, None, False, ["FORBIDDEN"]),
    ],
)
async def test_complete_is_what_its_description_says(
    strict: Home, viewer: Viewer, archives: list[str] | None, complete: bool, codes: list[str]
) -> None:
    query = "query ($a: [String!]) { studies(archives: $a) { complete sources { state } } }"
    answer = await strict.ask(viewer, query, a=archives)
    assert answer.data["studies"]["complete"] is complete
    warnings = answer.body.get("extensions", {}).get("warnings", [])
    assert [each["code"] for each in warnings] == codes
    # asked for or not, what was left out is said
    bare = await strict.ask(
        viewer, "query ($a: [String!]) { studies(archives: $a) { totalCount } }", a=archives
    )
    assert bare.body.get("extensions", {}).get("warnings", []) == warnings


async def test_statistics_are_complete_where_they_may_count(strict: Home) -> None:
    for viewer in (ANALYST, BOTH, COUNTER, MIXED):
        stats = (await strict.data(viewer, "{ studyStats { complete sources { state } } }"))["studyStats"]
        assert stats["complete"] is True
        assert {each["state"] for each in stats["sources"]} == {"CACHED"}
