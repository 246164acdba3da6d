"""`ernfed attributes`: the attributes that archives.toml declares, and the indexes that make them fast.

Exit status: 0 all that was asked was done, 1 it was not, 2 wrong use.
"""

from collections.abc import Callable, Coroutine
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from cli.runner import run_until_stopped
from cli.runtime import Opened, opened
from config.archives_file import ArchivesFileError
from config.attributes_file import load_declared
from config.settings import SettingsError, load_settings
from db.declared import IndexState, apply_declared, declared_states
from db.embedded.postgres import EmbeddedPostgresError
from db.migrate import MigrationError
from db.pool import DatabaseUnreachable

app = typer.Typer(no_args_is_help=True, help="Attributes declared in archives.toml: list, apply.")

_PROBLEMS = (ArchivesFileError, SettingsError, EmbeddedPostgresError, MigrationError, DatabaseUnreachable)


@app.command("list")
def list_attributes() -> None:
    """Show what is declared in archives.toml and in the database, and whether its indexes are ready."""

    async def work(runtime: Opened) -> bool:
        wanted = {each.key: each for each in load_declared(runtime.settings.archives)}
        states = {(each.level, each.path): each for each in await declared_states(runtime.database)}
        table = Table(box=None, pad_edge=False)
        for name in ("attribute", "level", "state", "since", ""):
            table.add_column(name)
        for key in {**wanted, **states}:
            declared, state = wanted.get(key), states.get(key)
            name = declared.path.name if declared else state.name if state else ""
            told = "" if declared else "no longer in archives.toml: `ernfed attributes apply`"
            since = f"{state.ready_at:%Y-%m-%d %H:%M}" if state and state.ready_at else ""
            shown = state.state.value if state else "NEW"
            hint = (state.error or "") if state else "`ernfed attributes apply`"
            table.add_row(name, key[0].value, shown, since, told or hint)
        console = Console()
        (console if console.is_terminal else Console(width=240)).print(table)
        if not wanted and not states:
            typer.echo("none is declared: add [[attribute]] tables to archives.toml")
        return True

    _with_runtime("list", work)


@app.command()
def apply() -> None:
    """Build the indexes of what archives.toml declares, beside the running service, and drop those of the rest."""

    async def work(runtime: Opened) -> bool:
        declared = load_declared(runtime.settings.archives)
        if not await apply_declared(runtime.database, declared, typer.echo):
            typer.echo("another process is building them: see `ernfed attributes list`", err=True)
            return False
        failed = [each for each in await declared_states(runtime.database) if each.state is IndexState.FAILED]
        for each in failed:
            typer.echo(f"{each.name} ({each.level}): {each.error}", err=True)
        typer.echo(f"{len(declared) - len(failed)} of {len(declared)} declared attributes are ready")
        return not failed

    _with_runtime("apply", work)


def _with_runtime(command: str, work: Callable[[Opened], Coroutine[Any, Any, bool]]) -> None:
    done: list[bool] = []

    async def run() -> None:
        async with opened(load_settings()) as runtime:
            done.append(await work(runtime))

    try:
        stopped = run_until_stopped(run())
    except _PROBLEMS as error:
        typer.echo(f"ernfed attributes {command}: {error}", err=True)
        raise typer.Exit(1) from None
    if stopped:
        raise typer.Exit(130)
    if not all(done):
        raise typer.Exit(1)
