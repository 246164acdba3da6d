"""Server-sent events that end when the right to read them does, and answers that nobody takes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, cast

import orjson
from starlette.types import Message, Send
from strawberry.http.streaming import SSETransport

_EXPIRED = {
    "message": "The access token has expired. Get a new one.",
    "extensions": {"code": "UNAUTHENTICATED"},
}


class Events(SSETransport):
    """Frames whose lines end in LF: clients split the stream at two of these (urql), though CRLF is allowed."""

    def encode_event(self, event: str, data: str | None = None) -> str:
        return super().encode_event(event, data).replace("\r\n", "\n")

    def encode_comment(self, comment: str) -> str:
        return super().encode_comment(comment).replace("\r\n", "\n")


def whole_stream(answer: bytes) -> str:
    """What a client reads of an operation that has one answer, the JSON of which this is."""
    frames = Events()
    return frames.encode_event("next", answer.decode()) + frames.encode_event("complete")


LAST = whole_stream(orjson.dumps({"errors": [_EXPIRED]}))
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
