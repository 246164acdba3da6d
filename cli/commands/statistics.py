"""`ernfed statistics`: whether the rollups say what the index says, and counting them again.

Exit status: 0 all is right, 1 it is not or it could not be told, 2 wrong use.
"""

from collections.abc import Callable, Coroutine
from typing import Any

import typer

from cli.runner import run_until_stopped
from cli.runtime import Opened, opened
from config.archives_file import ArchivesFileError
from config.pseudonym_keys import PseudonymKeysError
from config.settings import SettingsError, load_settings
from db.embedded.postgres import EmbeddedPostgresError
from db.migrate import MigrationError
from db.pool import DatabaseUnreachable
from db.writing.ingest import rebuild_rollups
from db.writing.rollup_tables import differences

app = typer.Typer(no_args_is_help=True)

_PROBLEMS = (
    *(ArchivesFileError, SettingsError, PseudonymKeysError),
    *(EmbeddedPostgresError, MigrationError, DatabaseUnreachable),
)


@app.command()
def verify() -> None:
    """Compare the rollups with a recount of the whole index. Reads everything; changes nothing."""

    async def work(runtime: Opened) -> None:
        wrong = {name: n for name, n in (await differences(runtime.database)).items() if n}
        if not wrong:
            typer.echo("the rollups are what the index says")
            return
        for name, n in wrong.items():
            typer.echo(f"{name}: {n} rows differ", err=True)
        typer.echo("count them again with `ernfed statistics rebuild`", err=True)
        raise typer.Exit(1)

    _with_runtime("verify", work)


@app.command()
def rebuild() -> None:
    """Count the rollups again from the index. Writers wait until it is done; readers do not."""

    async def work(runtime: Opened) -> None:
        await rebuild_rollups(runtime.database)
        typer.echo("the rollups were counted again")

    _with_runtime("rebuild", work)


def _with_runtime(command: str, work: Callable[[Opened], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        async with opened(load_settings()) as runtime:
            await work(runtime)

    try:
        stopped = run_until_stopped(run())
    except _PROBLEMS as error:
        typer.echo(f"ernfed statistics {command}: {error}", err=True)
        raise typer.Exit(1) from None
    if stopped:
        raise typer.Exit(130)
