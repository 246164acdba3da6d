"""The connection pool: every statement of the house goes through here and is counted here."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import asyncpg

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy


@dataclass(slots=True)
class Meter:
    """Statements that one request sent, by name: what golden queries hold fixed."""

    statements: list[str] = field(default_factory=list)


_meter: ContextVar[Meter | None] = ContextVar("db_meter", default=None)


@asynccontextmanager
async def metered() -> AsyncIterator[Meter]:
    """Counts the statements sent by this task and its children."""
    meter = Meter()
    token = _meter.set(meter)
    try:
        yield meter
    finally:
        _meter.reset(token)


class Database:
    """A pool of connections to the index."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

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
                server_settings={
                    "application_name": "ernfed",
                    "timezone": "UTC",
                    "jit": "off",
                    "pg_trgm.word_similarity_threshold": "0.55",
                    **limit,
                    **(session or {}),
                },
            )
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
            raise DatabaseUnreachable(
                f"cannot connect to the database of ERNFED_DATABASE_URL: {type(error).__name__}. "
                "Check that it runs and that host, port, user and password are right."
            ) from error
        return cls(pool)

    async def close(self) -> None:
        await self._pool.close()

    async def fetch(self, name: str, sql: str, *args: Any) -> list[asyncpg.Record]:
        """All rows of a read; `name` is what meters and logs call the statement."""
        _count(name)
        with _in_time():
            return await self._pool.fetch(sql, *args)

    async def fetchrow(self, name: str, sql: str, *args: Any) -> asyncpg.Record | None:
        _count(name)
        with _in_time():
            return await self._pool.fetchrow(sql, *args)

    async def execute(self, name: str, sql: str, *args: Any) -> str:
        _count(name)
        with _in_time():
            return await self._pool.execute(sql, *args)

    async def executemany(self, name: str, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
        _count(name)
        with _in_time():
            await self._pool.executemany(sql, rows)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """One connection for as long as the block lasts, outside a transaction."""
        async with self._pool.acquire() as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self, name: str) -> AsyncIterator[Connection]:
        """A transaction on one connection, counted as one statement."""
        _count(name)
        with _in_time():
            async with self._pool.acquire() as connection, connection.transaction():
                yield connection


class DatabaseUnreachable(Exception):
    """The database does not answer; the message says what to check."""


class StatementTimeout(Exception):
    """A statement took longer than the pool's statement_timeout."""

    code = "TIMEOUT"
    message = "The index took too long for this. Ask for less: narrower filters, fewer fields or totals."


@contextmanager
def _in_time() -> Iterator[None]:
    try:
        yield
    except asyncpg.QueryCanceledError:
        raise StatementTimeout(StatementTimeout.message) from None


def _count(name: str) -> None:
    meter = _meter.get()
    if meter is not None:
        meter.statements.append(name)


async def _keep_session(connection: Any) -> None:
    """A pool whose reset does nothing: nothing here changes session state, and a round trip is saved."""
