"""One demo a folder: two would start the same archives. The database alone may have more users."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from model.errors import OperatorError


class InUse(OperatorError):
    """Another demo has the folder, or it cannot be written; the message says so."""


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """The folder is ours while the block lasts. Raises InUse."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "demo.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InUse(f"cannot write to {folder}: {error.strerror}: choose another --data-dir") from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 20, 0).decode("ascii", "replace").strip() or "unknown"
            raise InUse(
                f"{folder} is in use by process {holder}: stop that demo, or choose another --data-dir"
            ) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(lock)
