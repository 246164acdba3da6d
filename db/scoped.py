"""Reads within the session scope: connections of the API's role, each told which archives its viewer may read.

The role can read views only, and they show what the session's scope names (db/views.sql). A connection
keeps the scope of its last statement: viewers of the same scope share it without a round trip more.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from access.scope import AccessScope
from db.callers import for_caller
from db.outage import heeding
from db.pool import AWAY, SESSION, Connection, DatabaseUnreachable, count_statement, in_time

ROLE = "ernfed_api"
_CLOSING_SECONDS = 5.0  # a statement may run longer: then its connection is cut


def _set(*, local: bool) -> str:
    """Sets the session's scope, for the session or for the transaction that it is in."""
    names = ("full", "pseudonymised", "counted", "consented")
    return "select " + ", ".join(
        f"set_config('ernfed.{name}', ${number}, {str(local).lower()})"
        for number, name in enumerate(names, start=1)
    )


_SET, _SET_LOCAL = _set(local=False), _set(local=True)

# How its statements are planned. The index is in memory or on flash, where a page out of order costs what the next one
# does: the default is of turning disks and reads whole tables. A page wants its first rows, not all of them soon.
PLANNER = {"random_page_cost": "1.1", "max_parallel_workers_per_gather": "0"}

SessionScope = tuple[str, str, str, str]


def session_scope_of(access_scope: AccessScope) -> SessionScope:
    """What the session is told, as Postgres arrays of archive ids."""
    groups = (
        access_scope.full_ids,
        access_scope.pseudonymised_ids,
        access_scope.counted_ids,
        access_scope.consented_ids,
    )
    full, pseudonymised, counted, consented = (_array(ids) for ids in groups)
    return full, pseudonymised, counted, consented


async def set_session_scope(connection: Connection, scope: SessionScope, timeout_ms: int) -> None:
    """The same for the transaction that the owner's connection is in: the views show what they show the viewer."""
    await connection.execute(_SET_LOCAL, *scope)
    await connection.execute("select set_config('statement_timeout', $1, true)", str(timeout_ms))


NOTHING: SessionScope = ("{}", "{}", "{}", "{}")


@dataclass(slots=True)
class _Idle:
    scope: SessionScope
    connection: asyncpg.Connection


@dataclass(slots=True)
class ScopedDatabase:
    """A bounded set of connections of the API's role. `within` gives a reader for one viewer."""

    url: str = field(repr=False)
    size: int
    statement_timeout_ms: int
    _idle: list[_Idle] = field(default_factory=list)
    _closed: bool = False
    _places: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._places = asyncio.Semaphore(self.size)

    @classmethod
    async def open(cls, url: str, *, size: int = 10, statement_timeout_ms: int = 10_000) -> "ScopedDatabase":
        """Opens the first connection. Raises DatabaseUnreachable with the cause and the fix."""
        database = cls(url, size, statement_timeout_ms)
        try:
            database._idle.append(_Idle(NOTHING, await database._connect()))
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
            raise DatabaseUnreachable(
                f"cannot connect to the database as the role {ROLE}: {type(error).__name__}. "
                f"Run `ernfed migrate`; the role must exist and be granted to the user of the URL."
            ) from error
        return database

    def within(self, access_scope: AccessScope) -> "ScopedReader":
        """Reads for a viewer with this access scope."""
        return ScopedReader(self, session_scope_of(access_scope))

    def without_scope(self) -> "ScopedReader":
        """Reads that need no scope; what has one shows nothing here."""
        return ScopedReader(self, NOTHING)

    async def close(self) -> None:
        """Waits a while for statements that are under way: fields of a request that failed may still be reading."""
        taken = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSING_SECONDS):
                while taken < self.size:
                    await self._places.acquire()
                    taken += 1
        self._closed = True
        idle, self._idle = self._idle, []
        for each in idle:
            await each.connection.close()
        for _ in range(taken):
            self._places.release()

    @asynccontextmanager
    async def connection(self, scope: SessionScope) -> AsyncIterator[asyncpg.Connection]:
        """A connection whose session has exactly this scope."""
        async with self._places:
            if self._closed:
                raise asyncpg.InterfaceError("the connections of the API's role are closed")
            with heeding(self.url):
                idle = self._take(scope) or _Idle(NOTHING, await self._connect())
                try:
                    if idle.scope != scope:
                        # Unknown until the statement has succeeded: what fails half-way is not trusted again.
                        idle.scope = ("", "", "", "")
                        with in_time():
                            await idle.connection.execute(_SET, *scope)
                        idle.scope = scope
                    yield idle.connection
                except AWAY:
                    idle.connection.terminate()  # it may be in the middle of something, and not know that it is lost
                    raise
                finally:
                    self._give_back(idle)

    def _take(self, scope: SessionScope) -> _Idle | None:
        """An idle connection, one with the same scope if there is one."""
        self._idle = [each for each in self._idle if not each.connection.is_closed()]
        same = next((n for n in reversed(range(len(self._idle))) if self._idle[n].scope == scope), 0)
        return self._idle.pop(same) if self._idle else None

    def _give_back(self, idle: _Idle) -> None:
        if self._closed or idle.connection.is_closed() or idle.connection.is_in_transaction():
            idle.connection.terminate()
        else:
            self._idle.append(idle)

    async def _connect(self) -> asyncpg.Connection:
        settings = SESSION | PLANNER | {"role": ROLE, "statement_timeout": str(self.statement_timeout_ms)}
        return await asyncpg.connect(self.url, server_settings=settings)


@dataclass(frozen=True, slots=True)
class ScopedReader:
    """A database as one viewer may read it."""

    database: ScopedDatabase
    scope: SessionScope

    async def fetch(
        self, name: str, sql: str, *args: Any, seconds: float | None = None
    ) -> list[asyncpg.Record]:
        """All rows of a statement; `name` is what meters and logs call it. Cancelled when its caller leaves."""
        count_statement(name)
        with for_caller():
            async with self.database.connection(self.scope) as connection:
                with in_time():
                    return await connection.fetch(sql, *args, timeout=seconds)


def _array(ids: list[int]) -> str:
    return "{" + ",".join(str(each) for each in ids) + "}"
