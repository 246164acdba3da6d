"""Orthanc and a folder, indexed once; each test has services of its own on that index."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from config.archives_file import ArchiveConfig
from db.pool import Database
from tests.api.dicomweb.federated import Federated, configs_of, index, of_folder, of_orthanc, opened
from tests.orthanc import running_orthanc


@pytest.fixture(scope="session")
def configs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ArchiveConfig]]:
    folder = tmp_path_factory.mktemp("folder")
    for number, content in enumerate(of_folder()):
        (folder / f"{number}.dcm").write_bytes(content)
    with running_orthanc(tmp_path_factory.mktemp("orthanc") / "filled", of_orthanc()) as server:
        yield configs_of(server.dicomweb, folder)


@pytest.fixture(scope="session")
def indexed(configs: list[ArchiveConfig], new_database_url: Callable[[], str]) -> str:
    url = new_database_url()
    asyncio.run(index(url, configs))
    return url


@pytest.fixture
async def home(indexed: str, configs: list[ArchiveConfig]) -> AsyncIterator[Federated]:
    database = await Database.open(indexed)
    async with opened(database, configs) as found:
        yield found
    await database.close()
