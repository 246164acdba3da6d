"""PostgreSQL's client programs: which one, what it says, and a password that no list of processes shows."""

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from db.embedded.room import EmbeddedPostgresError, find_binaries
from db.migrate import LEAST
from model.errors import OperatorError

_WORDS = re.compile(r"^pg_(?:dump|restore): (?!error|warning|detail|hint)(.*)$")
_ERROR = re.compile(r"^pg_(?:dump|restore): (?:error|detail|hint): (.*)$")
_FILE_ERROR = "it is cut off, or no backup of ernfed"


class BackupError(OperatorError):
    """No backup was made, or nothing restored; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Target:
    """A database for libpq. `address` has no password, for all who can list processes see it."""

    address: str
    password: str | None = field(repr=False)

    @classmethod
    def of(cls, url: str) -> "Target":
        parts = urlsplit(url)
        query = parse_qsl(parts.query, keep_blank_values=True)
        named = dict(query).get("password")
        password = unquote(parts.password) if parts.password else named
        place = parts.netloc.rpartition("@")[2]
        user = f"{quote(unquote(parts.username), safe='')}@" if parts.username else ""
        rest = urlencode([(name, value) for name, value in query if name != "password"], quote_via=quote)
        return cls(urlunsplit(("postgresql", user + place, parts.path, rest, "")), password)


def program(name: str, least: int, *, encrypted: bool = False) -> Path:
    """The installed program, else that of the embedded server, of this major version or newer. Raises BackupError.

    encrypted: the server speaks TLS with us, so it has to with the program: libpq goes on without, unless `sslmode`
    forbids it, where a program cannot, and sends the password and all that is in the database as they are.
    """
    able = [each for each in _found(name) if _major(each) >= least]
    for each in able:
        if not encrypted or _speaks_tls(each):
            return each
    if able:
        raise BackupError(
            f"the database is reached over TLS, which the {name} of the embedded PostgreSQL does not speak: install "
            f"postgresql-client-{least} (of apt.postgresql.org, where Debian's is older); or, where nobody else can "
            "read the network, say sslmode=disable in the URL"
        )
    raise BackupError(
        f"no {name} of PostgreSQL {least} or newer is installed: install postgresql-client-{least} "
        "(of apt.postgresql.org, where Debian's is older)"
    )


def newest(name: str) -> Path:
    """The one of the highest version, which reads what each other has written. Raises BackupError."""
    found = max(_found(name), key=_major, default=None)
    return found or program(name, LEAST)


def _found(name: str) -> list[Path]:
    # The installed one first: it speaks TLS.
    found = [Path(each) for each in (shutil.which(name),) if each]
    with suppress(EmbeddedPostgresError):
        found.append(find_binaries() / name)
    return found


def _speaks_tls(path: Path) -> bool:
    """Those of the embedded server are built without."""
    with suppress(EmbeddedPostgresError):
        return path.resolve().parent != find_binaries().resolve()
    return True


def _major(path: Path) -> int:
    try:
        said = subprocess.run([str(path), "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return 0
    version = re.search(r"\) (\d+)", said)
    return int(version[1]) if version else 0


async def dumped_by(file: Path) -> int:
    """The major version of the pg_dump that wrote a file. Raises BackupError."""
    try:
        with file.open("rb") as opened:
            start = opened.read(5)
    except OSError as error:
        raise BackupError(f"{file} cannot be read: {error.strerror}") from None
    if start != b"PGDMP":
        raise BackupError(f"{file} is not a backup: {_FILE_ERROR}")
    said = await read(newest("pg_restore"), ["--list", str(file)])
    version = re.search(r"^;\s+Dumped by pg_dump version: (\d+)", said, re.MULTILINE)
    if version is None:
        raise BackupError(f"{file} is not a backup: {_FILE_ERROR}")
    return int(version[1])


async def read(path: Path, options: Sequence[str]) -> str:
    """What a program prints that asks no database. Raises BackupError."""
    process = await asyncio.create_subprocess_exec(
        path,
        *options,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(),
    )
    try:
        said, complained = await process.communicate()
    finally:
        await _end(process)
    if process.returncode != 0:
        why = _errors(complained.decode(errors="replace").splitlines())
        raise BackupError(f"{options[-1]} cannot be read: {_FILE_ERROR} ({why})")
    return said.decode(errors="replace")


async def run(path: Path, options: Sequence[str], target: Target, tell: Callable[[str], None]) -> None:
    """Tells what it does as it goes on. Raises BackupError."""
    secret = {} if target.password is None else {"PGPASSWORD": target.password}
    process = await asyncio.create_subprocess_exec(
        path,
        *options,
        f"--dbname={target.address}",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        limit=1 << 24,  # a row that an error quotes may be long
        env=_environment() | secret,
        start_new_session=True,  # Ctrl-C is for us: it is ended in order
    )
    errors: list[str] = []
    try:
        assert process.stderr is not None  # noqa: S101 - it is a pipe
        while line := await process.stderr.readline():
            text = line.decode(errors="replace").rstrip()
            if (words := _WORDS.match(text)) is not None:
                tell(words[1])
            else:
                errors.append(text)
        await process.wait()
    finally:
        await _end(process)
    if process.returncode != 0:
        raise BackupError(f"{path.name} failed: {_errors(errors)}")


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        await asyncio.shield(process.wait())


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C"}


def _errors(lines: Sequence[str]) -> str:
    """The first lines of errors alone: what stands below them may quote rows."""
    said = [found[1] for line in lines if (found := _ERROR.match(line))]
    return "; ".join(said[:3]) or "it does not say why"
