"""`ernfed consent`: what patients agreed to, from and to CSV.

Exit status: 0 all that was asked was done, 1 it was not (nothing was written), 2 wrong use.
"""

import csv
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.commands.consent_file import consent_lines, read_consents
from cli.runtime import Runtime, account, leave_line, on_runtime
from db.writing.consent import consents_of_archive, known_studies, set_consents

app = typer.Typer(no_args_is_help=True)

_Archive = Annotated[str, typer.Option(help="code of the archive that holds the studies")]


@app.command("import")
@on_runtime("consent import")
async def import_(
    runtime: Runtime,
    file: Annotated[Path, typer.Argument(help="CSV with StudyInstanceUID,care,registry,research")],
    archive: _Archive,
    by: Annotated[str | None, typer.Option(help="who says so; your account when not given")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only check the file, write nothing")] = False,
) -> None:
    """Sets the consents of a CSV file, all of them or, when a line is wrong, none. A withdrawal takes effect
    at once."""
    [archive_id] = runtime.ids_of([archive])
    consents = read_consents(file)
    if dry_run:
        known = await known_studies(runtime.database, archive_id, [each.study_uid for each in consents])
    else:
        await _leave_line(runtime, f"ernfed consent import --archive {archive}")
        known = await set_consents(runtime.database, archive_id, consents, by or account())
    later = len(consents) - len(known)
    done = "would be set" if dry_run else "set"
    typer.echo(f"{len(consents)} consents {done}; {later} of studies that the index does not know yet")


@app.command("list")
@on_runtime("consent list")
async def list_(runtime: Runtime, archive: _Archive) -> None:
    """Prints the consents of an archive as CSV, which `import` takes."""
    [archive_id] = runtime.ids_of([archive])
    await _leave_line(runtime, f"ernfed consent list --archive {archive}")
    stored = await consents_of_archive(runtime.database, archive_id)
    csv.writer(sys.stdout, lineterminator="\n").writerows(consent_lines(stored))


async def _leave_line(runtime: Runtime, endpoint: str) -> None:
    await leave_line(runtime.settings, runtime.database.url, endpoint)
