"""graphql-transport-ws: masked and limited like the rest."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from api.server import listen, run_server
from tests.api.tiny import tiny_app

PROTOCOL = Subprotocol("graphql-transport-ws")


@contextlib.asynccontextmanager
async def served(**changes: Any) -> AsyncIterator[str]:
    """ws:// URL of a server in this process."""
    started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    with listen("127.0.0.1", 0) as sock:
        server = asyncio.create_task(run_server(tiny_app(**changes), sock, started=started.set_result))
        try:
            yield (await started).replace("http", "ws") + "/graphql"
        finally:
            server.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await server


async def send(socket: ClientConnection, query: str) -> None:
    await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": query}}))


async def receive(socket: ClientConnection) -> Any:
    message = await socket.recv()
    assert isinstance(message, str)  # the protocol knows text frames only
    return json.loads(message)


async def test_subscriptions_and_errors() -> None:
    async with served() as url, connect(url, subprotocols=[PROTOCOL]) as socket:
        await socket.send('{"type": "connection_init"}')
        assert await receive(socket) == {"type": "connection_ack"}
        await send(socket, "subscription { ticks(count: 1) }")
        assert (await receive(socket))["payload"] == {"data": {"ticks": 0}}
        assert (await receive(socket))["type"] == "complete"
        await send(socket, '{ fails(how: "otherwise") }')
        [error] = (await receive(socket))["payload"]["errors"]
        assert error["extensions"]["code"] == "INTERNAL"
        assert "ller" not in error["message"]
        assert (await receive(socket))["type"] == "complete"
        await send(socket, "{" + "node{" + "child{" * 20 + "name" + "}" * 22)
        assert (await receive(socket))["payload"][0]["extensions"]["code"] == "QUERY_TOO_DEEP"


async def test_the_legacy_protocol_is_not_taken() -> None:
    legacy = Subprotocol("graphql-ws")
    async with served() as url, connect(url, subprotocols=[legacy]) as socket:
        with pytest.raises(ConnectionClosed):
            await socket.recv()


async def test_a_page_elsewhere_may_not_connect() -> None:
    async with served() as url:
        with pytest.raises(InvalidStatus):
            await connect(url, subprotocols=[PROTOCOL], origin="https://elsewhere.example.org")  # type: ignore[arg-type]


INIT = '{"type": "connection_init"}'


