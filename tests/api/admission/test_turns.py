"""Operations of one person at once: theirs wait, those of others do not."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import strawberry
from websockets.asyncio.client import connect

from api.admission import turns
from api.admission.turns import Lane, Turns
from tests.api.graphql.test_websocket import PROTOCOL, served

AT_ONCE = 3


@dataclass
class Gate:
    """What runs in a field, by person, and may leave."""

    inside: dict[str, int] = field(default_factory=dict)
    most: dict[str, int] = field(default_factory=dict)
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def passes(self, who: str) -> str:
        self.inside[who] = self.inside.get(who, 0) + 1
        self.most[who] = max(self.most.get(who, 0), self.inside[who])
        try:
            await self.opened.wait()
        finally:
            self.inside[who] -= 1
        return who


@dataclass
class Asking:
    viewer: Any
    gate: Gate


@dataclass
class Person:
    subject: str


@strawberry.type
class Query:
    @strawberry.field
    async def passes(self, info: strawberry.Info[Asking]) -> str:
        return await info.context.gate.passes(info.context.viewer.subject)


schema = strawberry.Schema(Query)
ASK = {"query": "{ passes }"}


@asynccontextmanager
async def gated() -> AsyncIterator[tuple[str, Gate]]:
    gate = Gate()

    async def context(request: Any) -> Asking:
        return Asking(Person(request.headers["x-person"]), gate)

    async with served(schema=schema, context_factory=context, operations_at_once=AT_ONCE) as url:
        yield url, gate


async def until(gate: Gate, **inside: int) -> None:
    async with asyncio.timeout(30):
        while {who: n for who, n in gate.inside.items() if n} != inside:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_others_do_not_wait(accept: str) -> None:
    async with gated() as (url, gate), httpx.AsyncClient(timeout=60) as client:
        address = url.replace("ws", "http")

        def ask(who: str) -> "asyncio.Task[httpx.Response]":
            headers = {"x-person": who, "accept": accept}
            return asyncio.create_task(client.post(address, json=ASK, headers=headers))

        greedy = [ask("greedy") for _ in range(20)]
        await until(gate, greedy=AT_ONCE)
        other = ask("other")
        await until(gate, greedy=AT_ONCE, other=1)
        for task in greedy[:10]:
            task.cancel()  # who goes away gives the place up, or its place in the line
        await asyncio.gather(*greedy[:10], return_exceptions=True)
        await until(gate, greedy=AT_ONCE, other=1)
        gate.opened.set()
        answers = await asyncio.gather(*greedy[10:], other)
    assert ["greedy" in answer.text for answer in answers] == [True] * 10 + [False]
    assert gate.most == {"greedy": AT_ONCE, "other": 1}


async def test_operations_of_sockets() -> None:
    async with gated() as (url, gate):
        headers = {"x-person": "greedy"}
        async with (
            connect(url, subprotocols=[PROTOCOL], additional_headers=headers) as one,
            connect(url, subprotocols=[PROTOCOL], additional_headers=headers) as two,
        ):
            for socket in (one, two):
                await socket.send('{"type": "connection_init"}')
                await socket.recv()
                for number in range(5):
                    message = {"type": "subscribe", "id": str(number), "payload": ASK}
                    await socket.send(json.dumps(message))
            await until(gate, greedy=AT_ONCE)
            gate.opened.set()
            for socket in (one, two):
                told = [json.loads(await socket.recv())["type"] for _ in range(10)]
                assert sorted(told) == ["complete"] * 5 + ["next"] * 5
    assert gate.most == {"greedy": AT_ONCE}


async def test_connections_of_a_person_are_let_in_one_after_the_other() -> None:
    """However many wait on one of them; and who leaves gives the place to the next."""
    of_all, begun, done = Turns(1), list[str](), asyncio.Event()

    async def runs(name: str) -> None:
        async with of_all.of("somebody", Lane.LIGHT, name[0]):
            begun.append(name)
            if name == "a1":
                await done.wait()

    tasks = {}
    for name in ("a1", "a2", "a3", "a4", "b1", "a5", "c1", "b2"):
        tasks[name] = asyncio.create_task(runs(name))
        await asyncio.sleep(0)
    tasks["a3"].cancel()
    tasks["c1"].cancel()
    done.set()
    await asyncio.gather(*tasks.values(), return_exceptions=True)
    assert begun == ["a1", "a2", "b1", "a4", "b2", "a5"]
    assert of_all._of == {}


async def test_a_place_that_is_given_to_who_leaves_is_not_lost() -> None:
    of_all = Turns(1)

    async def runs() -> None:
        async with of_all.of("somebody", Lane.LIGHT):
            pass

    async with of_all.of("somebody", Lane.LIGHT):
        first, second = asyncio.create_task(runs()), asyncio.create_task(runs())
        await asyncio.sleep(0)
    first.cancel()  # it has been given the place, and has not had its turn
    await asyncio.wait_for(second, 30)
    assert first.cancelled() or first.done()
    assert of_all._of == {}


async def test_nothing_is_kept_of_who_is_gone() -> None:
    of_all = Turns(1)
    async with of_all.of("somebody", Lane.DEAR):
        assert of_all._of
    assert of_all._of == {}


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_light_operations_do_not_wait_for_dear_ones(
    accept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "LIGHT", 1)
    dear = {"query": "{ passes again: passes }"}
    async with gated() as (url, gate), httpx.AsyncClient(timeout=60) as client:
        address, headers = url.replace("ws", "http"), {"x-person": "greedy", "accept": accept}

        def ask(what: object) -> "asyncio.Task[httpx.Response]":
            return asyncio.create_task(client.post(address, json=what, headers=headers))

        waiting = [ask(dear) for _ in range(20)]
        await until(gate, greedy=2 * AT_ONCE)
        light = [ask(ASK) for _ in range(20)]
        await until(gate, greedy=3 * AT_ONCE)
        gate.opened.set()
        assert all("greedy" in each.text for each in await asyncio.gather(*waiting, *light))
    assert gate.most == {"greedy": 3 * AT_ONCE}
