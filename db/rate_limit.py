"""The rate limit: a token bucket a person, decided in this process and shared through Postgres once a second.

No request waits for Postgres. A process hands out what the bucket held when it last looked, so n processes
can let a burst of up to n buckets pass within one second; what was too much is a debt that they all see
from then on, so that over a minute the limit holds. Without Postgres each process goes on by itself.
"""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from db.pool import FAILED, Database
from db.statements import statements

SHARE_SECONDS: Final = 1.0
_FORGET_EVERY: Final = 60


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float
    spent: float = 0.0


class RateLimit:
    """At most `per_minute` requests a minute and person, which may come at once."""

    def __init__(
        self, database: Database, per_minute: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database, self._clock = database, clock
        self._size, self._gain = float(per_minute), per_minute / 60
        self._buckets: dict[bytes, _Bucket] = {}
        self._sharing: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to share with other processes."""
        self._sharing = asyncio.create_task(self._share_for_ever(), name="rate limit")

    async def close(self) -> None:
        if self._sharing is not None:
            self._sharing.cancel()
            await asyncio.gather(self._sharing, return_exceptions=True)

    def take(self, person: str, weight: float = 1.0) -> float:
        """0 when a request of `person` may go on, which counts as `weight`; else the seconds until it may."""
        who = hashlib.sha256(person.encode("utf-8", "surrogatepass")).digest()
        now = self._clock()
        bucket = self._buckets.setdefault(who, _Bucket(self._size, now))
        self._fill(bucket, now)
        if bucket.tokens < weight:
            return (weight - bucket.tokens) / self._gain
        bucket.tokens -= weight
        bucket.spent += weight
        return 0.0

    async def share(self) -> None:
        """Tells Postgres what was handed out here, and learns what others did."""
        now = self._clock()
        spent = {who: bucket.spent for who, bucket in self._buckets.items() if bucket.spent}
        self._drop_full(now)
        if not spent:
            return
        for who in spent:
            self._buckets[who].spent = 0
        try:
            rows = await self._database.fetch(
                "rate.spend",
                statements("rate")["spend"],
                list(spent),
                list(spent.values()),
                self._size,
                self._gain,
            )
        except BaseException:
            for who, tokens in spent.items():
                self._buckets[who].spent += tokens
            raise
        for row in rows:
            bucket = self._buckets[row["who"]]
            bucket.tokens, bucket.at = row["tokens"] - bucket.spent, self._clock()

    async def _share_for_ever(self) -> None:
        turn = 0
        while True:
            await asyncio.sleep(SHARE_SECONDS)
            turn += 1
            with contextlib.suppress(*FAILED):
                await self.share()
                if turn % _FORGET_EVERY == 0:
                    await self._database.execute("rate.forget", statements("rate")["forget"])

    def _fill(self, bucket: _Bucket, now: float) -> None:
        bucket.tokens = min(self._size, bucket.tokens + self._gain * (now - bucket.at))
        bucket.at = now

    def _drop_full(self, now: float) -> None:
        """People who have not asked for a while need no memory."""
        for who, bucket in list(self._buckets.items()):
            self._fill(bucket, now)
            if not bucket.spent and bucket.tokens >= self._size:
                del self._buckets[who]
