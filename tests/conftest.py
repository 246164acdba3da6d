"""A real Postgres for every test that wants one: a database of its own, copied from a migrated template.

The server is the one of ERNFED_TEST_DATABASE_URL (a superuser's), else an embedded one for each test process.
"""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from db.embedded.postgres import SETTINGS, EmbeddedPostgres
from db.migrate import migrate
from db.pool import Database

_numbers = itertools.count(1)
# Nothing of it outlives the tests, so nothing has to reach the disk; and a copy of the template is then a copy of
# files (a sixth of the time).
_VOLATILE = SETTINGS | {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
_COPY = "create database {} template {} strategy file_copy"


def named(url: str, database: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


async def _administer(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running server."""
    if given := os.environ.get("ERNFED_TEST_DATABASE_URL"):
        yield given
        return
    with EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), _VOLATILE) as url:
        yield url


@pytest.fixture(scope="session")
def template(postgres_url: str) -> Iterator[str]:
    """Name of a database with all migrations and nothing else."""
    name = f"ernfed_test_{os.getpid()}"
    drop = f"drop database if exists {name} with (force)"
    asyncio.run(_administer(postgres_url, drop, f"create database {name} template template0"))
    asyncio.run(migrate(named(postgres_url, name)))
    yield name
    asyncio.run(_administer(postgres_url, drop))


@pytest.fixture(scope="session")
def new_database_url(postgres_url: str, template: str) -> Iterator[Callable[[], str]]:
    """Makes migrated, empty databases, for tests that share one; all are dropped at the end."""
    made: list[str] = []

    def make() -> str:
        made.append(name := f"{template}_{next(_numbers)}")
        asyncio.run(_administer(postgres_url, _COPY.format(name, template)))
        return named(postgres_url, name)

    yield make
    asyncio.run(_administer(postgres_url, *(f"drop database if exists {name} with (force)" for name in made)))


@pytest.fixture
def empty_database_url(postgres_url: str, template: str) -> Iterator[str]:
    """A database of this test's own, without any migration."""
    name = f"{template}_{next(_numbers)}"
    asyncio.run(_administer(postgres_url, f"create database {name} template template0"))
    yield named(postgres_url, name)
    asyncio.run(_administer(postgres_url, f"drop database {name} with (force)"))


@pytest.fixture
def database_url(postgres_url: str, template: str) -> Iterator[str]:
    """A migrated database of this test's own."""
    name = f"{template}_{next(_numbers)}"
    asyncio.run(_administer(postgres_url, _COPY.format(name, template)))
    yield named(postgres_url, name)
    asyncio.run(_administer(postgres_url, f"drop database {name} with (force)"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A pool on this test's own database."""
    opened = await Database.open(database_url)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the project."""
    return Path(__file__).parent.parent
