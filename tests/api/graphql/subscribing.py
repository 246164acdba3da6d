"""A served application with the real schema, and what subscribes to it: by WebSocket and by server-sent events."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from access.scope import everyone_here
from api.app import create_app
from api.identity.auth import Identity, viewer_of_request
from api.server import listen, run_server
from db.pool import Database
from model.erns import ERNS
from reads.services import Services
from resolvers.context import Context
from resolvers.schema import schema
from tests.api.tiny import all_well
from tests.resolvers.runtime import open_services

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
async def serving(
    database: Database, identity: Identity | None = None, **changes: Any
) -> AsyncIterator[Server]:
    """As `ernfed serve` puts it together: for everyone here, or for those whom `identity` knows."""
    services = await open_services(database)
    started: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def context(request: Any) -> Context:
        who = partial(viewer_of_request, request) if identity else partial(everyone_here, ERNS)
        return Context.for_request(services, who(), who)

    app = create_app(schema, context, identity=identity, readiness=all_well, **changes)

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


async def begun(
    ws: ClientConnection, query: str, id: str = "1", token: str | None = None, **variables: Any
) -> None:
    """An operation; the first of a connection says who it is."""
    if id == "1":
        said = {} if token is None else {"authorization": f"Bearer {token}"}
        await ws.send(json.dumps({"type": "connection_init", "payload": said}))
        assert await receive(ws) == {"type": "connection_ack"}
    payload = {"query": query, "variables": variables}
    await ws.send(json.dumps({"type": "subscribe", "id": id, "payload": payload}))


async def subscribed(server: Server, number: int) -> None:
    """So many are."""
    while sum(server.services.subscribers._open.values()) < number:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.2)  # and have read where the events stand


async def events(server: Server, into: list[Any], token: str | None = None, **variables: Any) -> None:
    """Server-sent events, until the end of the stream."""
    body = {"query": CHANGES, "variables": variables}
    async with httpx.AsyncClient(timeout=30) as client:
        headers = {"accept": "text/event-stream"}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
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
