"""`ernfed statistics`: whether the rollups say what the index says, and counting them again.

Exit status: 0 all is right, 1 it is not or it could not be told, 2 wrong use.
"""

import typer

from cli.runtime import Runtime, on_runtime
from db.writing.ingest import rebuild_rollups
from db.writing.rollup_tables import differences

app = typer.Typer(no_args_is_help=True)


@app.command()
@on_runtime("statistics verify")
async def verify(runtime: Runtime) -> None:
    """Compare the rollups with a recount of the whole index. Reads everything; changes nothing."""
    wrong = {name: n for name, n in (await differences(runtime.database)).items() if n}
    if not wrong:
        typer.echo("the rollups are what the index says")
        return
    for name, n in wrong.items():
        typer.echo(f"{name}: {n} rows differ", err=True)
    typer.echo("count them again with `ernfed statistics rebuild`", err=True)
    raise typer.Exit(1)


@app.command()
@on_runtime("statistics rebuild")
async def rebuild(runtime: Runtime) -> None:
    """Count the rollups again from the index. Writers wait until it is done; readers do not."""
    await rebuild_rollups(runtime.database)
    typer.echo("the rollups were counted again")
