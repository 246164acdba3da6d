"""Migrations: numbered SQL files, each applied once, in order, in a transaction, under one lock; and after them the
views, as a whole, when a migration was new or they changed."""

import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from db.locks import Lock
from model.errors import OperatorError

_FOLDER = Path(__file__).parent / "migrations"
VIEWS = Path(__file__).parent / "views.sql"
LEAST = 17
"""Major version of PostgreSQL: it has the collation pg_c_utf8."""

_APPLIED = """insert into migration (name, digest) values ($1, $2)
    on conflict (name) do update set digest = excluded.digest, applied_at = now()"""


class MigrationError(OperatorError):
    """The database cannot be brought to this version's schema; the message says why and what to do."""


def migrations() -> list[Path]:
    """The migration files in the order in which they apply."""
    return sorted(path for path in _FOLDER.glob("*.sql") if re.match(r"\d{4}_", path.name))


def parts() -> set[str]:
    """The names of all that a database of this version has: the rows of its table `migration`."""
    return {path.name for path in (*migrations(), VIEWS)}


async def migrate(database_url: str) -> list[str]:
    """Brings the database to this version's schema; what was applied now. Safe to run side by side.

    Raises MigrationError.
    """
    async with migrating(database_url) as connection:
        return await apply_missing(connection)


@asynccontextmanager
async def migrating(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection while which nobody else migrates. Raises MigrationError for a server that does not do."""
    connection = await asyncpg.connect(database_url)
    try:
        await _refuse_server(connection)
        await connection.execute("select pg_advisory_lock($1)", Lock.MIGRATIONS)
        yield connection
    finally:
        await connection.close()


async def _refuse_server(connection: asyncpg.Connection) -> None:
    if connection.get_server_version().major < LEAST:
        version = (await connection.fetchval("show server_version")).split()[0]
        raise MigrationError(f"PostgreSQL {version} is too old: the index needs {LEAST} or newer")
    encoding = await connection.fetchval("show server_encoding")
    if encoding != "UTF8":
        raise MigrationError(
            f"the database has the encoding {encoding}: make it with template template0 encoding 'UTF8'"
        )


async def apply_missing(connection: asyncpg.Connection) -> list[str]:
    """Of `migrating`. Raises MigrationError."""
    try:
        return await _apply(connection)
    except asyncpg.PostgresError as error:
        raise MigrationError(in_words("a migration failed", error)) from error


def refuse_others(applied: Mapping[str, str | None]) -> None:
    """Raises MigrationError where a database has migrations (by name, their digests) that are not this version's."""
    digests = {path.name: _digest(path) for path in migrations()}
    if unknown := applied.keys() - parts():
        raise MigrationError(
            f"the database is newer than this version: it holds {', '.join(sorted(unknown))}. Update ernfed."
        )
    if changed := [name for name in sorted(applied.keys() & digests) if applied[name] != digests[name]]:
        raise MigrationError(
            f"the database was made by a version that was never released: {', '.join(changed)} changed since. "
            "Give this version an empty database (where ernfed keeps its own, remove the folder `postgres` of its "
            "data folder) and index again."
        )


async def _apply(connection: asyncpg.Connection) -> list[str]:
    await connection.execute(
        "create table if not exists migration"
        " (name text primary key, applied_at timestamptz not null default now())"
    )
    # Nullable, for databases from before there were digests.
    await connection.execute("alter table migration add column if not exists digest text")
    rows = await connection.fetch("select name, digest from migration")
    applied = {row["name"]: row["digest"] for row in rows}
    refuse_others(applied)
    new = [path for path in migrations() if path.name not in applied]
    if new or applied.get(VIEWS.name) != _digest(VIEWS):
        new.append(VIEWS)
    for path in new:
        try:
            async with connection.transaction():
                await connection.execute(path.read_text(encoding="utf-8"))
                await connection.execute(_APPLIED, path.name, _digest(path))
        except asyncpg.PostgresError as error:
            raise MigrationError(in_words(path.name, error)) from error
    return [path.name for path in new]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def in_words(what: str, error: asyncpg.PostgresError) -> str:
    """One sentence of what PostgreSQL said, and what it says to do; its details may hold values, and stay out."""
    hint = getattr(error, "hint", None)
    return f"{what}: {error.args[0]}" + (f". {hint[0].upper()}{hint[1:]}" if hint else "")
