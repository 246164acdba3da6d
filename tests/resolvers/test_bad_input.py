"""What clients get wrong: the code, the words, and nothing of the database or of long values in them.

The rest of a table row says what stays in `data`; most mistakes leave nothing.
"""

import base64
import json
import re
from typing import Any

import pytest

from tests.resolvers.runtime import Answer, Runtime
from tests.resolvers.wrong_cursors import expired, foreign, other_order, tampered

UID_64 = "1." * 31 + "12"
_INSIDE = re.compile(
    r"select |asyncpg|psycopg|traceback|File \"|\.py\b|\$\d|::|postgres|syntax error at", re.I
)


def studies(arguments: str) -> str:
    return f"{{ studies({arguments}) {{ nodes {{ id }} }} }}"


def where(given: str) -> str:
    return studies(f"filter: {given}")


def named(name: str, rest: str) -> str:
    return where(f"{{attribute: [{{name: {json.dumps(name)}, {rest}}}]}}")


def nested(depth: int) -> str:
    return where("{not: " * (depth - 1) + '{patientId: {eq: "a"}}' + "}" * (depth - 1))


def of_id(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


FOUR = '{patientId: {eq: "a", contains: "a", startsWith: "a", wildcard: "a"}}'
MANY = ", ".join(FOUR for _ in range(150))  # 600 conditions in fewer tokens than a document may have
LONG = "RequestAttributesSequence.ScheduledProtocolCodeSequence.ContextGroupIdentificationSequence"

LITERALS: list[tuple[str, str, str, str]] = [
    # name, query, code, fragment of the message
    ("unknown archive", studies('archives: ["a0", "nowhere"]'), "NOT_FOUND", "'nowhere'"),
    ("bad UID", '{ study(studyInstanceUid: "1.2 x") { id } }', "BAD_INPUT", "DICOM UID"),
    ("empty UID", '{ study(studyInstanceUid: "") { id } }', "BAD_INPUT", "DICOM UID"),
    ("UID of 129", f'{{ study(studyInstanceUid: "{UID_64}{UID_64}3") {{ id }} }}', "BAD_INPUT", "1-128"),
    ("bad UID in a filter", where('{studyInstanceUid: {in: ["1.2", "a*"]}}'), "BAD_INPUT", "DICOM UID"),
    ("unknown body part", where('{bodyPartCode: {eq: "tohrax"}}'), "BAD_INPUT", "Did you mean Thorax (816094009)?"),
    ("unknown code", where('{series: {modalityCode: {in: ["MR", "999"]}}}'), "BAD_INPUT", "Modality code: '999'"),
    ("no code", where("{bodyPartCode: {in: []}}"), "BAD_INPUT", "1 to 1000"),
    ("long code", where('{bodyPartCode: {eq: "%s"}}' % ("k" * 2000)), "BAD_INPUT", "at most 1024"),
    ("first 0", studies("first: 0"), "BAD_INPUT", "first: 1 to 1000, got 0"),
    ("first -1", studies("first: -1"), "BAD_INPUT", "first: 1 to 1000, got -1"),
    ("first 1001", studies("first: 1001"), "BAD_INPUT", "first: 1 to 1000, got 1001"),
    ("last 0", studies("last: 0"), "BAD_INPUT", "last: 1 to 1000"),
    ("last 1001", studies("last: 1001"), "BAD_INPUT", "last: 1 to 1000"),
    ("first too large for Int", studies("first: 4294967296"), "BAD_INPUT", "Int cannot represent"),
    ("first and last", studies("first: 1, last: 1"), "BAD_INPUT", "give one of them"),
    ("first by its default with last", "query ($n: Int = 3) { studies(first: $n, last: 1) { nodes { id } } }",
     "BAD_INPUT", "give one of them"),
    ("neither first nor last", studies("first: null"), "BAD_INPUT", "give one of them"),
    ("after with last", studies('last: 1, after: "x"'), "BAD_INPUT", "after: goes with `first`"),
    ("before with first", studies('first: 1, before: "x"'), "BAD_INPUT", "before: goes with `last`"),
    ("no such day", where('{studyDate: {eq: "2020-13-45"}}'), "BAD_INPUT", "ISO 8601 date"),
    ("DICOM date", where('{studyDate: {eq: "20200101"}}'), "BAD_INPUT", "ISO 8601 date"),
    ("week date", where('{studyDate: {eq: "2020-W01-1"}}'), "BAD_INPUT", "ISO 8601 date"),
    ("number for a date", where("{studyDate: {eq: 5}}"), "BAD_INPUT", "ISO 8601 date"),
    ("Int overflow", "{ instances(filter: {rows: {eq: 2147483648}}) { totalCount } }", "BAD_INPUT", "Int"),
    ("wildcard of 10,000", where(f'{{patientId: {{wildcard: "{"?" * 10_000}"}}}}'),
     "BAD_INPUT", "at most 1024"),
    ("search of 2,000", f'{{ attributeDefinitions(search: "{"a" * 2000}") {{ totalCount }} }}',
     "BAD_INPUT", "1024"),
    ("text of 2,000", where(f'{{text: "{"a" * 2000}"}}'), "BAD_INPUT", "at most 1024"),
    ("text without words", where('{text: "-- * --"}'), "BAD_INPUT", "needs 1 to 20 words"),
    ("text of 21 words", where(f'{{text: "{"a " * 21}"}}'), "BAD_INPUT", "got 21"),
    ("filter 21 deep", nested(21), "BAD_INPUT", "deeper than 20"),
    ("600 conditions", where(f"{{or: [{MANY}]}}"), "BAD_INPUT", "conditions, at most 500"),
    ("empty in", where("{patientId: {in: []}}"), "BAD_INPUT", "needs 1 to 1000 values, got 0"),
    ("empty in of numbers", where("{numberOfStudyRelatedSeries: {in: []}}"), "BAD_INPUT", "got 0"),
    ("empty any", where("{modalitiesInStudy: {any: []}}"), "BAD_INPUT", "got 0"),
    ("empty all", where("{modalitiesInStudy: {all: []}}"), "BAD_INPUT", "got 0"),
    ("empty none", where("{modalitiesInStudy: {none: []}}"), "BAD_INPUT", "got 0"),
    ("unknown attribute", named("PatientNam", 'eq: "x"'), "BAD_INPUT", "Did you mean PatientName"),
    ("unknown and long attribute", named("x" * 300, 'eq: "x"'), "BAD_INPUT", "not in the DICOM dictionary"),
    ("attribute of 600", named("x" * 600, 'eq: "x"'), "BAD_INPUT", "expected a keyword"),
    ("no attribute name", named("", 'eq: "x"'), "BAD_INPUT", "expected a keyword"),
    ("attribute of another level", named("Modality", 'eq: "MR"'),
     "BAD_INPUT", "put it into the series filter"),
    ("attribute without condition", where('{attribute: [{name: "PatientSize"}]}'),
     "BAD_INPUT", "give a condition"),
    ("startsWith of a number", named("PatientSize", 'startsWith: "1"'), "BAD_INPUT", "VR DS is a number"),
    ("number that is none", named("PatientSize", 'eq: "abc"'), "BAD_INPUT", "compared as a number"),
    ("sequence", named("RequestAttributesSequence", 'eq: "x"'), "BAD_INPUT", "VR SQ has no values"),
    ("long path to a sequence", named(LONG, 'eq: "x"'), "BAD_INPUT", "VR SQ has no values"),
    ("bulk data", named("EncapsulatedDocument", "exists: true"), "BAD_INPUT", "VR OB has no values"),
    ("date that is none", named("StudyDate", 'gte: "x"'), "BAD_INPUT", "compared as a date"),
    ("gte of text", named("PatientComments", 'gte: "a"'), "BAD_INPUT", "has no order"),
    ("path through no sequence", named("StudyDate.PatientID", 'eq: "x"'), "BAD_INPUT", "is not a sequence"),
    ("path of 9 steps", named(".".join(["RequestAttributesSequence"] * 9), 'eq: "x"'),
     "BAD_INPUT", "at most 8"),
    ("private name without xx", named("(ACME)00291010", 'eq: "x"'),
     "BAD_INPUT", "not in the DICOM dictionary"),
    ("private name of an even group", named("(ACME)0028xx10", 'eq: "x"'), "BAD_INPUT", "groups are odd"),
    ("unbalanced name", named("StudyDescription(", 'eq: "x"'), "BAD_INPUT", "attribute name"),
    ("a day that is none", named("StudyDate", 'gte: "2023-02-30"'), "BAD_INPUT", "compared as a date"),
    ("year 0", named("PatientBirthDate", 'lte: "0000"'), "BAD_INPUT", "compared as a date"),
    ("date of five digits", named("StudyDate", 'eq: "12024"'), "BAD_INPUT", "compared as a date"),
    ("time of a date", named("StudyDate", 'eq: "2024-01-01T10:00"'), "BAD_INPUT", "compared as a date"),
    ("25 o'clock", named("PatientBirthTime", 'eq: "25:00"'), "BAD_INPUT", "such as 14:30"),
    ("text in a DT", named("ClinicalTrialTimePointIDX", 'eq: "x"'), "BAD_INPUT", "not in the DICOM dictionary"),
    ("number with a comma", named("PatientSize", 'eq: "1,75"'), "BAD_INPUT", "compared as a number"),
    ("number in hexadecimal", named("PatientSize", 'eq: "0x10"'), "BAD_INPUT", "compared as a number"),
    ("NaN", named("PatientSize", 'gte: "NaN"'), "BAD_INPUT", "compared as a number"),
    ("infinity", named("PatientSize", 'lte: "Infinity"'), "BAD_INPUT", "compared as a number"),
    ("empty number", named("PatientSize", 'eq: ""'), "BAD_INPUT", "compared as a number"),
    ("exponent of four digits", named("PatientSize", 'eq: "1e9999"'), "BAD_INPUT", "compared as a number"),
    ("one of many is no number", named("PatientSize", 'in: ["1", "x"]'), "BAD_INPUT", "compared as a number"),
    ("wildcard of a date", named("StudyDate", 'wildcard: "2020*"'), "BAD_INPUT", "is a date or time"),
    ("contains of a time", named("StudyTime", 'contains: "10"'), "BAD_INPUT", "is a date or time"),
    ("gte of a private text", named("(SIEMENS MR HEADER)0051xx0A", 'gte: "1"'), "BAD_INPUT", "has no order"),
    ("gte of an unknown private with text", named("(NOBODY)0029xx10", 'gte: "b"'), "BAD_INPUT", "the VR is not known"),
    ("private creator of 65", named(f"({'x' * 65})0029xx10", 'eq: "x"'), "BAD_INPUT", "not in the DICOM dictionary"),
    ("tag of nine digits", named("001000100", 'eq: "x"'), "BAD_INPUT", "not in the DICOM dictionary"),
    ("path with an empty step", named("RequestAttributesSequence..PatientID", 'eq: "x"'), "BAD_INPUT",
     "not in the DICOM dictionary"),
    ("path that ends with a dot", named("RequestAttributesSequence.", 'eq: "x"'), "BAD_INPUT",
     "not in the DICOM dictionary"),
    ("keyword in another case", named("patientname", 'eq: "x"'), "BAD_INPUT", "Did you mean PatientName?"),
    ("name of PS3.6", named("Slice Thickness", 'gte: "1"'), "BAD_INPUT", "Did you mean SliceThickness?"),
    ("1,001 values of an attribute", named("PatientComments", f"in: [{', '.join(['1'] * 1001)}]".replace("1,", '"1",')
     .replace("1]", '"1"]')), "BAD_INPUT", "got 1001"),
    ("duplicate order", studies("orderBy: [{field: STUDY_DATE}, {field: STUDY_DATE, direction: DESC}]"),
     "BAD_INPUT", "each field may be named once"),
    ("RELEVANCE of nothing", studies("orderBy: [{field: RELEVANCE}]"),
     "BAD_INPUT", "needs a filter that ranks"),
    ("RELEVANCE under or", studies('orderBy: [{field: RELEVANCE}], filter: {or: [{text: "a"}]}'),
     "BAD_INPUT", "ranks"),
    ("MAX_AGE without an age", studies("freshness: {mode: MAX_AGE}"), "BAD_INPUT", "MAX_AGE needs maxAgeSeconds"),
    ("an age below 0", studies("freshness: {mode: MAX_AGE, maxAgeSeconds: -1}"), "BAD_INPUT", "0 or more"),
    ("an age for LIVE", studies("freshness: {mode: LIVE, maxAgeSeconds: 5}"),
     "BAD_INPUT", "maxAgeSeconds goes with the mode MAX_AGE"),
    ("an age for CACHED", studies("freshness: {maxAgeSeconds: 5}"), "BAD_INPUT", "maxAgeSeconds goes with"),
    ("no time for LIVE", studies("freshness: {mode: LIVE, timeoutMs: 0}"), "BAD_INPUT", "100 to 30000, got 0"),
    ("negative time", studies("freshness: {mode: LIVE, timeoutMs: -5}"), "BAD_INPUT", "timeoutMs: 100"),
    ("an hour for LIVE", studies("freshness: {mode: LIVE, timeoutMs: 3600000}"), "BAD_INPUT", "to 30000"),
    ("timeoutMs null", studies("freshness: {mode: LIVE, timeoutMs: null}"), "BAD_INPUT", "timeoutMs"),
    ("LIVE study", '{ study(studyInstanceUid: "1.2", freshness: {mode: LIVE, timeoutMs: 1}) { id } }',
     "BAD_INPUT", "timeoutMs"),
    ("LIVE with a broken cursor", studies('freshness: {mode: LIVE}, after: "x"'), "BAD_CURSOR", "cursor:"),
    ("bad id", '{ node(id: "ü§$") { id } }', "BAD_INPUT", "not an id of this schema"),
    ("number as id", "{ node(id: 5) { id } }", "BAD_INPUT", "not an id of this schema"),
    ("id of unknown type", f'{{ node(id: "{of_id("Patient:1")}") {{ id }} }}', "BAD_INPUT", "not an id"),
    ("id without a key", f'{{ node(id: "{of_id("Study:")}") {{ id }} }}', "BAD_INPUT", "not an id"),
    ("id with NUL", f'{{ node(id: "{of_id("Study:1.2" + chr(0))}") {{ id }} }}', "BAD_INPUT", "not an id"),
    ("id of no UID", f'{{ node(id: "{of_id("Series:a b")}") {{ id }} }}', "BAD_INPUT", "not an id"),
    ("1,001 ids", "{ nodes(ids: [" + '"a",' * 1001 + "]) { id } }",
     "BAD_INPUT", "ids: at most 1000, got 1001"),
    ("broken cursor", studies('after: "abc"'), "BAD_CURSOR", "cursor:"),
    ("empty cursor", studies('after: ""'), "BAD_CURSOR", "cursor:"),
    ("cursor of 100,000", studies(f'after: "{"a" * 100_000}"'), "BAD_CURSOR", "cursor:"),
    ("cursor that is not ASCII", studies('last: 1, before: "ü"'), "BAD_CURSOR", "cursor:"),
    ("cursor of definitions", '{ attributeDefinitions(after: "a") { totalCount } }', "BAD_CURSOR", "cursor:"),
    ("definitions, first 0", "{ attributeDefinitions(first: 0) { totalCount } }", "BAD_INPUT", "1 to 1000"),
    ("definitions, first null", "{ attributeDefinitions(first: null) { totalCount } }",
     "BAD_INPUT", "first or last"),
]  # fmt: skip


def check_words(answer: Answer, code: str, fragment: str, given: str = "") -> None:
    """One error with this code and these words, which tell nothing of the inside and repeat no long value."""
    assert answer.codes == [code]
    message = answer.errors[0]["message"]
    assert fragment in message
    assert not _INSIDE.search(message)
    for run in re.findall(r"[^\s\"]{65,}", given):
        assert all(run[at : at + 65] not in message for at in range(len(run) - 64))


@pytest.mark.parametrize(
    ("query", "code", "fragment"), [pytest.param(*row[1:], id=row[0]) for row in LITERALS]
)
async def test_a_mistake_in_the_document(runtime: Runtime, query: str, code: str, fragment: str) -> None:
    answer = await runtime.ask(query)
    check_words(answer, code, fragment, query)
    assert not answer.data or set(answer.data.values()) == {None}


VARIABLES: list[tuple[str, str, Any, str, str]] = [
    ("bad UID", "query ($v: UID!) { study(studyInstanceUid: $v) { id } }", "1?2", "BAD_INPUT", "DICOM UID"),
    ("UID of 2,000", "query ($v: UID!) { study(studyInstanceUid: $v) { id } }", "1" * 2000,
     "BAD_INPUT", "DICOM UID"),
    ("number as UID", "query ($v: UID!) { study(studyInstanceUid: $v) { id } }", 5, "BAD_INPUT", "DICOM UID"),
    ("no such day", "query ($v: Date) { studies(filter: {studyDate: {eq: $v}}) { totalCount } }",
     "2020-02-30", "BAD_INPUT", "ISO 8601 date"),
    ("1,001 values", "query ($v: [String!]) { studies(filter: {patientId: {in: $v}}) { totalCount } }",
     ["x"] * 1001, "BAD_INPUT", "got 1001"),
    ("1,001 UIDs", "query ($v: [UID!]) { studies(filter: {studyInstanceUid: {in: $v}}) { totalCount } }",
     ["1.2"] * 1001, "BAD_INPUT", "got 1001"),
    ("keywords unknown", "query ($v: [String!]) { studies { nodes { attributes(keywords: $v) { text } } } }",
     ["StudyDate", "Sturdydate"], "BAD_INPUT", "'Sturdydate' is not in the DICOM dictionary"),
    ("201 keywords", "query ($v: [String!]) { studies { nodes { attributes(keywords: $v) { text } } } }",
     ["StudyDate"] * 201, "BAD_INPUT", "at most 200"),
    ("Int overflow", "query ($v: Int) { studies(first: $v) { totalCount } }", 2**40, "BAD_INPUT", "32-bit"),
    ("Int as text", "query ($v: Int) { studies(first: $v) { totalCount } }", "5", "BAD_INPUT", "Int cannot"),
    ("unknown order", "query ($v: [StudyOrder!]) { studies(orderBy: $v) { totalCount } }", [{"field": "AGE"}],
     "BAD_INPUT", "StudyOrderField"),
    ("unknown field of a filter", "query ($v: StudyFilter) { studies(filter: $v) { totalCount } }",
     {"Müller^Hans": {"eq": "x"}}, "BAD_INPUT", "unknown field"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "value", "code", "fragment"), [pytest.param(*row[1:], id=row[0]) for row in VARIABLES]
)
async def test_a_mistake_in_a_variable(
    runtime: Runtime, query: str, value: Any, code: str, fragment: str
) -> None:
    answer = await runtime.ask(query, {"v": value})
    if "keywords" in query:  # every node of the page has the same mistake
        assert len(set(answer.codes)) == 1
        answer.body["errors"] = answer.errors[:1]
    check_words(answer, code, fragment, json.dumps(value))
    assert "Müller" not in answer.errors[0]["message"]


@pytest.mark.parametrize("depth", [20, 30, 200, 900])
async def test_a_filter_far_too_deep_in_a_variable(runtime: Runtime, depth: int) -> None:
    given: dict[str, Any] = {"patientId": {"eq": "a"}}
    for _ in range(depth):
        given = {"not": given}
    answer = await runtime.ask("query ($v: StudyFilter) { studies(filter: $v) { totalCount } }", {"v": given})
    check_words(answer, "BAD_INPUT", "deeper than 20")


@pytest.mark.parametrize("make", [expired, foreign, other_order, tampered])
async def test_a_cursor_that_is_not_of_this_list(runtime: Runtime, make: Any) -> None:
    answer = await runtime.ask(studies(f'after: "{await make(runtime)}"'))
    check_words(answer, "BAD_CURSOR", "start again without it")


async def test_a_mistake_leaves_the_other_fields(runtime: Runtime) -> None:
    answer = await runtime.ask('{ bad: node(id: "?") { id } archives { code } }')
    assert answer.data == {"bad": None, "archives": [{"code": "a0"}, {"code": "a1"}, {"code": "a2"}]}
    assert answer.errors[0]["path"] == ["bad"]


# What is odd and means something: never an error, and nothing is found by it.
NOTHING = [
    ("a range that ends before it begins", 'name: "PatientSize", gte: "3", lte: "1"'),
    ("dates that end before they begin", 'name: "StudyDate", gte: "2024", lte: "2020"'),
    ("a number beyond every other", 'name: "PatientSize", gte: "1e999"'),
    ("a number of sixty digits", f'name: "PatientSize", eq: "{"9" * 60}"'),
    ("an integer beyond its column", 'name: "NumberOfStudyRelatedSeries", eq: "99999999999999999999"'),
    ("half an integer", 'name: "NumberOfStudyRelatedSeries", eq: "1.5"'),
    ("the last day", 'name: "StudyDate", gte: "9999-12-31"'),
    ("before the first day", 'name: "StudyDate", lte: "0001-01-01"'),
    ("an expression", 'name: "PatientComments", wildcard: "(a+)+$[^"'),
    ("stars", f'name: "PatientComments", wildcard: "{"*a" * 500}"'),
    ("question marks", f'name: "PatientComments", wildcard: "{"?" * 1000}"'),
    ("LIKE's own signs", 'name: "PatientComments", contains: "%_%"'),
    ("a backslash at the end", 'name: "PatientComments", startsWith: "\\\\"'),
    ("the sign between values", 'name: "PatientComments", contains: "\\u001f"'),
    ("SQL", 'name: "PatientComments", eq: "\'; drop table study; --"'),
    ("SQL in a creator", 'name: "(x\'::text[]--)0029xx10", eq: "1"'),
    ("a creator with braces", 'name: "({\\"a\\",b})0029xx10", exists: true'),
    ("a tag that nobody knows", 'name: "FFFFFFFA", eq: "x"'),
    ("an offset of a day", 'name: "AcquisitionDateTime", gte: "2020-01-01T10:00+99:99"'),
    ("eight steps", f'name: "{".".join(["RequestAttributesSequence"] * 7)}.PatientID", eq: "x"'),
]


@pytest.mark.parametrize("match", [pytest.param(match, id=name) for name, match in NOTHING])
async def test_what_is_odd_finds_nothing(runtime: Runtime, match: str) -> None:
    data = await runtime.data(f"{{ studies(filter: {{attribute: [{{{match}}}]}}) {{ totalCount }} }}")
    assert data["studies"]["totalCount"] == 0


PLENTY = [
    {"or": [{"attribute": [{"name": "PatientComments", "eq": "a"}]}] * 1000},
    {"attribute": [{"name": "PatientComments", "eq": "a"}] * 1000},
]


@pytest.mark.parametrize("given", PLENTY, ids=["or", "attribute"])
async def test_a_thousand_terms(runtime: Runtime, given: dict[str, Any]) -> None:
    query = "query ($v: StudyFilter) { studies(filter: $v) { totalCount } }"
    check_words(await runtime.ask(query, {"v": given}), "BAD_INPUT", "conditions, at most 500")


@pytest.mark.parametrize(
    ("value", "code"), [("a\0b", "BAD_INPUT"), ("\ud800", "BAD_REQUEST"), ("\udfff a", "BAD_REQUEST")]
)
@pytest.mark.parametrize("op", ["eq", "contains", "startsWith", "wildcard"])
async def test_characters_that_no_text_can_hold(runtime: Runtime, op: str, value: str, code: str) -> None:
    query = 'query ($v: String) { studies(filter: {attribute: [{name: "PatientComments", %s: $v}]}) { totalCount } }'
    assert (await runtime.ask(query % op, {"v": value})).codes == [code]
