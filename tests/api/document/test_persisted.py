"""Known operations: found by their SHA-256, and where asked for the only ones that run; and their file."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from access.audit import document_digest
from api.document.persisted import Operations, persisted_of
from api.document.rules import Rules, rules_of
from config.persisted_operations import digest, load_persisted_operations
from config.settings import Settings, SettingsError
from db.audit.lines import lines
from db.audit.log import AUDIT_SESSION, AuditLog
from db.pool import Database
from resolvers.schema import schema as real
from tests.api.graphql.test_websocket import PROTOCOL, receive, send, served
from tests.api.identity.signing import FakeProvider, bearer, token_of
from tests.api.identity.signing_in import OURS, serving, to_callback
from tests.api.tiny import schema, tiny_app

HELLO = "query Hello { hello }"
STRICT = "query Strict($n: Int = 1) { strict(first: $n) }"
CHANGE = "mutation Change { change }"
KNOWN = {digest(each): each for each in (HELLO, STRICT, CHANGE)}
NODE = "{ node { name } }"
NONE = "0" * 64
JSON, GRAPHQL = "application/json", "application/graphql-response+json"


def rules(mode: Operations = "any", documents: dict[str, str] = KNOWN) -> Rules:
    return Rules(persisted=persisted_of(documents, mode, schema._schema))


def client_of(mode: Operations, documents: dict[str, str] = KNOWN, **changes: Any) -> httpx.AsyncClient:
    app = tiny_app(rules=rules(mode, documents), **changes)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ernfed.test")


def told(answer: httpx.Response) -> str:
    """The code of the error, or the answer's first field."""
    body = answer.json()
    if "errors" in body:
        return str(body["errors"][0]["extensions"]["code"])
    return str(next(iter(body["data"])))


def apollo(sha256: object, version: object = 1) -> dict[str, Any]:
    return {"extensions": {"persistedQuery": {"version": version, "sha256Hash": sha256}}}


NAMED = digest(HELLO)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"documentId": f"sha256:{NAMED}"}, "hello"),
        ({"documentId": NAMED}, "hello"),
        (apollo(NAMED), "hello"),
        (apollo(NAMED) | {"query": HELLO}, "hello"),
        (apollo(NAMED) | {"query": ""}, "hello"),
        ({"documentId": digest(STRICT), "variables": {"n": 5}, "operationName": "Strict"}, "strict"),
        ({"documentId": digest(CHANGE)}, "change"),
        ({"query": NODE}, "node"),
        (apollo(digest(NODE)) | {"query": NODE}, "node"),
        # not known, or not a name
        ({"documentId": NONE}, "PERSISTED_QUERY_NOT_FOUND"),
        (apollo(NONE), "PERSISTED_QUERY_NOT_FOUND"),
        (apollo(NAMED) | {"query": NODE}, "BAD_REQUEST"),
        ({"documentId": NAMED, "query": NODE}, "BAD_REQUEST"),
        ({"documentId": NAMED, "query": ["x"]}, "BAD_REQUEST"),
        ({"documentId": NAMED.upper()}, "BAD_REQUEST"),
        ({"documentId": f"md5:{NAMED[:32]}"}, "BAD_REQUEST"),
        ({"documentId": 7}, "BAD_REQUEST"),
        ({"documentId": ""}, "BAD_REQUEST"),
        (apollo(NAMED, version=2), "BAD_REQUEST"),
        (apollo(None), "BAD_REQUEST"),
        ({"extensions": {"persistedQuery": "x"}}, "BAD_REQUEST"),
        ({"extensions": "x"}, "BAD_REQUEST"),
        ({"documentId": NAMED, "variables": []}, "BAD_REQUEST"),
        ({}, "BAD_REQUEST"),
    ],
)
async def test_documents_are_found(body: dict[str, Any], found: str) -> None:
    async with client_of("any") as client:
        assert told(await client.post("/graphql", json=body)) == found


async def test_by_get_and_no_mutation_by_get() -> None:
    async with client_of("persisted") as client:
        assert told(await client.get("/graphql", params={"documentId": f"sha256:{NAMED}"})) == "hello"
        refused = await client.get("/graphql", params={"documentId": digest(CHANGE)})
        assert refused.status_code == 405


@pytest.mark.parametrize(("accept", "status"), [(JSON, 200), (GRAPHQL, 400)])
async def test_what_clients_of_apollo_and_urql_look_for(accept: str, status: int) -> None:
    for documents, words in ((KNOWN, "PersistedQueryNotFound"), ({}, "PersistedQueryNotSupported")):
        async with client_of("any", documents) as client:
            answer = await client.post("/graphql", json=apollo(NONE), headers={"accept": accept})
        [error] = answer.json()["errors"]
        assert (answer.status_code, error["message"]) == (status, words)
        assert answer.headers["content-type"].startswith(accept)


@pytest.mark.parametrize("headers", [{}, {"accept": "text/event-stream"}])
@pytest.mark.parametrize(
    ("mode", "body", "runs"),
    [
        ("any", {"query": NODE}, True),
        ("persisted", {"query": NODE}, False),
        ("persisted", {"query": HELLO}, True),
        ("persisted", {"query": HELLO + " "}, False),
        ("persisted", {"documentId": NAMED}, True),
        ("persisted", {"documentId": NONE}, False),
        ("persisted", {"query": "{ __typename }"}, False),
        ("persisted-for-browsers", {"query": NODE}, False),
        ("persisted-for-browsers", {"documentId": NAMED}, True),
    ],
)
async def test_modes(mode: Operations, body: dict[str, Any], runs: bool, headers: dict[str, str]) -> None:
    async with client_of(mode) as client:
        answer = await client.post("/graphql", json=body, headers=headers)
    assert ("PERSISTED_OPERATION_REQUIRED" in answer.text) is not runs
    assert ('"data":{' in answer.text) is runs


