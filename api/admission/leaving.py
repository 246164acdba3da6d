"""Clients that go away before they have their answer, or do not take it: what is done for them ends."""

import asyncio
from collections.abc import Coroutine
from contextvars import ContextVar
from typing import Any, TypeVar, cast

from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

T = TypeVar("T")


class ClientGone(Exception):
    """The client closed the connection; there is nobody to answer."""


class NotTaken(Exception):
    """The client took nothing for so long that it was cut off."""


until_begun: ContextVar[asyncio.Timeout | None] = ContextVar("until_begun", default=None)
"""What ends a request whose answer has not begun in time."""


def takes_longer(seconds: float) -> None:
    """The answer to this request may take so long from now on: of work that grows with what the client sent, and that
    goes on."""
    limit = until_begun.get()
    if limit is not None and (due := limit.when()) is not None:
        limit.reschedule(max(due, asyncio.get_running_loop().time() + seconds))


async def unless_gone(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """What the work returns. Raises ClientGone as soon as the client is; the work is then cancelled, and has ended.

    receive: of a request whose body was read, or is of no interest.
    """
    running = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait({running, gone}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            return running.result()
        raise ClientGone
    finally:
        running.cancel()
        gone.cancel()
        await asyncio.gather(running, gone, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def in_time(send: Send, seconds: float) -> Send:
    """The same, but what waits longer than that for its client is given up: else whoever leaves their machine asleep,
    or means harm, holds a place for ever. Raises NotTaken."""

    async def limited(message: Message) -> None:
        try:
            async with asyncio.timeout(seconds):
                await send(message)
        except TimeoutError:
            raise NotTaken from None

    return limited


class ClosedStream(StreamingResponse):
    """The async generator that makes the answer is closed with it, whether it came to its end or was left."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await cast(Any, self.body_iterator).aclose()
