"""Reads a search page by page until nothing new comes, and says when the end was not the end.

`limit` and `offset` (PS3.18 8.3.4.4) are hints to many servers: some ignore them and repeat the first page for ever,
some cap pages and say nothing, some say that there is more where there is not, some repeat rows, some never end. So
only what is new counts, and it must end. A short page is the end where all is there that was said to be there; else
what comes after it is asked for, unless the archive is known to honour `limit` (lengths.py).
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from archives.client import Row
from archives.kept import Added, Kept
from archives.lengths import KnownLengths, Lengths
from archives.rows import Level

MAX_PAGES = 1_000
REPEATS = "the archive repeats its page instead of going on"
KEEPS_BACK = "the archive says that it holds more and does not answer it"
OVERLAPPED = "pages overlapped: the archive changed while it was read"


@dataclass(slots=True)
class PageMemory:
    """What an archive's pages have shown so far.

    moves_on: whether an offset brought other rows; None as long as none was needed. cap: the shortest page that was
    shorter than asked for and not the end. studies: how long pages of studies were.
    """

    moves_on: bool | None = None
    cap: int | None = None
    studies: KnownLengths = field(default_factory=KnownLengths)


@dataclass(slots=True)
class Found:
    """Rows, each once, with the reason why there may be more. unending: its pages went on and on; what they brought
    is dropped. unasked: rows that came and were not asked for. lacking: by UID, those that have fewer children in it
    than was said, and how many."""

    rows: list[Row] = field(default_factory=list)
    incomplete_because: str | None = None
    unending: bool = False
    unasked: int = 0
    lacking: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """size: bytes of its answer. says_more: that it is not all, in a way that the standard has. warned: of anything
    else, which may also mean so."""

    rows: list[Row]
    size: int = 0
    says_more: bool = False
    warned: bool = False


@dataclass(frozen=True, slots=True)
class AskedPages:
    """What is searched for, and within which bounds.

    most: read no more rows than that. uids: what is asked for by its own UIDs. children: of whom all children are
    asked for, and how many these are, where that is said. max_bytes: of all pages together.
    """

    level: Level
    page_size: int
    fits: Callable[[Row], bool]
    max_bytes: int
    most: int | None = None
    uids: frozenset[str] = frozenset()
    children: Mapping[str, int | None] = field(default_factory=dict)
    max_pages: int = MAX_PAGES


@dataclass(slots=True)
class Pager:
    """One search. `fetch(limit, offset)` gives a page or raises ArchiveError. `is_all(rows)` finds out by other
    requests whether so many rows on a short page, which comes again for every offset, are all.

    doubt: the offset behind the first page that had other rows besides, or more than its limit: the archive may not
    count these, and more of the rows that fit may lie there. again: how far it had come when that was gone back to.
    """

    asked: AskedPages
    fetch: Callable[[int, int], Awaitable[Page]]
    is_all: Callable[[int], Awaitable[bool]]
    memory: PageMemory
    lengths: Lengths
    kept: Kept = field(init=False)
    pages: int = 0
    offset: int = 0
    doubt: int | None = None
    again: int | None = None
    size: int = 0
    overlapped: bool = False
    unending: bool = False
    last: Page | None = None  # the last that brought something

    def __post_init__(self) -> None:
        self.kept = Kept(self.asked.level, self.asked.fits)

    async def read(self) -> Found:
        """Every page, or until there are more than `most` rows, or more pages or bytes than are read."""
        why = await self._read()
        if self.unending:
            return Found([], why, unending=True, unasked=self.kept.unasked)
        if self._is_too_much:
            why = f"more than {self.asked.most} rows"
        elif self.overlapped:
            why = why or OVERLAPPED
        return Found(self.kept.rows(), why, unasked=self.kept.unasked, lacking=self._lacking())

    async def _read(self) -> str | None:
        # As many that bring something; those that only show that it is the end, or go over it again, come on top.
        for _ in range(2 * self.asked.max_pages + 1):
            page = await self.fetch(self.asked.page_size, self.offset)
            added = self.kept.add(page.rows)
            if not added.new and (self._goes_back(page) or self._goes_over(page, added)):
                continue
            if not added.new:
                return await self._end(page)
            if self.pages == self.asked.max_pages:
                break
            if self.last is not None:
                self._went_on(self.last, overlaps=added.new < added.named and self.again is None)
            self._move(added)
            self.last = page
            self.pages += 1
            if self._is_too_much or await self._is_end(page):
                return None
            self.size += page.size
            if self.size > self.asked.max_bytes:
                return self._goes_on(f"{self.size:,} bytes")
        return self._goes_on(f"{self.asked.max_pages:,} of them")

    def _move(self, added: Added) -> None:
        """Of a row that comes twice the archive may count one: rather read some again than skip others."""
        counted = min(added.fitting, self.asked.page_size)
        distinct = added.named + added.nameless
        if counted < distinct and self.doubt is None:
            self.doubt = self.offset + counted
        self.offset += distinct if self.again is None else max(counted, 1)

    def _goes_back(self, page: Page) -> bool:
        """From the end to where rows may have been left out."""
        if page.rows or self.doubt is None or self.again is not None:
            return False
        self.offset, self.again = self.doubt, self.offset
        return True

    def _goes_over(self, page: Page, added: Added) -> bool:
        """On to where the archive had come before, once it was seen there that it had left out something."""
        if (
            self.again is None
            or self.offset in (self.doubt, self.again)
            or self.offset > self.again
            or not page.rows
        ):
            return False
        self._move(added)
        return True

    def _goes_on(self, after: str) -> str:
        self.unending = True
        others = f"; {self.kept.unasked:,} rows were not asked for" if self.kept.unasked else ""
        return f"its pages go on after {after}{others}"

    @property
    def _is_too_much(self) -> bool:
        return self.asked.most is not None and self.kept.count > self.asked.most

    def _went_on(self, before: Page, *, overlaps: bool) -> None:
        self.memory.moves_on = True
        self.overlapped |= overlaps
        rows = len(before.rows)
        if rows < self.asked.page_size:
            self.lengths.was_cut(rows)
            self.memory.cap = min(rows, self.memory.cap or rows)

    async def _is_end(self, page: Page) -> bool:
        """Whether nothing can come after this page, as far as it tells without asking for what comes after it."""
        rows = len(page.rows)
        may_be_cut = self.lengths.may_be_cut(rows)
        self.lengths.came(rows, self.asked.page_size)
        if page.says_more:
            return False
        if self._is_as_said:
            return True
        if rows >= self.asked.page_size:
            return False
        # A UID may stand on several rows (of two patients): to have each once is not the end of a page that is cut.
        if self.asked.uids and self.asked.uids <= self.kept.uids:
            return not may_be_cut or (self.pages == 1 and await self._is_settled(rows))
        return not page.warned and not self._lacking() and self.lengths.ends_with(rows)

    @property
    def _is_as_said(self) -> bool:
        """One with more children than was said proves nothing: nor may others have all theirs."""
        below = self.kept.below
        return bool(self.asked.children) and all(below[uid] == n for uid, n in self.asked.children.items())

    def _lacking(self) -> dict[str, int]:
        below = self.kept.below
        return {uid: below[uid] for uid, n in self.asked.children.items() if n is not None and below[uid] < n}

    async def _end(self, page: Page) -> str | None:
        """Nothing new came: why that may not be the end."""
        last = self.last
        if page.says_more or (last is not None and last.says_more):
            return REPEATS if page.rows else KEEPS_BACK
        rows = 0 if last is None else len(last.rows)
        if not page.rows or self.again is not None:
            self.lengths.was_all(rows)
            return None
        # Beyond its limit: it looks at neither `limit` nor `offset`, and sends what it has.
        if self.pages == 1:
            if rows > self.asked.page_size or await self._is_settled(rows):
                return None
            self.memory.moves_on = False
        return REPEATS

    async def _is_settled(self, rows: int) -> bool:
        """Whether a short page of so many rows, which came again, is all."""
        if rows == self.asked.page_size or not await self.is_all(rows):
            return False
        self.lengths.came(rows + 1, self.asked.page_size)
        self.lengths.was_all(rows)
        return True
