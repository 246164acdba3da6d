"""The rows of a search while it is read: each once, and only those that fit.

Python makes ten times as much of a row as it has bytes, so that the rows of many pages are kept as bytes. Of rows that
do not fit a number is kept, to know them again.
"""

from collections.abc import Callable, Iterator

import orjson

from archives.client import Row
from archives.errors import BadAnswer
from archives.rows import OWN_UID, Level, key, text

_OPEN = 5_000  # rows kept as they are


class Kept:
    """uids: the own UIDs of the rows that fit. unasked: rows that do not."""

    def __init__(self, level: Level, fits: Callable[[Row], bool]) -> None:
        self.uids: set[str | None] = set()
        self.unasked = 0
        self.count = 0
        self._level, self._fits = level, fits
        self._seen: set[int] = set()
        self._open: list[Row] = []
        self._packed: list[bytes] = []

    def add(self, rows: list[Row]) -> tuple[int, int]:
        """Keep what is new; how many rows were new, fitting or not, and how many different ones came (each without
        its UID is one). Raises BadAnswer where none has its UID."""
        names = [key(self._level, row) for row in rows]
        keyless = names.count(None)
        if rows and keyless == len(rows):
            raise BadAnswer(f"none of the {len(rows)} rows carries its UID")
        before = len(self._seen)
        fitting: list[Row] = []
        for name, row in zip(names, rows, strict=True):
            if name is None or hash(name) in self._seen:
                continue
            self._seen.add(hash(name))
            if self._fits(row):
                fitting.append(row)
            else:
                self.unasked += 1
        self._keep(fitting)
        return len(self._seen) - before, len(set(names) - {None}) + keyless

    def _keep(self, rows: list[Row]) -> None:
        self.uids.update(text(row, OWN_UID[self._level]) for row in rows)
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
