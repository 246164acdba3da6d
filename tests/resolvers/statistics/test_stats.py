"""`studyStats` over the served schema: what it answers, costs and refuses; what a counted archive shows."""

from typing import Any

import pytest

from access.scope import AccessLevel
from config.access_file import AccessRules, ErnPolicy
from config.settings import Settings
from model.attributes import Level
from model.filters import EVERYTHING
from reads.services import Services
from tests.federation import Federation
from tests.oracle import Oracle
from tests.resolvers.runtime import Runtime

WHOLE = """query ($filter: StudyFilter, $archives: [String!]) {
  studyStats(filter: $filter, archives: $archives) {
    studies { value atMost suppressed } series { value } instances { value } patients { value atMost }
    modality: facet(by: MODALITY) { value count { value atMost suppressed } }
    again: facet(by: MODALITY) { value count { value } }
    ern: facet(by: ERN) { value count { value atMost suppressed } }
    dateHistogram(interval: DAY) { start count { value } }
    crossTab(rows: ERN, columns: MODALITY, first: 1000) { row column count { value atMost suppressed } }
    complete sources { archive { code } state matched error { code } }
  }
}"""


async def test_one_statement_an_aggregate_however_often_it_is_asked(runtime: Runtime) -> None:
    given = {"accessionNumber": {"isNull": False}}
    answer = await runtime.ask(WHOLE, {"filter": given})
    assert answer.errors == []
    assert answer.statements.count("stats_totals") == 1
    assert answer.statements.count("stats_cells") == 4
    assert answer.requests == {}


async def test_rollups_answer_where_they_can(runtime: Runtime) -> None:
    """By archive for `sources` too. Patients of a filter are counted one by one."""
    whole = await runtime.ask(WHOLE)
    assert sorted(set(whole.statements)) == [
        *("list_archives", "stats_rollup_cells", "stats_rollup_patients", "stats_rollup_sums")
    ]
    assert whole.statements.count("stats_rollup_cells") == 5
    filtered = await runtime.ask(WHOLE, {"filter": {"patientSex": {"eq": "F"}}})
    assert filtered.statements.count("stats_totals") == 1
    assert "stats_rollup_patients" not in filtered.statements


async def test_who_may_only_count_gets_nothing_from_rollups(runtime: Runtime) -> None:
    answer = await runtime.seeing(a1=AccessLevel.COUNTS).ask(WHOLE, {"archives": ["a1"]})
    assert not any("rollup" in statement for statement in answer.statements)


async def test_open_archives_are_counted_exactly(runtime: Runtime, federation: Federation) -> None:
    found = (await runtime.data(WHOLE))["studyStats"]
    oracle = Oracle(federation.copies, federation.archive_ids)
    total, matched = oracle.counts(Level.STUDY, EVERYTHING)
    assert found["studies"] == {"value": total, "atMost": None, "suppressed": False}
    assert found["modality"][0]["count"]["suppressed"] is False
    assert [each["matched"] for each in found["sources"]] == [matched[each] for each in oracle.visible]
    by_ern = {each["value"]: each["count"]["value"] for each in found["ern"]}
    assert sorted(by_ern.values()) == sorted(matched.values())
    assert sorted(by_ern) == ["ERN-EYE", "ERN-RND", "VASCERN"]
    assert found["complete"] is True
    dates = [each["start"] for each in found["dateHistogram"]]
    assert dates == sorted(dates)


async def test_a_bucket_has_as_many_studies_as_a_list_with_its_value(runtime: Runtime) -> None:
    for bucket in (await runtime.data(WHOLE))["studyStats"]["modality"]:
        query = "query ($m: String!) { studies(filter: {modalitiesInStudy: {any: [$m]}}) { totalCount } }"
        listed = await runtime.data(query, {"m": bucket["value"]})
        assert listed["studies"]["totalCount"] == bucket["count"]["value"]


