"""Who is subscribed in this process: how many a person may be, who reads too slowly, and the end of all."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar

from config.settings import Settings
from db.listener import Bell, Listener, Topic
from db.pool import Database
from model.errors import GoingAway, SlowConsumer, TooManyStreams

T = TypeVar("T")

GATHER_SECONDS: Final = 0.05
"""Between news and reading them: a run's next batch may be read with this one."""


@dataclass(slots=True)
class Subscribers:
    """One for a process. patience: seconds in which an event must be taken."""

    listener: Listener
    most: int
    patience: float
    retention_hours: int
    stopping: bool = False
    _open: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, database: Database, settings: Settings) -> "Subscribers":
        listener = Listener(database, settings.event_retention_hours)
        return cls(
            listener,
            settings.subscriptions_per_person,
            settings.slow_reader_seconds,
            settings.event_retention_hours,
        )

    def stop(self) -> None:
        """Ends all subscriptions with GOING_AWAY."""
        self.stopping = True
        self.listener.ring_all()

    async def close(self) -> None:
        self.stop()
        await self.listener.close()

    @contextmanager
    def admitted(self, person: str, topics: Collection[Topic]) -> Iterator[Bell]:
        """The bell of one subscription while it is open. Raises TooManyStreams, GoingAway."""
        if self.stopping:
            raise _going_away()
        if self._open[person] >= self.most:
            raise TooManyStreams(
                f"You have {self.most} subscriptions open at this server, the most there may be: end one first."
            )
        self._open[person] += 1
        try:
            with self.listener.bell(topics) as bell:
                yield bell
        finally:
            self._open[person] -= 1
            if not self._open[person]:
                del self._open[person]

    async def news(self, bell: Bell) -> None:
        """Returns when there may be some. Raises GoingAway."""
        await bell.heard()
        self.go_on()
        await asyncio.sleep(GATHER_SECONDS)

    def go_on(self) -> None:
        """Raises GoingAway when the server stops."""
        if self.stopping:
            raise _going_away()

    async def in_pace(self, stream: AsyncIterator[T]) -> AsyncIterator[T]:
        """The same items. Raises SlowConsumer when one was not taken in time: the stream is read as the client
        takes it, so that one who does not costs no memory but the batch that was read."""
        loop = asyncio.get_running_loop()
        async for item in stream:
            handed_out = loop.time()
            yield item
            if loop.time() - handed_out > self.patience:
                raise SlowConsumer(
                    f"An event was not taken within {self.patience:g} s. "
                    "Subscribe again, since the last cursor that you have."
                )


def _going_away() -> GoingAway:
    return GoingAway("The server stops. Subscribe again, since the last cursor that you have.")
