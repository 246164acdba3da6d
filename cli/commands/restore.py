"""`ernfed restore FILE`: a backup into an empty database.

Exit status: 0 all of it is there, 1 nothing is, 130 stopped (nothing is).
"""

from pathlib import Path
from typing import Annotated

import typer

from cli.progress import Steps
from cli.runner import run
from cli.runtime import leave_line, reachable_url
from config.settings import Settings, load_settings
from db.backup.dump import Held, held, restore

app = typer.Typer(subcommand_metavar="", context_settings={"allow_interspersed_args": True})


@app.callback(invoke_without_command=True)
def restore_backup(
    file: Annotated[Path, typer.Argument(help="what `ernfed backup` wrote, by this version or an older one")],
) -> None:
    """Fills the empty database of ERNFED_DATABASE_URL, or of a new ERNFED_DATA_DIR. Only files of your own: a backup
    can hold any statement."""
    run("restore", _restore(file), stopped="nothing was restored")


async def _restore(file: Path) -> None:
    settings = load_settings()
    async with reachable_url(settings) as url:
        with Steps() as steps:
            await restore(url, file, steps)
        await leave_line(settings, url, "ernfed restore")
        found = await held(url)
    typer.echo(
        f"restored: {found.archives} archives, {found.studies} studies, {found.consents} consents, "
        f"{found.cohorts} cohorts, {found.lines} lines of the audit log"
    )
    for line in _to_do(settings, found):
        typer.echo(line, err=True)


def _to_do(settings: Settings, found: Held) -> list[str]:
    lines = ["Then: ernfed audit verify --expect DIGEST (the head that you keep), and ernfed index once."]
    if not found.derives_keys and settings.pseudonym_keys_file is None:
        lines.append(
            "Its pseudonyms were made with a file of keys: set ERNFED_PSEUDONYM_KEYS_FILE to it before anything "
            "else, or they are made anew with others."
        )
    return lines
