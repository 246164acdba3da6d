"""`ernfed pseudonyms`: which keys the pseudonymised rows were made with, and making them anew after a change.

Exit status: 0 all that was asked was done, 1 it was not, 2 wrong use.
"""

from typing import Annotated, Any

import typer

from cli.progress import IndexProgress
from cli.runner import WrongUse
from cli.runtime import Runtime, on_runtime
from cli.tables import console, table
from db.writing.projections import rows_by_key, waiting

app = typer.Typer(no_args_is_help=True)


@app.command()
@on_runtime("pseudonyms status")
async def status(runtime: Runtime) -> None:
    """Show the pseudonymised rows of each archive by key, and how many studies wait to be made."""
    shown = table("archive", "ERN", "key", "studies", "series", "instances", "")
    makers, codes = runtime.projections.makers, runtime.projections.codes
    marks = {codes[each]: maker.made_with for each, maker in makers.items()}
    for row in await rows_by_key(runtime.database):
        counts = (str(row[name]) for name in ("studies", "series", "instances"))
        shown.add_row(row["code"], row["ern"], row["key_id"] or "-", *counts, _what(row, marks))
    console().print(shown)
    left = await waiting(runtime.database)
    typer.echo(f"waiting: {left.changed} changed studies, {left.rotating} for new keys")


@app.command()
@on_runtime("pseudonyms rotate")
async def rotate(
    runtime: Runtime,
    ern: Annotated[str | None, typer.Option(help="only the archives of this ERN; all when not given")] = None,
) -> None:
    """Make all rows anew that another key or other rules have made, or that are missing. Can be stopped and
    started again at any time."""
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


def _what(row: Any, marks: dict[str, str]) -> str:
    if row["key_id"] is None:
        return "not made yet"
    return "" if row["key_id"] == marks.get(row["code"]) else "to be made anew: `ernfed pseudonyms rotate`"


def _archives(runtime: Runtime, ern: str | None) -> list[int]:
    if ern is None:
        return list(runtime.projections.makers)
    code = runtime.live.rules.networks.code_of(ern)
    found = [each for each, maker in runtime.projections.makers.items() if maker.ern == code]
    if not found:
        there = ", ".join(sorted({maker.ern for maker in runtime.projections.makers.values()}))
        raise WrongUse(f"--ern: no archive of it in archives.toml; there are: {there}")
    return found
