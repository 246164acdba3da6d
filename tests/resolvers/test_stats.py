"""`studyStats` over the served schema: what it answers, costs and refuses; what a counted archive shows."""

from typing import Any

import pytest

from access.scope import AccessLevel
from config.access_file import AccessRules, ErnPolicy
from config.settings import Settings
from model.attributes import Level
from model.filters import EVERYTHING
from resolvers.context import Services
from tests.federation import Federation
from tests.oracle import Oracle
from tests.resolvers.house import House

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


async def test_one_statement_an_aggregate_however_often_it_is_asked(house: House) -> None:
    given = {"accessionNumber": {"isNull": False}}
    answer = await house.ask(WHOLE, {"filter": given})
    assert answer.errors == []
    assert answer.statements.count("stats_totals") == 1
    assert answer.statements.count("stats_cells") == 4
    assert answer.requests == {}


async def test_rollups_answer_where_they_can(house: House) -> None:
    """By archive for `sources` too. Patients of a filter are counted one by one."""
    whole = await house.ask(WHOLE)
    assert sorted(set(whole.statements)) == [
        *("list_archives", "stats_rollup_cells", "stats_rollup_patients", "stats_rollup_sums")
    ]
    assert whole.statements.count("stats_rollup_cells") == 5
    filtered = await house.ask(WHOLE, {"filter": {"patientSex": {"eq": "F"}}})
    assert filtered.statements.count("stats_totals") == 1
    assert "stats_rollup_patients" not in filtered.statements


async def test_who_may_only_count_gets_nothing_from_rollups(house: House) -> None:
    answer = await house.seeing(a1=AccessLevel.COUNTS).ask(WHOLE, {"archives": ["a1"]})
    assert not any("rollup" in statement for statement in answer.statements)


async def test_open_archives_are_counted_exactly(house: House, federation: Federation) -> None:
    found = (await house.data(WHOLE))["studyStats"]
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


async def test_a_bucket_has_as_many_studies_as_a_list_with_its_value(house: House) -> None:
    for bucket in (await house.data(WHOLE))["studyStats"]["modality"]:
        query = "query ($m: String!) { studies(filter: {modalitiesInStudy: {any: [$m]}}) { totalCount } }"
        listed = await house.data(query, {"m": bucket["value"]})
        assert listed["studies"]["totalCount"] == bucket["count"]["value"]


CUBE = """query ($filter: StudyFilter) { studyStats(filter: $filter) {
    cube(by: [MODALITY, ERN, STUDY_YEAR], first: 1000) { values count { value } } } }"""


async def test_modality_by_network_by_year(house: House) -> None:
    """From a rollup, and study by study."""
    cells = (await house.data(CUBE))["studyStats"]["cube"]
    assert {len(each["values"]) for each in cells} == {3}
    assert {each["values"][2] for each in cells} == {"2020", None}
    scanned = await house.ask(CUBE, {"filter": {"not": {"accessionNumber": {"eq": "nobody's"}}}})
    assert scanned.statements.count("stats_cells") == 1
    assert scanned.data["studyStats"]["cube"] == cells


async def test_archives_that_are_not_asked_do_not_count(house: House) -> None:
    found = (await house.data(WHOLE, {"archives": ["a0"]}))["studyStats"]
    assert [each["value"] for each in found["ern"]] == ["ERN-EYE"]
    assert [each["archive"]["code"] for each in found["sources"]] == ["a0"]


async def test_no_archive_asked_is_nothing_found(house: House) -> None:
    found = (await house.data(WHOLE, {"archives": []}))["studyStats"]
    assert found["studies"]["value"] == 0
    assert found["modality"] == []


async def test_an_archive_that_may_not_be_seen_does_not_exist(house: House) -> None:
    answer = await house.without("a1").ask(WHOLE, {"archives": ["a1"]})
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
async def test_too_much_is_refused(house: House, field: str) -> None:
    answer = await house.ask(f"{{ studyStats {{ {field} }} }}")
    assert set(answer.codes) == {"BAD_INPUT"}


# ---- archives that may only be counted: a1 ---------------------------------------------------------------


@pytest.fixture
def half_open(house: House) -> House:
    """The same services for somebody who may only count a1."""
    return house.seeing(a1=AccessLevel.COUNTS)


async def test_a_counted_archive_is_hidden_where_it_is_small(half_open: House) -> None:
    given = {"modalitiesInStudy": {"all": ["MR", "CT"]}}
    found = (await half_open.data(WHOLE, {"archives": ["a1"], "filter": given}))["studyStats"]
    hidden: dict[str, Any] = {"value": None, "atMost": 9, "suppressed": True}
    assert found["ern"] == [{"value": "ERN-RND", "count": hidden}]
    assert found["dateHistogram"] == []
    assert found["sources"] == [
        {"archive": {"code": "a1"}, "state": "CACHED", "matched": None, "error": None}
    ]


async def test_open_archives_stay_exact_beside_a_counted_one(half_open: House) -> None:
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
    half_open: House, given: dict[str, Any]
) -> None:
    found = (await half_open.data(WHOLE, {"filter": given}))["studyStats"]
    alone = (await half_open.data(WHOLE, {"filter": given, "archives": ["a0", "a2"]}))["studyStats"]
    assert found["complete"] is False
    left_out = found["sources"][1]
    assert (left_out["state"], left_out["matched"]) == ("SKIPPED", None)
    assert left_out["error"] == {"code": "IDENTIFYING_FILTER"}
    for name in ("studies", "modality", "ern", "crossTab", "dateHistogram"):
        assert found[name] == alone[name]


async def test_the_empty_and_the_small_look_the_same(half_open: House) -> None:
    """No study has the modality XX; a few have both MR and CT."""
    nothing = {"modalitiesInStudy": {"any": ["XX"]}}
    small = {"modalitiesInStudy": {"all": ["MR", "CT"]}}
    found = [
        (await half_open.data(WHOLE, {"filter": given, "archives": ["a1"]}))["studyStats"]
        for given in (nothing, small)
    ]
    assert found[0] == found[1]


async def test_an_ern_with_its_own_small_count(house: House) -> None:
    """Strictest wins: in sums that its archives may be part of, and in its own buckets; not in others'."""
    rules = AccessRules(by_ern={"ERN-RND": ErnPolicy(small_count=1000)})
    services = house.services
    strict = await Services.open(services.owner, services.archives, Settings(small_count=1), rules)
    try:
        counting = House(strict).seeing(a0=AccessLevel.COUNTS, a1=AccessLevel.COUNTS)
        whole = (await counting.data(WHOLE))["studyStats"]
        assert whole["patients"]["value"] is None
        told = {each["value"]: each["count"] for each in whole["ern"]}
        assert told["ERN-RND"] == {"value": None, "atMost": 999, "suppressed": True}
        assert told["ERN-EYE"]["value"] is not None
        alone = (await counting.data(WHOLE, {"archives": ["a0"]}))["studyStats"]
        assert alone["patients"]["value"] is not None
    finally:
        await strict.close()
