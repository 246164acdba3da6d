"""What is read once and then shared: by the fields of a request, whatever asks for it first."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """The answer of `read`, which is asked when somebody first wants it. Not a failure: who wants it after one has
    it read again."""

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        self._read = read
        self._reading: asyncio.Future[T] | None = None

    async def __call__(self) -> T:
        if self._reading is None or _failed(self._reading):
            self._reading = asyncio.ensure_future(self._read())
        return await asyncio.shield(self._reading)  # one who goes away leaves it to the others

    def forget(self) -> None:
        """Has it read again for whoever wants it next."""
        self._reading = None


def _failed(reading: "asyncio.Future[T]") -> bool:
    return reading.done() and (reading.cancelled() or reading.exception() is not None)
