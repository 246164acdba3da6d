"""Clients that go away: what was read for them ends at once, what they changed does not."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import httpx
import pytest

from db.pool import Database
from tests.api.graphql.subscribing import Server, begun, receive, serving
from tests.db.writing.ingesting import store
from tests.resolvers.following import with_projections
from tests.rows import study

PLACES = 10
CLIENTS = 12
SHARED = "{ studies { nodes { seriesCount: series { totalCount } series { nodes { modality } } } } }"
"""What fields of a page share is read in tasks of its own."""
QUERIES = {"study": "{ studies { totalCount nodes { studyDate } } }", "series": SHARED}
SAVE = 'mutation { saveCohort(name: "%s", filter: {patientId: {eq: "1"}}) { name } }'
WAITING = (
    "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
)
Leave = Callable[[], Awaitable[object]]


async def _request(server: Server, query: str, accept: str) -> Leave:
    async def ask() -> None:
        async with httpx.AsyncClient(timeout=600) as client:
            await client.post(server.graphql, json={"query": query}, headers={"accept": accept})

    asking = asyncio.create_task(ask())

    async def leave() -> None:
        asking.cancel()  # closes the connection
        await asyncio.gather(asking, return_exceptions=True)

    return leave


async def by_http(server: Server, query: str) -> Leave:
    return await _request(server, query, "application/json")


async def by_events(server: Server, query: str) -> Leave:
    return await _request(server, query, "text/event-stream")


async def by_socket(server: Server, query: str) -> Leave:
    socket = await server.socket()
    await begun(socket, query)
    return socket.close


async def by_broken_socket(server: Server, query: str) -> Leave:
    socket = await server.socket()
    await begun(socket, query)

    async def leave() -> None:
        socket.transport.abort()

    return leave


async def by_complete(server: Server, query: str) -> Leave:
    """The operation is ended, its connection stays."""
    socket = await server.socket()
    await begun(socket, query)

    async def leave() -> None:
        await socket.send('{"type": "complete", "id": "1"}')
        await socket.send('{"type": "ping"}')
        assert await receive(socket) == {"type": "pong"}

    return leave


WAYS = [by_http, by_events, by_socket, by_broken_socket, by_complete]


@contextlib.asynccontextmanager
async def locked(database: Database, table: str) -> AsyncIterator[Callable[[int, int], Awaitable[None]]]:
    """Whoever reads the table waits while the block lasts. Gives: until so many do, at least and at most."""
    holder = await asyncpg.connect(database.url)

    async def until(number: int, most: int) -> None:
        async with asyncio.timeout(30):
            while not number <= (await database.fetch("t", WAITING))[0]["count"] <= most:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    try:
        await holder.execute(f"begin; lock table {table} in access exclusive mode")
        yield until
    finally:
        await holder.close()


async def until_written(database: Database) -> None:
    """Until a mutation waits to write a cohort, and not one before it to read what it wrote (`readable` of
    db/queries/cohorts.sql)."""
    waits = f"{WAITING} and query not like '%as mine%'"
    async with asyncio.timeout(30):
        while not (await database.fetch("t", waits))[0]["count"]:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("table", QUERIES)
async def test_places_of_those_who_leave_are_free(
    database: Database, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERNFED_STATEMENT_TIMEOUT", "600")  # nothing here ends by itself
    monkeypatch.setenv("ERNFED_READ_POOL_SIZE", str(PLACES))
    await with_projections(database)
    await store(database, 1, [study("1.1", StudyDescription="first")])
    async with serving(database) as server:
        for come in WAYS:
            async with locked(database, table) as until:
                clients = [await come(server, QUERIES[table]) for _ in range(CLIENTS)]
                await until(PLACES, PLACES)
                for leave in clients:
                    await leave()
                await until(0, 0)
                async with asyncio.timeout(30):
                    while server.services.database._places._value != PLACES:  # noqa: ASYNC110
                        await asyncio.sleep(0.02)
        async with httpx.AsyncClient(timeout=30) as other:
            asked = [other.post(server.graphql, json={"query": QUERIES[table]}) for _ in range(PLACES)]
            for answer in await asyncio.gather(*asked):
                assert len(answer.json()["data"]["studies"]["nodes"]) == 1
            told = (await other.get(server.url + "/metrics")).text
    assert f'method="POST",route="/graphql",status="499"}} {float(CLIENTS)}' in told


async def test_a_mutation_goes_on_without_its_client(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERNFED_STATEMENT_TIMEOUT", "600")
    await with_projections(database)
    async with serving(database) as server:
        for number, come in enumerate(WAYS, start=1):
            async with locked(database, "cohort"):
                leave = await come(server, SAVE % number)
                await until_written(database)
                await leave()
                await asyncio.sleep(0.1)  # the server has heard of it by now
                await until_written(database)
            async with asyncio.timeout(30):
                while len(await database.fetch("t", "select from cohort")) != number:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)


async def test_pages_of_one_who_stays_are_whole(database: Database) -> None:
    """Beside many who leave at any moment."""
    await with_projections(database)
    await store(database, 1, [study(f"1.{number}", StudyDescription="x") for number in range(20)])
    async with serving(database) as server, httpx.AsyncClient(timeout=30) as client:
        for number in range(6):
            others = [await by_http(server, SHARED) for _ in range(6)]
            await asyncio.sleep(number / 250)
            for leave in others:
                await leave()
            answer = (await client.post(server.graphql, json={"query": SHARED})).json()
            assert "errors" not in answer, json.dumps(answer)
            found: Any = answer["data"]["studies"]["nodes"]
            assert len(found) == 20
