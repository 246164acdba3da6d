"""Hearing of changes: one connection a process that listens (LISTEN), and whoever waits here is woken.

A notification says only that there is news of a kind and archive; what it is, each waiter reads within its session
scope, from its own place. So nothing is lost while the connection is: when it is back, everybody is woken.
"""

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Final

import asyncpg

from db.outage import tell
from db.pool import FAILED, SESSION, Database
from db.writing.events import CHANNEL, prune

CHECK_SECONDS: Final = 20.0  # a connection that died without a word is found then
PRUNE_SECONDS: Final = 600.0
_PAUSES: Final = (0.05, 0.2, 0.5, 1.0, 2.0)

Topic = tuple[str, int]
"""('records' | 'pseudonyms' | 'health', archive_id)"""


class Bell:
    """Rings when there may be news of one of its topics."""

    def __init__(self, topics: frozenset[Topic]) -> None:
        self.topics = topics
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    def quiet(self) -> None:
        """Before reading: what comes from now on rings again."""
        self._rung.clear()

    async def heard(self) -> None:
        await self._rung.wait()


class Listener:
    """One for a process. The connection is opened with the first who waits, or by `start`."""

    def __init__(self, database: Database, retention_hours: int) -> None:
        self._database, self._retention = database, retention_hours
        self._bells: set[Bell] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self.connections = 0

    def start(self) -> None:
        """Begins to listen and to remove old events."""
        if not self._tasks:
            for name, work in (("listener", self._listen_for_ever()), ("events", self._prune_for_ever())):
                self._tasks.append(asyncio.create_task(work, name=name))

    async def close(self) -> None:
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @contextmanager
    def bell(self, topics: Collection[Topic]) -> Iterator[Bell]:
        """A bell for as long as the block lasts."""
        self.start()
        bell = Bell(frozenset(topics))
        self._bells.add(bell)
        try:
            yield bell
        finally:
            self._bells.discard(bell)

    def ring_all(self) -> None:
        for bell in self._bells:
            bell.ring()

    def _heard(self, _connection: Any, _process: int, _channel: str, payload: object) -> None:
        kind, _, archive_id = str(payload).partition(" ")
        topic = (kind, int(archive_id)) if archive_id.isdigit() else ("", 0)
        for bell in self._bells:
            if topic in bell.topics:
                bell.ring()

    async def _listen_for_ever(self) -> None:
        failures = 0
        while True:
            try:
                await self._listen()
                failures = 0
            except FAILED as error:
                tell(self._database.url, error, "listener.lost")
            await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])
            failures += 1

    async def _listen(self) -> None:
        """Until the connection is lost."""
        connection = await asyncpg.connect(self._database.url, server_settings=SESSION, timeout=10)
        try:
            lost = asyncio.Event()
            connection.add_termination_listener(lambda _connection: lost.set())
            await connection.add_listener(CHANNEL, self._heard)
            self.connections += 1
            self.ring_all()  # there may have been news while nobody listened
            while not lost.is_set():
                try:
                    await asyncio.wait_for(lost.wait(), CHECK_SECONDS)
                except TimeoutError:
                    await connection.fetchval("select 1", timeout=10)
        finally:
            connection.terminate()

    async def _prune_for_ever(self) -> None:
        while True:
            try:
                # An hour more: what a cursor of the last moment asks for is still there while it is read.
                await prune(self._database, self._retention + 1)
            except FAILED as error:
                tell(self._database.url, error, "events.not_pruned")
            await asyncio.sleep(PRUNE_SECONDS)
