"""One search by several queries: what they find is one answer."""

import asyncio
from collections.abc import Awaitable, Callable

from archives.pager import Found
from archives.queries import SearchQuery
from archives.rows import Level, key
from archives.side_by_side import side_by_side

# Parents, one after the other, of which no more comes alone: it counts what it does not give.
_IN_VAIN = 3

Pages = Callable[[SearchQuery, int | None], Awaitable[Found]]
"""All pages of a query, of `most` rows."""


async def all_of(
    level: Level, queries: list[SearchQuery], pages: Pages, at_once: int, most: int | None
) -> Found:
    """All queries side by side; of each `most` rows. Where one of them does not end, the others are not gone on
    with."""
    slots = asyncio.Semaphore(at_once)
    parts: list[Found] = []

    async def one(query: SearchQuery) -> None:
        async with slots:
            if not any(part.unending for part in parts):
                parts.append(found := await pages(query, most))
                parts.extend(await _by_parent(query, found, pages))

    await side_by_side([one(query) for query in queries])
    return _merged(level, parts)


async def _by_parent(query: SearchQuery, found: Found, pages: Pages) -> list[Found]:
    """Those of a list that have fewer children than was said, each alone: the archive may give so many rows and
    no more, whatever `offset` is, or count what it does not give. That one has been asked in vain often enough."""
    parts: list[Found] = []
    vain = 0
    if found.incomplete_because is None and len(query.children({})) > 1:
        for uid, came in found.lacking.items():
            parts.append(part := await pages(query.of_parent(uid), None))
            vain = 0 if len(part.rows) > came else vain + 1
            if vain == _IN_VAIN:
                break
    return parts


def _merged(level: Level, parts: list[Found]) -> Found:
    """What several searches found, each row once; nothing where one of them did not end."""
    unending = any(part.unending for part in parts)
    rows = {} if unending else {key(level, row): row for part in parts for row in part.rows}
    why = next((part.incomplete_because for part in parts if part.unending), None)
    why = why or next((part.incomplete_because for part in parts if part.incomplete_because), None)
    return Found(list(rows.values()), why, unending, sum(part.unasked for part in parts))
