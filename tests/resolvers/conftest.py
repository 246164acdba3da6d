"""A federation in an index, loaded once, and runtimes that answer from it."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from db.archives import sync_archives
from db.pool import Database
from model.attributes import Level
from tests.federation import Federation, generate, load
from tests.postgres import Fill
from tests.resolvers.cohort_home import Home, at_home, fill_home
from tests.resolvers.live_runtime import fill_live, live_runtime
from tests.resolvers.memory_archive import MemoryArchive
from tests.resolvers.runtime import CONFIGS, Runtime, load_down_to, open_services

SEED, STUDIES, _SHALLOW = 11, 60, 40
LOADED_AT = "2024-05-31 12:00:00Z"


@pytest.fixture(scope="session")
def loaded(new_database_url: Callable[[], str]) -> tuple[str, Federation]:
    """URL of an index that holds a generated federation whole, and the federation. Not to be changed."""
    url = new_database_url()
    return url, asyncio.run(_load(url))


async def _load(url: str) -> Federation:
    database = await Database.open(url)
    ids = await sync_archives(database, CONFIGS)
    made = generate(SEED, list(ids.values()), STUDIES)
    await load(database, made)
    for table in ("study", "series", "instance"):
        await database.execute("at", f"update {table} set synced_at = '{LOADED_AT}'")  # noqa: S608
    await database.execute("at", f"update archive set last_completed_at = '{LOADED_AT}'")  # noqa: S608
    await database.close()
    return made


@pytest.fixture
def federation(loaded: tuple[str, Federation]) -> Federation:
    return loaded[1]


@pytest.fixture
async def runtime(loaded: tuple[str, Federation]) -> AsyncIterator[Runtime]:
    """Everything is indexed; archives are never asked."""
    database = await Database.open(loaded[0])
    services = await open_services(database)
    yield Runtime(services)
    await services.close()
    await database.close()


@pytest.fixture
def beginning(request: pytest.FixtureRequest, template: str, filled_with: Callable[[Fill], str]) -> str:
    """With the rows of the runtime that the test asks for, by the name of its fixture: no other one below here may have
    such a name."""
    fills = {"shallow": _fill_shallow, "home": fill_home, "live": fill_live}
    return next((filled_with(fills[name]) for name in fills if name in request.fixturenames), template)


@pytest.fixture
async def shallow(database: Database) -> Runtime:
    """An index of studies only, of this test's own: 40 studies whose series and instances the archives in
    memory still hold."""
    return await _opened(database, *await _generated(database, _SHALLOW))


async def _fill_shallow(database: Database) -> None:
    _, made = await _generated(database, _SHALLOW)
    await load_down_to(database, made, Level.STUDY)


async def shallow_runtime(database: Database, level: Level, studies: int) -> Runtime:
    """A runtime whose index, of an empty database, ends at `level`."""
    ids, made = await _generated(database, studies)
    await load_down_to(database, made, level)
    return await _opened(database, ids, made)


async def _generated(database: Database, studies: int) -> tuple[dict[str, int], Federation]:
    ids = await sync_archives(database, CONFIGS)
    return ids, generate(SEED, list(ids.values()), studies)


async def _opened(database: Database, ids: dict[str, int], made: Federation) -> Runtime:
    clients = [MemoryArchive.of(config, made, ids[config.code]) for config in CONFIGS]
    return Runtime(await open_services(database, clients), clients)


@pytest.fixture
async def home(database: Database) -> AsyncIterator[Home]:
    """An index with both projections, of this test's own."""
    async with at_home(database) as opened:
        yield opened


@pytest.fixture
async def live(database: Database) -> Runtime:
    """Archives that can be asked now, and an index of theirs."""
    return await live_runtime(database)
