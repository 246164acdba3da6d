"""Pages without end cost no more memory than a search that ends just within `max_response`."""

import json
import tracemalloc
from collections.abc import Callable

import pytest

from archives.client import Row
from archives.lengths import Lately
from archives.pager import AskedPages, Found, Page, PageMemory, Pager
from tests.archives.faulty import studies

SIZE, MAX_BYTES = 50, 400_000
TIMES = 2.0  # most, of what the honest one costs


async def peak(pages: int | None, fits: Callable[[Row], bool]) -> tuple[int, Found]:
    """Of a search with so many pages, None: without end."""

    async def fetch(limit: int, offset: int) -> Page:
        if pages is not None and offset >= pages * SIZE:
            return Page([])
        rows = studies(SIZE, start=offset + 1)
        return Page(rows, len(json.dumps(rows)))

    async def is_all(rows: int) -> bool:
        return False

    asked = AskedPages("studies", SIZE, fits, MAX_BYTES)
    tracemalloc.start()
    try:
        found = await Pager(asked, fetch, is_all, PageMemory(), Lately()).read()
        return tracemalloc.get_traced_memory()[1], found
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("asked_for", [True, False])
async def test_pages_without_end(asked_for: bool) -> None:
    one_page = len(json.dumps(studies(SIZE, start=1001)))
    honest, whole = await peak(MAX_BYTES // one_page - 1, lambda row: True)
    assert (whole.unending, whole.incomplete_because) == (False, None)
    endless, found = await peak(None, lambda row: asked_for)
    assert (found.unending, found.rows) == (True, [])
    assert ("were not asked for" in str(found.incomplete_because)) is not asked_for
    assert endless < honest * TIMES