DEEP = """query ($archives: [String!]) {
  studyStats(archives: $archives) {
    facetOf(attribute: "StudyDescription", first: 1000) { value count { value suppressed } }
    again: facet(by: STUDY_DESCRIPTION, first: 1000) { value count { value suppressed } }
    histogram(attribute: "PatientSize", bins: 2) { from to count { value } }
  }
  seriesStats(archives: $archives) {
    series { value } instances { value } patients { value }
    facet(by: SERIES_DESCRIPTION) { value count { value } }
    cube(by: [MODALITY, PATIENT_SEX]) { values count { value } }
    histogram(attribute: "SeriesNumber", min: 1, max: 3, bins: 2) { from to count { value } }
    complete sources { matched }
  }
  instanceStats(archives: $archives) {
    instances { value } patients { value }
    facet(by: MODALITY) { value count { value } }
    histogram(attribute: "Rows", bins: 4) { from to count { value } }
  }
}"""


async def test_series_and_instances_are_counted_too(runtime: Runtime, federation: Federation) -> None:
    found = await runtime.data(DEEP)
    oracle = Oracle(federation.copies, federation.archive_ids)
    studies, serieses, instances = found["studyStats"], found["seriesStats"], found["instanceStats"]
    assert serieses["series"]["value"] == len(oracle.matching(Level.SERIES, EVERYTHING))
    assert instances["instances"]["value"] == len(oracle.matching(Level.INSTANCE, EVERYTHING))
    assert serieses["instances"]["value"] == instances["instances"]["value"]
    assert serieses["patients"] == instances["patients"]
    assert sum(each["count"]["value"] for each in serieses["facet"]) == serieses["series"]["value"]
    assert studies["facetOf"] == studies["again"]
    assert [(each["from"], each["to"]) for each in studies["histogram"]] == [(1.5, 1.75), (1.75, 2.0)]
    assert [each["from"] for each in instances["histogram"]] == [256, 448]
    assert sum(each["count"]["value"] for each in instances["histogram"]) == instances["instances"]["value"]
    assert {len(each["values"]) for each in serieses["cube"]} == {2}
    assert serieses["complete"] is True


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (
            'histogram(attribute: "StudyDescription") { to }',
            "its VR is LO, which is no number; count it with facetOf",
        ),
        ('histogram(attribute: "(ACME)0009xx01") { to }', "it has no VR in the dictionary"),
        ('histogram(attribute: "PixelData") { to }', "has no values to count by"),
        ('histogram(attribute: "SliceThicknes") { to }', "Did you mean SliceThickness"),
        ('histogram(attribute: "Rows", bins: 0) { to }', "bins: 1 to 1000"),
        ('histogram(attribute: "Rows", bins: null) { to }', "bins: 1 to 1000"),
        ('histogram(attribute: "Rows", min: 5, max: 5) { to }', "min: has to be less than max"),
        ('histogram(attribute: "Rows", min: 1e301, max: 2e301) { to }', "between -1e300 and 1e300"),
        ('facetOf(attribute: "RequestAttributesSequence") { value }', "VR SQ has no values to count by"),
        ('facetOf(attribute: "Manufacturer", first: 0) { value }', "first: 1 to 1000"),
    ],
)
@pytest.mark.parametrize("level", ["studyStats", "seriesStats", "instanceStats"])
async def test_what_cannot_be_counted_by_says_why(
    runtime: Runtime, level: str, field: str, said: str
) -> None:
    answer = await runtime.ask(f"{{ {level} {{ {field} }} }}")
    assert answer.codes == ["BAD_INPUT"]
    assert said in answer.errors[0]["message"]


async def test_the_index_says_what_it_lacks_of_an_attribute(runtime: Runtime) -> None:
    """No archive's search tells the slice thickness, and no series here has a representative."""
    query = """{ studyStats { histogram(attribute: "SliceThickness") { to } complete
        sources { state error { code } } } }"""
    found = (await runtime.data(query))["studyStats"]
    assert found["histogram"] == []
    assert found["complete"] is False
    assert {(each["state"], each["error"]["code"]) for each in found["sources"]} == {
        ("PARTIAL", "NOT_INDEXED")
    }


CUBE = """query ($filter: StudyFilter) { studyStats(filter: $filter) {
    cube(by: [MODALITY, ERN, STUDY_YEAR], first: 1000) { values count { value } } } }"""


