"""`ernfed pseudonyms`: which keys the pseudonymised rows were made with, and making them anew after a change.

Exit status: 0 all that was asked was done, 1 it was not, 2 wrong use.
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cli.progress import IndexProgress
from cli.runner import run_until_stopped
from cli.runtime import Opened, opened
from config.archives_file import ArchivesFileError
from config.settings import SettingsError, load_settings
from db.embedded.postgres import EmbeddedPostgresError
from db.migrate import MigrationError
from db.pool import DatabaseUnreachable
from db.writing.projections import rows_by_key, waiting

app = typer.Typer(no_args_is_help=True)

_PROBLEMS = (ArchivesFileError, SettingsError, EmbeddedPostgresError, MigrationError, DatabaseUnreachable)


class UnknownErn(Exception):
    """No archive of archives.toml belongs to it."""


@app.command()
def status() -> None:
    """Show the pseudonymised rows of each archive by key, and how many studies wait to be made."""

    async def work(runtime: Opened) -> None:
        table = Table(box=None, pad_edge=False)
        for name in ("archive", "ERN", "key", "studies", "series", "instances", ""):
            table.add_column(name, justify="right" if name in ("studies", "series", "instances") else "left")
        marks = {
            runtime.projections.codes[each]: maker.made_with
            for each, maker in runtime.projections.makers.items()
        }
        for row in await rows_by_key(runtime.database):
            counts = (str(row[name]) for name in ("studies", "series", "instances"))
            table.add_row(row["code"], row["ern"], row["key_id"] or "-", *counts, _what(row, marks))
        console = Console()
        (console if console.is_terminal else Console(width=240)).print(table)
        left = await waiting(runtime.database)
        typer.echo(f"waiting: {left.changed} changed studies, {left.rotating} for new keys")

    _with_runtime("status", work)


@app.command()
def rotate(
    ern: Annotated[str | None, typer.Option(help="only the archives of this ERN; all when not given")] = None,
) -> None:
    """Make all rows anew that another key or other rules have made, or that are missing. Can be stopped and
    started again at any time."""

    async def work(runtime: Opened) -> None:
        left = await runtime.projections.enqueue_stale(_archives(runtime, ern))
        total, done = left.changed + left.rotating, 0
        with IndexProgress() as progress:

            def told(families: int) -> None:
                nonlocal done
                done += families
                progress("pseudonyms", done, max(total, done), "made")

            drained = await runtime.projections.drain(rotating=True, told=told)
        refused = f", {drained.refused} rows could not be made and are not shown" if drained.refused else ""
        typer.echo(f"{drained.families} studies made{refused}")
        remaining = await waiting(runtime.database)
        if any(remaining):
            typer.echo(
                f"{sum(remaining)} studies still wait: another process is at work on them, or they are in "
                "archives that are not in archives.toml",
                err=True,
            )
            raise typer.Exit(1)

    _with_runtime("rotate", work)


def _what(row: Any, marks: dict[str, str]) -> str:
    if row["key_id"] is None:
        return "not made yet"
    return "" if row["key_id"] == marks.get(row["code"]) else "to be made anew: `ernfed pseudonyms rotate`"


def _archives(runtime: Opened, ern: str | None) -> list[int]:
    if ern is None:
        return list(runtime.projections.makers)
    code = runtime.live.rules.networks.code_of(ern)
    found = [each for each, maker in runtime.projections.makers.items() if maker.ern == code]
    if not found:
        there = ", ".join(sorted({maker.ern for maker in runtime.projections.makers.values()}))
        raise UnknownErn(f"--ern: no archive of it in archives.toml; there are: {there}")
    return found


def _with_runtime(command: str, work: Callable[[Opened], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        async with opened(load_settings()) as runtime:
            await work(runtime)

    try:
        stopped = run_until_stopped(run())
    except UnknownErn as error:
        typer.echo(f"ernfed pseudonyms {command}: {error}", err=True)
        raise typer.Exit(2) from None
    except _PROBLEMS as error:
        typer.echo(f"ernfed pseudonyms {command}: {error}", err=True)
        raise typer.Exit(1) from None
    if stopped:
        raise typer.Exit(130)
