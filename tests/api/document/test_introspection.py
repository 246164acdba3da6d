"""Who may ask what the schema is; for others neither errors nor the text of the schema tell it."""

import json
from typing import Any

import httpx
import pytest
from graphql import get_introspection_query, parse
from websockets.asyncio.client import connect

from api.document.introspection import Introspection, introspects, without_hints
from api.document.rules import Rules, rules_of
from config.settings import Settings, SettingsError, load_settings
from resolvers.schema import schema
from tests.api.graphql.test_websocket import PROTOCOL, receive, send, served
from tests.api.identity.signing import FakeProvider, bearer, token_of
from tests.api.tiny import tiny_app

SSE = {"accept": "text/event-stream"}


def client_of(rule: Introspection, **changes: Any) -> httpx.AsyncClient:
    app = tiny_app(rules=Rules(introspection=rule), **changes)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ernfed.test")


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ("{ hello }", False),
        ("{ __typename node { __typename } }", False),
        ("{ schema: hello }", False),
        ("{ __schema { queryType { name } } }", True),
        ('{ hello: __type(name: "Query") { name } }', True),
        ("{ ... on Query { ... { __schema { queryType { name } } } } }", True),
        ("{ ...F } fragment F on Query { __schema { queryType { name } } }", True),
        ("{ hello } fragment Unused on Query { __schema { queryType { name } } }", True),
        ("query A { hello } query B { __schema { queryType { name } } }", True),
        ("{ __schema @skip(if: true) { queryType { name } } }", True),
        (get_introspection_query(), True),
    ],
)
async def test_introspection_is_found(document: str, found: bool) -> None:
    assert introspects(parse(document)) == found
    async with client_of("off") as client:
        for headers in ({}, SSE):
            body = {"query": document, "operationName": "A" if "query A" in document else None}
            answer = await client.post("/graphql", json=body, headers=headers)
            assert ("INTROSPECTION_OFF" in answer.text) == found
            assert ("queryType" in answer.text) is False


BY_VARIABLE = "query ($match: Match) { hello(match: $match) }"


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("{ helo }", None),
        ("{ node { nam } }", None),
        ("{ node }", None),
        ("{ hello(macth: {}) }", None),
        ("{ hello(match: { modality: MRR }) }", None),
        ("query ($m: Mach) { hello(match: $m) }", None),
        ("{ node { ...F } } fragment F on Nod { name }", None),
        ("{ hello @skip(iff: true) }", None),
        (BY_VARIABLE, {"match": {"modality": "MRR"}}),
    ],
)
async def test_hints_go_with_introspection(query: str, variables: dict[str, Any] | None) -> None:
    messages = []
    for rule in ("on", "signed-in", "off"):
        async with client_of(rule) as client:
            answer = await client.post("/graphql", json={"query": query, "variables": variables})
        messages.append([error["message"] for error in answer.json()["errors"]])
    told, *hidden = messages
    assert "Did you mean" in str(told)
    for each in hidden:
        assert "Did you mean" not in str(each)
        assert each == [message.partition(" Did you mean")[0] for message in told]


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ("Unknown type 'Mach'. Did you mean 'Match'?", "Unknown type 'Mach'."),
        ("Cannot query field 'a' on type 'B'. Did you mean 'c', 'd', or 'e'?", "Cannot query field 'a' on type 'B'."),
        ("No 'a' on 'B'. Did you mean to use an inline fragment on 'C' or 'D'?", "No 'a' on 'B'."),
        ("No such value. Did you mean the enum value 'MR'?", "No such value."),
        ("Field 'node' of type 'Node!' must have a selection of subfields. Did you mean 'node { ... }'?",
         "Field 'node' of type 'Node!' must have a selection of subfields."),
        # our own, of the DICOM dictionary
        ("name: no attribute PatientNmae. Did you mean PatientName?",) * 2,
        ("No hint at all.",) * 2,
    ],
)  # fmt: skip
def test_without_hints(message: str, left: str) -> None:
    assert without_hints(message) == left


@pytest.mark.parametrize(
    ("rule", "is_open", "signed_in", "nobody"),
    [
        ("on", True, 200, 200),
        ("signed-in", True, 200, 403),
        ("off", True, 403, 403),
        ("signed-in", False, 200, 401),
    ],
)
async def test_who_is_told(rule: Introspection, is_open: bool, signed_in: int, nobody: int) -> None:
    identity = FakeProvider().identity(open_here=is_open)
    async with client_of(rule, identity=identity) as client:
        for headers, status in ((bearer(token_of()), signed_in), ({}, nobody)):
            text = await client.get("/schema.graphql", headers=headers)
            assert text.status_code == status
            answer = await client.post(
                "/graphql", json={"query": "{ __schema { types { name } } }"}, headers=headers
            )
            assert ("Match" in answer.text) == ("Match" in text.text) == (status == 200)
            if status == 403:
                codes = [each.json()["errors"][0]["extensions"]["code"] for each in (text, answer)]
                assert codes == ["INTROSPECTION_OFF"] * 2


async def test_over_a_websocket() -> None:
    async with (
        served(rules=Rules(introspection="off")) as url,
        connect(url, subprotocols=[PROTOCOL]) as socket,
    ):
        await socket.send('{"type": "connection_init"}')
        await receive(socket)
        await send(socket, "{ __schema { types { name } } }")
        assert (await receive(socket))["payload"][0]["extensions"] == {"code": "INTROSPECTION_OFF"}
        await send(socket, "{ helo }")
        assert "Did you mean" not in json.dumps(await receive(socket))


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({}, "on"),
        ({"auth_issuer": "https://login.example.org"}, "signed-in"),
        ({"auth_issuer": "https://login.example.org", "introspection": "on"}, "on"),
        ({"introspection": "off"}, "off"),
    ],
)
def test_the_setting(given: dict[str, Any], rule: str) -> None:
    assert rules_of(Settings(**given), schema).introspection == rule


def test_a_wrong_setting_is_named() -> None:
    with pytest.raises(SettingsError, match=r"ERNFED_INTROSPECTION: .*'signed-in'"):
        load_settings(introspection="maybe")
