"""GraphQL over HTTP: status, media type and code of every way to ask."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from api.document.limits import MAX_BODY_BYTES
from model.errors import BadInput, Forbidden
from tests.api.tiny import tiny_app

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
HELLO = {"query": "{ hello }"}


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, {JSON};q=0.9", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", GRAPHQL),
        (f"{JSON}, {GRAPHQL};q=0.5", JSON),
        (f"{GRAPHQL};q=0, */*", JSON),
        (GRAPHQL.upper(), GRAPHQL),
        ("text/html,application/xhtml+xml,*/*;q=0.8", JSON),
        # as urql sends it: every type that it reads, whatever it asks
        (f"{GRAPHQL}, application/graphql+json, {JSON}, text/event-stream, multipart/mixed", GRAPHQL),
        (f"text/event-stream, {JSON}", JSON),
        (f"text/event-stream, {JSON};q=0.1", JSON),
        (f"text/event-stream, {GRAPHQL};q=0.1, {JSON};q=0", GRAPHQL),
        ("text/event-stream, */*;q=0.1", JSON),
        (f"multipart/mixed;boundary=graphql;subscriptionSpec=1.0,{JSON}", JSON),
    ],
)
async def test_the_answer_has_the_media_type_that_was_asked_for(
    client: httpx.AsyncClient, accept: str | None, media_type: str
) -> None:
    client.headers.pop("accept")
    headers = {"accept": accept} if accept else {}
    answer = await client.post("/graphql", json=HELLO, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == f"{media_type}; charset=utf-8"
    assert answer.json() == {"data": {"hello": "world"}}


@pytest.mark.parametrize(
    ("status", "code", "request_"),
    [
        (400, "BAD_REQUEST", {"content": b'{"query": "{ hel'}),
        (400, "BAD_REQUEST", {"content": b""}),
        (400, "BAD_REQUEST", {"content": b'{"query": "\xff"}'}),
        (400, "BAD_REQUEST", {"content": b"[" * 100_000}),
        (400, "BAD_REQUEST", {"json": "{ hello }"}),
        (400, "BAD_REQUEST", {"json": None}),
        (400, "BAD_REQUEST", {"json": [HELLO, HELLO]}),
        (400, "BAD_REQUEST", {"json": {}}),
        (400, "BAD_REQUEST", {"json": {"query": ""}}),
        (400, "BAD_REQUEST", {"json": {"query": 1}}),
        (400, "BAD_REQUEST", {"json": {**HELLO, "variables": [1]}}),
        (400, "BAD_REQUEST", {"json": {**HELLO, "variables": "{}"}}),
        (400, "BAD_REQUEST", {"json": {**HELLO, "extensions": 0}}),
        (400, "BAD_REQUEST", {"json": {**HELLO, "operationName": 0}}),
        (400, "BAD_REQUEST", {"json": {**HELLO, "operationName": "Müller"}}),
        (400, "BAD_REQUEST", {"json": {"query": "subscription { ticks(count: 1) }"}}),
        (400, "BAD_REQUEST", {"json": {"query": "fragment F on Query { hello }"}}),
        (406, "NOT_ACCEPTABLE", {"json": HELLO, "headers": {"accept": "image/png"}}),
        (415, "UNSUPPORTED_MEDIA_TYPE", {"data": HELLO}),
        (415, "UNSUPPORTED_MEDIA_TYPE", {"content": b"{ hello }"}),
        (415, "UNSUPPORTED_MEDIA_TYPE", {"json": HELLO, "headers": {"content-type": "text/plain"}}),
        (
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            {"json": HELLO, "headers": {"content-type": "application/json; charset=latin-1"}},
        ),
    ],
)
async def test_what_is_refused_before_graphql(
    client: httpx.AsyncClient, status: int, code: str, request_: dict[str, Any]
) -> None:
    headers = {**({"content-type": JSON} if request_.get("content") != b"{ hello }" else {})}
    request_["headers"] = {**({} if "data" in request_ else headers), **request_.get("headers", {})}
    answer = await client.post("/graphql", **request_)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith(JSON)
    assert [error["extensions"]["code"] for error in answer.json()["errors"]] == [code]
    assert "data" not in answer.json()
    assert "Müller" not in answer.text


async def test_get_runs_queries_only(client: httpx.AsyncClient) -> None:
    asked = {"query": "query A($n: Int!) { hello(first: $n) }", "variables": '{"n": 3}', "operationName": "A"}
    assert (await client.get("/graphql", params=asked)).json() == {"data": {"hello": "world"}}
    refused = await client.get("/graphql", params={"query": "mutation { change }"})
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert (await client.get("/graphql", params={**asked, "variables": "{"})).status_code == 400
    assert (await client.get("/graphql", headers={"accept": "text/html, */*"})).status_code == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
async def test_other_methods(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, "/graphql")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


async def test_a_mutation_over_post(client: httpx.AsyncClient) -> None:
    answer = await client.post("/graphql", json={"query": "mutation { change }"})
    assert answer.json() == {"data": {"change": "changed"}}


async def test_no_redirect(client: httpx.AsyncClient) -> None:
    assert (await client.post("/graphql", json=HELLO)).status_code == 200
    assert (await client.post("/graphql/", json=HELLO)).status_code == 404


async def test_a_body_over_the_cap_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/graphql", json={"query": "{ hello }" + " " * MAX_BODY_BYTES})
    assert answer.status_code == 413
    assert answer.json()["errors"][0]["extensions"]["code"] == "PAYLOAD_TOO_LARGE"


async def test_a_body_without_a_length_is_read_up_to_the_cap_only(client: httpx.AsyncClient) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 100_000
            yield b" " * 100_000

    answer = await client.post("/graphql", content=endless(), headers={"content-type": JSON})
    assert answer.status_code == 413
    assert read <= MAX_BODY_BYTES + 200_000


@pytest.mark.parametrize(("accept", "status"), [(GRAPHQL, 400), (JSON, 200)])
async def test_a_document_that_is_refused_has_no_data(
    client: httpx.AsyncClient, accept: str, status: int
) -> None:
    for query in ("{", "{ nope }", "query($n: Int!) { hello(first: $n) }"):
        answer = await client.post("/graphql", json={"query": query}, headers={"accept": accept})
        assert answer.status_code == status
        assert "data" not in answer.json()


async def test_data_that_became_null_while_running_stays(client: httpx.AsyncClient) -> None:
    answer = await client.post("/graphql", json={"query": "{ tooBig }"}, headers={"accept": GRAPHQL})
    assert (answer.status_code, answer.json()["data"]) == (200, None)


async def test_which_of_two_operations_must_be_said(client: httpx.AsyncClient) -> None:
    two = "query A { a: hello } query B { b: hello }"
    answer = await client.post("/graphql", json={"query": two})
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    answer = await client.post("/graphql", json={"query": two, "operationName": "B"})
    assert answer.json() == {"data": {"b": "world"}}


async def test_a_subscription_streams_events(client: httpx.AsyncClient) -> None:
    asked = {"query": "subscription { ticks(count: 2) }"}
    answer = await client.post("/graphql", json=asked, headers={"accept": "text/event-stream"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.count("event: next") == 2
    assert '{"data":{"ticks":1}}' in answer.text


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(BadInput("X-Purpose-Of-Use is unknown"), 400, "BAD_INPUT"), (Forbidden("not you"), 403, "FORBIDDEN")],
)
async def test_a_context_may_refuse(error: Exception, status: int, code: str) -> None:
    async def refusing(_request: object) -> None:
        raise error

    transport = httpx.ASGITransport(tiny_app(context_factory=refusing))
    async with httpx.AsyncClient(transport=transport, base_url="http://ernfed.test") as client:
        answer = await client.post("/graphql", json=HELLO)
    assert answer.status_code == status
    assert answer.json() == {"errors": [{"message": str(error), "extensions": {"code": code}}]}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("accept", "query", "streams"),
    [
        ("text/event-stream", "subscription { ticks(count: 1) }", True),
        (f"{JSON}, text/event-stream;q=0.1", "subscription { ticks(count: 1) }", True),
        (
            f"{GRAPHQL}, {JSON}, text/event-stream",
            "query Q { hello } subscription S { ticks(count: 1) }",
            True,
        ),
        (
            f"{GRAPHQL}, {JSON}, text/event-stream",
            "query S { hello } subscription Q { ticks(count: 1) }",
            False,
        ),
        ("text/event-stream", "{ hello }", True),
        (f"text/event-stream, {JSON};q=0", "{ hello }", True),
        (f"text/event-stream;q=0, {JSON}", "{ hello }", False),
        (f"text/event-stream, {JSON}", '{ hello(uid: "1") } # no subscription', False),
        (f"text/event-stream, {JSON}", "query mutation { hello }", False),
        (f"text/event-stream, {JSON}", "{ subscription", False),
    ],
)
async def test_what_is_a_stream(
    client: httpx.AsyncClient, accept: str, query: str, streams: bool, method: str
) -> None:
    asked = {"query": query, **({"operationName": "S"} if "query" in query and " S " in query else {})}
    sent: dict[str, Any] = {"params": asked} if method == "GET" else {"json": asked}
    answer = await client.request(method, "/graphql", headers={"accept": accept}, **sent)
    assert answer.headers["content-type"].startswith("text/event-stream") is streams
    if streams:
        first, last, rest = answer.text.split("\n\n")
        assert first.startswith("event: next\ndata: {")
        assert (last, rest, answer.text.count("\r")) == ("event: complete\ndata: ", "", 0)


async def test_a_subscription_needs_a_stream(client: httpx.AsyncClient) -> None:
    for accept in ("*/*", JSON, f"{JSON}, text/event-stream;q=0"):
        answer = await client.post(
            "/graphql", json={"query": "subscription { ticks(count: 1) }"}, headers={"accept": accept}
        )
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")
