"""How an archive stands with this process: its breaker, and counts of what was asked of it.

Kept as long as its client. Plain numbers: who publishes them (api/metrics.py) says in which form.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from archives.breaker import Breaker
from archives.errors import ArchiveError, CircuitOpen
from config.archives_file import ArchiveConfig


@dataclass(slots=True)
class Standing:
    """Of one archive. asked: pieces of work, each one request and perhaps its retries.

    requests: HTTP requests, retries among them. errors: failed pieces of work by code. seconds: what they
    took in all, refusals of the breaker (CIRCUIT_OPEN) not among them. answered_at, latency_ms: of the last
    that went well.
    """

    code: str
    breaker: Breaker
    asked: int = 0
    requests: int = 0
    retries: int = 0
    seconds: float = 0.0
    errors: Counter[str] = field(default_factory=Counter)
    answered_at: datetime | None = None
    latency_ms: float | None = None

    @classmethod
    def of(cls, config: ArchiveConfig) -> "Standing":
        return cls(config.code, Breaker(config.code, config.breaker_failures, config.breaker_rest))

    @contextmanager
    def asking(self, *, trial: bool = False) -> Iterator[None]:
        """Around one piece of work: through the breaker, and counted. Raises CircuitOpen.

        trial: a look at the archive's health (see Breaker.guard).
        """
        begin = time.monotonic()
        was_refused = False
        try:
            with self.breaker.guard(trial=trial):
                yield
        except ArchiveError as error:
            self.errors[error.code] += 1
            was_refused = isinstance(error, CircuitOpen)
            raise
        else:
            self.answered_at = datetime.now(UTC)
            self.latency_ms = round((time.monotonic() - begin) * 1000, 1)
        finally:
            if not was_refused:
                self.asked += 1
                self.seconds += time.monotonic() - begin
