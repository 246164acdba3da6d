"""Long answers are made in parts: the same answers, of the same statements, and others have their turn between two."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from reads import pace
from resolvers.records import nodes, relay
from tests.resolvers.runtime import Runtime
from tests.resolvers.test_cost import EVERYTHING

PART = 4
LONG = "{ studies(first: 50) { nodes { studyInstanceUid } edges { cursor node { studyDate patientId } } } }"
BELOW = """query Q { studies(first: 50) { nodes { studyInstanceUid
  a: series { edges { ...E } } b: series(first: 1) { nodes { seriesInstanceUid } } } } }
  fragment E on SeriesEdge { cursor node { seriesInstanceUid ...S } } fragment S on Series { modality }"""
DEEP = """{ studies(first: 50) { nodes { id series { nodes { id
  instances { nodes { id numberOfFrames } } study { id } } } } } }"""
WRONG = '{ studies(first: 50) { nodes { id attributes(keywords: ["no such"]) { keyword } } } }'


class Made:
    """How many nodes were made in each turn of the event loop, and how many turns there were."""

    def __init__(self) -> None:
        self.counts = [0]
        self._handle: asyncio.Handle | None = None

    def counting(self, make: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any) -> Any:
            self.counts[-1] += 1
            if self._handle is None:
                self._handle = asyncio.get_running_loop().call_soon(self._turn)
            return make(*args)

        return counted

    def _turn(self) -> None:
        self._handle = None
        self.counts.append(0)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    made = Made()
    monkeypatch.setattr(nodes, "study_of", made.counting(nodes.study_of))
    monkeypatch.setattr(nodes, "series_of", made.counting(nodes.series_of))
    return made


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on answers are long and time is short."""

    def begin() -> None:
        for module in (relay, pace):
            monkeypatch.setattr(module, "PART", PART)
        monkeypatch.setattr(relay, "FREE", 5)
        monkeypatch.setattr(pace, "_SECONDS", 0.0)

    return begin


@pytest.mark.parametrize("query", [LONG, BELOW, DEEP, WRONG, EVERYTHING])
async def test_the_same_answers_of_the_same_statements(
    runtime: Runtime, query: str, hasty: Callable[[], None]
) -> None:
    variables = {"first": 50} if query is EVERYTHING else None
    at_once = await runtime.ask(query, variables)
    hasty()
    in_parts = await runtime.ask(query, variables)
    assert in_parts.data == at_once.data
    assert in_parts.errors == at_once.errors
    assert sorted(in_parts.statements) == sorted(at_once.statements)


@pytest.mark.parametrize("query", [LONG, BELOW])
async def test_others_have_their_turn(
    runtime: Runtime, query: str, made: Made, hasty: Callable[[], None]
) -> None:
    hasty()
    await asyncio.gather(*(runtime.ask(query) for _ in range(3)))
    assert sum(made.counts) >= 3 * 100
    assert max(made.counts) <= 3 * 5 + PART


async def test_who_leaves_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_SECONDS", 0.0)
    of_loop = pace.Pace()
    waiting = [asyncio.create_task(of_loop.turn()) for _ in range(5)]
    await asyncio.sleep(0)
    assert [each.done() for each in waiting] == [True, False, False, False, False]
    waiting[1].cancel()
    told = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 30)
    assert [each is None for each in told] == [True, False, True, True, True]
    await asyncio.sleep(0)
    assert of_loop._begun is None
