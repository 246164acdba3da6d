"""Subscriptions as clients have them: two servers on one database, WebSocket and server-sent events."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from access.scope import everyone_here
from api.app import create_app
from api.rules import Rules
from api.server import listen, run_server
from db.audit import AUDIT_SESSION, AuditLog
from db.audit_lines import lines
from db.consent import StudyConsent, set_consents
from db.pool import Database
from model.erns import ERNS
from resolvers.changes import changes_cursor
from resolvers.context import Context, Services
from resolvers.schema import schema
from tests.api.tiny import all_well
from tests.db.ingesting import store
from tests.resolvers.following import with_faces
from tests.resolvers.house import open_services
from tests.rows import study

PROTOCOL = Subprotocol("graphql-transport-ws")
CHANGES = "subscription($since: String) { studyChanged(since: $since) { kind cursor studyInstanceUid archive { code }"
CHANGES += " study { studyDescription } } }"


@dataclass
class Server:
    url: str
    services: Services
    task: "asyncio.Task[None]"

    @property
    def graphql(self) -> str:
        return self.url + "/graphql"

    def socket(self, **more: Any) -> connect:
        return connect(self.graphql.replace("http", "ws", 1), subprotocols=[PROTOCOL], **more)


@contextlib.asynccontextmanager
async def serving(database: Database, **changes: Any) -> AsyncIterator[Server]:
    """As `ernfed serve` puts it together, for everyone here."""
    services = await open_services(database)
    started: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def context(_request: Any) -> Context:
        return Context.for_request(services, everyone_here(ERNS))

    app = create_app(schema, context, readiness=all_well, **changes)

    async def stopping() -> None:
        services.subscribers.stop()
        await app.state.going_away()

    with listen("127.0.0.1", 0) as sock:
        task = asyncio.create_task(run_server(app, sock, started=started.set_result, stopping=stopping))
        try:
            yield Server(await started, services, task)
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await services.close()


async def receive(ws: ClientConnection) -> Any:
    return json.loads(await asyncio.wait_for(ws.recv(), 20))


async def until_closed(ws: ClientConnection) -> None:
    while True:
        await receive(ws)


async def begun(ws: ClientConnection, query: str, id: str = "1", **variables: Any) -> None:
    if id == "1":
        await ws.send('{"type": "connection_init"}')
        assert await receive(ws) == {"type": "connection_ack"}
    payload = {"query": query, "variables": variables}
    await ws.send(json.dumps({"type": "subscribe", "id": id, "payload": payload}))


async def subscribed(server: Server, number: int) -> None:
    """So many are."""
    while sum(server.services.subscribers._open.values()) < number:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.2)  # and have read where the events stand


async def events(server: Server, into: list[Any], **variables: Any) -> None:
    """Server-sent events, until the end of the stream."""
    body = {"query": CHANGES, "variables": variables}
    async with httpx.AsyncClient(timeout=30) as client:
        headers = {"accept": "text/event-stream"}
        async with client.stream("POST", server.graphql, json=body, headers=headers) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            async for line in answer.aiter_lines():
                if line.startswith("data: {"):
                    into.append(json.loads(line[6:]))
                elif line.startswith("event: complete"):
                    into.append("complete")


async def told(into: list[Any], number: int) -> None:
    async with asyncio.timeout(20):
        while len(into) < number:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_two_servers_two_transports(database: Database) -> None:
    await with_faces(database)
    seen: list[Any] = []
    async with serving(database) as one, serving(database) as other, one.socket() as ws:
        await begun(ws, CHANGES)
        stream = asyncio.create_task(events(other, seen))
        await subscribed(one, 1)
        await subscribed(other, 1)
        await store(database, 1, [study("1.1", StudyDescription="first")])
        await store(database, 2, [study("1.2", StudyDescription="second")])
        await set_consents(database, 2, [StudyConsent("1.2", True, False, False)], "test")
        await told(seen, 3)
        over_socket = [(await receive(ws))["payload"] for _ in range(3)]
        assert over_socket == seen
        changes = [each["data"]["studyChanged"] for each in seen]
        assert [(c["kind"], c["studyInstanceUid"], c["archive"]["code"]) for c in changes] == [
            ("ADDED", "1.1", "a0"), ("ADDED", "1.2", "a1"), ("UPDATED", "1.2", "a1"),
        ]  # fmt: skip
        assert changes[0]["study"] == {"studyDescription": "first"}
        # what was missed, at the other server
        again: list[Any] = []
        late = asyncio.create_task(events(one, again, since=changes[0]["cursor"]))
        await told(again, 2)
        assert again == seen[1:]
        late.cancel()
        stream.cancel()
        await asyncio.gather(late, stream, return_exceptions=True)


async def test_the_end_of_the_server_is_told(database: Database) -> None:
    await with_faces(database)
    seen: list[Any] = []
    async with serving(database) as server, server.socket() as ws:
        await begun(ws, CHANGES)
        stream = asyncio.create_task(events(server, seen))
        await subscribed(server, 2)
        server.task.cancel()
        with pytest.raises(ConnectionClosed) as closed:
            await until_closed(ws)
        await asyncio.wait_for(stream, 10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001
    assert seen[-1] == "complete"
    assert seen[-2]["errors"][0]["extensions"]["code"] == "GOING_AWAY"


async def test_a_flood_of_subscriptions(database: Database) -> None:
    """Of one connection, of one person over many connections, and of one person in a minute."""
    await with_faces(database)
    waits = iter([0.0] * 6 + [7.0] * 100)
    more = {"operations_per_socket": 3, "limiter": lambda _who: next(waits)}
    async with serving(database, **more) as server, server.socket() as ws, server.socket() as second:
        server.services.subscribers.most = 4
        for number in range(1, 5):
            await begun(ws, CHANGES, str(number))
        refused = await receive(ws)
        assert (refused["id"], refused["type"]) == ("4", "error")
        assert refused["payload"][0]["extensions"]["code"] == "TOO_MANY_SUBSCRIPTIONS"
        for number in range(1, 4):
            await begun(second, CHANGES, str(number))
        codes: list[str] = []
        while len(codes) < 2:
            answer = await receive(second)
            if answer["type"] == "next":
                codes.append(answer["payload"]["errors"][0]["extensions"]["code"])
        assert codes == ["TOO_MANY_SUBSCRIPTIONS"] * 2
        await begun(second, "{ viewer { subject } }", "9")
        while (answer := await receive(second))["id"] != "9":
            pass
        assert answer["payload"][0]["extensions"]["code"] == "RATE_LIMITED"


async def test_rules_hold_on_a_websocket(database: Database) -> None:
    await with_faces(database)
    async with serving(database, rules=Rules(max_cost=50)) as server, server.socket() as ws:
        await begun(ws, "subscription { studyChanged { study { series(first: 60) { nodes { id } } } } }")
        assert (await receive(ws))["payload"][0]["extensions"]["code"] == "COST_TOO_HIGH"
        for id, payload, code in (
            ("2", {"documentId": "sha256:" + "0" * 64}, "PERSISTED_QUERY_NOT_SUPPORTED"),
            ("3", {"query": "{ a" + " " * 130_000 + "}"}, "QUERY_TOO_LARGE"),
            ("4", {"query": 7}, "BAD_REQUEST"),
            ("5", {"query": "{ a }", "variables": []}, "BAD_REQUEST"),
        ):
            await ws.send(json.dumps({"type": "subscribe", "id": id, "payload": payload}))
            answer = await receive(ws)
            assert (answer["id"], answer["payload"][0]["extensions"]["code"]) == (id, code)


async def test_only_pages_of_the_server_may_connect(database: Database) -> None:
    await with_faces(database)
    async with serving(database) as server:
        for origin, good in ((server.url, True), ("https://evil.example", False), ("null", False)):
            if good:
                async with server.socket(origin=origin):
                    continue
            with pytest.raises(InvalidStatus):
                await server.socket(origin=origin)


async def test_lines_of_the_audit_trail(database: Database) -> None:
    """One at the start, one for a batch, before it leaves."""
    await with_faces(database)
    pool = await Database.open(database.url, max_size=1, session=AUDIT_SESSION)
    log = await AuditLog.open(pool)
    async with serving(database, audit=log) as server, server.socket() as ws:
        (row,) = await database.fetch("t", "select now() as at")
        await begun(ws, "{ changesCursor }")
        since = (await receive(ws))["payload"]["data"]["changesCursor"]
        await receive(ws)
        await store(database, 1, [study(f"1.{number}", PatientID=f"P{number}") for number in range(5)])
        await begun(ws, CHANGES, "2", since=since)
        for _ in range(5):
            assert (await receive(ws))["type"] == "next"
        said = [line.said async for line in lines(database)]
    await log.close()
    await pool.close()
    assert [(each["outcome"], each["studies"], each["patients"]) for each in said] == [
        ("OK", 0, 0), ("SUBSCRIBED", 0, 0), ("OK", 5, 5),
    ]  # fmt: skip
    assert row is not None


async def test_a_client_that_takes_nothing_is_cut_off(database: Database) -> None:
    """Its connection ends, and what was read for it is let go of."""
    await with_faces(database)
    async with serving(database, send_patience=1.0) as server:
        since = await changes_cursor(Context.for_request(server.services, everyone_here(ERNS)))
        await store(database, 1, [study(f"1.{n}", StudyDescription="x" * 900) for n in range(700)])
        host, port = server.url.removeprefix("http://").split(":")
        wide = " ".join(f"d{n}: studyDescription" for n in range(30))  # 28 kB an event, 19 MB in all
        query = CHANGES.replace("studyDescription", wide)
        body = json.dumps({"query": query, "variables": {"since": since}})
        head = f"POST /graphql HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        head += f"Accept: text/event-stream\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect((host, int(port)))
            deaf.sendall(f"{head}{body}".encode())
            async with asyncio.timeout(10):
                while not server.services.subscribers._open:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            async with asyncio.timeout(30):
                while server.services.subscribers._open:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
