"""Two archives in one index: one that will misbehave, and one that is to notice nothing of it."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from archives.dicomweb import DicomWebArchive
from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.pool import Database
from indexer.run import index_once
from tests.archives.faulty import faulty
from tests.faults.misbehaviours import MAX_PAGES, MAX_RESPONSE, PAGE_SIZE, Misbehaviour
from tests.faults.shelf import STUDIES, Shelf
from tests.resolvers.runtime import Runtime, open_services

SICK, WELL = "sick", "well"
_CONFIG = ArchiveConfig(
    SICK, "ERN-EYE", "Sick", "dicomweb", page_size=PAGE_SIZE, max_response=MAX_RESPONSE, breaker_failures=100
)
_KEYS = {"study": "study_uid", "series": "series_uid", "instance": "sop_uid"}


@dataclass
class Ward:
    """The two archives, the index and the service. deadline: the sick archive's, in seconds."""

    database: Database
    shelf: Shelf
    clients: dict[str, DicomWebArchive]
    runtime: Runtime
    deadline: float = 5.0

    async def run(self, *codes: str) -> Any:
        """One reconciling run of each; the results by code."""
        clients = [self.clients[code] for code in codes]
        return {result.code: result for result in await index_once(self.database, clients, reconcile=True)}

    async def known(self, code: str) -> dict[str, set[str]]:
        """UIDs in the index by table."""
        found = {}
        for table, key in _KEYS.items():
            sql = f"select {key} from {table} join archive using (archive_id) where code = $1"  # noqa: S608
            found[table] = {row[0] for row in await self.database.fetch("test", sql, code)}
        return found


@pytest.fixture(scope="module")
def ward_url(new_database_url: Callable[[], str]) -> str:
    """One database for all: each ward begins with no archives."""
    return new_database_url()


@pytest.fixture(scope="module")
def well() -> Iterator[str]:
    with faulty(Shelf(STUDIES[:2])) as server:
        yield server.url


@asynccontextmanager
async def opened(url: str, well: str) -> AsyncIterator[Ward]:
    """The studies of both archives are indexed, while they are well."""
    database = await Database.open(url)
    await database.execute("test", "delete from archive")
    shelf = Shelf()
    with faulty(shelf) as server:
        configs = {
            SICK: replace(_CONFIG, url=server.url, index="study", timeout=5.0),
            WELL: replace(_CONFIG, code=WELL, ern="VASCERN", url=well, index="study", timeout=5.0),
        }
        clients = {code: DicomWebArchive(config, max_pages=MAX_PAGES) for code, config in configs.items()}
        await sync_archives(database, configs.values())
        await index_once(database, clients.values())
        services = await open_services(database, clients.values())
        try:
            yield Ward(database, shelf, clients, Runtime(services))
        finally:
            await services.close()
            for client in clients.values():
                await client.close()
            await database.close()


def fall_sick(ward: Ward, case: Misbehaviour) -> None:
    """From now on the archive misbehaves, and its deadline is the case's."""
    _set_timeout(ward, case.timeout)
    ward.shelf.sick = case.answer


def recover(ward: Ward) -> None:
    _set_timeout(ward, 5.0)
    ward.shelf.sick = None


def _set_timeout(ward: Ward, seconds: float) -> None:
    ward.deadline = seconds
    client = ward.clients[SICK]
    client.config = replace(client.config, timeout=seconds)
    client._transport.timeout = seconds
