"""Orders of studies by what their nodes show: whole, nulls last, the same in both directions, with ties by UID."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from tests.resolvers.cohort_home import ANALYST, Home
from tests.resolvers.runtime import Runtime

SHOWN: dict[str, Callable[[Any], Any]] = {
    "PATIENT_BIRTH_DATE": lambda node: node["patientBirthDate"],
    "MODALITY": lambda node: next(iter(node["modalitiesInStudy"]), None),
    "NUMBER_OF_SERIES": lambda node: node["numberOfStudyRelatedSeries"],
    "NUMBER_OF_INSTANCES": lambda node: node["numberOfStudyRelatedInstances"],
}
PAGE = """query ($field: StudyOrderField!, $way: OrderDirection!, $first: Int, $after: String, $last: Int,
  $before: String) { studies(orderBy: [{field: $field, direction: $way}], first: $first, after: $after, last: $last,
  before: $before) { totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  nodes { studyInstanceUid patientBirthDate modalitiesInStudy numberOfStudyRelatedSeries
    numberOfStudyRelatedInstances } } }"""


async def walked(ask: Callable[[dict[str, Any]], Any], *, back: bool) -> list[Any]:
    found: list[Any] = []
    window: dict[str, Any] = {"last" if back else "first": 7}
    while True:
        page = (await ask(window))["studies"]
        found = page["nodes"] + found if back else found + page["nodes"]
        if not page["pageInfo"]["hasPreviousPage" if back else "hasNextPage"]:
            assert len(found) == page["totalCount"]
            return found
        info = page["pageInfo"]
        window |= {"before": info["startCursor"]} if back else {"after": info["endCursor"]}


@pytest.mark.parametrize("way", ["ASC", "DESC"])
@pytest.mark.parametrize("field", SHOWN)
async def test_pages_are_in_the_order_of_what_they_show(runtime: Runtime, field: str, way: str) -> None:
    async def ask(window: dict[str, Any]) -> Any:
        return await runtime.data(PAGE, {"field": field, "way": way} | window)

    found = await walked(ask, back=False)
    assert await walked(ask, back=True) == found
    values = [SHOWN[field](node) for node in found]
    known = [value for value in values if value is not None]
    assert len(set(known)) > 1
    assert values == sorted(known, reverse=way == "DESC") + [None] * (len(values) - len(known))
    ties = [(value, node["studyInstanceUid"]) for value, node in zip(values, found, strict=True)]
    assert all(one[1] < other[1] for one, other in itertools.pairwise(ties) if one[0] == other[0])


@pytest.mark.parametrize("field", SHOWN)
async def test_pseudonymised_records_are_ordered_by_what_does_not_identify(home: Home, field: str) -> None:
    answer = await home.ask(ANALYST, PAGE, field=field, way="ASC", first=1000)
    nodes = answer.data["studies"]["nodes"]
    if field == "PATIENT_BIRTH_DATE":
        assert nodes == []
        assert [each["code"] for each in answer.body["extensions"]["warnings"]] == ["IDENTIFYING_FILTER"]
        return
    known = [value for value in map(SHOWN[field], nodes) if value is not None]
    assert known == sorted(known)
    assert len(nodes) > 5
