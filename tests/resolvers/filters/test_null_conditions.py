"""null in a filter is no condition that somebody meant: it is refused at every place, of every input of filters."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    get_named_type,
)

from model.errors import BadInput
from resolvers.changes.study_changes import study_changes
from resolvers.context import Context
from resolvers.filters.inputs import StudyFilter
from resolvers.filters.matches import StringMatch
from resolvers.schema import schema
from tests.api.export.test_endpoint import ANNA, client, export
from tests.resolvers.runtime import Runtime

FILTERS = ("StudyFilter", "SeriesFilter", "InstanceFilter")
# What else is an input: their nulls are "not given", as their descriptions say, or are refused by their types.
OTHERS = {"Freshness", "StudyOrder", "SeriesOrder", "InstanceOrder", "ArchiveInput", "ArchiveChanges"}


def input_type(name: str) -> GraphQLInputObjectType:
    found = schema._schema.type_map[name]
    assert isinstance(found, GraphQLInputObjectType)
    return found


def nulls(name: str, below: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """(path, the input with null at this path alone) for every field that can be null, each input of filters once."""
    for field, definition in input_type(name).fields.items():
        if isinstance(definition.type, GraphQLNonNull):
            continue
        yield field, {field: None}
        inner, named = definition.type, get_named_type(definition.type)
        if isinstance(named, GraphQLScalarType) or named.name in (*below, *FILTERS):
            continue
        given = {"name": "PatientSize"} if named.name == "AttributeMatch" else {}
        for path, value in nulls(named.name, (*below, name)):
            if isinstance(inner, GraphQLList):
                yield f"{field}[0].{path}", {field: [given | value]}
            else:
                yield f"{field}.{path}", {field: given | value}


def reached(name: str) -> set[str]:
    """The inputs that a filter is made of."""
    found, waiting = set(), [name]
    while waiting:
        here = waiting.pop()
        if here not in found:
            found.add(here)
            inner = (get_named_type(field.type) for field in input_type(here).fields.values())
            waiting += [each.name for each in inner if isinstance(each, GraphQLInputObjectType)]
    return found


def test_every_input_of_the_schema_is_known() -> None:
    inputs = {
        each.name for each in schema._schema.type_map.values() if isinstance(each, GraphQLInputObjectType)
    }
    assert inputs == reached("StudyFilter") | OTHERS


ROOTS = {"StudyFilter": "studies", "SeriesFilter": "series", "InstanceFilter": "instances"}


@pytest.mark.parametrize("of", FILTERS)
async def test_null_is_refused_wherever_a_filter_has_a_field(runtime: Runtime, of: str) -> None:
    cases = list(nulls(of))
    assert len(cases) > 20
    for path, given in cases:
        answer = await runtime.ask(
            f"query ($v: {of}) {{ {ROOTS[of]}(filter: $v) {{ totalCount }} }}", {"v": given}
        )
        assert answer.codes == ["BAD_INPUT"], path
        message = answer.errors[0]["message"]
        assert message.startswith(f"filter.{path}: null is no condition."), (path, message)


OPERATORS: list[tuple[str, dict[str, Any], str]] = [
    (
        "StudyFilter",
        {"patientId": {"eq": None}},
        '`isNull: true` or `attribute: [{name: "PatientID", exists: false}]`',
    ),
    ("StudyFilter", {"patientId": {"in": None, "contains": "a"}}, "exists: false"),
    ("StudyFilter", {"patientName": {"fuzzy": None}}, 'name: "PatientName", exists: false'),
    ("StudyFilter", {"studyDate": {"gte": "2020-01-01", "lte": None}}, "isNull: true"),
    ("StudyFilter", {"studyInstanceUid": {"eq": None}}, 'name: "StudyInstanceUID", exists: false'),
    ("StudyFilter", {"modalitiesInStudy": {"any": None}}, 'name: "ModalitiesInStudy", exists: false'),
    ("StudyFilter", {"attribute": [{"name": "PatientSize", "eq": None}]}, "`exists: false`"),
    ("StudyFilter", {"bodyPartCode": {"eq": None}}, "isNull: true"),
    ("StudyFilter", {"patientId": None}, "exists: false"),
    ("SeriesFilter", {"modality": {"eq": None}}, 'name: "Modality", exists: false'),
    (
        "SeriesFilter",
        {"study": {"not": {"or": [{}, {"patientId": {"isNull": None}}]}}},
        "filter.study.not.or[1].",
    ),
    ("InstanceFilter", {"rows": {"gte": None}}, 'name: "Rows", exists: false'),
]


@pytest.mark.parametrize(("of", "given", "words"), OPERATORS)
async def test_the_refusal_says_how_to_ask_for_what_has_no_value(
    runtime: Runtime, of: str, given: dict[str, Any], words: str
) -> None:
    answer = await runtime.ask(
        f"query ($v: {of}) {{ {ROOTS[of]}(filter: $v) {{ totalCount }} }}", {"v": given}
    )
    assert answer.codes == ["BAD_INPUT"]
    assert words in answer.errors[0]["message"]


@pytest.mark.parametrize(
    "given",
    [
        {"studyInstanceUid": {"in": [None]}},
        {"patientId": {"in": ["a", None]}},
        {"modalitiesInStudy": {"all": [None]}},
        {"and": [None]},
        {"attribute": [None]},
    ],
)
async def test_null_in_a_list_is_refused(runtime: Runtime, given: dict[str, Any]) -> None:
    answer = await runtime.ask("query ($v: StudyFilter) { studies(filter: $v) { totalCount } }", {"v": given})
    assert answer.codes == ["BAD_INPUT"]


async def test_what_is_not_given_is_no_condition(runtime: Runtime) -> None:
    """An empty match, or a variable that has no value at all: as if it were not there."""
    everything = (await runtime.data("{ studies { totalCount } }"))["studies"]["totalCount"]
    query = "query ($v: String) { studies(filter: {patientId: {eq: $v}, studyDate: {}, and: [{}]}) { totalCount } }"
    assert (await runtime.data(query))["studies"]["totalCount"] == everything
    answer = await runtime.ask(query, {"v": None})
    assert answer.codes == ["BAD_INPUT"]


# Every place of the schema that takes a filter, each with the condition that forgot its value.
NULL = "filter: {patientId: {eq: $v}}"
OF_SERIES, OF_INSTANCES = "filter: {modality: {eq: $v}}", "filter: {rows: {gte: $n}}"
PLACES = {
    "Query.studies": f"query ($v: String) {{ studies({NULL}) {{ nodes {{ id }} }} }}",
    "Query.series": f"query ($v: String) {{ series({OF_SERIES}) {{ nodes {{ id }} }} }}",
    "Query.instances": f"query ($n: Int) {{ instances({OF_INSTANCES}) {{ nodes {{ id }} }} }}",
    "Query.studyStats": f"query ($v: String) {{ studyStats({NULL}) {{ studies {{ value }} }} }}",
    "Query.seriesStats": f"query ($v: String) {{ seriesStats({OF_SERIES}) {{ series {{ value }} }} }}",
    "Query.instanceStats": f"query ($n: Int) {{ instanceStats({OF_INSTANCES}) {{ instances {{ value }} }} }}",
    "Study.series": (
        f"query ($v: String) {{ studies(first: 1) {{ nodes {{ series({OF_SERIES}) {{ totalCount }} }} }} }}"
    ),
    "Series.instances": (
        f"query ($n: Int) {{ series(first: 1) {{ nodes {{ instances({OF_INSTANCES}) {{ totalCount }} }} }} }}"
    ),
    "Mutation.saveCohort": f'mutation ($v: String) {{ saveCohort(name: "n", freeze: true, {NULL}) {{ id }} }}',
}


def test_every_place_that_takes_a_filter_is_known() -> None:
    found = {
        f"{of.name}.{name}"
        for of in schema._schema.type_map.values()
        for name, field in getattr(of, "fields", {}).items()
        for argument in getattr(field, "args", {}).values()
        if get_named_type(argument.type).name in FILTERS
    }
    assert found == {*PLACES, "Subscription.studyChanged"}


@pytest.mark.parametrize("place", PLACES)
async def test_null_is_refused_at_every_place(runtime: Runtime, place: str) -> None:
    answer = await runtime.ask(PLACES[place], {"v": None, "n": None})
    assert answer.codes == ["BAD_INPUT"]
    assert "null is no condition" in answer.errors[0]["message"]
    saved = (await runtime.data("{ cohorts { nodes { id } } }"))["cohorts"]["nodes"]
    assert saved == []


@pytest.mark.parametrize("given", [StudyFilter(patient_id=StringMatch(eq=None)), StudyFilter(not_=None)])
async def test_a_subscription_refuses_it(runtime: Runtime, given: StudyFilter) -> None:
    context = Context.for_request(runtime.services, ANNA)
    with pytest.raises(BadInput, match="null is no condition"):
        await anext(study_changes(context, given, None, None))


@pytest.mark.parametrize("path", ["studies.csv", "studies.parquet", "series.ndjson"])
async def test_an_export_refuses_it(runtime: Runtime, path: str) -> None:
    field = "studyInstanceUid" if path.startswith("studies") else "seriesInstanceUid"
    answer = await export(client(runtime), path, filter={field: {"in": None}})
    assert answer.status_code == 400
    assert "null is no condition" in orjson.loads(answer.content)["errors"][0]["message"]
