"""What `ernfed backup` and `ernfed restore` share: how far they are, the audit line, what no database holds."""

import getpass
import time
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType

from rich.console import Console
from rich.status import Status

from access.audit import AuditRecord
from cli.runtime import opened_audit
from config.archives_file import ArchivesFileError, load_archives
from config.settings import Settings, SettingsError
from db.audit.trail import AuditUnavailable
from db.backup.dump import BackupError
from db.embedded.postgres import EmbeddedPostgresError
from db.migrate import MigrationError
from db.pool import DatabaseUnreachable

PROBLEMS = (
    *(SettingsError, EmbeddedPostgresError, DatabaseUnreachable),
    *(MigrationError, BackupError, AuditUnavailable),
)
_LINE_EVERY = 5.0  # seconds


class Steps:
    """A context manager, called with what is being done: a changing line on a terminal, else a line now and then."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._status = Status("", console=self._console)
        self._told = time.monotonic()

    def __enter__(self) -> "Steps":
        if self._console.is_terminal:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()

    def __call__(self, doing: str) -> None:
        if self._console.is_terminal:
            self._status.update(doing)
        elif time.monotonic() - self._told >= _LINE_EVERY:
            self._told = time.monotonic()
            self._console.print(doing, markup=False, highlight=False)


async def leave_line(settings: Settings, database_url: str, command: str) -> None:
    """That all data left, or came, is a line of the audit log."""
    async with opened_audit(settings, database_url) as log:
        await log.write(
            AuditRecord(datetime.now(UTC), f"os:{getpass.getuser()}", None, command, "OK", None, "-")
        )


def beside(settings: Settings) -> list[str]:
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


def size_of(amount: int) -> str:
    for unit, size in (("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10)):
        if amount >= size:
            return f"{amount / size:.1f} {unit}"
    return f"{amount} bytes"