async def test_modality_by_network_by_year(runtime: Runtime) -> None:
    """From a rollup, and study by study."""
    cells = (await runtime.data(CUBE))["studyStats"]["cube"]
    assert {len(each["values"]) for each in cells} == {3}
    assert {each["values"][2] for each in cells} == {"2020", None}
    scanned = await runtime.ask(CUBE, {"filter": {"not": {"accessionNumber": {"eq": "nobody's"}}}})
    assert scanned.statements.count("stats_cells") == 1
    assert scanned.data["studyStats"]["cube"] == cells


async def test_archives_that_are_not_asked_do_not_count(runtime: Runtime) -> None:
    found = (await runtime.data(WHOLE, {"archives": ["a0"]}))["studyStats"]
    assert [each["value"] for each in found["ern"]] == ["ERN-EYE"]
    assert [each["archive"]["code"] for each in found["sources"]] == ["a0"]


async def test_no_archive_asked_is_nothing_known(runtime: Runtime) -> None:
    found = (await runtime.data(WHOLE, {"archives": []}))["studyStats"]
    assert found["studies"] == {"value": None, "atMost": None, "suppressed": False}
    assert found["modality"] is None


async def test_an_archive_that_may_not_be_seen_does_not_exist(runtime: Runtime) -> None:
    answer = await runtime.without("a1").ask(WHOLE, {"archives": ["a1"]})
    assert answer.codes == ["NOT_FOUND"]


@pytest.mark.parametrize(
    "field",
    [
        "facet(by: MODALITY, first: 0) { value }",
        "facet(by: MODALITY, first: 1001) { value }",
        "facet(by: MODALITY, first: null) { value }",
        "crossTab(rows: ERN, columns: MODALITY, first: 1001) { row }",
        "cube(by: []) { values }",
        "cube(by: [ERN, MODALITY, STUDY_YEAR, ARCHIVE]) { values }",
        " ".join(f"f{n}: facet(by: ERN, first: {n}) {{ value }}" for n in range(1, 22)),
    ],
)
async def test_too_much_is_refused(runtime: Runtime, field: str) -> None:
    answer = await runtime.ask(f"{{ studyStats {{ {field} }} }}")
    assert set(answer.codes) == {"BAD_INPUT"}


# ---- archives that may only be counted: a1 ---------------------------------------------------------------


@pytest.fixture
def half_open(runtime: Runtime) -> Runtime:
    """The same services for somebody who may only count a1."""
    return runtime.seeing(a1=AccessLevel.COUNTS)


async def test_a_counted_archive_is_hidden_where_it_is_small(half_open: Runtime) -> None:
    given = {"modalitiesInStudy": {"all": ["MR", "CT"]}}
    found = (await half_open.data(WHOLE, {"archives": ["a1"], "filter": given}))["studyStats"]
    hidden: dict[str, Any] = {"value": None, "atMost": 9, "suppressed": True}
    assert found["ern"] == [{"value": "ERN-RND", "count": hidden}]
    assert found["dateHistogram"] == []
    assert found["sources"] == [
        {"archive": {"code": "a1"}, "state": "CACHED", "matched": None, "error": None}
    ]


async def test_open_archives_stay_exact_beside_a_counted_one(half_open: Runtime) -> None:
    alone = (await half_open.data(WHOLE, {"archives": ["a0", "a2"]}))["studyStats"]
    beside = (await half_open.data(WHOLE))["studyStats"]
    open_erns = [each for each in beside["ern"] if each["value"] != "ERN-RND"]
    assert open_erns == [each for each in alone["ern"] if each["value"] != "ERN-RND"]
    assert [each for each in beside["crossTab"] if each["row"] != "ERN-RND"] == alone["crossTab"]
    for bucket in beside["modality"]:
        assert bucket["count"]["suppressed"] or bucket["count"]["value"] >= 10


@pytest.mark.parametrize(
    "given", [{"patientId": {"eq": "P1"}}, {"not": {"series": {"study": {"patientName": {"isNull": True}}}}}]
)
async def test_an_identifying_filter_leaves_counted_archives_out(
    half_open: Runtime, given: dict[str, Any]
) -> None:
    found = (await half_open.data(WHOLE, {"filter": given}))["studyStats"]
    alone = (await half_open.data(WHOLE, {"filter": given, "archives": ["a0", "a2"]}))["studyStats"]
    assert found["complete"] is False
    left_out = found["sources"][1]
    assert (left_out["state"], left_out["matched"]) == ("SKIPPED", None)
    assert left_out["error"] == {"code": "IDENTIFYING_FILTER"}
    for name in ("studies", "modality", "crossTab", "dateHistogram"):
        assert found[name] == alone[name]
    unknown = {"value": "ERN-RND", "count": {"value": None, "atMost": None, "suppressed": False}}
    assert found["ern"] == [*alone["ern"], unknown]


