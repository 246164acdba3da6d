"""`ernfed schema`: schema.graphql as this version serves it, or the difference to a file."""

import difflib
import sys
from pathlib import Path
from typing import Annotated

import typer

from api.graphql.sdl import sdl
from resolvers.schema import schema as served

app = typer.Typer(subcommand_metavar="")


@app.callback(invoke_without_command=True)
def schema(
    check: Annotated[
        Path | None,
        typer.Option(help="compare with this file instead of printing; exit status 1 when it differs"),
    ] = None,
) -> None:
    """Prints schema.graphql."""
    text = sdl(served)
    if check is None:
        sys.stdout.write(text)
        return
    try:
        given = check.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        typer.echo(f"{check} cannot be read: {reason}", err=True)
        raise typer.Exit(1) from None
    if given != text:
        lines = difflib.unified_diff(
            given.splitlines(keepends=True), text.splitlines(keepends=True), str(check), "this version"
        )
        sys.stdout.writelines(lines)
        typer.echo(f"{check} is out of date. Write it anew: ernfed schema > {check}", err=True)
        raise typer.Exit(1)
