"""What a client and the log learn of each kind of error, and that neither learns a value."""

import io
import json
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import structlog

from api.logging import configure_logging
from tests.api.tiny import PATIENT, tiny_app

DATE = "query($m: Match) { hello(match: $m) }"
GRAPHQL = {"accept": "application/graphql-response+json"}


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The log as JSON lines."""
    stream = io.StringIO()
    configure_logging("debug", stream)
    yield stream
    structlog.reset_defaults()
    configure_logging("info", sys.__stderr__)


async def ask(client: httpx.AsyncClient, query: str, variables: Any = None) -> dict[str, Any]:
    answer = await client.post("/graphql", json={"query": query, "variables": variables})
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.parametrize(
    ("query", "variables", "code", "message"),
    [
        # what resolvers say
        ('{ fails(how: "input") }', None, "BAD_INPUT", "first must be 1 to 1000"),
        ('{ fails(how: "cursor") }', None, "BAD_CURSOR", "this cursor is expired"),
        ('{ fails(how: "missing") }', None, "NOT_FOUND", "there is no archive of that code"),
        ('{ fails(how: "forbidden") }', None, "FORBIDDEN", "your grants do not cover this archive"),
        ('{ fails(how: "archive") }', None, "TIMEOUT", "no answer within 5 s"),
        ('{ fails(how: "group") }', None, "BAD_INPUT", "from a task group"),
        ("{ hello(match: {rows: -1}) }", None, "BAD_INPUT", "rows must not be negative"),
        # literals
        (
            '{ hello(first: "Müller") }',
            None,
            "BAD_INPUT",
            "Line 1, column 16: Int cannot represent non-integer value.",
        ),
        (
            '{ hello(uid: "Müller") }',
            None,
            "BAD_INPUT",
            "Line 1, column 14: a UID is 1 to 64 digits and dots",
        ),
        (
            '{ hello(match: {date: "Müller"}) }',
            None,
            "BAD_INPUT",
            "Line 1, column 16: Value cannot represent a Date.",
        ),
        (
            '{ hello(match: {eq: "a", patient: "Müller"}) }',
            None,
            "BAD_INPUT",
            "Line 1, column 26: Expected value of type 'Match' not to include unknown field 'patient'.",
        ),
        (
            '{ hello(match: "Müller") }',
            None,
            "BAD_INPUT",
            "Line 1, column 16: Expected value of type 'Match' to be an object.",
        ),
        (
            "{ hello(match: {modality: MRR}) }",
            None,
            "BAD_INPUT",
            "Line 1, column 27: The value does not exist in the enum 'Modality'. "
            "Did you mean the enum value 'MR'?",
        ),
        # variables
        (
            DATE,
            {"m": {"nested": {"date": "Müller"}}},
            "BAD_INPUT",
            "Variable '$m' at nested.date: Value cannot represent a Date.",
        ),
        (
            DATE,
            {"m": {"modality": "Müller"}},
            "BAD_INPUT",
            "Variable '$m' at modality: The value does not exist in the enum 'Modality'.",
        ),
        (
            DATE,
            {"m": {"Müller": 1}},
            "BAD_INPUT",
            "Variable '$m': Expected value of type 'Match' not to include unknown field.",
        ),
        (
            "query($u: UID) { hello(uid: $u) }",
            {"u": "Müller"},
            "BAD_INPUT",
            "Variable '$u': a UID is 1 to 64 digits and dots",
        ),
        (
            "query($n: Int!) { hello(first: $n) }",
            {},
            "BAD_INPUT",
            "Variable '$n': Expected a value of non-null type 'Int!' to be provided.",
        ),
        (
            "query($n: Int = 1) { strict(first: $n) }",
            {"n": None},
            "BAD_INPUT",
            "Argument 'first': Expected variable '$n' provided to non-null type 'Int!' not to be None.",
        ),
        # documents
        ("{", None, "GRAPHQL_PARSE_FAILED", "Syntax Error: Expected Name, found <EOF> (line 1, column 2)."),
        (
            '{ hello """Müller""" }',
            None,
            "GRAPHQL_PARSE_FAILED",
            "Syntax Error: Expected Name, found BlockString (line 1, column 9).",
        ),
        (
            '{ hello(uid: "Müller" }',
            None,
            "GRAPHQL_PARSE_FAILED",
            "Syntax Error: Expected Name, found '}' (line 1, column 23).",
        ),
        ("{ nope }", None, "GRAPHQL_VALIDATION_FAILED", "Cannot query field 'nope' on type 'Query'."),
    ],
)
async def test_the_caller_s_mistakes(
    client: httpx.AsyncClient, log: io.StringIO, query: str, variables: Any, code: str, message: str
) -> None:
    errors = (await ask(client, query, variables))["errors"]
    assert [error["extensions"] for error in errors] == [{"code": code}]
    assert errors[0]["message"].startswith(message)
    assert "ller" not in json.dumps(errors, ensure_ascii=False)
    assert "ller" not in log.getvalue()


@pytest.mark.parametrize(
    ("query", "type_"),
    [
        ('{ fails(how: "otherwise") }', "ValueError"),
        ("{ node { breaks } }", "RuntimeError"),
        ("{ tooBig }", "graphql.error.graphql_error.GraphQLError"),
    ],
)
async def test_our_mistakes_are_masked_and_logged_once(
    client: httpx.AsyncClient, log: io.StringIO, query: str, type_: str
) -> None:
    errors = (await ask(client, query))["errors"]
    [error] = errors
    identity = error["extensions"]["correlationId"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert error["message"] == f"Internal error. Quote this correlation id: {identity}"
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    [logged] = [line for line in lines if line["event"] == "graphql.internal"]
    assert (logged["correlation_id"], logged["error"]) == (identity, type_)
    assert ".py:" in logged["exception"]
    for text in (json.dumps(errors, ensure_ascii=False), log.getvalue()):
        assert "ller" not in text
        assert "3000000000" not in text
        assert query not in text


async def test_one_fault_in_many_nodes_is_one_line(client: httpx.AsyncClient, log: io.StringIO) -> None:
    await ask(client, "{ nodes { Mueller: breaks } more: nodes { breaks } }")
    assert log.getvalue().count("graphql.internal") == 1
    assert "Mueller" not in log.getvalue()


async def test_a_thousand_wrong_items_are_a_few_errors(client: httpx.AsyncClient) -> None:
    query = "query($l: [Int!]!) { hello(first: $l) }"
    assert len((await ask(client, query, {"l": [PATIENT] * 1000}))["errors"]) == 1  # validation comes first
    many = "query(" + "".join(f"$v{n}: Int!, " for n in range(100)) + ") { hello }"
    assert len((await ask(client, many, {}))["errors"]) <= 21


async def test_a_broken_context_is_a_masked_500(log: io.StringIO) -> None:
    async def broken(_request: object) -> None:
        raise RuntimeError(PATIENT)

    transport = httpx.ASGITransport(tiny_app(context_factory=broken))
    async with httpx.AsyncClient(transport=transport, base_url="http://ernfed.test") as client:
        answer = await client.post("/graphql", json={"query": "{ hello }"})
    assert answer.status_code == 500
    [error] = answer.json()["errors"]
    assert error["extensions"]["correlationId"] == answer.headers["x-request-id"]
    assert log.getvalue().count("http.internal") == 1
    assert "ller" not in answer.text + log.getvalue()


async def test_events_are_masked_too(client: httpx.AsyncClient, log: io.StringIO) -> None:
    asked = {"query": '{ fails(how: "otherwise") }'}
    answer = await client.post("/graphql", json=asked, headers={"accept": "text/event-stream"})
    assert "INTERNAL" in answer.text
    assert "ller" not in answer.text + log.getvalue()