COUNTED = """query ($attribute: String!, $min: Float, $max: Float) { seriesStats(archives: ["a0", "a1"]) {
    histogram(attribute: $attribute, min: $min, max: $max, bins: 2) { from to count { value suppressed } }
    series { value } patients { value } } }"""


async def test_what_identifies_is_not_counted_over_hidden_records(half_open: Runtime) -> None:
    for attribute in ("PatientSize", "(ACME)0009xx01"):
        field = f'facetOf(attribute: "{attribute}") {{ value }}'
        refused = await half_open.ask(f"{{ studyStats {{ {field} }} }}")
        assert refused.codes == ["BAD_INPUT"]
        assert "may only count the records of a1" in refused.errors[0]["message"]
        assert (await half_open.ask(f'{{ studyStats(archives: ["a0"]) {{ {field} }} }}')).errors == []


async def test_edges_are_not_taken_from_hidden_records(runtime: Runtime) -> None:
    counting = runtime.seeing(a0=AccessLevel.COUNTS, a1=AccessLevel.COUNTS)
    refused = await counting.ask(COUNTED, {"attribute": "SeriesNumber"})
    assert refused.codes == ["BAD_INPUT"]
    assert "min and max: needed" in refused.errors[0]["message"]
    given = {"attribute": "SeriesNumber", "min": 1, "max": 3}
    told = (await counting.data(COUNTED, given))["seriesStats"]
    assert all(each["count"]["value"] is None or each["count"]["value"] >= 10 for each in told["histogram"])
    exact = (await runtime.data(COUNTED, given))["seriesStats"]
    seen = runtime.seeing(a1=AccessLevel.COUNTS)
    beside = (await seen.data(COUNTED, {"attribute": "SeriesNumber"}))["seriesStats"]
    assert [each["from"] for each in beside["histogram"]] == [each["from"] for each in exact["histogram"]]


async def test_one_set_of_series_has_one_answer(runtime: Runtime) -> None:
    """As series, or as the series of all studies: two answers would be two draws of the noise."""
    query = """{ studyStats(archives: ["a0"]) { series { value } patients { value } }
        seriesStats(archives: ["a0"]) { series { value } patients { value } } }"""
    told = await runtime.seeing(a0=AccessLevel.COUNTS).data(query)
    assert told["studyStats"]["series"]["value"] is not None
    assert told["studyStats"] == told["seriesStats"]


async def test_the_empty_and_the_small_look_the_same(half_open: Runtime) -> None:
    """No study has the modality XX; a few have both MR and CT."""
    nothing = {"modalitiesInStudy": {"any": ["XX"]}}
    small = {"modalitiesInStudy": {"all": ["MR", "CT"]}}
    found = [
        (await half_open.data(WHOLE, {"filter": given, "archives": ["a1"]}))["studyStats"]
        for given in (nothing, small)
    ]
    assert found[0] == found[1]


async def test_an_ern_with_its_own_small_count(runtime: Runtime) -> None:
    """Strictest wins: in sums that its archives may be part of, and in its own buckets; not in others'."""
    rules = AccessRules(by_ern={"ERN-RND": ErnPolicy(small_count=1000)})
    services = runtime.services
    strict = await Services.open(services.owner, services.archives, Settings(small_count=1), rules)
    try:
        counting = Runtime(strict).seeing(a0=AccessLevel.COUNTS, a1=AccessLevel.COUNTS)
        whole = (await counting.data(WHOLE))["studyStats"]
        assert whole["patients"]["value"] is None
        told = {each["value"]: each["count"] for each in whole["ern"]}
        assert told["ERN-RND"] == {"value": None, "atMost": 999, "suppressed": True}
        assert told["ERN-EYE"]["value"] is not None
        alone = (await counting.data(WHOLE, {"archives": ["a0"]}))["studyStats"]
        assert alone["patients"]["value"] is not None
    finally:
        await strict.close()
