"""What attributeDefinitions tells of coverage and examples: brute force for who sees all, little for others."""

from collections import Counter
from typing import Any

import pytest
from pydicom.datadict import tag_for_keyword

from access.scope import AccessLevel
from model.attributes import Level
from tests.federation import Federation
from tests.resolvers.runtime import Runtime

ASK = """query ($search: String!) { attributeDefinitions(search: $search, first: 20) { nodes { keyword identifying
  coverage { archive { code } level present { value suppressed } total { value } } examples(first: 3) } } }"""


async def definition(runtime: Runtime, keyword: str) -> Any:
    nodes = (await runtime.data(ASK, {"search": keyword}))["attributeDefinitions"]["nodes"]
    return next(node for node in nodes if node["keyword"] == keyword)


def expected(made: Federation, level: Level, keyword: str) -> dict[str, tuple[int, int]]:
    """(present, total) by archive: a node counts in each of its archives once one of its copies has a value."""
    tag = f"{tag_for_keyword(keyword):08X}"
    copies = [copy for copy in made.copies if copy.level is level]
    having = {copy.uid for copy in copies if copy.data.get(tag, {}).get("Value")}
    present: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for archive_id, uid in {(copy.archive_id, copy.uid) for copy in copies}:
        total[f"a{archive_id - 1}"] += 1
        present[f"a{archive_id - 1}"] += uid in having
    return {code: (present[code], total[code]) for code in total}


@pytest.mark.parametrize(
    ("level", "keyword"),
    [
        (Level.STUDY, "StudyDescription"),
        (Level.STUDY, "PatientSize"),
        (Level.STUDY, "AccessionNumber"),
        (Level.SERIES, "Modality"),
        (Level.SERIES, "BodyPartExamined"),
        (Level.SERIES, "Laterality"),
    ],
)
async def test_coverage_is_what_the_records_say(
    runtime: Runtime, federation: Federation, level: Level, keyword: str
) -> None:
    told = (await definition(runtime, keyword))["coverage"]
    found = {each["archive"]["code"]: (each["present"]["value"], each["total"]["value"]) for each in told}
    assert found == expected(federation, level, keyword)
    assert {each["level"] for each in told} == {level.value}


async def test_examples_are_the_most_frequent_values(runtime: Runtime) -> None:
    stats = "{ seriesStats { facet(by: MODALITY, first: 3) { value } } }"
    most = [bucket["value"] for bucket in (await runtime.data(stats))["seriesStats"]["facet"]]
    assert (await definition(runtime, "Modality"))["examples"] == most


@pytest.mark.parametrize(
    "keyword", ["PatientName", "StudyDescription", "PatientID", "StudyDate", "PatientSize"]
)
async def test_no_examples_of_what_may_identify(runtime: Runtime, keyword: str) -> None:
    assert (await definition(runtime, keyword))["examples"] == []


async def test_where_one_may_only_count_small_numbers_are_hidden(runtime: Runtime) -> None:
    counter = runtime.seeing(**dict.fromkeys(("a0", "a1", "a2"), AccessLevel.COUNTS))
    modality = await definition(counter, "Modality")
    assert {each["archive"]["code"] for each in modality["coverage"]} == {"a0", "a1", "a2"}
    exact = {
        each["archive"]["code"]: each["present"]
        for each in (await definition(runtime, "Modality"))["coverage"]
    }
    assert any(each["present"] != exact[each["archive"]["code"]] for each in modality["coverage"])


async def test_what_identifies_is_not_counted_where_one_may_only_count(runtime: Runtime) -> None:
    some = runtime.seeing(a1=AccessLevel.COUNTS, a2=AccessLevel.NONE)
    coverage = (await definition(some, "AccessionNumber"))["coverage"]
    assert {each["archive"]["code"] for each in coverage} == {"a0"}


async def test_what_cannot_be_searched_has_none(runtime: Runtime) -> None:
    for keyword in ("PixelData", "RequestAttributesSequence"):
        found = await definition(runtime, keyword)
        assert (found["coverage"], found["examples"]) == ([], [])


async def test_bad_numbers_of_examples_leave_the_rest(runtime: Runtime) -> None:
    answer = await runtime.ask(
        '{ attributeDefinitions(search: "Modality") { nodes { keyword examples(first: 0) } } }'
    )
    assert set(answer.codes) == {"BAD_INPUT"}
    assert {node["examples"] is None for node in answer.data["attributeDefinitions"]["nodes"]} >= {True}
