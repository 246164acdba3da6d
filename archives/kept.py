"""The rows of a search while it is read: each once, and only those that fit.

Python makes ten times as much of a row as it has bytes, so that the rows of many pages are kept as bytes. Of rows that
do not fit a number is kept, to know them again.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import orjson

from archives.client import Row
from archives.errors import BadAnswer
from archives.rows import OWN_UID, PARENT_UID, Level, key, text

_OPEN = 5_000  # rows kept as they are


class Added(NamedTuple):
    """Of a page. new: rows that were not there before, fitting or not; named: different ones that have their UID;
    fitting: those of these that fit; nameless: the others."""

    new: int
    named: int
    fitting: int
    nameless: int


class Kept:
    """uids: the own UIDs of the rows that fit. below: how many of these are in each parent, by its UID. unasked: rows
    that do not fit."""

    def __init__(self, level: Level, fits: Callable[[Row], bool]) -> None:
        self.uids: set[str | None] = set()
        self.below: Counter[str | None] = Counter()
        self.unasked = 0
        self.count = 0
        self._level, self._fits = level, fits
        self._seen: set[int] = set()
        self._open: list[Row] = []
        self._packed: list[bytes] = []

    def add(self, rows: list[Row]) -> Added:
        """Keep what is new. Raises BadAnswer where none has its UID."""
        names = [key(self._level, row) for row in rows]
        keyless = names.count(None)
        if rows and keyless == len(rows):
            raise BadAnswer(f"none of the {len(rows)} rows carries its UID")
        before = len(self._seen)
        named = {name: row for name, row in zip(names, rows, strict=True) if name is not None}
        fitting = {name for name, row in named.items() if self._fits(row)}
        new = [name for name in named if hash(name) not in self._seen]
        self._seen.update(map(hash, new))
        self.unasked += len(set(new) - fitting)
        self._keep([named[name] for name in new if name in fitting])
        return Added(len(self._seen) - before, len(named), len(fitting), keyless)

    def _keep(self, rows: list[Row]) -> None:
        self.uids.update(text(row, OWN_UID[self._level]) for row in rows)
        if (parent := PARENT_UID[self._level]) is not None:
            self.below.update(text(row, parent) for row in rows)
        self.count += len(rows)
        if self.count <= _OPEN:
            self._open += rows
        elif rows:
            self._packed.append(orjson.dumps(rows))

    def rows(self) -> list[Row]:
        """In the order they came in."""
        return self._open + [row for page in self._unpacked() for row in page]

    def _unpacked(self) -> Iterator[list[Row]]:
        for page in self._packed:
            yield orjson.loads(page)
