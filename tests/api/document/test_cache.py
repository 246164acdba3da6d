"""A document is validated once; what depends on who asks, and with which variables, is asked each time."""

from typing import Any

import httpx
import pytest
from graphql import parse
from graphql import validate as really_validate

from api.document.cache import KnownDocument, KnownDocuments
from api.document.limits import check
from api.document.rules import Rules
from tests.api.identity.signing import FakeProvider, bearer, token_of
from tests.api.tiny import tiny_app

HELLO = "query A($first: Int!) { hello(first: $first) } query B { strict }"


@pytest.fixture
def validated(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The documents that were validated."""
    seen: list[object] = []

    def validate(schema: Any, document: Any, *rest: Any) -> Any:
        seen.append(document)
        return really_validate(schema, document, *rest)

    monkeypatch.setattr("strawberry.schema.schema.validate", validate)
    return seen


def client_of(**changes: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(tiny_app(**changes)), base_url="http://ernfed.test"
    )


def known(text: str) -> KnownDocument:
    document = parse(text)
    return KnownDocument.of(document, check(document))


async def test_a_document_is_validated_once_whatever_its_variables(validated: list[object]) -> None:
    async with client_of() as client:
        for number in range(4):
            body = {"query": HELLO, "operationName": "A", "variables": {"first": number}}
            assert (await client.post("/graphql", json=body)).json() == {"data": {"hello": "world"}}
        other = await client.post("/graphql", json={"query": HELLO, "operationName": "B"})
        assert other.json() == {"data": {"strict": "world"}}
    assert len(validated) == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"query": "{ helo }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "{ hello"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{" + "a { " * 20 + "b" + "}" * 20 + "}"}, "QUERY_TOO_DEEP"),
        ({"query": HELLO}, "BAD_REQUEST"),
        ({"query": HELLO, "operationName": "A", "variables": {"first": "x"}}, "BAD_INPUT"),
    ],
)
async def test_what_is_refused_is_refused_each_time(body: dict[str, Any], code: str) -> None:
    async with client_of() as client:
        valid = {"query": HELLO, "operationName": "A", "variables": {"first": 1}}
        assert (await client.post("/graphql", json=valid)).json() == {"data": {"hello": "world"}}
        first = (await client.post("/graphql", json=body)).json()
        assert first["errors"][0]["extensions"]["code"] == code
        assert [(await client.post("/graphql", json=body)).json() for _ in range(2)] == [first, first]


async def test_rights_are_asked_for_a_known_document_too() -> None:
    """Who may introspect makes the document known; somebody not signed in is refused all the same."""
    query = {"query": "{ __schema { queryType { name } } }"}
    identity = FakeProvider().identity(open_here=True)
    async with client_of(rules=Rules(introspection="signed-in"), identity=identity) as client:
        answer = await client.post("/graphql", json=query, headers=bearer(token_of()))
        assert answer.json()["data"] == {"__schema": {"queryType": {"name": "Query"}}}
        refused = (await client.post("/graphql", json=query)).json()
        assert [error["extensions"]["code"] for error in refused["errors"]] == ["INTROSPECTION_OFF"]


async def test_cost_is_that_of_these_variables() -> None:
    query = "query ($match: Match) { hello(match: $match) }"
    async with client_of(rules=Rules(max_cost=0)) as client:
        for _ in range(2):
            answer = (await client.post("/graphql", json={"query": query})).json()
            assert answer["errors"][0]["extensions"]["code"] == "COST_TOO_HIGH"


def test_the_text_that_is_kept_is_bounded() -> None:
    documents = KnownDocuments(most=100)
    texts = [f"{{ a{number:02} }}" for number in range(40)]  # 7 characters each
    for text in texts:
        documents.keep(text, known(text))
        assert documents.get(texts[0]) is not None  # asked for each time, so it stays
    kept = [text for text in texts if documents.get(text)]
    assert kept == [texts[0], *texts[-13:]]


def test_a_large_document_is_not_kept() -> None:
    documents = KnownDocuments(most=100)
    documents.keep("{ aaaaaaaaaaaaaa }", known("{ aaaaaaaaaaaaaa }"))
    assert documents.get("{ aaaaaaaaaaaaaa }") is None
    assert documents.get(None) is None
