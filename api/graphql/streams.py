"""Server-sent events (graphql-sse, distinct connections mode) that end when the right to read them does."""

import asyncio
import math
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

import orjson

HEADERS: Final = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache, no-transform",  # nobody in between compresses it, or keeps it
    "X-Accel-Buffering": "no",  # nginx passes on what comes at once
}
PING_SECONDS: Final = 15.0
"""Where nothing comes for so long a comment is sent: proxies cut what is silent."""
_EXPIRED = {
    "message": "The access token has expired. Get a new one.",
    "extensions": {"code": "UNAUTHENTICATED"},
}


def frame(event: str, data: bytes = b"") -> str:
    """Lines end in LF: clients split the stream at two of these (urql), though CRLF is allowed. Browsers pass over an
    event without data, so that each has a line of it. data: JSON, which has no line ends."""
    return f"event: {event}\ndata: {data.decode()}\n\n"


def whole_stream(answer: bytes) -> str:
    """What a client reads of an operation that has one answer, the JSON of which this is."""
    return frame("next", answer) + frame("complete")


LAST = whole_stream(orjson.dumps({"errors": [_EXPIRED]}))
"""What a client reads at the end of its right."""


async def events(answers: AsyncGenerator[bytes], seconds: float | None) -> AsyncGenerator[str]:
    """The answers as they come, for so many seconds; then LAST. One task reads them all."""
    loop = asyncio.get_running_loop()
    end = math.inf if seconds is None else loop.time() + seconds
    coming: asyncio.Queue[str | Exception | None] = asyncio.Queue(1)
    reading = asyncio.create_task(_read(answers, coming))
    try:
        while (left := end - loop.time()) > 0:
            try:
                async with asyncio.timeout(min(PING_SECONDS, left)):
                    come = await coming.get()
            except TimeoutError:
                if left > PING_SECONDS:
                    yield ": ping\n\n"
                continue
            if come is None:
                return
            if isinstance(come, Exception):
                raise come
            yield come
        yield LAST
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def _read(answers: AsyncGenerator[bytes], coming: asyncio.Queue[str | Exception | None]) -> None:
    try:
        async with aclosing(answers):
            async for answer in answers:
                await coming.put(frame("next", answer))
        await coming.put(frame("complete"))
        await coming.put(None)
    except Exception as error:  # whoever takes the events learns of it
        await coming.put(error)
