"""Work that several askers share: whoever asks for what is on its way waits for that, and starts nothing.

An asker that goes away does not end it: others may wait, and what comes is kept.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Hashable, Iterator
from functools import partial
from typing import Any, Final, Generic, TypeVar, cast

CLOSING: Final = 10.0
"""Seconds that a process which ends waits for what is on its way."""

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")
T = TypeVar("T")


class SingleFlight(Generic[K, R]):
    """What is on its way, by what was asked. One task may be for several keys. Its result is for all askers.

    remembers: results are for later askers as well, such as the other fields of a request. Never a failure: who asks
    after one has it tried again.
    """

    def __init__(self, *, remembers: bool = False) -> None:
        self._tasks: dict[K, asyncio.Task[Any]] = {}
        self._remembers = remembers

    def __contains__(self, key: object) -> bool:
        return key in self._tasks

    def __iter__(self) -> Iterator[K]:
        return iter(list(self._tasks))

    def start(self, keys: Collection[K], work: Coroutine[Any, Any, R]) -> None:
        """Sets out for these; none of them may be on its way already."""
        task = asyncio.create_task(work)
        self._tasks |= dict.fromkeys(keys, task)
        task.add_done_callback(partial(self._ended, keys))

    async def shared(self, key: K, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result for one key: of what is on its way or remembered, else of `work`. Raises what that raises."""
        if key not in self._tasks:
            self.start([key], cast(Coroutine[Any, Any, R], work()))
        return cast(T, await asyncio.shield(self._tasks[key]))

    async def results(self, keys: Collection[K], within: float | None = None) -> dict[K, R]:
        """Results of what is on its way, by key; what takes longer than `within` seconds is left out, and goes
        on. Raises what the work raises."""
        tasks = {key: self._tasks[key] for key in keys}
        if not tasks:
            return {}
        done, _ = await asyncio.wait(
            set(tasks.values()), timeout=within if within is None else max(within, 0)
        )
        return {key: task.result() for key, task in tasks.items() if task in done}

    async def close(self) -> None:
        """Lets what is on its way finish; what takes longer than CLOSING is cut off."""
        tasks = set(self._tasks.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=CLOSING)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _ended(self, keys: Collection[K], task: asyncio.Task[R]) -> None:
        if not self._remembers or task.cancelled() or task.exception() is not None:
            for key in keys:
                self._tasks.pop(key, None)
