"""Work that several askers share: whoever asks for what is on its way waits for that, and starts nothing.

An asker that goes away does not end it: others may wait, and what comes is kept.
"""

import asyncio
from collections.abc import Collection, Coroutine, Hashable, Iterator
from functools import partial
from typing import Any, Final, Generic, TypeVar

CLOSING: Final = 10.0
"""Seconds that a process which ends waits for what is on its way."""

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")


class SingleFlight(Generic[K, R]):
    """What is on its way, by what was asked. One task may be for several keys. Its result is for all askers."""

    def __init__(self) -> None:
        self._under_way: dict[K, asyncio.Task[R]] = {}

    def __contains__(self, key: object) -> bool:
        return key in self._under_way

    def __iter__(self) -> Iterator[K]:
        return iter(list(self._under_way))

    def start(self, keys: Collection[K], work: Coroutine[Any, Any, R]) -> None:
        """Sets out for these; none of them may be on its way already."""
        task = asyncio.create_task(work)
        self._under_way |= dict.fromkeys(keys, task)
        task.add_done_callback(partial(self._forget, keys))

    async def results(self, keys: Collection[K], within: float | None = None) -> dict[K, R]:
        """Results of what is on its way, by key; what takes longer than `within` seconds is left out, and goes
        on. Raises what the work raises."""
        tasks = {key: self._under_way[key] for key in keys}
        if not tasks:
            return {}
        done, _ = await asyncio.wait(
            set(tasks.values()), timeout=within if within is None else max(within, 0)
        )
        return {key: task.result() for key, task in tasks.items() if task in done}

    async def close(self) -> None:
        """Lets what is on its way finish; what takes longer than CLOSING is cut off."""
        tasks = set(self._under_way.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=CLOSING)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _forget(self, keys: Collection[K], _: object) -> None:
        for key in keys:
            self._under_way.pop(key, None)
