"""Reads a search page by page until nothing new comes, and says when the end was not the end.

`limit` and `offset` (PS3.18 8.3.4.4) are hints to many servers: some ignore them and repeat the first
page for ever, some cap pages silently, some repeat rows. So only what is new counts, and it must end.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from archives.client import Row
from archives.errors import BadAnswer
from archives.rows import Key, Level, key

MAX_PAGES = 200
_ODD_CAPS = {12}  # caps seen in the field that are not round


@dataclass(slots=True)
class PageMemory:
    """What an archive's pages have shown so far.

    moves_on: whether an offset brought other rows; None as long as none was needed. warned: it said that
    it holds more than it sent.
    """

    moves_on: bool | None = None
    warned: bool = False


def may_be_cap(rows: int) -> bool:
    """A short page of so many rows could be a silent cap: caps are round numbers."""
    return (rows >= 10 and rows % 10 == 0) or rows in _ODD_CAPS


@dataclass(slots=True)
class Found:
    """Rows by key, each once, with the reason why there may be more."""

    rows: dict[Key, Row] = field(default_factory=dict)
    incomplete_because: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Row]
    warned: bool = False


async def read_pages(
    level: Level,
    page_size: int,
    fetch: Callable[[int, int], Awaitable[Page]],
    memory: PageMemory,
    max_pages: int = MAX_PAGES,
    most: int | None = None,
    *,
    all_there_are: int | None = None,
) -> Found:
    """Every page of one search, or until there are more than `most` rows. `fetch(limit, offset)` gives a page
    or raises ArchiveError.

    all_there_are: so many rows are all, as so many were asked for by their UIDs.
    """
    found = Found()
    offset = 0
    overlapped = False
    capped = False  # the page before was full, warned of more, or looked like a cap
    for _ in range(max_pages):
        page = await fetch(page_size, offset)
        memory.warned |= page.warned
        new, distinct = _add(level, page.rows, found)
        if not new:
            if page.rows and capped:
                memory.moves_on = False
                found.incomplete_because = "the archive repeats its page instead of going on"
            elif page.warned:
                found.incomplete_because = "the archive warned that it holds more"
            break
        if offset:
            memory.moves_on = True
            overlapped |= new < distinct
        # Of a row that comes twice the archive may count one: rather read some again than skip others.
        offset += distinct
        is_odd = may_be_cap(len(page.rows)) and len(found.rows) != all_there_are
        capped = page.warned or len(page.rows) >= page_size or is_odd
        if not capped:
            break
        if most is not None and len(found.rows) > most:
            break
    else:
        found.incomplete_because = f"stopped after {max_pages} pages"
    if most is not None and len(found.rows) > most:
        found.incomplete_because = f"more than {most} rows"
    if overlapped and found.incomplete_because is None:
        found.incomplete_because = "pages overlapped: the archive changed while it was read"
    return found


def _add(level: Level, rows: list[Row], found: Found) -> tuple[int, int]:
    """Keep the new rows; how many there were, and how many different ones came (each without its UID is one)."""
    before = len(found.rows)
    names = [key(level, row) for row in rows]
    keyless = names.count(None)
    for name, row in zip(names, rows, strict=True):
        if name is not None:
            found.rows.setdefault(name, row)
    if rows and keyless == len(rows):
        raise BadAnswer(f"none of the {len(rows)} rows carries its UID")
    return len(found.rows) - before, len(set(names) - {None}) + keyless
