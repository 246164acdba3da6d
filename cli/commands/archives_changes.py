"""`ernfed archives enable, disable, remove`: what the operator does with archives beside archives.toml."""

import getpass
from typing import Annotated

import typer

from cli.runtime import Runtime, on_runtime
from db import definitions
from db.archives import list_archives
from db.definitions import DefinitionRefused
from db.indexing import runs
from db.writing.purge import purge as purge_archive

Code = Annotated[str, typer.Argument(help="Code of the archive.")]


@on_runtime("archives enable")
async def enable(runtime: Runtime, code: Code) -> None:
    """Switch an archive on again."""
    await _switch(runtime, code, disabled=False)


@on_runtime("archives disable")
async def disable(runtime: Runtime, code: Code) -> None:
    """Switch an archive off: not asked, not shown, its rows kept. It stays off when the file changes."""
    await _switch(runtime, code, disabled=True)


@on_runtime("archives remove")
async def remove(
    runtime: Runtime,
    code: Code,
    purge: Annotated[
        bool, typer.Option("--purge/--keep", help="Remove its rows too, or keep them until it comes back.")
    ] = False,
) -> None:
    """Remove an archive that was added over the API, or purge one that is not in archives.toml any more."""
    await _must_be_known(runtime, code)
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


async def _switch(runtime: Runtime, code: str, *, disabled: bool) -> None:
    await _must_be_known(runtime, code)
    if await definitions.definition(runtime.database, code) is None:
        raise DefinitionRefused(f"{code}: was removed; put it into archives.toml again")
    await definitions.switch(runtime.database, code, disabled=disabled, by=getpass.getuser())
    typer.echo(f"{code}: {'off' if disabled else 'on'}")


async def _must_be_known(runtime: Runtime, code: str) -> None:
    if await definitions.network_of(runtime.database, code) is None:
        known = ", ".join(row.code for row in await list_archives(runtime.database))
        raise DefinitionRefused(f"{code}: no such archive; there are: {known}")
