"""How long the event loop of this process was held by one piece of work.

In the processor time of its thread: what other processes take on a busy machine is not the server's doing.
"""

import asyncio
import contextlib
import time
from types import TracebackType
from typing import Self

TICK = 0.001


class LoopMonitor:
    """`longest`: the longest time, in ms of its thread, for which nothing else could run while the block did."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._watch())
        await asyncio.sleep(0)
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        await asyncio.sleep(2 * TICK)
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _watch(self) -> None:
        while True:
            before = time.thread_time()
            await asyncio.sleep(TICK)
            self.longest = max(self.longest, (time.thread_time() - before) * 1000)
