"""`ernfed viewer`: builds the viewer of images that the server shows at /viewer/."""

from pathlib import Path
from typing import Annotated

import typer

from cli.runner import run
from cli.viewer_build import build_viewer
from config.settings import load_settings
from config.viewer import DEFAULT_FOLDER

app = typer.Typer(subcommand_metavar="")


@app.callback(invoke_without_command=True)
def viewer(
    folder: Annotated[
        Path | None,
        typer.Option(help="where it is put (ERNFED_VIEWER_DIR, or .ernfed/viewer beside the code)"),
    ] = None,
) -> None:
    """Fetches OHIF with npm and makes the viewer of it; nothing is done where it is there already."""
    run("viewer", _viewer(folder), stopped="nothing is half built; run it again")


async def _viewer(folder: Path | None) -> None:
    chosen = folder or load_settings().viewer_dir or DEFAULT_FOLDER
    await build_viewer(chosen.absolute(), typer.echo)
