"""How streams of events end, and what they outlive: the server's stop, deaf clients, tokens, a restart of Postgres."""

import asyncio
import contextlib
import json
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from access.scope import everyone_here
from api.identity.tokens import LEEWAY
from db.embedded.postgres import EmbeddedPostgres
from db.migrate import migrate
from db.pool import AWAY, Database
from model.erns import ERNS
from reads.changes import changes_cursor
from resolvers.context import Context
from tests.api.graphql.subscribing import (
    CHANGES,
    Server,
    begun,
    events,
    receive,
    serving,
    subscribed,
    told,
    until_closed,
)
from tests.api.identity.signing import FakeProvider, token_of
from tests.db.writing.ingesting import store
from tests.resolvers.following import with_projections
from tests.rows import study

_FIELDS = " ".join(f"d{n}: studyDescription" for n in range(30))
WIDE = CHANGES.replace("studyDescription", _FIELDS)
"""28 kB an event."""


async def test_the_end_of_the_server_is_told(database: Database) -> None:
    await with_projections(database)
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


async def much_to_tell(server: Server, database: Database) -> str:
    """19 MB of events, more than sockets take; the cursor before them."""
    since = await changes_cursor(Context.for_request(server.services, everyone_here(ERNS)))
    await store(database, 1, [study(f"1.{n}", StudyDescription="x" * 900) for n in range(700)])
    return since


async def gone(server: Server) -> None:
    """Nobody is subscribed any more."""
    async with asyncio.timeout(30):
        while server.services.subscribers._open:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_a_client_that_takes_nothing_is_cut_off(database: Database) -> None:
    """Its connection ends, and what was read for it is let go of."""
    await with_projections(database)
    async with serving(database, send_patience=1.0) as server:
        since = await much_to_tell(server, database)
        host, port = server.url.removeprefix("http://").split(":")
        body = json.dumps({"query": WIDE, "variables": {"since": since}})
        head = f"POST /graphql HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        head += f"Accept: text/event-stream\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect((host, int(port)))
            deaf.sendall(f"{head}{body}".encode())
            async with asyncio.timeout(10):
                while not server.services.subscribers._open:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            await gone(server)


@pytest.mark.parametrize("looks_again", [True, False])
async def test_a_websocket_that_takes_nothing_is_closed_with_4429(
    database: Database, looks_again: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """One that looks again finds what was sent to it, then the reason; one that never does is let go of."""
    await with_projections(database)
    async with serving(database, send_patience=1.0) as server:
        since = await much_to_tell(server, database)
        async with server.socket(max_queue=1, compression=None, close_timeout=1) as ws:
            await begun(ws, WIDE, since=since)
            await subscribed(server, 1)
            await gone(server)
            if looks_again:
                with pytest.raises(ConnectionClosed) as closed:
                    await until_closed(ws)
                assert closed.value.rcvd is not None
                assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4429, "SLOW_CONSUMER")
            async with asyncio.timeout(10):
                while any(task.get_name() == "websocket" for task in asyncio.all_tasks()):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
    assert "Exception" not in caplog.text


def brief_token(seconds: float) -> str:
    """Over in so many seconds, for good (leeway included)."""
    return token_of(exp=int(time.time() + seconds) - LEEWAY + 1)


async def test_changes_are_told_until_the_token_expires(database: Database) -> None:
    await with_projections(database)
    seen: list[Any] = []
    async with serving(database, FakeProvider().identity()) as server, server.socket() as ws:
        brief = brief_token(3)
        await begun(ws, CHANGES, token=brief)
        stream = asyncio.create_task(events(server, seen, brief))
        await subscribed(server, 2)
        await store(database, 1, [study("1.1")])
        assert (await receive(ws))["payload"]["data"]["studyChanged"]["studyInstanceUid"] == "1.1"
        with pytest.raises(ConnectionClosed) as closed:
            await until_closed(ws)
        await asyncio.wait_for(stream, 10)
        await store(database, 1, [study("1.2")])
        await gone(server)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4401, "The access token has expired")
    first, last, complete = seen
    assert first["data"]["studyChanged"]["studyInstanceUid"] == "1.1"
    assert last["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert complete == "complete"


@pytest.fixture
def own_postgres() -> Iterator[EmbeddedPostgres]:
    """A server that a test may stop; its folder is short enough for a socket that keeps its place."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    postgres = EmbeddedPostgres(folder)
    yield postgres
    postgres.stop()
    shutil.rmtree(folder)


async def test_a_restart_of_postgres_loses_nothing(own_postgres: EmbeddedPostgres) -> None:
    """Over both transports: what was written just before it and after it is told, in order and once."""
    url = await asyncio.to_thread(own_postgres.start)
    await migrate(url)
    database = await Database.open(url)
    await with_projections(database)
    seen: list[Any] = []
    async with serving(database) as server, server.socket() as ws:
        await begun(ws, CHANGES)
        stream = asyncio.create_task(events(server, seen))
        await subscribed(server, 2)
        await store(database, 1, [study("1.1")])
        await told(seen, 1)
        await store(database, 1, [study("1.2")])
        await asyncio.to_thread(own_postgres.stop)
        await asyncio.sleep(1.5)  # readers find it gone
        assert await asyncio.to_thread(own_postgres.start) == url
        for number in (3, 4):
            await written_somehow(database, f"1.{number}")
        await told(seen, 4)
        over_socket = [(await receive(ws))["payload"] for _ in range(4)]
        stream.cancel()
        await asyncio.gather(stream, return_exceptions=True)
    await database.close()
    assert over_socket == seen
    assert [each["data"]["studyChanged"]["studyInstanceUid"] for each in seen] == ["1.1", "1.2", "1.3", "1.4"]


async def written_somehow(database: Database, uid: str) -> None:
    """As an indexing run does it: again, when the connection was an old one."""
    for _ in range(20):
        with contextlib.suppress(*AWAY):
            await store(database, 1, [study(uid)])
            return
        await asyncio.sleep(0.2)
    raise AssertionError("Postgres does not come back")
