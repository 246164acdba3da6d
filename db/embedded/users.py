"""Who uses the embedded Postgres of a data directory: locks of files, which end with their holder in whatever way.

Every user holds `postgres.users` shared; the keeper of the server (keeper.py) waits for it exclusively, and so stops
the server when the last user has gone. The keeper holds `postgres.lock` for as long as it lives. Whoever comes or
goes holds `postgres.door` meanwhile, so that no two do so at once.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from db.embedded.room import EmbeddedPostgresError


class Users:
    """The locks of one data directory, for one user of its server."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._ours: int | None = None

    @property
    def file(self) -> Path:
        """What the keeper waits for."""
        return self._data_dir / "postgres.users"

    @property
    def here(self) -> bool:
        """Whether we are one of the users."""
        return self._ours is not None

    @contextmanager
    def door(self) -> Iterator[None]:
        """Nobody else comes or goes while the block lasts. Raises EmbeddedPostgresError."""
        try:
            self._data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._cannot_write(error) from None
        door = self._open("postgres.door")
        try:
            fcntl.flock(door, fcntl.LOCK_EX)
            yield
        finally:
            os.close(door)

    def come(self) -> None:
        """Behind the door. Waits for a keeper that is stopping the server."""
        self._ours = self._open(self.file.name)
        fcntl.flock(self._ours, fcntl.LOCK_SH)

    def keepers_lock(self) -> int | None:
        """The lock of the keeper, to be given to a new one; None while there is a keeper."""
        lock = self._open("postgres.lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        except BaseException:
            os.close(lock)
            raise
        return lock

    def go(self) -> bool:
        """Behind the door. True when nobody uses the server any more, and it is gone."""
        if self._ours is None:
            return False
        ours, self._ours = self._ours, None
        try:
            last = _locked(ours, fcntl.LOCK_EX) or not _locked(ours, fcntl.LOCK_SH)
        finally:
            os.close(ours)
        if last:
            lock = self._open("postgres.lock")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
            finally:
                os.close(lock)
        return last

    def _open(self, name: str) -> int:
        path = self._data_dir / name
        try:
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            if os.geteuid() == 0:  # so that the folder's user can start the server again
                owner = self._data_dir.stat()
                os.fchown(lock, owner.st_uid, owner.st_gid)
        except PermissionError as error:
            with suppress(OSError):
                raise EmbeddedPostgresError(
                    f"{path} belongs to user id {path.lstat().st_uid} (was it made by a run as root?): run as that "
                    "user or as root, or choose another data directory"
                ) from None
            raise self._cannot_write(error) from None
        except OSError as error:
            raise self._cannot_write(error) from None
        return lock

    def _cannot_write(self, error: OSError) -> EmbeddedPostgresError:
        return EmbeddedPostgresError(
            f"cannot write to {self._data_dir}: {error.strerror}: choose another data directory"
        )


def _locked(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
