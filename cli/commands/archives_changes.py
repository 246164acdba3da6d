"""`ernfed archives enable, disable, remove`: what the operator does with archives beside archives.toml."""

import getpass
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from cli.runner import run_until_stopped
from cli.runtime import Opened, opened
from config.archives_file import ArchivesFileError
from config.pseudonym_keys import PseudonymKeysError
from config.settings import SettingsError, load_settings
from db import definitions
from db.archives import list_archives
from db.definitions import DefinitionRefused
from db.embedded.postgres import EmbeddedPostgresError
from db.indexing import runs
from db.migrate import MigrationError
from db.pool import DatabaseUnreachable
from db.writing.purge import purge as purge_archive

_PROBLEMS = (
    *(ArchivesFileError, SettingsError, PseudonymKeysError, DefinitionRefused),
    *(EmbeddedPostgresError, MigrationError, DatabaseUnreachable),
)
Code = Annotated[str, typer.Argument(help="Code of the archive.")]


def enable(code: Code) -> None:
    """Switch an archive on again."""
    _switch("enable", code, disabled=False)


def disable(code: Code) -> None:
    """Switch an archive off: not asked, not shown, its rows kept. It stays off when the file changes."""
    _switch("disable", code, disabled=True)


def remove(
    code: Code,
    purge: Annotated[
        bool, typer.Option("--purge/--keep", help="Remove its rows too, or keep them until it comes back.")
    ] = False,
) -> None:
    """Remove an archive that was added over the API, or purge one that is not in archives.toml any more."""

    async def work(runtime: Opened) -> None:
        await definitions.remove(runtime.database, code)
        if not purge:
            typer.echo(f"{code}: removed; its rows are kept")
            return
        archive = next(row for row in await list_archives(runtime.database) if row.code == code)
        async with runs.lease(runtime.database, archive.archive_id) as ours:
            if not ours:
                raise DefinitionRefused(f"{code}: a run is under way; try again when it has ended")
            studies = await purge_archive(runtime.database, archive.archive_id)
        typer.echo(f"{code}: removed, with {studies} studies")

    _change("remove", code, work)


def _switch(command: str, code: str, *, disabled: bool) -> None:
    async def work(runtime: Opened) -> None:
        if await definitions.definition(runtime.database, code) is None:
            raise DefinitionRefused(f"{code}: was removed; put it into archives.toml again")
        await definitions.switch(runtime.database, code, disabled=disabled, by=getpass.getuser())
        typer.echo(f"{code}: {'off' if disabled else 'on'}")

    _change(command, code, work)


def _change(command: str, code: str, work: Callable[[Opened], Awaitable[None]]) -> None:
    async def run() -> None:
        async with opened(load_settings()) as runtime:
            if await definitions.network_of(runtime.database, code) is None:
                known = ", ".join(row.code for row in await list_archives(runtime.database))
                raise DefinitionRefused(f"{code}: no such archive; there are: {known}")
            await work(runtime)

    try:
        stopped = run_until_stopped(run())
    except _PROBLEMS as error:
        typer.echo(f"ernfed archives {command}: {error}", err=True)
        raise typer.Exit(1) from None
    if stopped:
        raise typer.Exit(130)
