"""How many operations of one person run at once: the others of theirs wait, and nobody else does.

Dear ones have places of their own, so that a light one does not wait for them; and a person's new documents are read
one after another.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum
from typing import Final

LIGHT: Final = 1_000
"""What a light operation costs at most (api/document/cost.py): some milliseconds of processor."""


class Lane(Enum):
    """Of what there are so many at once."""

    READING = "documents that are read"
    LIGHT = "light operations"
    DEAR = "dear operations"


@dataclass(slots=True)
class _Places:
    free: asyncio.Semaphore
    users: int = 0


class Turns:
    """most: operations of each lane at once; 0: any number. Who waits is let in in the order of coming."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._of: dict[tuple[str, Lane], _Places] = {}

    @asynccontextmanager
    async def of(self, who: str, lane: Lane) -> AsyncIterator[None]:
        """A place while the block runs. Between two that begin others have their turn on the event loop."""
        if not self._most:
            yield
            return
        most = 1 if lane is Lane.READING else self._most
        places = self._of.setdefault((who, lane), _Places(asyncio.Semaphore(most)))
        places.users += 1
        try:
            async with places.free:
                await asyncio.sleep(0)
                yield
        finally:
            places.users -= 1
            if not places.users:
                del self._of[who, lane]


@dataclass(frozen=True, slots=True)
class Turn:
    """Of one operation: whose it is, and until when it keeps its place."""

    turns: Turns
    who: str
    until_sent: AsyncExitStack

    def reading(self) -> AbstractAsyncContextManager[None]:
        """While a document is read that is not known."""
        return self.turns.of(self.who, Lane.READING)

    async def begin(self, cost: int) -> None:
        """Waits for a place, and keeps it."""
        lane = Lane.LIGHT if cost <= LIGHT else Lane.DEAR
        await self.until_sent.enter_async_context(self.turns.of(self.who, lane))


turn: ContextVar[Turn | None] = ContextVar("turn", default=None)
"""Of the operation that runs; None where it waits for nobody (subscriptions, exports)."""
