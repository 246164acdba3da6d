"""The viewer in a real Chromium, before a real server over a real Orthanc: what it shows, and what it asks for."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from access.scope import everyone_here
from api.app import create_app
from api.server import listen, run_server
from archives.registry import open_archives
from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.pool import Database
from indexer.run import index_once
from resolvers.context import Context
from resolvers.schema import schema
from tests.api.tiny import all_well
from tests.api.viewer.conftest import PATIENCE, Look
from tests.archives.files import ROOT, carried, instance
from tests.orthanc import OrthancServer, running_orthanc
from tests.resolvers.runtime import open_services

pytestmark = [pytest.mark.orthanc, pytest.mark.timeout(PATIENCE + 120)]

KNOWN = f"{ROOT}.77.1"
JPEG_2000 = "1.3.6.1.4.1.5962.1.2.8.20040826185059.5457"
WITHOUT_MODALITY = f"{ROOT}.77.2"
GREYS = ((0, 85), (170, 255))
"""Of the four quarters of the known image, as they are to be shown."""


def known_image(**values: Any) -> bytes:
    """CT numbers that its window shows as GREYS."""
    side = 32
    rows = [
        b"".join((1024 + grey).to_bytes(2, "little") * side for grey in pair)
        for pair in GREYS
        for _ in range(side)
    ]
    return instance(
        KNOWN, PatientName="Known^Image", StudyDescription="Four greys", Rows=2 * side, Columns=2 * side,
        PixelData=b"".join(rows), RescaleIntercept=-1024, RescaleSlope=1, WindowCenter=128, WindowWidth=256,
        **values,
    )  # fmt: skip


@dataclass
class Served:
    url: str
    orthanc: OrthancServer


@pytest.fixture
async def served(tmp_path: Path, database: Database, built_viewer: Path) -> AsyncIterator[Served]:
    """As `ernfed serve` puts it together, for everyone here."""
    started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with contextlib.AsyncExitStack() as stack:
        files = (
            known_image(),
            carried()[2],
            instance(WITHOUT_MODALITY, Modality="", PatientName="No^Modality"),
        )
        orthanc = stack.enter_context(running_orthanc(tmp_path / "orthanc", files))
        config = ArchiveConfig("eye", "ERN-EYE", "Eye", "orthanc", url=orthanc.dicomweb)
        await sync_archives(database, [config])
        archives = await stack.enter_async_context(open_archives([config]))
        assert all(result.all_done for result in await index_once(database, list(archives)))
        services = await open_services(database, list(archives))
        stack.push_async_callback(services.close)

        async def context(_request: object) -> Context:
            return Context.for_request(services, everyone_here(["ERN-EYE"]))

        app = create_app(
            schema,
            context,
            readiness=all_well,
            viewer=built_viewer,
        )
        sock = stack.enter_context(listen("127.0.0.1", 0))
        task = asyncio.create_task(run_server(app, sock, started=started.set_result))
        yield Served(await started, orthanc)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def faults_of(told: Any, url: str) -> list[Any]:
    """What is not as it should be, whatever the page: errors, refusals by the policy, requests elsewhere."""
    elsewhere = [
        each["url"]
        for each in told["requests"]
        if urlsplit(each["url"]).scheme not in ("blob", "data") and not each["url"].startswith(f"{url}/")
    ]
    refused = [each for each in told["requests"] if (each.get("status") or 0) >= 400]
    said = [each for each in told["console"] if each["type"] == "error"]
    return [*told["errors"], *told["violations"], *elsewhere, *refused, *said]


async def test_the_list_of_studies(served: Served, look: Look, tmp_path: Path) -> None:
    """Whole, though one study has no modality."""
    told = await look(f"{served.url}/viewer/", text="Four greys", picture=str(tmp_path / "list.png"))
    assert told["status"] == 200
    assert faults_of(told, served.url) == []
    for shown in ("Known, Image", "No, Modality", "1-3 of 3"):
        assert shown in told["text"]


async def test_a_known_image(served: Served, look: Look, tmp_path: Path) -> None:
    link = f"{served.url}/viewer/viewer?StudyInstanceUIDs={KNOWN}"
    told = await look(link, shown=1, picture=str(tmp_path / "known.png"))
    assert faults_of(told, served.url) == []
    [viewport] = told["viewports"]
    assert viewport["images"] == 1
    for row, points in enumerate(viewport["points"]):
        for column, point in enumerate(points):
            expected = GREYS[row // 2][column // 2]
            assert all(abs(value - expected) <= 2 for value in point), (row, column, point)


async def test_a_compressed_image_is_decoded(served: Served, look: Look, tmp_path: Path) -> None:
    """JPEG 2000: its decoder is WebAssembly in a worker, which needs what the policy gives workers alone."""
    link = f"{served.url}/viewer/viewer?StudyInstanceUIDs={JPEG_2000}"
    told = await look(link, shown=1, picture=str(tmp_path / "jpeg2000.png"))
    assert faults_of(told, served.url) == []
    [viewport] = told["viewports"]
    greys = {tuple(point) for points in viewport["points"] for point in points}
    assert len(greys) > 2


async def test_what_cannot_be_shown_is_said(served: Served, look: Look) -> None:
    """The archive has lost the study: OHIF alone would show a study without images."""
    served.orthanc.delete_study(KNOWN)
    link = f"{served.url}/viewer/viewer?StudyInstanceUIDs={KNOWN}"
    told = await look(link, text="what is shown here may be incomplete")
    assert told["violations"] == []
    assert "The server could not tell of all images (404)" in told["text"]
