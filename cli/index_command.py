"""`ernfed index`: fill the index once, keep it fresh, say how far it has come.

Exit status: 0 all that was asked was done, 1 it was not (each archive that failed is named), 2 wrong use.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from api.logging import configure_logging
from cli.index_progress import IndexProgress
from cli.open import Opened, opened
from cli.stopping import run_until_stopped
from config.archives_file import ArchivesFileError
from config.pseudonym_keys import PseudonymKeysError
from config.settings import SettingsError, load_settings
from db.archives import ArchiveRow, IndexState, index_states, list_archives
from db.embedded import EmbeddedPostgresError
from db.migrate import MigrationError
from db.pool import DatabaseUnreachable
from indexer.run import RunResult, RunState, index_once
from indexer.watch import watch as keep_watching

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="Fill the index: once, watch, status.")

_PROBLEMS = (
    *(ArchivesFileError, SettingsError, PseudonymKeysError),
    *(EmbeddedPostgresError, MigrationError, DatabaseUnreachable),
)


class UnknownArchive(Exception):
    """A code that is not in archives.toml."""


@app.command()
def once(
    archive: Annotated[
        list[str] | None, typer.Option(help="Code of an archive; may be repeated. All when not given.")
    ] = None,
    reconcile: Annotated[
        bool, typer.Option("--reconcile", help="Look at every study, and remove what is no longer there.")
    ] = False,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Remove even when that is most of an archive.")
    ] = False,
) -> None:
    """Bring the index of the archives up to date, once."""

    async def work(house: Opened) -> list[RunResult]:
        codes = _known(house, archive)
        with IndexProgress() as progress:
            return await index_once(
                house.database,
                house.archives,
                codes=codes,
                reconcile=reconcile,
                confirmed=confirm,
                progress=progress,
            )

    results = _with_house("once", work)
    for result in results:
        typer.echo(_line(result), err=not result.all_done)
    if not all(result.all_done for result in results):
        raise typer.Exit(1)


@app.command()
def watch() -> None:
    """Keep the index fresh until Ctrl-C or SIGTERM: each archive by its sync_every and reconcile_every."""

    def told(result: RunResult) -> None:
        if result.state is not RunState.COMPLETED or result.studies or result.removed:
            typer.echo(_line(result), err=True)

    async def work(house: Opened) -> None:
        typer.echo(f"watching {len(house.archives)} archives. Stop it with Ctrl-C.", err=True)
        await keep_watching(house.database, house.archives, asyncio.Event(), told=told)

    _with_house("watch", work)


@app.command()
def status() -> None:
    """Show how far the index of each archive has come."""

    async def work(house: Opened) -> None:
        states = await index_states(house.database)
        table = Table(box=None, pad_edge=False)
        for name in ("archive", "studies", "series", "instances", "last complete run", "now"):
            table.add_column(name, justify="right" if name in ("studies", "series", "instances") else "left")
        for row in await list_archives(house.database):
            table.add_row(*_cells(row, states[row.archive_id]))
        Console().print(table)

    _with_house("status", work)


def _with_house(command: str, work: Callable[[Opened], Coroutine[Any, Any, T]]) -> T:
    """Opens everything, works, closes everything; exits with a message when something is wrong."""
    results: list[T] = []

    async def run() -> None:
        settings = load_settings()
        configure_logging(settings.log_level)
        async with opened(settings) as house:
            results.append(await work(house))

    try:
        stopped = run_until_stopped(run())
    except UnknownArchive as error:
        typer.echo(f"ernfed index {command}: {error}", err=True)
        raise typer.Exit(2) from None
    except _PROBLEMS as error:
        typer.echo(f"ernfed index {command}: {error}", err=True)
        raise typer.Exit(1) from None
    if stopped:
        # Stopping is how watch ends; any other command has not done what it was asked to do.
        raise typer.Exit(0 if command == "watch" else 130)
    return results[0]


def _known(house: Opened, codes: list[str] | None) -> list[str] | None:
    unknown = [code for code in codes or [] if code not in house.archives]
    if unknown:
        there = ", ".join(house.archive_ids)
        raise UnknownArchive(f"--archive {', '.join(unknown)}: no such archive; there are: {there}")
    return codes or None


def _line(result: RunResult) -> str:
    if result.state is RunState.SKIPPED:
        return f"{result.code}: skipped: {result.error_message}"
    read = f"{result.studies} studies, {result.series} series, {result.instances} instances read"
    counted = f"{read}, {result.removed} removed, {result.rejected} rejected, {result.seconds:.1f} s"
    problem = f": {result.error_code}: {result.error_message}" if result.error_code else ""
    return f"{result.code}: {result.state.value}{problem} ({counted})"


def _cells(row: ArchiveRow, state: IndexState) -> tuple[str, ...]:
    completed = f"{row.last_completed_at:%Y-%m-%d %H:%M:%S} UTC" if row.last_completed_at else "never"
    counts = (str(state.studies), str(state.series), str(state.instances))
    return row.code, *counts, completed, _now(row, state)


def _now(row: ArchiveRow, state: IndexState) -> str:
    if not row.enabled:
        return "not in archives.toml"
    if state.running:
        return f"running, {state.done}{'' if state.total is None else f' of {state.total}'} studies"
    if state.error_code is not None:
        return f"{state.state}: {state.error_code}: {state.error_message}"
    return "" if state.state is None else "up to date"
