"""The attacks: each is a request, and the refusals that it may get."""

import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from graphql import get_introspection_query

from tests.api.document.test_limits import bomb
from tests.api.identity.signing import token_of
from tests.api.identity.test_cross_site import signed_in
from tests.api.identity.test_tokens import FORGED
from tests.leaks.people import Reply, Served

JSON = {"content-type": "application/json"}
_TOKENS = (
    "alg none", "HS256 with the public key as PEM", "another audience", "not valid yet", "kid as SQL",
    "kid as path", "jku of a stranger", "a huge token", "a tampered payload",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Attack:
    """`send` asks; `refusals`: (status, code) that it may get. code '' is an answer that holds nothing."""

    name: str
    send: Callable[[Served], Awaitable[Reply]]
    refusals: tuple[tuple[int, str], ...]


def post(name: str, content: bytes | str, *refusals: tuple[int, str], **headers: str) -> Attack:
    async def send(app: Served) -> Reply:
        return await app.send("full", "POST", "/graphql", content=content, headers=JSON | headers)

    return Attack(name, send, refusals)


def query(name: str, text: str, *refusals: tuple[int, str], variables: Any = None) -> Attack:
    return post(name, json.dumps({"query": text, "variables": variables}), *refusals)


def forged(name: str, token: str | None = None) -> Attack:
    async def send(app: Served) -> Reply:
        headers = {b"authorization": b"Bearer " + (token or FORGED[name]).encode()}
        return await app.send("nobody", "POST", "/graphql", json={"query": "{ __typename }"}, headers=headers)

    return Attack(f"token: {name}", send, ((401, "UNAUTHENTICATED"),))


def from_elsewhere(name: str, method: str, headers: dict[str, str], **body: Any) -> Attack:
    """What a page elsewhere makes the browser of somebody send who is signed in."""

    async def send(_app: Served) -> Reply:
        async with signed_in() as client:
            return _reply(await client.request(method, "/graphql", headers=headers, **body))

    return Attack(name, send, ((403, "CROSS_SITE"),))


def _reply(answer: httpx.Response) -> Reply:
    return Reply(answer.status_code, answer.content, repr(answer.headers), ())


async def _token_in_url(app: Served) -> Reply:
    return await app.send("nobody", "GET", "/graphql?query=%7B__typename%7D&access_token=x")


async def _websocket(app: Served) -> Reply:
    """A handshake from another origin, as the server hands it to the application."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "websocket", "path": "/graphql", "raw_path": b"/graphql", "query_string": b"", "scheme": "wss",
        "headers": [(b"host", b"ernfed.test"), (b"origin", b"https://evil.example")], "root_path": "",
        "subprotocols": ["graphql-transport-ws"], "client": ("192.0.2.1", 1), "server": ("ernfed.test", 443),
    }  # fmt: skip
    transport = app.client._transport
    assert isinstance(transport, httpx.ASGITransport)
    await transport.app(scope, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]
    return Reply(403, b'{"errors": [{"extensions": {"code": "closed before it was accepted"}}]}', "", ())


def documents() -> Iterator[Attack]:
    too_long = (413, "QUERY_TOO_LARGE")
    too_large, parse = (200, "QUERY_TOO_LARGE"), (200, "GRAPHQL_PARSE_FAILED")
    small = bomb(30).replace(" on Q", " on Query").replace("{a}", "{__typename}")
    yield query(f"fragment bomb of {len(small)} bytes", small, too_large)
    deeper = "query{...A0}" + "".join(f"fragment A{n} on Query{{{f'...A{n + 1} ' * 2}}}" for n in range(19))
    yield query(
        "fragment bomb of 751 bytes", f"{deeper}fragment A19 on Query{{__typename}}".ljust(751), too_large
    )
    aliases = "{" + " ".join(f"a{n}:__typename" for n in range(10_000)) + "}"
    yield query("10,000 aliases", aliases, too_long, too_large)
    short = "{" + " ".join(f"a{n}:id" for n in range(10_000)) + "}"
    yield query("10,000 short aliases", short, too_large)
    most = "{" + " ".join(f"a{n}:__typename" for n in range(1_000)) + "}"
    yield query("1,000 aliases, which are answered", most, (200, ""))
    yield query("10,000 spreads", "{" + "...F " * 3000 + "} fragment F on Query{__typename}", too_large)
    yield query("document of 1 MB", "{ a" + " " * 900_000 + "}", too_long)
    yield query("string of 900 kB", '{ archive(code: "' + "x" * 900_000 + '") { id } }', too_long)
    yield query("string of 99 kB", '{ archive(code: "' + "x" * 99_000 + '") { id } }', (200, ""))
    yield post("body over the cap", b"x" * 1_000_001, (413, "PAYLOAD_TOO_LARGE"))
    yield query("5,000 levels", "{a" * 5000 + "}" * 5000, (200, "QUERY_TOO_DEEP"), too_large)
    yield query(
        "list of 5,000 levels", "{ a(b: " + "[" * 4000 + "]" * 4000 + ") }", (200, "QUERY_TOO_DEEP"), parse
    )
    nested = "{fields{type" * 9 + "{name}" + "}}" * 9
    yield query(
        "deep introspection", "{__schema{types" + nested + "}}", (200, "QUERY_TOO_DEEP"),
        (200, "GRAPHQL_VALIDATION_FAILED"), (200, "INTROSPECTION_REFUSED"), too_large,
    )  # fmt: skip
    twice = get_introspection_query().replace("__schema", "a: __schema", 1)
    yield query("introspection in a list of itself", twice * 2, (200, "BAD_REQUEST"), too_large,
                (200, "QUERY_TOO_DEEP"), (200, "GRAPHQL_VALIDATION_FAILED"))  # fmt: skip
    yield query(
        "100 directives", "{__typename " + "@skip(if:false) " * 100 + "}", (200, "QUERY_TOO_MANY_DIRECTIVES")
    )
    batch = json.dumps([{"query": "{__typename}"}] * 1000)
    yield post("batch of 1,000", batch, (400, "BAD_REQUEST"))
    many = "query(" + " ".join(f"$v{n}:Int" for n in range(3000)) + "){__typename}"
    yield query("10,000 tokens of variables", many, too_large)
    yield query("10,001 values of variables", "{__typename nope}", (200, "QUERY_TOO_LARGE"),
                variables={f"v{n}": n for n in range(10_001)})  # fmt: skip
    yield post("JSON of 100,000 levels", "[" * 100_000, (400, "BAD_REQUEST"))
    yield post(
        "JSON with a name twice", '{"query": "{", "query": "{ nope }"}', (200, "GRAPHQL_VALIDATION_FAILED")
    )


def values() -> Iterator[Attack]:
    bad = (200, "BAD_INPUT")
    ask = "query($v: %s) { studies(%s) { totalCount } }"
    yield query("Int of 2**70", ask % ("Int", "first: $v"), bad, variables={"v": 2**70})
    yield query("Int literal of 5,000 digits", "{ studies(first: %s) { totalCount } }" % ("9" * 5000), bad)
    number = ask % ("StudyFilter", "filter: $v")
    yield query("decimal of 1e999999999", number, bad,
                variables={"v": {"attribute": [{"name": "PatientSize", "eq": "1e999999999"}]}})  # fmt: skip
    for word, text in (("1,000 stars", "*" * 1000), ("stars and letters", "*a" * 500), ("marks", "?*" * 500)):
        given = {"v": {"patientName": {"wildcard": text}}}
        yield query(f"wildcard: {word}", number, (200, ""), bad, (200, "TIMEOUT"), variables=given)
        by_path = {"v": {"attribute": [{"name": "PatientComments", "wildcard": text}]}}
        yield query(f"wildcard by path: {word}", number, (200, ""), bad, (200, "TIMEOUT"), variables=by_path)
    for word, code in (("full-width", "ｅｙｅ"), ("right to left", "\u202eeye"), ("NUL", "e\0"),
                       ("combining", "e\u0301"), ("zero width", "e\u200by"), ("Turkish", "İ"),
                       ("path", "../eye")):  # fmt: skip
        yield query(
            f"archive code: {word}",
            ask % ("String!", "archives: [$v]"),
            (200, "NOT_FOUND"),
            bad,
            variables={"v": code},
        )
    yield query(
        "cursor of nothing", ask % ("String", "after: $v"), (200, "BAD_CURSOR"), variables={"v": "AAAA"}
    )
    yield query(
        "cursor of 1 MB", ask % ("String", "after: $v"), (200, "BAD_CURSOR"), variables={"v": "A" * 900_000}
    )
    yield query("id of another type", '{ node(id: "VXNlcjox") { id } }', (200, ""), bad)
    deep: dict[str, Any] = {"patientId": {"eq": "a"}}
    for _ in range(200):
        deep = {"or": [deep, deep]} if _ < 12 else {"not": deep}
    yield query(
        "filter of 2**12 tests, 200 deep",
        number,
        bad,
        (200, "QUERY_TOO_DEEP"),
        (200, "QUERY_TOO_LARGE"),
        variables={"v": deep},
    )
    yield query(
        "1,000 terms of or", number, bad, variables={"v": {"or": [{"patientId": {"eq": "a"}}] * 1000}}
    )
    attributes: dict[str, Any] = {"attribute": [{"name": "PatientComments", "eq": "a"}] * 1000}
    yield query("1,000 conditions by path", number, bad, variables={"v": attributes})
    empty: dict[str, Any] = {"or": [{}] * 3000}
    yield query("3,000 empty terms", number, (200, "QUERY_TOO_LARGE"), variables={"v": empty})
    for word in ("and", "or", "not"):
        chain: Any = {"patientId": {"eq": "a"}}
        for _ in range(100):
            chain = {word: chain if word == "not" else [chain]}
        yield query(f"{word}, 100 deep", number, bad, variables={"v": chain})
    literal = (
        "{ studies(filter: " + "{not: " * 100 + "{patientId: {eq: 1}}" + "}" * 100 + ") { totalCount } }"
    )
    yield query("not, 100 deep in the document", literal, bad)
    flat = {"or": [{"patientId": {"eq": "a"}}] * 30_000}
    yield query("filter of 30,000 tests", number, (200, "QUERY_TOO_LARGE"), variables={"v": flat})
    many = {"patientId": {"in": ["x"] * 150_000}}
    yield query("150,000 values", number, (200, "QUERY_TOO_LARGE"), variables={"v": many})
    yield query("1,001 values", number, bad, variables={"v": {"patientId": {"in": ["x"] * 1001}}})


def requests() -> Iterator[Attack]:
    yield from map(forged, _TOKENS)
    yield forged("expired", token_of(exp=1_700_000_000))
    yield Attack("token in the query string", _token_in_url, ((400, "UNAUTHENTICATED"),))
    hello = {"query": "{ hello }"}
    evil = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    yield from_elsewhere("CSRF by GET", "GET", evil, params=hello)
    yield from_elsewhere("CSRF by an image", "GET", {"sec-fetch-site": "cross-site"}, params=hello)
    yield from_elsewhere("CSRF by a form", "POST", evil, data=hello)
    yield from_elsewhere("CSRF by text/plain", "POST", evil | {"content-type": "text/plain"}, content=b"{}")
    yield from_elsewhere(
        "SSE from another origin", "GET", evil | {"accept": "text/event-stream"}, params=hello
    )
    yield Attack("WebSocket from another origin", _websocket, ((403, "closed before it was accepted"),))
    good = json.dumps({"query": "{ __typename }"})
    purpose = {"x-purpose-of-use": "TREAT\r\nX-Evil: 1"}
    yield post("newline in X-Purpose-Of-Use", good, (400, "BAD_INPUT"), **purpose)
    yield post("purpose that is none", good, (400, "BAD_INPUT"), **{"x-purpose-of-use": "x" * 9000})
    yield post("newline in X-Request-Id", good, (200, ""), **{"x-request-id": "abcdefgh\r\nSet-Cookie: a=b"})
    yield post("form instead of JSON", "query={__typename}", (415, "UNSUPPORTED_MEDIA_TYPE"),
               **{"content-type": "application/x-www-form-urlencoded"})  # fmt: skip


def get(name: str, path: str, *refusals: tuple[int, str], person: str = "full", **headers: str) -> Attack:
    async def send(app: Served) -> Reply:
        return await app.send(person, "GET", f"/dicom-web{path}", headers=headers)

    return Attack(f"DICOMweb: {name}", send, refusals)


def dicomweb() -> Iterator[Attack]:
    bad, input_, there = (400, "BAD_REQUEST"), (400, "BAD_INPUT"), (404, "NOT_FOUND")
    study = "/studies/1.2.3"
    instance = f"{study}/series/1.2.3.4/instances/1.2.3.4.5"
    for person in ("nobody", "full"):
        refusal = (401, "UNAUTHENTICATED") if person == "nobody" else there
        for path in (study, f"{study}/metadata", instance, f"{instance}/frames/1", f"{instance}/rendered"):
            yield get(f"{path} as {person}", path, refusal, person=person)
    yield get("a path for a UID", "/studies/..%2f..%2fsystem", there)
    yield get("a UID of 10,000 characters", f"/studies/{'1.' * 5000}", input_)
    yield get("SQL for a UID", "/studies/1'%3b%20drop%20table%20study/metadata", input_)
    yield get("newlines in a UID", "/studies/1%0d%0aSet-Cookie:%20a=b", input_)
    yield get("NUL in a UID", "/studies/1%00", input_)
    yield get("10,000 UIDs", f"/studies?StudyInstanceUID={'1.2,' * 10_000}", (414, "URI_TOO_LONG"))
    for number in ("-1", "1e9", "99999999999999999999", "0x10", "%D9%A1", "1;drop"):
        yield get(f"limit {number}", f"/studies?limit={number}", bad)
        yield get(f"offset {number}", f"/studies?offset={number}", bad)
    yield get("the last offset", "/instances?offset=20001", bad)
    yield get("1,000 includefields", f"/studies?includefield={','.join(['Rows'] * 1000)}", bad)
    yield get("100 keys", f"/studies?{'&'.join(f'0009{n:04X}=1' for n in range(16, 116))}", bad)
    yield get("wildcards of which one would never come to an end", f"/studies?StudyID={'*a' * 600}", input_)
    for name, accept in (
        ("1,000 media ranges", ",".join(["a/b"] * 1000)),
        ("quotes that do not end", 'multipart/related; type="' + "a" * 5000),
        ("semicolons", "a/b" + ";" * 20_000),
    ):
        yield get(name, "/studies", bad, (406, "NOT_ACCEPTABLE"), accept=accept)
        yield get(f"{name}, of instances", study, bad, (406, "NOT_ACCEPTABLE"), accept=accept)
    yield get("ranges", study, there, range="bytes=" + ",".join(f"{n}-" for n in range(1000)))
    yield get("100,000 frames", f"{instance}/frames/{','.join(['1'] * 20_000)}", bad)
    yield get("frame 0", f"{instance}/frames/0", bad)
    yield get("a URL for a viewport", f"{instance}/rendered?viewport=http://evil.example/", bad)
    yield get("another server's path of bulk data", f"{instance}/bulk/..%2f..%2f..%2fsystem", bad)
    yield get("a query in the path of bulk data", f"{instance}/bulk/x%3fa=b", bad)


def attacks() -> list[Attack]:
    return [*requests(), *documents(), *values(), *dicomweb()]
