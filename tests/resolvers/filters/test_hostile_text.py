"""Text that means something elsewhere, in every argument that takes text: NUL, half a character, SQL."""

import pytest

from tests.resolvers.runtime import Runtime

PLACES = {
    "study": "query ($t: UID!) { study(studyInstanceUid: $t) { id } }",
    "archive": "query ($t: String!) { archive(code: $t) { code } }",
    "node": "query ($t: ID!) { node(id: $t) { id } }",
    "nodes": "query ($t: ID!) { nodes(ids: [$t]) { id } }",
    "archives": "query ($t: String!) { studies(archives: [$t]) { totalCount } }",
    "after": "query ($t: String!) { studies(after: $t) { totalCount } }",
    "before": "query ($t: String!) { studies(last: 2, before: $t) { totalCount } }",
    "definitions": "query ($t: String!) { attributeDefinitions(search: $t) { totalCount } }",
    "definitions after": "query ($t: String!) { attributeDefinitions(after: $t) { totalCount } }",
    "keywords": "query ($t: String!) { studies(first: 1) { nodes { attributes(keywords: [$t]) { text } } } }",
    "series after": "query ($t: String!) { studies(first: 1) { nodes { series(after: $t) { complete } } } }",
    **{
        f"filter {given}": f"query ($t: String!) {{ studies(filter: {given}) {{ totalCount }} }}"
        for given in (
            *(f"{{patientId: {{{op}: $t}}}}" for op in ("eq", "startsWith", "contains", "wildcard")),
            "{patientId: {in: [$t]}}",
            *(f"{{patientName: {{{op}: $t}}}}" for op in ("eq", "startsWith", "wildcard", "fuzzy")),
            *(f"{{modalitiesInStudy: {{{op}: [$t]}}}}" for op in ("any", "all")),
            "{text: $t}",
            "{attribute: [{name: $t, exists: true}]}",
            *(
                f'{{attribute: [{{name: "PatientComments", {op}: $t}}]}}'
                for op in ("eq", "contains", "wildcard")
            ),
            '{attribute: [{name: "PatientComments", in: [$t]}]}',
            '{attribute: [{name: "StudyDate", gte: $t}]}',
            '{attribute: [{name: "PatientSize", eq: $t}]}',
        )
    },
}
COUNT = "{ studies { totalCount } series { totalCount } instances { totalCount } }"
HARMLESS = {"BAD_INPUT", "BAD_CURSOR", "NOT_FOUND"}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "x\udfffy"], ids=ascii)
async def test_what_no_dicom_text_can_hold_is_refused(runtime: Runtime, place: str, text: str) -> None:
    answer = await runtime.ask(PLACES[place], {"t": text})
    if place == "archive" and "\0" in text:
        assert answer.data == {"archive": None}  # a name that no archive has
    elif "\0" in text:
        assert set(answer.codes) <= HARMLESS
        assert answer.errors
    else:
        assert answer.status == 400  # no valid JSON: RFC 8259 section 8.2
        assert set(answer.codes) == {"BAD_REQUEST"}


@pytest.mark.parametrize("escape", ["\\u0000", "\\ud800", "\\u{DFFF}"])
async def test_the_same_in_a_literal(runtime: Runtime, escape: str) -> None:
    answer = await runtime.ask(f'{{ studies(filter: {{patientId: {{eq: "a{escape}"}}}}) {{ totalCount }} }}')
    assert answer.codes in (["BAD_INPUT"], ["GRAPHQL_PARSE_FAILED"])


SQL = [
    "x' or '1'='1",
    "'; drop table study cascade; --",
    "$1::text",
    "\\'; delete from study where ''='",
    '"; select pg_sleep(10); --',
    "' | '':*",
    "a' & !'b",
    "{1,2}",
    "%%s%%(x)s",
]


@pytest.mark.parametrize("place", PLACES)
async def test_sql_finds_nothing_and_harms_nothing(runtime: Runtime, place: str) -> None:
    before = await runtime.data(COUNT)
    for text in SQL:
        answer = await runtime.ask(PLACES[place], {"t": text})
        assert set(answer.codes) <= HARMLESS
        found = next(iter((answer.data or {"": None}).values()))
        if place.startswith("filter") and "text" not in place and found is not None:
            assert found["totalCount"] == 0
    assert await runtime.data(COUNT) == before


@pytest.mark.parametrize(
    "text",
    [
        "Ов'ʼчар",  # U+02BC, a letter that unaccent turns into an apostrophe
        "ŉ",
        "½",
        "ﷺ" * 100,
        "あ" * 1024,
        "é" * 1024,
        "x" * 1024,
        "\U0010ffff a",
        "ǆ ß İ ﬃ",
        "& | ! ( ) : * <-> a",
    ],
    ids=lambda text: ascii(text)[:24],
)
@pytest.mark.parametrize("place", [each for each in PLACES if each.startswith("filter")])
async def test_odd_letters_are_searched_for(runtime: Runtime, place: str, text: str) -> None:
    answer = await runtime.ask(PLACES[place], {"t": text})
    assert set(answer.codes) <= HARMLESS


async def test_text_is_its_words_whatever_stands_between(runtime: Runtime) -> None:
    ask = "query ($t: String!) { studies(filter: {text: $t}, first: 5) { totalCount nodes { id } } }"
    plain = await runtime.data(ask, {"t": "thorax angio"})
    assert plain["studies"]["totalCount"] > 0
    for text in ("thorax' & 'angio", "THORAX|angio", "(thorax) <-> angio:*", "angio\\' thorax"):
        found = await runtime.data(ask, {"t": text})
        assert found["studies"]["totalCount"] == plain["studies"]["totalCount"]
