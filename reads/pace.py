"""Long answers are made a part at a time, so that the event loop looks after everybody else meanwhile. Short answers
never wait."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, TypeVar

from db.pool import Row

T = TypeVar("T")

FREE: Final = 100
"""Nodes that an answer may have before it is a long one; to complete one takes up to 0.1 ms."""
PART: Final = 20
"""Nodes of a list that are completed before it is looked whether others should have their turn."""
_SECONDS: Final = 0.004


class Pace:
    """Of an event loop: how long the answers that are being made have held it since it looked after others last."""

    def __init__(self) -> None:
        self._begun: float | None = None
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._at_once = 1

    async def turn(self) -> None:
        """Comes back at once while there is time in this turn of the loop, or in one of the next, in the order of
        coming."""
        loop = asyncio.get_running_loop()
        if self._begun is None:
            self._begun = time.perf_counter()
            loop.call_soon(self._round)
        elif self._waiting or time.perf_counter() - self._begun > _SECONDS:
            place = loop.create_future()
            self._waiting.append(place)
            await place

    def _round(self) -> None:
        """Runs once in each turn of the loop while answers are made, after what it let go on the last time."""
        assert self._begun is not None  # noqa: S101
        now = time.perf_counter()
        in_time = now - self._begun < _SECONDS
        self._at_once = self._at_once + 1 if in_time else max(1, self._at_once // 2)
        let_go = 0
        while self._waiting and let_go < self._at_once:
            if not (place := self._waiting.popleft()).done():
                place.set_result(None)
                let_go += 1
        self._begun = None
        if let_go:
            self._begun = now
            asyncio.get_running_loop().call_soon(self._round)


async def in_parts(pace: Pace, rows: Sequence[Row], make: Callable[[Row], T]) -> AsyncIterator[T]:
    """What is made of the rows; between two parts others may have their turn."""
    for number, row in enumerate(rows):
        if number % PART == 0:
            await pace.turn()
        yield make(row)
