"""Real archives on the same files: an Orthanc and a tiny_pacs for the whole session, and a folder."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from archives.client import ArchiveClient
from archives.registry import open_archive
from config.archives_file import ArchiveConfig
from tests.archives.files import everything
from tests.orthanc import OrthancServer, running_orthanc
from tests.small_pacs import running_small_pacs


@pytest.fixture(scope="session")
def orthanc_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrthancServer]:
    """Filled with `files.everything()`; not to be changed by tests."""
    with running_orthanc(tmp_path_factory.mktemp("orthanc") / "filled", everything()) as server:
        yield server


@pytest.fixture
def empty_orthanc(tmp_path: Path) -> Iterator[OrthancServer]:
    """One of a test's own, to be written to."""
    with running_orthanc(tmp_path / "own") as server:
        yield server


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("folder")
    for number, content in enumerate(everything()):
        (directory / f"{number:03}.dcm").write_bytes(content)
    (directory / "README.txt").write_text("no DICOM here", encoding="utf-8")
    return directory


ON_ORTHANC = [pytest.param(kind, marks=pytest.mark.orthanc) for kind in ("dicomweb", "orthanc")]


SMALL_PACS = "small-pacs"
"""Code of the archive behind which is tiny_pacs."""


@pytest.fixture(scope="session")
def small_pacs() -> Iterator[str]:
    """DICOMweb root of a tiny_pacs filled with `files.everything()`; not to be changed by tests."""
    with running_small_pacs(everything()) as dicomweb:
        yield dicomweb


@pytest.fixture(params=[*ON_ORTHANC, "folder", SMALL_PACS])
async def archive(request: pytest.FixtureRequest) -> AsyncIterator[ArchiveClient]:
    """The same files behind each kind of client."""
    kind = request.param
    if kind == "folder":
        config = ArchiveConfig("x", "ERN-EYE", "X", kind, path=request.getfixturevalue("folder"))
    elif kind == SMALL_PACS:
        url = request.getfixturevalue("small_pacs")
        config = ArchiveConfig(SMALL_PACS, "ERN-EYE", "X", "dicomweb", url=url, timeout=20)
    else:
        server: OrthancServer = request.getfixturevalue("orthanc_server")
        config = ArchiveConfig("x", "ERN-EYE", "X", kind, url=server.dicomweb, timeout=20)
    client = open_archive(config)
    yield client
    await client.close()
