"""Migrations: numbered SQL files, each applied once, in order, in a transaction, under one lock."""

import hashlib
import re
from pathlib import Path

import asyncpg

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x65726E66  # 'ernf'


class MigrationError(Exception):
    """The database holds migrations that this version does not know, or knows otherwise."""


def migrations() -> list[Path]:
    """The migration files in the order in which they apply."""
    return sorted(path for path in _FOLDER.glob("*.sql") if re.match(r"\d{4}_", path.name))


async def migrate(database_url: str) -> list[str]:
    """Brings the database to this version's schema; the names applied now. Safe to run side by side."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("select pg_advisory_lock($1)", _LOCK)
        return await _apply(connection)
    finally:
        await connection.close()


async def _apply(connection: asyncpg.Connection) -> list[str]:
    await connection.execute(
        "create table if not exists migration"
        " (name text primary key, applied_at timestamptz not null default now())"
    )
    # Nullable, for databases from before there were digests.
    await connection.execute("alter table migration add column if not exists digest text")
    rows = await connection.fetch("select name, digest from migration")
    applied = {row["name"]: row["digest"] for row in rows}
    files = migrations()
    if unknown := applied.keys() - {path.name for path in files}:
        raise MigrationError(
            f"the database is newer than this version: it holds {', '.join(sorted(unknown))}. Update ernfed."
        )
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    if changed := [name for name in sorted(applied) if applied[name] != digests[name]]:
        raise MigrationError(
            f"the database was made by a version that was never released: {', '.join(changed)} changed since. "
            "Give this version an empty database (where ernfed keeps its own, remove the folder `postgres` of its "
            "data folder) and index again."
        )
    new = []
    for path in files:
        if path.name in applied:
            continue
        async with connection.transaction():
            await connection.execute(path.read_text(encoding="utf-8"))
            await connection.execute(
                "insert into migration (name, digest) values ($1, $2)", path.name, digests[path.name]
            )
        new.append(path.name)
    return new
