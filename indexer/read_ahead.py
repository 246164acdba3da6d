"""Reading ahead: what an archive answers while a batch is written is the next batch, as large as it came.

A fast archive is written in few large transactions, whose fixed costs then count for little; a slow one batch by
batch, as soon as each is there.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from itertools import takewhile

from indexer.batch import Batch

# Records of one transaction, about, and as many read ahead: what a writer of something else waits for is half a second.
ROWS_AT_ONCE = 4_000


async def reading_ahead(
    source: AsyncGenerator[tuple[Batch, str], None],
) -> AsyncGenerator[tuple[Batch, str], None]:
    """Batches and their checkpoints, those at hand joined into one with the last checkpoint ('' is none).

    What the source raises comes when all that it gave before is written.
    """
    ready: list[tuple[Batch, str]] = []
    changed = asyncio.Condition()

    async def read() -> None:
        async with aclosing(source):
            async for item in source:
                async with changed:
                    ready.append(item)
                    changed.notify_all()
                    await changed.wait_for(lambda: _rows(ready) < ROWS_AT_ONCE)

    reading = asyncio.ensure_future(read())
    try:
        while True:
            await _either(reading, changed, ready)
            if not ready:
                break
            async with changed:
                some = _joinable(ready)
                del ready[: len(some)]
                changed.notify_all()
            yield _joined(some)
        await reading
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def _either(
    reading: asyncio.Future[None], changed: asyncio.Condition, ready: list[tuple[Batch, str]]
) -> None:
    """Waits for something to be ready, or for the end of the reading."""

    async def something() -> None:
        async with changed:
            await changed.wait_for(lambda: bool(ready))

    if ready or reading.done():
        return
    waiting = asyncio.ensure_future(something())
    try:
        await asyncio.wait([reading, waiting], return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


def _joinable(ready: list[tuple[Batch, str]]) -> list[tuple[Batch, str]]:
    """The first of these, up to the number of rows; none that tells of a study again: the later answer counts."""
    told: set[str] = set()
    rows = 0

    def fits(item: tuple[Batch, str]) -> bool:
        nonlocal rows
        batch, _ = item
        fit = rows < ROWS_AT_ONCE and told.isdisjoint(batch.asked)
        told.update(batch.asked)
        rows += batch.rows
        return fit

    return list(takewhile(fits, ready))


def _joined(items: list[tuple[Batch, str]]) -> tuple[Batch, str]:
    whole, checkpoint = items[0]
    for batch, later in items[1:]:
        whole.add(batch)
        checkpoint = later or checkpoint
    return whole, checkpoint


def _rows(items: list[tuple[Batch, str]]) -> int:
    return sum(batch.rows for batch, _ in items)
