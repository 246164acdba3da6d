"""An index full of canaries and its application, walked once for all tests here."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
import structlog

from api.logging import configure_logging
from db.pool import Database
from resolvers.schema import schema
from tests.leaks.people import Served, served
from tests.leaks.seeded import Seeded, seed
from tests.leaks.walk import Walked, walk


@pytest.fixture(scope="session")
def walked(new_database_url: Callable[[], str]) -> Walked:
    """What everybody saw."""
    url = new_database_url()

    async def run() -> Walked:
        database = await Database.open(url)
        seeded = await seed(database)
        async with served(seeded) as app:
            found = await walk(seeded, app, schema._schema)
        await seeded.services.close()
        await database.close()
        return found

    try:
        return asyncio.run(run())
    finally:
        _reset()


@pytest.fixture
async def seeded(database: Database) -> AsyncIterator[Seeded]:
    found = await seed(database)
    yield found
    await found.services.close()


@pytest.fixture
async def app(seeded: Seeded) -> AsyncIterator[Served]:
    async with served(seeded) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    yield
    _reset()


def _reset() -> None:
    structlog.reset_defaults()
    configure_logging("info", sys.__stderr__)
