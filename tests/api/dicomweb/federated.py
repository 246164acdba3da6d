"""Real archives behind the DICOMweb face: an Orthanc, a folder, and a study of which each has a part."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from access.pseudonyms import Pseudonymiser
from access.scope import AccessLevel, Grant, Viewer
from api.app import create_app
from api.server import listen, run_server
from archives.registry import Archives, open_archives
from config.archives_file import ArchiveConfig
from db.archives import list_archives
from db.definitions import sync_archives
from db.pool import Database
from db.writing.projections import Projections
from indexer.run import index_once
from reads.services import Services
from resolvers.context import Context
from resolvers.schema import schema
from tests.api.tiny import all_well
from tests.archives.files import ROOT, everything, instance
from tests.resolvers.runtime import open_services

EYE, RND, VASC = "ERN-EYE", "ERN-RND", "VASCERN"
PARTED, DOUBLED, IN_FOLDER = (f"{ROOT}.70.{n}" for n in (1, 2, 3))
"""A study of which each has a series, and of one series an instance; one that both have; one of the folder's."""


@cache
def of_orthanc() -> tuple[bytes, ...]:
    return (
        *everything(),
        instance(PARTED, 1, 1),
        instance(PARTED, 2, 1),
        instance(DOUBLED, 1, 1),
    )


@cache
def of_folder() -> tuple[bytes, ...]:
    return (
        instance(PARTED, 2, 2),
        instance(PARTED, 3, 1),
        instance(DOUBLED, 1, 1),
        instance(IN_FOLDER, 1, 1, PatientName="Doe^Jane", InstitutionName="Somewhere"),
        instance(IN_FOLDER, 1, 2, PatientName="Doe^Jane", InstitutionName="Somewhere"),
    )


def grants(**levels: AccessLevel) -> Viewer:
    """What somebody may see of each network: eye is Orthanc's, rnd the folder's."""
    named = {"eye": EYE, "rnd": RND, "vasc": VASC}
    return Viewer("somebody", None, tuple(Grant(named[name], level) for name, level in levels.items()))


EVERYTHING = grants(eye=AccessLevel.FULL, rnd=AccessLevel.FULL, vasc=AccessLevel.FULL)


@dataclass
class Federated:
    """The services, and the application for whoever asks."""

    services: Services
    archives: Archives

    def app(self, viewer: Viewer = EVERYTHING, **changes: Any) -> Starlette:
        async def context(_request: object) -> Context:
            return Context.for_request(self.services, viewer)

        return create_app(schema, context, readiness=all_well, **changes)

    def client(self, viewer: Viewer = EVERYTHING, **changes: Any) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app(viewer, **changes))
        return httpx.AsyncClient(transport=transport, base_url="http://ernfed.test", timeout=60)

    @contextlib.asynccontextmanager
    async def served(self, viewer: Viewer = EVERYTHING) -> AsyncIterator[str]:
        """The URL of a real server."""
        started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        with listen("127.0.0.1", 0) as sock:
            task = asyncio.create_task(run_server(self.app(viewer), sock, started=started.set_result))
            try:
                yield await started
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task


def configs_of(orthanc: str, folder: Path) -> list[ArchiveConfig]:
    return [
        ArchiveConfig("orthanc", EYE, "Orthanc", "orthanc", url=orthanc, timeout=20, index="instance"),
        ArchiveConfig("folder", RND, "Folder", "folder", path=folder, index="instance"),
    ]


async def index(url: str, configs: list[ArchiveConfig]) -> None:
    """As `ernfed index once` does, with pseudonymised rows."""
    database = await Database.open(url)
    async with open_archives(configs) as archives:
        ids = await sync_archives(database, configs)
        makers = {ids[c.code]: Pseudonymiser(bytes(range(32)), c.ern, key_id="k1") for c in configs}
        codes = {each: code for code, each in ids.items()}
        database.after_write.append(Projections(database, makers, codes).drain)
        await index_once(database, list(archives))
    await database.close()


@contextlib.asynccontextmanager
async def opened(database: Database, configs: list[ArchiveConfig]) -> AsyncIterator[Federated]:
    """Services on what is indexed; configs: what stands behind the codes of archives now."""
    async with open_archives(configs) as archives:
        codes = {row.archive_id: row.code for row in await list_archives(database)}
        erns = {config.code: config.ern for config in configs}
        makers = {
            each: Pseudonymiser(bytes(range(32)), erns[code], key_id="k1") for each, code in codes.items()
        }
        database.after_write.append(Projections(database, makers, codes).drain)
        services = await open_services(database, list(archives))
        try:
            yield Federated(services, archives)
        finally:
            await services.close()
