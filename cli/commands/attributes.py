"""`ernfed attributes`: the attributes that archives.toml declares, and the indexes that make them fast.

Exit status: 0 all that was asked was done, 1 it was not, 2 wrong use.
"""

import typer

from cli.runtime import Runtime, on_runtime
from cli.tables import console, table
from config.attributes_file import load_declared
from db.declared import BuildState, apply_declared, declared_states

app = typer.Typer(no_args_is_help=True, help="Attributes declared in archives.toml: list, apply.")


@app.command("list")
@on_runtime("attributes list")
async def list_attributes(runtime: Runtime) -> None:
    """Show what is declared in archives.toml and in the database, and whether its indexes are ready."""
    wanted = {each.key: each for each in load_declared(runtime.settings.archives)}
    states = {(each.level, each.path): each for each in await declared_states(runtime.database)}
    shown = table("attribute", "level", "state", "since", "")
    for key in {**wanted, **states}:
        declared, state = wanted.get(key), states.get(key)
        name = declared.path.name if declared else state.name if state else ""
        told = "" if declared else "no longer in archives.toml: `ernfed attributes apply`"
        since = f"{state.ready_at:%Y-%m-%d %H:%M}" if state and state.ready_at else ""
        hint = (state.error or "") if state else "`ernfed attributes apply`"
        shown.add_row(name, key[0].value, state.state.value if state else "NEW", since, told or hint)
    console().print(shown)
    if not wanted and not states:
        typer.echo("none is declared: add [[attribute]] tables to archives.toml")


@app.command()
@on_runtime("attributes apply")
async def apply(runtime: Runtime) -> None:
    """Build the indexes of what archives.toml declares, beside the running service, and drop those of the rest."""
    declared = load_declared(runtime.settings.archives)
    if not await apply_declared(runtime.database, declared, typer.echo):
        typer.echo("another process is building them: see `ernfed attributes list`", err=True)
        raise typer.Exit(1)
    failed = [each for each in await declared_states(runtime.database) if each.state is BuildState.FAILED]
    for each in failed:
        typer.echo(f"{each.name} ({each.level}): {each.error}", err=True)
    typer.echo(f"{len(declared) - len(failed)} of {len(declared)} declared attributes are ready")
    if failed:
        raise typer.Exit(1)
