"""An outage of the database: one line of the log when it begins and one when it ends, whoever of the process meets it.

Pools, listeners, workers and the audit trail all meet it, again and again while it lasts. Each reports here what it
met, and what worked; none of them logs it.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg
import structlog

CALM: Final = 6.0
"""Seconds without a failure after which it is over: longer than any loop waits before it tries again, so that it does
not end and begin anew while one of them still has no connection."""

AWAY: Final = (
    *(OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError),
    *(asyncpg.OperatorInterventionError, asyncpg.InsufficientResourcesError),
)
"""The connection is lost, or there is none to be had for now: it is not used again, a new one may be."""

_log = structlog.get_logger(__name__)


class Outage:
    """Of one database."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, calm: float | None = None) -> None:
        self._clock, self._calm = clock, calm
        self._since: float | None = None
        self._back: float | None = None
        self._last = 0.0
        self._over = -math.inf

    @property
    def lasts(self) -> bool:
        return self._since is not None

    def met(self, error: BaseException, since: float = math.inf) -> None:
        """Somebody could not reach the database. since: when their connection was made, on the same clock: one that
        only now notices that it was lost in an outage begins no other."""
        if isinstance(error, asyncpg.QueryCanceledError) or since < self._over:
            return
        self._last, self._back = self._clock(), None
        if self._since is None:
            self._since = self._last
            _log.error("database.away", error=type(error).__name__)

    def works(self) -> None:
        """Somebody reached it."""
        if self._since is None:
            return
        now = self._clock()
        self._back = now if self._back is None else self._back
        if now - self._last >= (CALM if self._calm is None else self._calm):
            _log.warning("database.back", seconds=round(self._back - self._since, 1))
            self._since, self._over = None, now


_outages: Final[dict[str, Outage]] = {}


def outage_of(url: str) -> Outage:
    """The one of a database, for the whole process."""
    return _outages.setdefault(url, Outage())


def is_told(error: BaseException | None) -> bool:
    """Whether it is of an outage that lasts: the log has that already."""
    return isinstance(error, AWAY) and any(outage.lasts for outage in _outages.values())


@contextmanager
def heeding(url: str, unless: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """What is done with the database in the block is reported. unless: it is being left, which is no outage."""
    try:
        yield
    except AWAY as error:
        if not unless():
            outage_of(url).met(error)
        raise
    outage_of(url).works()


def tell(url: str, error: Exception, event: str, since: float = math.inf, **more: object) -> None:
    """What a loop met that goes on: of an outage the outage's line, of anything else a line of its own. since: when
    its connection was made (time.monotonic)."""
    if isinstance(error, AWAY):
        outage_of(url).met(error, since)
    else:
        _log.warning(event, error=type(error).__name__, **more)
