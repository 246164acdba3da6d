"""A circuit breaker: an archive that fails again and again is left alone for a while. No I/O here.

    CLOSED ── `limit` sick failures in a row ──▶ OPEN ── its rest is over ──▶ HALF_OPEN ── trial ok ──▶ CLOSED
                                                  ▲                              │
                                                  └──────── trial failed ────────┘  (and rests twice as long)

Sick is what says that the archive is not well. An answer that refuses one request, or is too large, says
that it is there.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from archives.errors import ArchiveError, BadAnswer, CircuitOpen, ServerFailed, TimedOut, Unreachable

LONGEST_REST: Final = 60.0  # seconds: a recovered archive is found out within about a minute
LONGEST_WISH: Final = 300.0  # seconds of a Retry-After that are respected
_JITTER: Final = 0.2  # a share: processes that lost an archive together do not come back together
_TOO_MANY_REQUESTS: Final = 429
_SICK: Final = (Unreachable, TimedOut, ServerFailed, BadAnswer)


class BreakerState(StrEnum):
    """HALF_OPEN: its rest is over, and the next request, or the one under way, is the trial."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


def is_sick(error: ArchiveError) -> bool:
    """Whether a failure says that the archive is not well, rather than that one request was wrong."""
    return isinstance(error, _SICK) or error.status == _TOO_MANY_REQUESTS


class Breaker:
    """Of one archive in one process. Not for several threads: it lives in the event loop."""

    def __init__(
        self, code: str, limit: int = 5, rest: float = 5.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """limit: sick failures in a row that open it. rest: seconds that it stays open the first time."""
        self.code = code
        self.limit = limit
        self.rest = rest
        self.failures = 0
        self.last_error: ArchiveError | None = None
        self.opened_at: datetime | None = None
        self._clock = clock
        self._rest_ends = 0.0
        self._failed_trials = 0
        self._on_trial = False

    @property
    def state(self) -> BreakerState:
        if self.opened_at is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self._clock() < self._rest_ends else BreakerState.HALF_OPEN

    @property
    def retry_at(self) -> datetime | None:
        """When the archive is asked again, None while nothing keeps it from being asked."""
        if self.opened_at is None:
            return None
        return datetime.now(UTC) + timedelta(seconds=max(self._rest_ends - self._clock(), 0.0))

    @contextmanager
    def guard(self, *, trial: bool = False) -> Iterator[None]:
        """Around one request. Raises CircuitOpen instead of letting it through while the breaker is open.

        trial: a look at the archive's health, which is let through at any time. A cancelled request says
        nothing about the archive.
        """
        state = self.state
        if state is not BreakerState.CLOSED and not trial and (state is BreakerState.OPEN or self._on_trial):
            raise self._refusal()
        takes_turn = state is BreakerState.HALF_OPEN and not self._on_trial
        self._on_trial |= takes_turn
        try:
            yield
        except ArchiveError as error:
            if is_sick(error):
                self._failed(error, due=takes_turn)
            else:
                self._answered()
            raise
        else:
            self._answered()
        finally:
            if takes_turn:
                self._on_trial = False

    def _answered(self) -> None:
        self.failures = self._failed_trials = 0
        self.opened_at = None

    def _failed(self, error: ArchiveError, *, due: bool) -> None:
        self.failures += 1
        self.last_error = type(error)(error.message, error.status)  # without its stack, which holds answers
        if self.opened_at is None and self.failures >= self.limit:
            self.opened_at = datetime.now(UTC)
            self._rest(error)
        elif self.opened_at is not None and due:
            self._failed_trials += 1
            self._rest(error)

    def _rest(self, error: ArchiveError) -> None:
        seconds = min(self.rest * 2.0 ** min(self._failed_trials, 16), max(LONGEST_REST, self.rest))
        seconds *= random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 (so that processes do not meet)
        wished = min(error.retry_after or 0.0, LONGEST_WISH)
        self._rest_ends = self._clock() + max(seconds, wished)

    def _refusal(self) -> CircuitOpen:
        error = self.last_error
        why = "" if error is None else f" ({error.code}: {error.message.removeprefix(f'{self.code}: ')})"
        since, again = self.opened_at, self.retry_at
        return CircuitOpen(
            f"{self.code}: not asked since {since:%H:%M:%S} UTC, after {self.failures} failures in a row{why}; "
            f"it is tried again at {again:%H:%M:%S} UTC",
            None if error is None else error.status,
        )
