"""Counts the HTTP requests that a piece of work costs the archives. Nothing is sent from here.

    with metered() as meter:
        await archive.search_studies(selection)
    assert meter.total == 1

A context variable carries the meter, so tasks started inside the block count too. The count is taken
in the asking task before a worker thread gets the request: threads do not have the asker's context.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(slots=True)
class Meter:
    """Requests by archive code. A meter inside another also counts for the outer one."""

    by_archive: Counter[str] = field(default_factory=Counter)
    outer: "Meter | None" = None

    @property
    def total(self) -> int:
        return self.by_archive.total()


_current: ContextVar[Meter | None] = ContextVar("archive_meter", default=None)


@contextmanager
def metered() -> Iterator[Meter]:
    """Count what is asked of archives inside the block."""
    meter = Meter(outer=_current.get())
    token = _current.set(meter)
    try:
        yield meter
    finally:
        _current.reset(token)


def count_request(archive: str) -> None:
    """One more request to this archive, for every meter around the caller."""
    meter = _current.get()
    while meter is not None:
        meter.by_archive[archive] += 1
        meter = meter.outer
