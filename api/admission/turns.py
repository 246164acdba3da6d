"""How many operations of one person run at once: the others of theirs wait, and nobody else does.

Dear ones have places of their own, so that a light one does not wait for them; and a person's new documents are read
one after another. Of a person's connections one after the other is let in: a thousand operations on one of them are
one operation ahead of the first of another.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

LIGHT: Final = 1_000
"""What a light operation costs at most (api/document/cost.py): some milliseconds of processor."""


class Lane(Enum):
    """Of what there are so many at once."""

    READING = "documents that are read"
    LIGHT = "light operations"
    DEAR = "dear operations"
    STREAM = "answers that archives are asked for"


@dataclass(slots=True)
class _Places:
    """free: of which there are some only while nobody waits. users: who has one or waits for it."""

    free: int
    users: int = 0
    waiting: OrderedDict[Hashable, deque[asyncio.Future[None]]] = field(default_factory=OrderedDict)
    """By connection, that which is next in front."""

    async def take(self, connection: Hashable) -> None:
        if self.free:
            self.free -= 1
            return
        place = asyncio.get_running_loop().create_future()
        self.waiting.setdefault(connection, deque()).append(place)
        try:
            await place
        except asyncio.CancelledError:
            if not place.cancelled():  # it was given in this very turn of the loop
                self.give()
            raise

    def give(self) -> None:
        """To the first who waits on the next connection, and is still there."""
        while self.waiting:
            connection, line = self.waiting.popitem(last=False)
            place = line.popleft()
            while place.done() and line:
                place = line.popleft()
            if line:
                self.waiting[connection] = line
            if not place.done():
                place.set_result(None)
                return
        self.free += 1


class Turns:
    """most: operations of each lane at once; 0: any number. Who waits is let in in the order of coming, of different
    connections one after the other."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._of: dict[tuple[str, Lane], _Places] = {}

    @asynccontextmanager
    async def of(self, who: str, lane: Lane, connection: Hashable = None) -> AsyncIterator[None]:
        """A place while the block runs. Between two that begin others have their turn on the event loop."""
        if not self._most:
            yield
            return
        most = 1 if lane is Lane.READING else self._most
        places = self._of.setdefault((who, lane), _Places(most))
        places.users += 1
        try:
            await places.take(connection)
            try:
                await asyncio.sleep(0)
                yield
            finally:
                places.give()
        finally:
            places.users -= 1
            if not places.users:
                del self._of[who, lane]


@dataclass(frozen=True, slots=True)
class Turn:
    """Of one operation: whose it is, what it came on, and until when it keeps its place."""

    turns: Turns
    who: str
    connection: Hashable
    until_sent: AsyncExitStack

    def reading(self) -> AbstractAsyncContextManager[None]:
        """While a document is read that is not known."""
        return self.turns.of(self.who, Lane.READING, self.connection)

    async def begin(self, cost: int) -> None:
        """Waits for a place, and keeps it."""
        lane = Lane.LIGHT if cost <= LIGHT else Lane.DEAR
        await self.until_sent.enter_async_context(self.turns.of(self.who, lane, self.connection))


turn: ContextVar[Turn | None] = ContextVar("turn", default=None)
"""Of the operation that runs; None where it waits for nobody (subscriptions, exports)."""
