"""The connection pool: every statement of ernfed goes through here and is counted here."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

import asyncpg

from db.outage import AWAY as AWAY
from db.outage import heeding
from model.errors import OperatorError

# What every session is set to; the session scope (db/scoped.py) adds its role and scope.
SESSION = {
    "application_name": "ernfed",
    "timezone": "UTC",
    "jit": "off",
}

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy
Row = asyncpg.Record


@dataclass(slots=True)
class StatementMeter:
    """Statements that one request sent, by name: what golden queries hold fixed."""

    statements: list[str] = field(default_factory=list)


_meter: ContextVar[StatementMeter | None] = ContextVar("db_meter", default=None)


@asynccontextmanager
async def metered() -> AsyncIterator[StatementMeter]:
    """Counts the statements sent by this task and its children."""
    meter = StatementMeter()
    token = _meter.set(meter)
    try:
        yield meter
    finally:
        _meter.reset(token)


class Reader(Protocol):
    """What a read needs of a database."""

    async def fetch(self, name: str, sql: str, *args: Any, seconds: float | None = None) -> list[Row]:
        """All rows of a statement; `name` is what meters and logs call it. Raises StatementTimeout, after
        `seconds` at the latest where they are given."""
        ...


class Database:
    """A pool of connections to the index."""

    def __init__(self, pool: asyncpg.Pool, url: str) -> None:
        self._pool = pool
        self.url = url
        # What follows every write of the index (db/writing/ingest.py), after its commit.
        self.after_write: list[Callable[[], Awaitable[object]]] = []

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        min_size: int = 1,
        max_size: int = 10,
        statement_timeout: float | None = None,
        session: Mapping[str, str] | None = None,
    ) -> "Database":
        """Connects. Raises DatabaseUnreachable with the cause and the fix.

        statement_timeout: seconds after which the server ends a statement (StatementTimeout); None: never.
        session: further settings of its sessions.
        """
        limit = {} if statement_timeout is None else {"statement_timeout": f"{statement_timeout * 1000:.0f}"}
        try:
            pool = await asyncpg.create_pool(
                url,
                min_size=min_size,
                max_size=max_size,
                reset=_keep_session,
                server_settings=SESSION | limit | dict(session or {}),
            )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
            raise DatabaseUnreachable(
                f"cannot connect to the database of ERNFED_DATABASE_URL: {type(error).__name__}. "
                "Check that it runs and that host, port, user and password are right."
            ) from error
        return cls(pool, url)

    @property
    def pool(self) -> asyncpg.Pool:
        """The pool itself, for libraries that bring their own statements (db/indexing/jobs.py)."""
        return self._pool

    async def close(self) -> None:
        await self._pool.close()

    def heeding(self) -> AbstractContextManager[None]:
        """For what is done on a connection in the block: an outage that it meets is told of (db/outage.py)."""
        return heeding(self.url, self._pool.is_closing)

    async def fetch(self, name: str, sql: str, *args: Any, seconds: float | None = None) -> list[Row]:
        """All rows of a read; `name` is what meters and logs call the statement."""
        count_statement(name)
        with self.heeding(), in_time():
            return await self._pool.fetch(sql, *args, timeout=seconds)

    async def fetchrow(self, name: str, sql: str, *args: Any) -> Row | None:
        count_statement(name)
        with self.heeding(), in_time():
            return await self._pool.fetchrow(sql, *args)

    async def execute(self, name: str, sql: str, *args: Any) -> str:
        count_statement(name)
        with self.heeding(), in_time():
            return await self._pool.execute(sql, *args)

    async def executemany(self, name: str, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
        count_statement(name)
        with self.heeding(), in_time():
            await self._pool.executemany(sql, rows)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """One connection for as long as the block lasts, outside a transaction."""
        with self.heeding():
            connection = await self._pool.acquire()
        try:
            yield connection
        finally:
            await self._pool.release(connection)

    @asynccontextmanager
    async def transaction(self, name: str) -> AsyncIterator[Connection]:
        """A transaction on one connection, counted as one statement."""
        count_statement(name)
        with self.heeding(), in_time():
            async with self._pool.acquire() as connection, connection.transaction():
                yield connection


class DatabaseUnreachable(OperatorError):
    """The database does not answer; the message says what to check."""


class StatementTimeout(Exception):
    """A statement took longer than the pool's statement_timeout."""

    code = "TIMEOUT"
    message = (
        "The index took too long for this. Ask for less: narrower filters, fewer fields or totals; of attributes "
        "those that are fast (`attributeDefinitions { nodes { fast } }`)."
    )


class TooBroad(StatementTimeout):
    """A search that matches too much, or has nothing that an index could look up, took too long."""

    code = "TOO_BROAD"

    def __init__(self, hints: Sequence[str]) -> None:
        self.message = (
            f"The search is too broad for an index of this size. {'; '.join(hints[:3])}; "
            "or add a condition that few pass, such as a date range."
        )
        super().__init__(self.message)


FAILED = (*AWAY, asyncpg.PostgresError, StatementTimeout)
"""Whatever goes wrong with a statement: for loops that have to go on."""


@contextmanager
def in_time() -> Iterator[None]:
    """Turns the end of a slow statement, by the server or by a time limit of its own, into StatementTimeout."""
    try:
        yield
    except (asyncpg.QueryCanceledError, TimeoutError):
        raise StatementTimeout(StatementTimeout.message) from None


def count_statement(name: str) -> None:
    """One more statement for the meter around the caller."""
    meter = _meter.get()
    if meter is not None:
        meter.statements.append(name)


async def _keep_session(connection: Any) -> None:
    """A pool whose reset does nothing: nothing here changes session state, and a round trip is saved."""