def subscribe(**payload: Any) -> str:
    return json.dumps({"type": "subscribe", "id": "1", "payload": payload})


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('["connection_init"]', 4400),
        ("[]", 4400),
        ("[" * 100_000, 4400),
        ("null", 4400),
        ("7", 4400),
        ('"connection_init"', 4400),
        ("", 4400),
        ("{", 4400),
        ("{}", 4400),
        ("NaN", 4400),
        ('{"type": null}', 4400),
        ('{"type": ["ping"]}', 4400),
        ('{"type": {"ping": 1}}', 4400),
        ('{"type": "start", "id": "1"}', 4400),
        (json.dumps({"type": "ü" * 200}), 4400),
        ('{"type": "connection_ack"}', 4400),
        ('{"type": "next", "id": "1"}', 4400),
        ('{"type": "connection_init", "payload": []}', 4400),
        ('{"type": "connection_init", "payload": "x"}', 4400),
        (INIT, 4429),
        ('{"type": "subscribe"}', 4400),
        ('{"type": "subscribe", "id": 1, "payload": {"query": "{ hello }"}}', 4400),
        ('{"type": "subscribe", "id": "", "payload": {"query": "{ hello }"}}', 4400),
        ('{"type": "subscribe", "id": ["1"], "payload": {"query": "{ hello }"}}', 4400),
        (json.dumps({"type": "subscribe", "id": "x" * 257, "payload": {"query": "{ hello }"}}), 4400),
        ('{"type": "complete"}', 4400),
        ('{"type": "complete", "id": {"a": 1}}', 4400),
        (b"{}", 4400),
        (b"\xff", 4400),
        ("x" * 1_000_001, 1009),
    ],
)
async def test_every_message_that_is_none(message: str | bytes, code: int) -> None:
    async with served() as url, connect(url, subprotocols=[PROTOCOL]) as socket:
        await socket.send(INIT)
        assert (await receive(socket))["type"] == "connection_ack"
        with contextlib.suppress(ConnectionClosed):
            await socket.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == code
    assert closed.value.rcvd.reason or code == 1009


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (subscribe(query="query A { hello } query B { hello }", operationName="C"), "BAD_REQUEST"),
        (subscribe(query="query A { hello } query B { hello }"), "BAD_REQUEST"),
        (subscribe(query="fragment F on Query { hello }"), "BAD_REQUEST"),
        (subscribe(query=" "), "BAD_REQUEST"),
        (subscribe(query="{ hello"), "GRAPHQL_PARSE_FAILED"),
        (subscribe(query="{ nope }"), "GRAPHQL_VALIDATION_FAILED"),
        (subscribe(), "BAD_REQUEST"),
        (subscribe(query=7), "BAD_REQUEST"),
        (subscribe(query="{ hello }", variables=[]), "BAD_REQUEST"),
        (subscribe(query="{ hello }", operationName=7), "BAD_REQUEST"),
        (subscribe(query="{ hello }", extensions="x"), "BAD_REQUEST"),
        ('{"type": "subscribe", "id": "1"}', "BAD_REQUEST"),
        ('{"type": "subscribe", "id": "1", "payload": null}', "BAD_REQUEST"),
        ('{"type": "subscribe", "id": "1", "payload": []}', "BAD_REQUEST"),
    ],
)
async def test_one_bad_operation_is_an_error_for_its_id(message: str, code: str) -> None:
    async with served() as url, connect(url, subprotocols=[PROTOCOL]) as socket:
        await socket.send('{"type": "connection_init", "payload": null}')
        assert (await receive(socket))["type"] == "connection_ack"
        await socket.send(subscribe(query="{ sleeps(seconds: 0.05) }").replace('"1"', '"other"'))
        await socket.send(message)
        refused = await receive(socket)
        assert (refused["id"], refused["type"]) == ("1", "error")
        assert [each["extensions"]["code"] for each in refused["payload"]] == [code]
        other = await receive(socket)  # goes on, and so does the connection
        assert other == {"id": "other", "type": "next", "payload": {"data": {"sleeps": "awake"}}}
        await receive(socket)
        await socket.send('{"type": "ping", "payload": null}')
        assert (await receive(socket))["type"] == "pong"
        await send(socket, "{ hello }")
        assert (await receive(socket))["payload"] == {"data": {"hello": "world"}}


async def test_subscribing_before_the_first_message_is_answered() -> None:
    async with served() as url, connect(url, subprotocols=[PROTOCOL]) as socket:
        await send(socket, "{ hello }")
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401


async def test_an_id_that_is_in_use() -> None:
    async with served() as url, connect(url, subprotocols=[PROTOCOL]) as socket:
        await socket.send(INIT)
        await receive(socket)
        for _ in range(2):
            await send(socket, "{ sleeps(seconds: 60) }")
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4409


async def test_a_variable_that_cannot_be_coerced() -> None:
    """Found when the operation is executed: it is a result, as the reference implementation (graphql-ws) has it."""
    ask = subscribe(query="query A($first: Int!) { hello(first: $first) }", variables={"first": "x"})
    async with served() as url, connect(url, subprotocols=[PROTOCOL]) as socket:
        await socket.send(INIT)
        await receive(socket)
        await socket.send(ask)
        told = await receive(socket)
        assert (told["id"], told["type"], told["payload"]["data"]) == ("1", "next", None)
        assert [each["extensions"]["code"] for each in told["payload"]["errors"]] == ["BAD_INPUT"]
        assert await receive(socket) == {"id": "1", "type": "complete"}
