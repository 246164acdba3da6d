"""Where the viewer is, and what `viewerUrl` becomes."""

from pathlib import Path

import pytest

from config.settings import Settings, SettingsError
from config.viewer import ViewerLinks, viewer_folder, viewer_links

WEASIS = "weasis://?%24dicom%3Ars%20--url%20%22https%3A%2F%2Fernfed.example.org%2Fdicom-web%22"
WEASIS += "%20-r%20%22studyUID%3D{studyInstanceUid}%22"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "build.json").write_text("{}")
    return tmp_path


def test_the_built_viewer(built: Path) -> None:
    settings = Settings(viewer_dir=built)
    assert viewer_folder(settings) == built
    links = viewer_links(settings)
    assert links is not None
    assert links.to("1.2.3") == "/viewer/viewer?StudyInstanceUIDs=1.2.3"
    assert links.to("1.2.3", "1.2.4") == "/viewer/viewer?StudyInstanceUIDs=1.2.3&SeriesInstanceUIDs=1.2.4"


def test_a_uid_that_is_none_stays_a_value() -> None:
    links = ViewerLinks("/v?a={studyInstanceUid}", "/v?a={studyInstanceUid}&b={seriesInstanceUid}")
    assert links.to("1&x=/#", "{studyInstanceUid}") == "/v?a=1%26x%3D%2F%23&b=%7BstudyInstanceUid%7D"


def test_none_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.viewer.DEFAULT_FOLDER", tmp_path / "viewer")
    assert viewer_folder(Settings()) is None
    assert viewer_links(Settings()) is None
    with pytest.raises(SettingsError, match=r"ERNFED_VIEWER_DIR: .* holds no built viewer"):
        viewer_folder(Settings(viewer_dir=tmp_path))


@pytest.mark.parametrize(
    "address",
    [
        "https://stone.example.org/viewer/index.html?study={studyInstanceUid}",
        "http://127.0.0.1:8042/stone-webviewer/index.html?study={studyInstanceUid}",
        "/stone/{studyInstanceUid}?from={studyInstanceUid}",
        WEASIS,
    ],
)
def test_another_viewer(address: str, built: Path) -> None:
    """It goes before the built one, and opens a series with its study."""
    links = viewer_links(Settings(viewer_url=address, viewer_dir=built))
    assert links is not None
    assert links.to("1.2.3") == links.to("1.2.3", "1.2.4") == address.replace("{studyInstanceUid}", "1.2.3")


@pytest.mark.parametrize(
    "address",
    [
        "https://stone.example.org/viewer",
        "https://stone.example.org/?study={StudyInstanceUID}",
        "https://stone.example.org/?study={studyInstanceUid}&series={seriesInstanceUid}",
        "https://stone.example.org/?study={studyInstanceUid}}",
        "https://stone.example.org/?study={studyInstanceUid} x",
        'https://stone.example.org/?study={studyInstanceUid}"',
        "stone.example.org/?study={studyInstanceUid}",
        "//stone.example.org/?study={studyInstanceUid}",
        "/\\stone.example.org/?study={studyInstanceUid}",
        "javascript:alert({studyInstanceUid})",
        "data:text/html,{studyInstanceUid}",
        "",
    ],
)
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(SettingsError, match="ERNFED_VIEWER_URL"):
        viewer_links(Settings(viewer_url=address))
