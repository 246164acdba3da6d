"""`ernfed backup FILE`: the whole database into one file.

Exit status: 0 the file is whole, 1 there is none (one that was there is as it was), 130 stopped.
"""

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from cli.progress import Steps
from cli.runner import run
from cli.runtime import leave_line, reachable_url
from config.archives_file import ArchivesFileError, load_archives
from config.settings import Settings, load_settings
from db.backup.dump import back_up

app = typer.Typer(subcommand_metavar="", context_settings={"allow_interspersed_args": True})


@app.callback(invoke_without_command=True)
def backup(file: Annotated[Path, typer.Argument(help="the file; one that is there is replaced")]) -> None:
    """Writes consents, cohorts, the audit log, archives of the API, keys and the index, as they are at one moment,
    also while others work. It holds patients' data and keys: only you can read the file."""
    run("backup", _back_up(file), stopped="nothing was written")


async def _back_up(file: Path) -> None:
    settings = load_settings()
    async with reachable_url(settings) as url:
        with Steps() as steps:
            size = await back_up(url, file, steps, lambda: leave_line(settings, url, "ernfed backup"))
    typer.echo(f"{file}: {_size(size)}")
    typer.echo("Not in it, to be kept beside it:", err=True)
    for each in _beside(settings):
        typer.echo(f"  {each}", err=True)


def _beside(settings: Settings) -> list[str]:
    """What belongs to an installation and is in no database."""
    files = [f"{settings.archives.absolute()}"]
    with suppress(ArchivesFileError):
        if named := sorted(
            {each.password_env for each in load_archives(settings.archives) if each.password_env}
        ):
            files.append(f"the secrets that it names ({', '.join(named)})")
    for name in ("pseudonym_keys_file", "persisted_operations"):
        if (path := getattr(settings, name)) is not None:
            files.append(f"{path.absolute()} (ERNFED_{name.upper()})")
    return [*files, "the variables ERNFED_…"]


def _size(amount: int) -> str:
    for unit, size in (("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10)):
        if amount >= size:
            return f"{amount / size:.1f} {unit}"
    return f"{amount} bytes"
