"""`ernfed index`: fill the index once, work on what is due, remove what is gone, say how far it has come.

Exit status: 0 all that was asked was done, 1 it was not (each archive that failed is named), 2 wrong use.
"""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer

from cli.progress import IndexProgress
from cli.runtime import Runtime, on_runtime
from cli.tables import console, table
from db.archives import ArchiveRow, IndexState, index_states, list_archives
from db.indexing.jobs import JobState, job_states
from indexer.results import RunResult, RunState
from indexer.run import SIDE_BY_SIDE, index_once
from indexer.worker import Worker

app = typer.Typer(no_args_is_help=True, help="Fill the index: once, watch, reconcile, status.")
_OVERDUE = 15.0  # seconds after which nobody seems to work

_Archives = Annotated[
    list[str] | None,
    typer.Option("--archive", help="Code of an archive; may be repeated. All when not given."),
]
_Confirm = Annotated[bool, typer.Option("--confirm", help="Remove even when that is most of an archive.")]


@app.command()
@on_runtime("index once")
async def once(
    runtime: Runtime,
    archive: _Archives = None,
    reconcile: Annotated[
        bool, typer.Option("--reconcile", help="Look at every study, and remove what is no longer there.")
    ] = False,
    confirm: _Confirm = False,
) -> None:
    """Bring the index of the archives up to date, once."""
    await _run_once(runtime, archive, reconcile=reconcile, confirm=confirm)


@app.command()
def reconcile(archive: _Archives = None, confirm: _Confirm = False) -> None:
    """Compare everything with the archives, once, and remove what is no longer there."""
    if confirm and not archive:
        typer.echo("ernfed index reconcile: --confirm needs --archive: which one is meant?", err=True)
        raise typer.Exit(2)
    _reconcile(archive, confirm=confirm)


@on_runtime("index reconcile")
async def _reconcile(runtime: Runtime, archive: list[str] | None, *, confirm: bool) -> None:
    await _run_once(runtime, archive, reconcile=True, confirm=confirm)


async def _run_once(runtime: Runtime, codes: Sequence[str] | None, *, reconcile: bool, confirm: bool) -> None:
    runtime.ids_of(codes or ())
    with IndexProgress() as progress:
        results = await index_once(
            runtime.database,
            runtime.archives,
            codes=codes or None,
            reconcile=reconcile,
            confirmed=confirm,
            progress=progress,
        )
    for result in results:
        typer.echo(_line(result), err=not result.all_done)
    if not all(result.all_done for result in results):
        raise typer.Exit(1)


@app.command()
@on_runtime("index watch", service=True)
async def watch(
    runtime: Runtime,
    concurrency: Annotated[int, typer.Option(min=2, help="Jobs at a time.")] = SIDE_BY_SIDE,
) -> None:
    """Work on what is due until Ctrl-C or SIGTERM: runs, reconciles and probes of all archives.

    Start as many as you like, on as many machines: they share the work, and take up that of one that died.
    """
    typer.echo(f"watching {len(runtime.archives)} archives. Stop it with Ctrl-C.")
    worker = Worker(runtime.database, runtime.archives.get)
    async with runtime.keeping_up():
        await worker.keep_running(asyncio.Event(), at_once=concurrency)


@app.command()
@on_runtime("index status")
async def status(runtime: Runtime) -> None:
    """Show how far the index of each archive has come, and what is under way or due."""
    states, jobs = await index_states(runtime.database), await job_states(runtime.database)
    shown = table("archive", "studies", "series", "instances", "last complete run", "lag", "next", "now")
    for row in await list_archives(runtime.database):
        shown.add_row(*_cells(row, states[row.archive_id], jobs[row.archive_id]))
    console().print(shown)
    if any((job.overdue_seconds or 0) > _OVERDUE and not job.running for job in jobs.values()):
        typer.echo("Runs are overdue: is a worker running? (ernfed index watch)", err=True)


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