@pytest.mark.parametrize(
    ("mode", "token", "anonymous"),
    [("any", "node", "node"), ("persisted", "PERSISTED_OPERATION_REQUIRED", "PERSISTED_OPERATION_REQUIRED"),
     ("persisted-for-browsers", "node", "PERSISTED_OPERATION_REQUIRED")],
)  # fmt: skip
async def test_tokens_and_anonymous_people(mode: Operations, token: str, anonymous: str) -> None:
    async with client_of(mode, identity=FakeProvider().identity(open_here=True)) as client:
        found = [
            told(await client.post("/graphql", json={"query": NODE}, headers=headers))
            for headers in (bearer(token_of()), {})
        ]
    assert found == [token, anonymous]


async def test_the_session_of_a_browser() -> None:
    async with serving(rules=rules("persisted-for-browsers")) as server, server.browser() as browser:
        await browser.get(await to_callback(browser, "clinician"))
        assert (await browser.get("/whoami", headers=OURS)).status_code == 200
        for body, found in (({"query": NODE}, "PERSISTED_OPERATION_REQUIRED"), ({"query": HELLO}, "hello")):
            assert told(await browser.post("/graphql", json=body, headers=OURS)) == found


async def test_over_a_websocket() -> None:
    async with (
        served(rules=rules("persisted")) as url,
        connect(url, subprotocols=[PROTOCOL]) as socket,
    ):
        await socket.send('{"type": "connection_init"}')
        await receive(socket)
        await send(socket, NODE)
        assert (await receive(socket))["payload"][0]["extensions"]["code"] == "PERSISTED_OPERATION_REQUIRED"
        await send(socket, HELLO)
        assert (await receive(socket))["payload"] == {"data": {"hello": "world"}}


# ---- audit -------------------------------------------------------------------------------------------


@pytest.fixture
async def audit(database: Database, database_url: str) -> AsyncIterator[AuditLog]:
    own = await Database.open(database_url, max_size=1, session=AUDIT_SESSION)
    log = await AuditLog.open(own)
    yield log
    await log.close()
    await own.close()


async def test_audit_lines_name_known_operations(audit: AuditLog, database: Database) -> None:
    async with client_of("persisted", audit=audit) as client:
        for body in ({"documentId": NAMED}, {"query": STRICT}, {"query": NODE}):
            await client.post("/graphql", json=body)
    await audit.close()
    said = [line.said async for line in lines(database)]
    assert [(each["operation"], each["outcome"]) for each in said] == [
        ("Hello", "OK"),
        ("Strict", "OK"),
        (None, "PERSISTED_OPERATION_REQUIRED"),
    ]
    assert said[0]["document"] == document_digest(HELLO)


def test_names_for_the_audit() -> None:
    documents = ["query A { hello } query B { hello }", 'query C { fails(how: "x") }', "{ hello }"]
    known = persisted_of({digest(each): each for each in documents}, "any", schema._schema)
    assert [known.names.get(document_digest(each)) for each in documents] == ["A, B", "C", None]


# ---- the file ----------------------------------------------------------------------------------------


def settings(tmp_path: Path, content: object, **more: Any) -> Settings:
    file = tmp_path / "operations.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return Settings(persisted_operations=file, **more)


PREFIXED = {f"sha256:{name}": document for name, document in KNOWN.items()}


@pytest.mark.parametrize("content", [[HELLO, STRICT, CHANGE, HELLO], KNOWN, PREFIXED])
def test_both_forms(tmp_path: Path, content: object) -> None:
    assert load_persisted_operations(settings(tmp_path, content)) == KNOWN


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "line 1, column 2: not JSON"),
        ("[" * 100_000, "not JSON"),
        ('"x"', "expected an object from SHA-256 to document, or a list"),
        ([HELLO, 7], "entry 2: expected a GraphQL document"),
        ({NAMED: ""}, "expected a GraphQL document"),
        ({"hello": HELLO}, f'entry "hello": the SHA-256 of its document is {NAMED}. Write that'),
        ({NAMED.upper(): HELLO}, "in lower case"),
        (["{ studies("], r"sha256:\w+, cannot be run: Syntax Error.* \(line 1, column 11\). Correct it"),
        (
            ["query Odd { nothing }"],
            r'the document "query Odd", sha256:\w+, cannot be run: Cannot query field',
        ),
        (["{" + "viewer{" * 16 + "name" + "}" * 17], "cannot be run: The document nests fields 17 deep"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, content: object, said: str) -> None:
    with pytest.raises(SettingsError, match=f"^ERNFED_PERSISTED_OPERATIONS: .*{said}"):
        rules_of(settings(tmp_path, content), real)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"ERNFED_PERSISTED_OPERATIONS: cannot read .*nowhere"):
        load_persisted_operations(Settings(persisted_operations=tmp_path / "nowhere"))
    with pytest.raises(SettingsError, match="ERNFED_OPERATIONS: persisted needs ERNFED_PERSISTED_OPERATIONS"):
        load_persisted_operations(Settings(operations="persisted"))
    assert load_persisted_operations(Settings()) == {}
