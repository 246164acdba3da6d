"""How long an archive's pages were, and whether a short one can be the end.

A page shorter than its `limit` may be the end, or all that the server gives at a time: a cap can be any number, differ
by level, and come with any page. Where something may be removed or lost, what comes after it is asked for, and nothing
of this outlives the run or the search that it was seen in.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from archives.rows import Level

_LATELY = 8  # pages: a cap that comes in the middle of a run is noticed after so many


class Lengths(Protocol):
    """Of the pages of one level of one archive."""

    def may_be_cut(self, rows: int) -> bool:
        """Whether a short page of so many rows, on which all is that was asked for by UID, may be a cap."""
        ...

    def ends_with(self, rows: int) -> bool:
        """Whether a short page of so many rows, of nobody knows how many, is the end for sure enough."""
        ...

    def came(self, rows: int, limit: int) -> None:
        """A page of so many rows came for this limit."""
        ...

    def was_cut(self, rows: int) -> None:
        """A short page of so many rows was not the end."""
        ...

    def was_all(self, rows: int) -> None:
        """A short page of so many rows was the end: nothing came after it."""
        ...


@dataclass(slots=True)
class Lately:
    """As one piece of work sees them. cuts: lengths of short pages that others came after."""

    latest: deque[int] = field(default_factory=partial(deque, maxlen=_LATELY))
    cuts: set[int] = field(default_factory=set)

    def may_be_cut(self, rows: int) -> bool:
        """Not where longer ones came lately, unless the archive cuts here and there: by bytes, or by time."""
        return rows >= max(self.latest, default=0) or len(self.cuts) > 1

    def ends_with(self, rows: int) -> bool:
        return False

    def came(self, rows: int, limit: int) -> None:
        self.latest.append(rows)

    def was_cut(self, rows: int) -> None:
        self.cuts.add(rows)

    def was_all(self, rows: int) -> None:
        pass


@dataclass(slots=True)
class KnownLengths:
    """As a client knows them as long as it believes what it learned: for searches that somebody waits for, whose end is
    also noticed otherwise (LIVE asks by UID for studies that the index has and an answer lacks).

    honoured: pages of so many rows were no cut. cuts: it was seen to cut pages.
    """

    honoured: int = 0
    cuts: bool = False

    def may_be_cut(self, rows: int) -> bool:
        return self.cuts or rows > self.honoured

    def ends_with(self, rows: int) -> bool:
        return not self.may_be_cut(rows)

    def came(self, rows: int, limit: int) -> None:
        if rows >= limit:
            self.honoured = max(self.honoured, limit - 1)

    def was_cut(self, rows: int) -> None:
        self.cuts = True

    def was_all(self, rows: int) -> None:
        self.honoured = max(self.honoured, rows)


_Seen = dict[tuple[str, Level], Lately]
_seen: ContextVar[_Seen | None] = ContextVar("page_lengths", default=None)


@contextmanager
def one_piece_of_work() -> Iterator[None]:
    """What searches inside the block see of pages counts for those after them, in tasks that they start too; nothing
    that was known before does."""
    token = _seen.set({})
    try:
        yield
    finally:
        _seen.reset(token)


def lengths_of(archive: str, level: Level, known: KnownLengths) -> Lengths:
    """Those of the piece of work around the caller; where there is none, what the client knows of studies."""
    seen = _seen.get()
    if seen is not None:
        return seen.setdefault((archive, level), Lately())
    return known if level == "studies" else Lately()
