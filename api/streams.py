"""Server-sent events that end when the right to read them does, and answers that nobody takes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, cast

import orjson
from starlette.types import Message, Send

_EXPIRED = {
    "message": "The access token has expired. Get a new one.",
    "extensions": {"code": "UNAUTHENTICATED"},
}
LAST = (
    f"event: next\r\ndata: {orjson.dumps({'errors': [_EXPIRED]}).decode()}\r\n\r\n"
    "event: complete\r\ndata: \r\n\r\n"
)
"""What a client reads at the end (graphql-sse, distinct connections mode)."""


class NotTaken(Exception):
    """The client took nothing for so long that it was cut off."""


def in_time(send: Send, seconds: float) -> Send:
    """The same, but what waits longer than that for its client is given up. Raises NotTaken."""

    async def limited(message: Message) -> None:
        try:
            async with asyncio.timeout(seconds):
                await send(message)
        except TimeoutError:
            raise NotTaken from None

    return limited


def until(stream: Callable[[], AsyncIterator[str]], seconds: float) -> Callable[[], AsyncIterator[str]]:
    """The same stream for so many seconds, then LAST."""

    async def limited() -> AsyncIterator[str]:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        async with aclosing(cast(Any, stream())) as parts:
            while True:
                limit = asyncio.timeout_at(end)
                try:
                    async with limit:
                        part: str = await anext(parts)
                except StopAsyncIteration:
                    return
                except TimeoutError:
                    if not limit.expired():
                        raise
                    yield LAST
                    return
                yield part

    return limited
