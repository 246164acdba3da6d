"""A database into a file and back, by PostgreSQL's own pg_dump and pg_restore. What lies beside it: not here.

The file is pg_dump's custom format, of one snapshot. A restore is one transaction: it is whole, or nothing is there.
"""

import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from db.backup.programs import BackupError, Target, dumped_by, program, read, run
from db.migrate import MigrationError, apply_missing, in_words, migrating, refuse_others
from db.statements import statements

__all__ = ["BackupError", "Held", "back_up", "held", "restore"]

Tell = Callable[[str], None]
_DUMP = ("--format=custom", "--no-unlogged-table-data", "--verbose")
_RESTORE = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-comments", "--verbose")


async def back_up(url: str, file: Path, tell: Tell, first: Callable[[], Awaitable[None]]) -> int:
    """Writes the whole database; bytes of the file, which has its name only when it is whole. Raises BackupError.

    first: done when nothing is in the way any more, before the snapshot.
    """
    target = Target.of(url)
    least, encrypted = await _server_of_made(url)
    part = file.with_name(f"{file.name}.part")
    try:
        # Made before pg_dump opens it, so that nobody else ever reads it.
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise BackupError(f"{file} cannot be written: {error.strerror}") from None
    try:
        tool = program("pg_dump", least, encrypted=encrypted)
        await first()
        await run(tool, [*_DUMP, f"--file={part}"], target, tell)
        size = part.stat().st_size
        part.replace(file)
        _keep(file.parent)
    finally:
        part.unlink(missing_ok=True)
    return size


async def restore(url: str, file: Path, tell: Tell) -> None:
    """The file's database into an empty one, then brought to this version's schema. Raises BackupError."""
    tell("reading the file")
    made_by = await dumped_by(file)
    try:
        refuse_others(await _migrations_in(file, made_by))
        async with migrating(url) as connection:
            await _refuse_full(connection)
            await connection.execute(statements("backup")["role"])
            least = max(made_by, connection.get_server_version().major)
            encrypted = await connection.fetchval(statements("backup")["encrypted"])
            tool = program("pg_restore", least, encrypted=encrypted)
            await run(tool, [*_RESTORE, str(file)], Target.of(url), tell)
            # Places in the stream of changes that was: the new one takes the same numbers for other changes.
            await connection.execute(statements("backup")["forget_cursors"])
            await apply_missing(connection)
            tell("counting what queries are planned by")
            await connection.execute("analyze")
    except MigrationError as error:
        raise BackupError(str(error)) from error
    except asyncpg.PostgresError as error:
        raise BackupError(in_words("the database refuses", error)) from error


@dataclass(frozen=True, slots=True)
class Held:
    """What a database holds. derives_keys: keys of pseudonyms are made from a secret in it."""

    archives: int
    studies: int
    consents: int
    cohorts: int
    lines: int
    derives_keys: bool


async def held(url: str) -> Held:
    connection = await asyncpg.connect(url)
    try:
        (row,) = await connection.fetch(statements("backup")["held"])
        return Held(**row)
    finally:
        await connection.close()


async def _server_of_made(url: str) -> tuple[int, bool]:
    """The server's major version, and whether it speaks TLS with us. Raises BackupError for a database that holds
    nothing of ours."""
    connection = await asyncpg.connect(url)
    try:
        if await connection.fetchval("select to_regclass('migration')") is None:
            raise BackupError("the database is empty: there is nothing to back up")
        encrypted = await connection.fetchval(statements("backup")["encrypted"])
        return int(connection.get_server_version().major), encrypted
    finally:
        await connection.close()


async def _refuse_full(connection: asyncpg.Connection) -> None:
    if found := await connection.fetchval(statements("backup")["anything"]):
        raise BackupError(
            f"the database is not empty (it has {found}): a backup is restored into an empty one. Make a new one and "
            "name it with ERNFED_DATABASE_URL; for the embedded one set ERNFED_DATA_DIR to a new folder"
        )


async def _migrations_in(file: Path, made_by: int) -> dict[str, str | None]:
    """Name and digest of each migration of the database that the file holds. Raises BackupError."""
    options = ["--data-only", "--schema=public", "--table=migration", "--file=-", str(file)]
    said = await read(program("pg_restore", made_by), options)
    copied = re.search(
        r"^COPY public\.migration \((.*?)\) FROM stdin;\n(.*?)^\\\.$", said, re.DOTALL | re.MULTILINE
    )
    if copied is None:
        raise BackupError(f"{file} is not a backup of ernfed: it holds no table of migrations")
    columns = [name.strip() for name in copied[1].split(",")]
    rows = [dict(zip(columns, line.split("\t"), strict=True)) for line in copied[2].splitlines()]
    return {row["name"]: None if row.get("digest", r"\N") == r"\N" else row["digest"] for row in rows}


def _keep(folder: Path) -> None:
    """The new name survives a loss of power, too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
