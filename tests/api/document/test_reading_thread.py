"""Long documents are read beside the event loop, and answered as others are."""

import threading
from typing import Any

import httpx
import pytest

from api.document import limits
from api.document.reading_thread import LONG
from api.graphql import guard, request_data
from tests.api.tiny import tiny_app

VARIED = [
    "{ hello }",
    "mutation { nope }",
    "{ nope }",
    "{ hello ) }",
    "{ hello } { hello }",
    "query A { hello } query B { hello }",
    "{ ...F }",
    "{ node" + "{ child" * 20 + "{ name }" + "}" * 21,
    "subscription { ticks(count: 1) }",
    "fragment F on Query { hello }",
]


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Names of the threads in which something was done."""
    found: dict[str, list[str]] = {}

    def watched(module: Any, name: str) -> None:
        work = getattr(module, name)

        def noted(*args: Any, **more: Any) -> Any:
            found.setdefault(name, []).append(threading.current_thread().name)
            return work(*args, **more)

        monkeypatch.setattr(module, name, noted)

    watched(guard, "parse")
    watched(guard, "validated")
    watched(limits, "check")
    watched(request_data, "kind_of")
    return found


@pytest.mark.parametrize("query", VARIED)
async def test_long_and_short_are_answered_alike(query: str, threads: dict[str, list[str]]) -> None:
    transport = httpx.ASGITransport(tiny_app())
    answers, where = [], []
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for text in (query, query + " " * LONG):
            threads.clear()
            answer = await client.post("/graphql", json={"query": text, "operationName": None})
            answers.append((answer.status_code, answer.json()))
            where.append({name for names in threads.values() for name in names})
    assert answers[0] == answers[1]
    short, long = where
    assert short == {threading.current_thread().name}
    assert [name.startswith("documents") for name in long] == [True]


async def test_a_known_one_is_read_once(threads: dict[str, list[str]]) -> None:
    transport = httpx.ASGITransport(tiny_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for _ in range(3):
            await client.post("/graphql", json={"query": "{ hello }" + " " * LONG})
    assert [len(threads[name]) for name in ("parse", "check", "validated")] == [1, 1, 1]
