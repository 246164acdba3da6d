"""The body of an answer on its way from a worker thread to the event loop, a few pieces at most in between.

So an answer of any size takes as much memory as a small one, and a client that takes its time holds up the archive's
sender, by TCP. Knows nothing of DICOM.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, Final

from archives.connection import Call
from archives.errors import ArchiveError, Unreachable

_AHEAD: Final = 4
"""Pieces that wait for the event loop."""


class Flow:
    """An async iterator of bytes. Raises ArchiveError where the answer breaks off."""

    def __init__(self, call: Call, seconds: float) -> None:
        """seconds: in which each piece must have come."""
        self.headers: Mapping[str, str] = {}
        self._call, self._seconds = call, seconds
        self._loop = asyncio.get_running_loop()
        self._pieces: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue()
        self._room = threading.Semaphore(_AHEAD)
        self._begun: asyncio.Future[None] = self._loop.create_future()
        self._over: asyncio.Future[None] = self._loop.create_future()
        call.flow = self

    # ---- in the worker thread

    def begin(self, headers: Mapping[str, str]) -> None:
        self.headers = headers
        self._later(self._begins, None)

    def put(self, piece: bytes) -> None:
        """Waits until there is room. Raises Unreachable when nobody takes it any more."""
        self._room.acquire()
        if self._call.is_cut:
            raise Unreachable("nobody takes the answer any more")
        self._call.renew(self._seconds)
        self._later(self._pieces.put_nowait, piece)

    def wake(self) -> None:
        """The call was cut: whoever waits for room need not."""
        self._room.release()

    def ended(self, running: "Future[Any]") -> None:
        error = None if running.cancelled() else running.exception()
        self._later(self._ends, error)

    def _later(self, work: Any, *given: Any) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(work, *given)

    # ---- in the event loop

    async def begun(self) -> None:
        """Raises ArchiveError where there will be no answer."""
        await self._begun

    def __aiter__(self) -> "Flow":
        return self

    async def __anext__(self) -> bytes:
        piece = await self._pieces.get()
        if isinstance(piece, bytes):
            self._room.release()
            return piece
        self._pieces.put_nowait(piece)  # whoever asks again hears the same
        if piece is None:
            raise StopAsyncIteration
        raise piece

    async def aclose(self) -> None:
        """Cuts what is still on its way; the thread has ended afterwards."""
        self._call.cut()
        await asyncio.shield(self._over)

    def when_over(self, work: Callable[[], object]) -> None:
        """Does this when the answer has ended, whichever way."""
        self._over.add_done_callback(lambda _: work())

    def _begins(self, error: BaseException | None) -> None:
        if self._begun.done():
            return
        if error is None:
            self._begun.set_result(None)
        else:
            self._begun.set_exception(error)
            self._begun.exception()  # nobody may be waiting

    def _ends(self, error: BaseException | None) -> None:
        self._begins(error or ArchiveError("the answer has no body"))
        self._pieces.put_nowait(error)
        self._over.set_result(None)
