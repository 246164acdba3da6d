"""`ernfed index`: fill the index once, work on what is due, remove what is gone, say how far it has come.

Exit status: 0 all that was asked was done, 1 it was not (each archive that failed is named), 2 wrong use.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from api.logging import configure_logging
from cli.progress import IndexProgress
from cli.runner import run_until_stopped, tell_problem
from cli.runtime import Opened, opened
from config.archives_file import ArchivesFileError
from config.pseudonym_keys import PseudonymKeysError
from config.settings import SettingsError, load_settings
from db.archives import ArchiveRow, IndexState, index_states, list_archives
from db.embedded.postgres import EmbeddedPostgresError
from db.indexing.jobs import JobState, job_states
from db.migrate import MigrationError
from db.pool import DatabaseUnreachable
from indexer.run import SIDE_BY_SIDE, RunResult, RunState, index_once
from indexer.worker import Worker

T = TypeVar("T")

app = typer.Typer(no_args_is_help=True, help="Fill the index: once, watch, reconcile, status.")
_OVERDUE = 15.0  # seconds after which nobody seems to work

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
    _run_once("once", archive, reconcile=reconcile, confirm=confirm)


@app.command()
def reconcile(
    archive: Annotated[
        list[str] | None, typer.Option(help="Code of an archive; may be repeated. All when not given.")
    ] = None,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Remove even when that is most of an archive.")
    ] = False,
) -> None:
    """Compare everything with the archives, once, and remove what is no longer there."""
    if confirm and not archive:
        typer.echo("ernfed index reconcile: --confirm needs --archive: which one is meant?", err=True)
        raise typer.Exit(2)
    _run_once("reconcile", archive, reconcile=True, confirm=confirm)


def _run_once(command: str, codes: list[str] | None, *, reconcile: bool, confirm: bool) -> None:
    async def work(runtime: Opened) -> list[RunResult]:
        known = _known(runtime, codes)
        with IndexProgress() as progress:
            return await index_once(
                runtime.database,
                runtime.archives,
                codes=known,
                reconcile=reconcile,
                confirmed=confirm,
                progress=progress,
            )

    results = _with_runtime(command, work)
    for result in results:
        typer.echo(_line(result), err=not result.all_done)
    if not all(result.all_done for result in results):
        raise typer.Exit(1)


@app.command()
def watch(
    concurrency: Annotated[int, typer.Option(min=2, help="Jobs at a time.")] = SIDE_BY_SIDE,
) -> None:
    """Work on what is due until Ctrl-C or SIGTERM: runs, reconciles and probes of all archives.

    Start as many as you like, on as many machines: they share the work, and take up that of one that died.
    """

    async def work(runtime: Opened) -> None:
        typer.echo(f"watching {len(runtime.archives)} archives. Stop it with Ctrl-C.")
        worker = Worker(runtime.database, runtime.archives.get)
        async with runtime.following(), runtime.indexing_attributes():
            await worker.keep_running(asyncio.Event(), at_once=concurrency)

    _with_runtime("watch", work)


@app.command()
def status() -> None:
    """Show how far the index of each archive has come, and what is under way or due."""

    async def work(runtime: Opened) -> bool:
        states, jobs = await index_states(runtime.database), await job_states(runtime.database)
        table = Table(box=None, pad_edge=False)
        for name in ("archive", "studies", "series", "instances", "last complete run", "lag", "next", "now"):
            table.add_column(name, justify="right" if name in ("studies", "series", "instances") else "left")
        for row in await list_archives(runtime.database):
            table.add_row(*_cells(row, states[row.archive_id], jobs[row.archive_id]))
        Console(width=None if sys.stdout.isatty() else 240).print(table)
        return any((job.overdue_seconds or 0) > _OVERDUE and not job.running for job in jobs.values())

    if _with_runtime("status", work):
        typer.echo("Runs are overdue: is a worker running? (ernfed index watch)", err=True)


def _with_runtime(command: str, work: Callable[[Opened], Coroutine[Any, Any, T]]) -> T:
    """Opens everything, works, closes everything; exits with a message when something is wrong."""
    results: list[T] = []

    async def run() -> None:
        settings = load_settings()
        if command == "watch":
            configure_logging(settings.log_level)
        async with opened(settings) as runtime:
            results.append(await work(runtime))

    try:
        stopped = run_until_stopped(run())
    except UnknownArchive as error:
        typer.echo(f"ernfed index {command}: {error}", err=True)
        raise typer.Exit(2) from None
    except _PROBLEMS as error:
        tell_problem(f"index {command}", error, logged=command == "watch")
        raise typer.Exit(1) from None
    if stopped:
        # Stopping is how watch ends; any other command has not done what it was asked to do.
        raise typer.Exit(0 if command == "watch" else 130)
    return results[0]


def _known(runtime: Opened, codes: list[str] | None) -> list[str] | None:
    unknown = [code for code in codes or [] if code not in runtime.archives]
    if unknown:
        there = ", ".join(runtime.archive_ids)
        raise UnknownArchive(f"--archive {', '.join(unknown)}: no such archive; there are: {there}")
    return codes or None


def _line(result: RunResult) -> str:
    if result.state is RunState.SKIPPED:
        return f"{result.code}: skipped: {result.error_message}"
    read = f"{result.studies} studies, {result.series} series, {result.instances} instances read"
    counted = f"{read}, {result.removed} removed, {result.rejected} rejected, {result.seconds:.1f} s"
    problem = f": {result.error_code}: {result.error_message}" if result.error_code else ""
    return f"{result.code}: {result.state.value}{problem} ({counted})"


def _cells(row: ArchiveRow, state: IndexState, job: JobState) -> tuple[str, ...]:
    completed = f"{row.last_completed_at:%Y-%m-%d %H:%M:%S} UTC" if row.last_completed_at else "never"
    counts = (str(state.studies), str(state.series), str(state.instances))
    lag = "" if job.lag_seconds is None else _span(job.lag_seconds)
    return row.code, *counts, completed, lag, _next(job), _now(row, state, job)


def _next(job: JobState) -> str:
    if job.overdue_seconds is None or job.running:
        return ""
    return f"in {_span(-job.overdue_seconds)}" if job.overdue_seconds < 0 else "due"


def _span(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.0f}s"


def _now(row: ArchiveRow, state: IndexState, job: JobState) -> str:
    if not row.enabled:
        return "removed, or switched off"
    parts = []
    if state.running:
        of = "" if state.total is None else f" of {state.total}"
        parts.append(f"running, {state.done}{of} studies")
    elif job.kind is not None:
        parts.append(f"{job.kind} {'begins' if job.running else 'queued'}")
    if not state.running and state.error_code is not None:
        parts.append(f"{state.state}: {state.error_code}: {state.error_message}")
    if parts:
        return "; ".join(parts)
    return "" if state.state is None else "up to date"
