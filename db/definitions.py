"""What defines the archives: archives.toml, and mutations for those that are not in it.

They are in the database, so that every process has the same ones: whoever reads a changed file writes it here,
and all are told (channel `ernfed_archives`). Of an archive that is in the file, the file decides.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from config.archives_file import ArchiveConfig
from db.locks import Lock
from db.outage import tell
from db.pool import FAILED, SESSION, Connection, Database
from db.statements import statements
from model.errors import OperatorError

CHANNEL = "ernfed_archives"
_FILE, _API = "file", "api"
_ANEW = 5.0  # seconds until a lost connection is opened again
# What makes it another server, or the same one read differently.
_PLACE = ("kind", "url", "path", "index")


@dataclass(frozen=True, slots=True)
class Definition:
    """One archive. in_file: archives.toml says it, else a mutation did. changed_by: None for the file."""

    archive_id: int
    config: ArchiveConfig
    in_file: bool
    disabled: bool
    changed_at: datetime
    changed_by: str | None


class DefinitionRefused(OperatorError):
    """The change cannot be made; the message says why and what to do instead."""


async def sync_archives(database: Database, configs: Iterable[ArchiveConfig]) -> dict[str, int]:
    """Makes the database say what archives.toml says; an archive that left the file is disabled, its index
    kept. Returns archive_id by code, of the file's archives in its order."""
    listed = list(configs)
    sql = statements("definitions")
    async with database.transaction("sync_archives") as conn:
        await conn.execute(sql["lock"], Lock.DEFINITIONS)
        gone = await conn.fetch(sql["left_the_file"], [config.code for config in listed])
        ids, changed = await _define(conn, listed, _FILE, None)
        await conn.execute(sql["undefined"])
        if gone or changed:
            await conn.execute(sql["announce"])
    return ids


async def definitions(database: Database) -> list[Definition]:
    """All archives that are defined, in rank order; those that are switched off too."""
    rows = await database.fetch("definitions", statements("definitions")["all"])
    return [_definition(row) for row in rows]


async def definitions_if_any(database: Database) -> list[Definition]:
    """The same, also of a database before `ernfed migrate`, which has none."""
    try:
        return await definitions(database)
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError):
        return []


async def definition(database: Database, code: str) -> Definition | None:
    row = await database.fetchrow("definition", statements("definitions")["one"], code)
    return _definition(row) if row else None


async def network_of(database: Database, code: str) -> str | None:
    """The ERN of an archive that is defined or was removed; None where there never was one."""
    row = await database.fetchrow("known_archive", statements("definitions")["known"], code)
    return row["ern"] if row else None


async def add(database: Database, config: ArchiveConfig, by: str) -> None:
    """A new archive, or one that was removed and comes back. Raises DefinitionRefused."""
    sql = statements("definitions")
    async with database.transaction("add_archive") as conn:
        await conn.execute(sql["lock"], Lock.DEFINITIONS)
        if await conn.fetchrow(sql["one"], config.code):
            raise DefinitionRefused(f"there is an archive {config.code} already: change that one")
        before = await conn.fetchrow(sql["known"], config.code)
        if before is not None and before["ern"] != config.ern:
            raise DefinitionRefused(
                f"the index holds rows of an archive {config.code} of {before['ern']}, which was removed: "
                "choose another code, or purge that one first"
            )
        await _define(conn, [config], _API, by)
        await conn.execute(sql["start_over"], config.code)
        await conn.execute(sql["announce"])


async def change(database: Database, config: ArchiveConfig, by: str) -> None:
    """The archive of this code is now so. Raises DefinitionRefused for one of archives.toml."""
    sql = statements("definitions")
    async with database.transaction("change_archive") as conn:
        await conn.execute(sql["lock"], Lock.DEFINITIONS)
        await _ours(conn, config.code)
        await _define(conn, [config], _API, by)
        await conn.execute(sql["announce"])


async def switch(database: Database, code: str, *, disabled: bool, by: str) -> None:
    """Off: not asked, not shown, its rows kept. Also for archives of archives.toml."""
    sql = statements("definitions")
    async with database.transaction("switch_archive") as conn:
        await conn.execute(sql["lock"], Lock.DEFINITIONS)
        await conn.execute(sql["switch"], code, disabled, by)
        await conn.execute(sql["enable"], [code])
        await conn.execute(sql["announce"])


async def remove(database: Database, code: str) -> None:
    """Not defined any more; its rows stay. Nothing happens to one that was removed before.

    Raises DefinitionRefused for one of archives.toml.
    """
    sql = statements("definitions")
    async with database.transaction("remove_archive") as conn:
        await conn.execute(sql["lock"], Lock.DEFINITIONS)
        if await conn.fetchrow(sql["one"], code) is None:
            return
        await _ours(conn, code)
        await conn.execute(sql["remove"], code)
        await conn.execute(sql["announce"])


async def heed(url: str, heard: Callable[[], None]) -> None:
    """Calls `heard` after each change of the definitions, by whichever process, until it is cancelled."""
    while True:
        try:
            connection = await asyncpg.connect(url, server_settings=SESSION)
            try:
                lost = asyncio.Event()
                connection.add_termination_listener(lambda _connection, lost=lost: lost.set())
                await connection.add_listener(CHANNEL, lambda *_: heard())
                heard()  # what was missed
                await lost.wait()
            finally:
                connection.terminate()
        except FAILED as error:
            tell(url, error, "archives.not_told")
        await asyncio.sleep(_ANEW)


async def _define(
    conn: Connection, configs: list[ArchiveConfig], origin: str, by: str | None
) -> tuple[dict[str, int], bool]:
    """archive_id by code, and whether anything is new."""
    sql = statements("definitions")
    before = {row["code"]: _definition(row).config for row in await conn.fetch(sql["all"])}
    rows = await conn.fetch(
        sql["define"],
        [config.code for config in configs],
        [config.ern for config in configs],
        [config.title for config in configs],
        [config.kind for config in configs],
        [config.index for config in configs],
        [timedelta(seconds=config.sync_every) for config in configs],
        [timedelta(seconds=config.reconcile_every) for config in configs],
        origin,
        [_written(config) for config in configs],
        by,
    )
    await conn.execute(sql["enable"], [config.code for config in configs])
    for config in configs:
        was = before.get(config.code)
        if was is not None and any(getattr(was, name) != getattr(config, name) for name in _PLACE):
            await conn.execute(sql["start_over"], config.code)
    return {row["code"]: row["archive_id"] for row in rows}, any(row["changed"] for row in rows)


async def _ours(conn: Connection, code: str) -> None:
    row = await conn.fetchrow(statements("definitions")["one"], code)
    if row is None:
        raise DefinitionRefused(f"there is no archive {code}")
    if row["origin"] == _FILE:
        raise DefinitionRefused(f"{code} is in archives.toml, which decides: change it there")


def _written(config: ArchiveConfig) -> str:
    table = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(config).items()}
    return orjson.dumps(table).decode()


def _definition(row: Any) -> Definition:
    # What a newer version added to a table is not known here, and does not matter here.
    names = {field.name for field in fields(ArchiveConfig)}
    table = {name: value for name, value in orjson.loads(row["definition"]).items() if name in names}
    path = table.get("path")
    config = ArchiveConfig(**(table | {"path": Path(path) if path is not None else None}))
    return Definition(
        row["archive_id"],
        config,
        row["origin"] == _FILE,
        row["disabled"],
        row["changed_at"],
        row["changed_by"],
    )
