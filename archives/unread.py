"""Rows that name nothing: without a UID of theirs or of what they are part of. No page and no key can tell them apart
from others, and whoever searched has to know that they came.

    with unread_rows("studies") as unread:
        ...  # requests

A context variable carries the list, so tasks started inside the block add to it, too.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

import orjson

from archives.client import Row
from archives.rows import KEYS, Level, text

MOST: Final = 1000
"""Of one search: more say nothing more."""

_current: ContextVar[tuple[Level, dict[bytes, Row]] | None] = ContextVar("unread_rows", default=None)


@contextmanager
def unread_rows(level: Level) -> Iterator[dict[bytes, Row]]:
    """Gathers them, each once, from the answers to searches at this level."""
    gathered: dict[bytes, Row] = {}
    token = _current.set((level, gathered))
    try:
        yield gathered
    finally:
        _current.reset(token)


def set_aside(level: Level, rows: Iterable[Row]) -> None:
    """Those of these rows that name nothing."""
    gathering = _current.get()
    if gathering is None or gathering[0] != level:
        return
    uids = [tag for tag in KEYS[level] if tag.startswith(("0020000", "00080018"))]
    for row in rows:
        if any(text(row, tag) is None for tag in uids) and len(gathering[1]) < MOST:
            gathering[1].setdefault(orjson.dumps(row, default=str), row)
