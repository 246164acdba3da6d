"""The Postgres of a test run: one server for all its processes, in memory where there is room for it.

Starting it, what it is told to leave out, and databases on it; which test gets which is in conftest.py.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from db.embedded.postgres import SETTINGS, EmbeddedPostgres
from db.migrate import migrate
from db.pool import Database

Fill = Callable[[Database], Awaitable[object]]
"""What puts rows into an index."""

# Nothing of it outlives the tests, so nothing has to reach the disk; and a copy of a template is then a copy of files
# (a sixth of the time). Statistics are those that a test asks for, not those of whenever autovacuum came by.
_VOLATILE = SETTINGS | {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "max_connections": "200",  # of several test processes
    "max_wal_size": "256MB",
    "scram_iterations": "1",  # 4,096 rounds are half of the time that a connection takes to open
}
_MEMORY = Path("/dev/shm")  # noqa: S108
_ROOM = 4 << 30  # two indexes of 100,000 studies, and the databases of some processes
_PREFIX = "ernfed-tests-"
# A database is 700 files: in memory they are made in a third of the time.
_COPY = "create database {} template {} strategy file_copy"


def named(url: str, database: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def administer(url: str, *statements: str) -> None:
    """Runs them one by one, on a connection of their own."""
    asyncio.run(_administer(url, statements))


async def _administer(url: str, statements: tuple[str, ...]) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@contextmanager
def running_server() -> Iterator[str]:
    """A server until the end of the block, or of this process."""
    folder = _new_folder()
    try:
        with EmbeddedPostgres(folder, _VOLATILE) as url:
            # The password that initdb set has the usual number of rounds.
            administer(url, f"alter role ernfed password '{urlsplit(url).password}'")
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _new_folder() -> Path:
    """Named after this process; those of processes that were killed are removed."""
    with suppress(OSError):
        there = os.statvfs(_MEMORY)
        for each in _MEMORY.glob(f"{_PREFIX}*"):
            if not Path("/proc", each.name.removeprefix(_PREFIX)).exists():
                shutil.rmtree(each, ignore_errors=True)
        if there.f_bavail * there.f_frsize >= _ROOM:
            folder = _MEMORY / f"{_PREFIX}{os.getpid()}"
            folder.mkdir(mode=0o755)  # the server may be another user's, who has to come through
            return folder
    return Path(tempfile.mkdtemp(prefix=_PREFIX))


class Databases:
    """Databases on a server, all named after this process; `drop_all` removes what is left of them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._made: list[str] = []
        self._number = 0

    def migrated(self) -> str:
        """The name of a new one with all migrations and nothing else."""
        name = self.empty()
        asyncio.run(migrate(named(self.url, name)))
        return name

    def empty(self) -> str:
        """The name of a new one without any migration."""
        return self._new("create database {} template template0")

    def copy(self, template: str) -> str:
        """The name of a new one that is as this one, which nobody is connected to."""
        return self._new(_COPY, template)

    def drop(self, name: str) -> None:
        administer(self.url, f"drop database if exists {name} with (force)")
        self._made.remove(name)

    def drop_all(self) -> None:
        administer(self.url, *(f"drop database if exists {name} with (force)" for name in self._made))
        self._made.clear()

    def _new(self, statement: str, *more: str) -> str:
        self._number += 1
        name = f"ernfed_test_{os.getpid()}_{self._number}"
        administer(self.url, f"drop database if exists {name} with (force)", statement.format(name, *more))
        self._made.append(name)
        return name
