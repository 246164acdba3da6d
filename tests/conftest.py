"""A real Postgres for every test that wants one: a database of its own, copied from a migrated template.

The server is the one of ERNFED_TEST_DATABASE_URL (a superuser's), else an embedded one for the whole run
(tests/postgres.py).
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from db.lists import nodes
from db.pool import Database
from tests.postgres import Databases, Fill, named, running_server

_LONG = tuple(
    f"tests/{each}"
    for each in (
        *(
            "leaks/test_walk.py",
            "faults/test_misbehaviour.py",
            "db/lists/test_plans.py",
            "attacks/test_attacks.py",
        ),
        *("access/test_differencing.py", "leaks/test_confirmation.py", "db/lists/test_lists.py"),
    )
)
_SERVER, _TEMPLATE = "ERNFED_TEST_DATABASE_URL", "ERNFED_TEST_TEMPLATE"


def pytest_configure(config: pytest.Config) -> None:
    """With several processes (-n) the first one has the server and the template for all."""
    if not getattr(config.option, "numprocesses", None) or _SERVER in os.environ:
        return
    with ExitStack() as stack:
        url = stack.enter_context(running_server())
        given = {_SERVER: url, _TEMPLATE: Databases(url).migrated()}
        os.environ.update(given)
        stack.callback(lambda: [os.environ.pop(name) for name in given])
        config.add_cleanup(stack.pop_all().close)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes goes first, so that all processes end at about the same time."""
    items.sort(key=lambda item: not item.nodeid.startswith(_LONG))


@pytest.fixture(scope="session", autouse=True)
def _patience() -> Iterator[None]:
    """Which statements answer a list depends on how long they take: not on a machine that is busy. Tests that are
    about these seconds set them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nodes, "WALK_SECONDS", 30.0)
        patch.setattr(nodes, "BROAD_SECONDS", 30.0)
        yield


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A running server."""
    if given := os.environ.get(_SERVER):
        yield given
        return
    with running_server() as url:
        yield url


@pytest.fixture(scope="session")
def databases(postgres_url: str) -> Iterator[Databases]:
    """Makes databases; all are dropped at the end."""
    made = Databases(postgres_url)
    yield made
    made.drop_all()


@pytest.fixture(scope="session")
def template(databases: Databases) -> str:
    """Name of a database with all migrations and nothing else."""
    return os.environ.get(_TEMPLATE) or databases.migrated()


@pytest.fixture(scope="session")
def filled_with(databases: Databases, template: str) -> Callable[[Fill], str]:
    """Names of databases with rows in them. Each is filled once: for modules that only read it (a `database_url` of
    their own) or whose tests all begin with these rows (`beginning`)."""
    made: dict[Fill, str] = {}

    def name_of(fill: Fill) -> str:
        if fill not in made:
            made[fill] = name = databases.copy(template)
            asyncio.run(_filled(named(databases.url, name), fill))
        return made[fill]

    return name_of


async def _filled(url: str, fill: Fill) -> None:
    database = await Database.open(url)
    try:
        await fill(database)
    finally:
        await database.close()


@pytest.fixture(scope="session")
def new_database_url(databases: Databases, template: str) -> Callable[[], str]:
    """Makes migrated, empty databases, for tests that share one."""
    return lambda: named(databases.url, databases.copy(template))


@pytest.fixture
def empty_database_url(databases: Databases) -> Iterator[str]:
    """A database of this test's own, without any migration."""
    name = databases.empty()
    yield named(databases.url, name)
    databases.drop(name)


@pytest.fixture
def beginning(template: str) -> str:
    """Name of the database that this test's own is a copy of."""
    return template


@pytest.fixture
def database_url(databases: Databases, beginning: str) -> Iterator[str]:
    """A migrated database of this test's own."""
    name = databases.copy(beginning)
    yield named(databases.url, name)
    databases.drop(name)


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
