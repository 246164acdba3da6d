"""The viewer of images: where the built one lies, and what opens a study in it, or in another one."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from config.settings import Settings, SettingsError

MANIFEST: Final = "build.json"
"""Stands in the folder of a viewer that is built; web/viewer/build.mjs writes it last."""
DEFAULT_FOLDER: Final = Path(__file__).parents[1] / ".ernfed" / "viewer"

_STUDY, _SERIES = "{studyInstanceUid}", "{seriesInstanceUid}"
_BUILT_IN = f"/viewer/viewer?StudyInstanceUIDs={_STUDY}"
# No javascript: or data:, and no //host, which a page takes for another server.
_ADDRESS = re.compile(r"(?:https?://|weasis://|/(?![/\\]))[!#-;=?-\[\]-z|~{}]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class ViewerLinks:
    """Addresses with names in braces for the UIDs; a series is opened with its study."""

    study: str
    series: str

    def to(self, study_uid: str, series_uid: str | None = None) -> str:
        """series_uid: None for the whole study."""
        if series_uid is None:
            return self.study.replace(_STUDY, quote(study_uid, safe=""))
        return self.series.replace(_STUDY, quote(study_uid, safe="")).replace(
            _SERIES, quote(series_uid, safe="")
        )


def viewer_folder(settings: Settings) -> Path | None:
    """Where the built viewer is; None: none was built. Raises SettingsError for a folder that was named in vain."""
    folder = settings.viewer_dir or DEFAULT_FOLDER
    if (folder / MANIFEST).is_file():
        return folder
    if settings.viewer_dir is not None:
        raise SettingsError(
            f"ERNFED_VIEWER_DIR: {folder} holds no built viewer ({MANIFEST}). "
            f"Build it: ./run viewer --folder {folder}"
        )
    return None


def viewer_links(settings: Settings) -> ViewerLinks | None:
    """What `viewerUrl` is; None where there is no viewer. Raises SettingsError."""
    address = settings.viewer_url
    if address is None:
        built = viewer_folder(settings) is not None
        return ViewerLinks(_BUILT_IN, f"{_BUILT_IN}&SeriesInstanceUIDs={_SERIES}") if built else None
    names = re.findall(r"{[^{}]*}|[{}]", address)
    if _ADDRESS.fullmatch(address) is None or _STUDY not in names or set(names) != {_STUDY}:
        raise SettingsError(
            f"ERNFED_VIEWER_URL: {address!r}: expected an address (https://, weasis:// or a path of this server, "
            f"percent-encoded) with {_STUDY} in it and no other braces"
        )
    return ViewerLinks(address, address)
