"""`ernfed backup FILE`: the whole database into one file.

Exit status: 0 the file is whole, 1 there is none (one that was there is as it was), 130 stopped.
"""

from pathlib import Path
from typing import Annotated

import typer

from cli.commands.backup_files import PROBLEMS, Steps, beside, leave_line, size_of
from cli.runner import run_until_stopped
from cli.runtime import database_url_of
from config.settings import load_settings
from db.backup.dump import back_up
from db.pool import Database

app = typer.Typer(subcommand_metavar="", context_settings={"allow_interspersed_args": True})


@app.callback(invoke_without_command=True)
def backup(file: Annotated[Path, typer.Argument(help="the file; one that is there is replaced")]) -> None:
    """Writes consents, cohorts, the audit log, archives of the API, keys and the index, as they are at one moment,
    also while others work. It holds patients' data and keys: only you can read the file."""
    try:
        stopped = run_until_stopped(_back_up(file))
    except PROBLEMS as error:
        typer.echo(f"ernfed backup: {getattr(error, 'message', error)}", err=True)
        raise typer.Exit(1) from None
    if stopped:
        typer.echo("ernfed backup: stopped, nothing was written", err=True)
        raise typer.Exit(130)


async def _back_up(file: Path) -> None:
    settings = load_settings()
    async with database_url_of(settings) as url:
        await (await Database.open(url, max_size=1)).close()  # says in words why it cannot be reached
        with Steps() as steps:
            size = await back_up(url, file, steps, lambda: leave_line(settings, url, "ernfed backup"))
    typer.echo(f"{file}: {size_of(size)}")
    typer.echo("Not in it, to be kept beside it:", err=True)
    for each in beside(settings):
        typer.echo(f"  {each}", err=True)
