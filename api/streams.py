"""Server-sent events that end when the right to read them does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, cast

import orjson

_EXPIRED = {
    "message": "The access token has expired. Get a new one.",
    "extensions": {"code": "UNAUTHENTICATED"},
}
LAST = (
    f"event: next\r\ndata: {orjson.dumps({'errors': [_EXPIRED]}).decode()}\r\n\r\n"
    "event: complete\r\ndata: \r\n\r\n"
)
"""What a client reads at the end (graphql-sse, distinct connections mode)."""


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
