"""What comes on a WebSocket is read a little at a time, and sockets are opened and ended one after another.

uvicorn makes frames of all that has come before anybody else has their turn, hundreds of kilobytes of it, and opens all
sockets that were asked for, and ends all that were cut, in one turn of the event loop.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from uvicorn._types import ASGIReceiveEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

SLICE: Final = 2_048
"""Bytes that are looked at in one turn of the loop: 340 of the smallest frames, some milliseconds."""


class OneATurn:
    """Pieces of work of which each turn of the event loop does one, in the order of coming."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()

    def add(self, work: Callable[[], None]) -> None:
        self._waiting.append(work)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        try:
            self._waiting[0]()
        finally:
            self._waiting.popleft()
            if self._waiting:
                asyncio.get_running_loop().call_soon(self._next)


class SlicedSocket(WebSocketsSansIOProtocol):
    """Nothing is read from the client while something that it sent waits."""

    _next: asyncio.Handle | None = None

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._waiting = bytearray()

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        if self._next is None and not self.read_paused:
            self._take()

    async def receive(self) -> ASGIReceiveEvent:
        message = await self.queue.get()
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            self._go_on()
        return message

    def _take(self) -> None:
        self._next = None
        if self.transport.is_closing():
            self._waiting.clear()
            return
        part = bytes(self._waiting[:SLICE])
        del self._waiting[:SLICE]
        super().data_received(part)
        if self._waiting:
            self.transport.pause_reading()
        if not self.read_paused:  # else `receive` goes on when the messages of this slice were taken
            self._go_on()

    def _go_on(self) -> None:
        if self.transport.is_closing():
            return
        if not self._waiting:
            self.transport.resume_reading()
        elif self._next is None:
            self._next = self.loop.call_soon(self._take)
