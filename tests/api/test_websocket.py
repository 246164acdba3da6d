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
