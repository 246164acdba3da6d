"""What a client reads that names a field which an input does not have: what it may have meant, and where it stands."""

from typing import Any

import pytest

from api.document.near_inputs import meant_by, shape_of
from resolvers.schema import schema
from tests.resolvers.conftest import loaded, runtime  # noqa: F401
from tests.resolvers.runtime import Runtime

HINTS = [
    ("StudyFilter", "modality", "'modalitiesInStudy', or `series: {modality: …}`"),
    ("StudyFilter", "bodyPartExamined", "`series: {bodyPartExamined: …}`"),
    ("StudyFilter", "rows", "`series: {instance: {rows: …}}`"),
    ("StudyFilter", "patientID", "'patientId'"),
    ("StudyFilter", "studyUid", "'studyInstanceUid', or 'studyId'"),
    ("StudyFilter", "OR", "'or'"),
    ("StudyFilter", "sliceThickness", '`attribute: [{name: "SliceThickness", …}]`'),
    ("SeriesFilter", "studyDate", "`study: {studyDate: …}`"),
    ("InstanceFilter", "modality", "`series: {modality: …}`"),
    ("InstanceFilter", "patientId", "`series: {study: {patientId: …}}`"),
    ("StringMatch", "equals", "'eq'"),
    ("StringMatch", "like", "'wildcard'"),
    ("StringMatch", "exists", "'isNull'"),
    ("StringMatch", "ne", "`not: {…}` around the condition"),
    ("PersonNameMatch", "soundsLike", "'fuzzy'"),
    ("AttributeMatch", "isNull", "'exists'"),
    ("DateRange", "from", "'gte'"),
    ("IntRange", "lt", "'lte'"),
    ("ListMatch", "eq", "'any'"),
]


@pytest.mark.parametrize(("of", "field", "meant"), HINTS)
def test_what_may_have_been_meant(of: str, field: str, meant: str) -> None:
    assert meant in meant_by(schema._schema, of, field)


@pytest.mark.parametrize(
    ("of", "field"), [("StudyFilter", "xyzzy"), ("Nothing", "eq"), ("Study", "studyDate")]
)
def test_what_is_near_to_nothing_has_no_hint(of: str, field: str) -> None:
    assert meant_by(schema._schema, of, field) == ""


def test_a_bare_value_is_shown_the_operators() -> None:
    assert (
        shape_of(schema._schema, "StringMatch")
        == " Did you mean `{eq: …}`, or `{in: …}`, or `{startsWith: …}`?"
    )
    assert shape_of(schema._schema, "StudyFilter") == ""


ASKED: list[tuple[str, Any, str]] = [
    (
        '{ studies(filter: {modality: {eq: "MR"}}) { totalCount } }',
        None,
        "Line 1, column 20: Expected value of type 'StudyFilter' not to include unknown field 'modality'. "
        "Did you mean 'modalitiesInStudy', or `series: {modality: …}`?",
    ),
    (
        '{ studies(filter: {or: [{}, {patientId: {equals: "x"}}]}) { totalCount } }',
        None,
        "Line 1, column 42: Expected value of type 'StringMatch' not to include unknown field 'equals'. "
        "Did you mean 'eq'?",
    ),
    (
        '{ series(filter: {modality: "MR"}) { totalCount } }',
        None,
        "Line 1, column 29: Expected value of type 'StringMatch' to be an object. "
        "Did you mean `{eq: …}`, or `{in: …}`, or `{startsWith: …}`?",
    ),
    (
        "query ($f: StudyFilter) { studies(filter: $f) { totalCount } }",
        {"f": {"or": [{}, {"series": {"studyDate": {}}}]}},
        "Variable '$f' at or[1].series: Expected value of type 'SeriesFilter' not to include unknown field "
        "'studyDate'. Did you mean `study: {studyDate: …}`?",
    ),
    (
        "query ($f: StudyFilter) { studies(filter: $f) { totalCount } }",
        {"f": {"and": [{"patientId": {"in": []}}]}},
        "filter.and[0].patientId.in: needs 1 to 1000 values, got 0.",
    ),
    (
        "query ($f: StudyFilter) { studies(filter: $f) { totalCount } }",
        {"f": {"attribute": [{"name": "PatientSize", "gte": "1"}, {"name": "StudyID", "eq": "x" * 2000}]}},
        "filter.attribute[1].eq: at most 1024 characters, got 2000.",
    ),
]


@pytest.mark.parametrize(("query", "variables", "message"), ASKED)
async def test_the_message_points_at_the_value(
    runtime: Runtime,  # noqa: F811
    query: str,
    variables: Any,
    message: str,
) -> None:
    answer = await runtime.ask(query, variables)
    assert answer.codes == ["BAD_INPUT"]
    assert answer.errors[0]["message"] == message
