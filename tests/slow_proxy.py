"""A TCP proxy on loopback that passes requests on and holds answers back: a slow line to a real archive."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(slots=True)
class SlowProxy:
    """`url`: what to ask instead of the server. delay: seconds that each answer is held back."""

    url: str
    delay: float


@asynccontextmanager
async def slow_proxy(url: str, delay: float) -> AsyncIterator[SlowProxy]:
    """Before the server of `url`, with its path."""
    target = urlsplit(url)
    proxy = SlowProxy("", delay)
    open_now: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_now.add(task)
        upstream_reader, upstream_writer = await asyncio.open_connection(target.hostname, target.port)
        try:
            await asyncio.gather(
                _pump(reader, upstream_writer, proxy, hold=False),
                _pump(upstream_reader, writer, proxy, hold=True),
            )
        except asyncio.CancelledError:
            pass  # the block has ended: whoever waits gets a closed connection
        finally:
            open_now.discard(task)
            for each in (writer, upstream_writer):
                each.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{target.path}"
    try:
        yield proxy
    finally:
        server.close()
        for task in list(open_now):
            task.cancel()
        await asyncio.gather(*open_now, return_exceptions=True)


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, proxy: SlowProxy, *, hold: bool
) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            if hold:
                await asyncio.sleep(proxy.delay)
            writer.write(data)
            await writer.drain()
        writer.close()
