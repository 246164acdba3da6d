"""`ernfed consent`: what patients agreed to, from and to CSV.

Exit status: 0 all that was asked was done, 1 it was not (nothing was written), 2 wrong use.
"""

import csv
import getpass
import sys
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from access.audit import AuditRecord
from cli.commands.consent_file import ConsentFileError, consent_lines, read_consents
from cli.runner import run_until_stopped
from cli.runtime import Opened, opened, opened_audit
from config.archives_file import ArchivesFileError
from config.settings import SettingsError, load_settings
from db.audit.trail import AuditUnavailable
from db.embedded.postgres import EmbeddedPostgresError
from db.migrate import MigrationError
from db.pool import DatabaseUnreachable
from db.writing.consent import consents_of_archive, known_studies, set_consents

app = typer.Typer(no_args_is_help=True)

_PROBLEMS = (
    ArchivesFileError, SettingsError, EmbeddedPostgresError, MigrationError, DatabaseUnreachable,
    ConsentFileError, AuditUnavailable,
)  # fmt: skip
_Archive = Annotated[str, typer.Option(help="code of the archive that holds the studies")]


class UnknownArchive(Exception):
    """A code that is not in archives.toml."""


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV with StudyInstanceUID,care,registry,research")],
    archive: _Archive,
    by: Annotated[str | None, typer.Option(help="who says so; your account when not given")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only check the file, write nothing")] = False,
) -> None:
    """Sets the consents of a CSV file, all of them or, when a line is wrong, none. A withdrawal takes effect
    at once."""

    async def work(runtime: Opened) -> None:
        archive_id = _archive_id(runtime, archive)
        consents = read_consents(file)
        if dry_run:
            known = await known_studies(runtime.database, archive_id, [each.study_uid for each in consents])
        else:
            await _leave_line(runtime, f"ernfed consent import --archive {archive}")
            known = await set_consents(runtime.database, archive_id, consents, by or _account())
        later = len(consents) - len(known)
        done = "would be set" if dry_run else "set"
        typer.echo(f"{len(consents)} consents {done}; {later} of studies that the index does not know yet")

    _with_runtime("import", work)


@app.command("list")
def list_(archive: _Archive) -> None:
    """Prints the consents of an archive as CSV, which `import` takes."""

    async def work(runtime: Opened) -> None:
        archive_id = _archive_id(runtime, archive)
        await _leave_line(runtime, f"ernfed consent list --archive {archive}")
        stored = await consents_of_archive(runtime.database, archive_id)
        csv.writer(sys.stdout, lineterminator="\n").writerows(consent_lines(stored))

    _with_runtime("list", work)


async def _leave_line(runtime: Opened, endpoint: str) -> None:
    """What is done with consents becomes a line of the audit log."""
    async with opened_audit(runtime.settings, runtime.database_url) as log:
        await log.write(AuditRecord(datetime.now(UTC), _account(), None, endpoint, "OK", None, "-"))


def _account() -> str:
    return f"os:{getpass.getuser()}"


def _archive_id(runtime: Opened, code: str) -> int:
    if code not in runtime.archive_ids:
        there = ", ".join(runtime.archive_ids)
        raise UnknownArchive(f"--archive {code}: no such archive; there are: {there}")
    return runtime.archive_ids[code]


def _with_runtime(command: str, work: Callable[[Opened], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        async with opened(load_settings()) as runtime:
            await work(runtime)

    try:
        stopped = run_until_stopped(run())
    except UnknownArchive as error:
        typer.echo(f"ernfed consent {command}: {error}", err=True)
        raise typer.Exit(2) from None
    except _PROBLEMS as error:
        typer.echo(f"ernfed consent {command}: {getattr(error, 'message', error)}", err=True)
        raise typer.Exit(1) from None
    if stopped:
        raise typer.Exit(130)
