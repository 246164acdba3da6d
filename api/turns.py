"""How many operations of one person run at once: the others of theirs wait, and nobody else does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class _Places:
    free: asyncio.Semaphore
    users: int = 0


class Turns:
    """most: at once; 0: any number. Who waits is let in in the order of coming."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._of: dict[str, _Places] = {}

    @asynccontextmanager
    async def of(self, who: str) -> AsyncIterator[None]:
        """A place while the block runs. Between two that begin others have their turn on the event loop."""
        if not self._most:
            yield
            return
        places = self._of.setdefault(who, _Places(asyncio.Semaphore(self._most)))
        places.users += 1
        try:
            async with places.free:
                await asyncio.sleep(0)
                yield
        finally:
            places.users -= 1
            if not places.users:
                del self._of[who]
