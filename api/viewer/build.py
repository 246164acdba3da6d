"""What web/viewer/build.mjs has made: which paths there are, and the file of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from config.settings import SettingsError
from config.viewer import MANIFEST

PAGE = "index.html"
_SUFFIX = {"br": ".br", "gzip": ".gz"}


class Entry(msgspec.Struct, frozen=True):
    """A file as build.json tells of it. encodings: the best first. worker: a script that browsers run as a worker."""

    type: str
    sha256: str
    encodings: list[str]
    worker: bool


class _Manifest(msgspec.Struct, frozen=True):
    digest: str
    files: dict[str, Entry]


@dataclass(frozen=True, slots=True)
class Build:
    """digest: below it stands every file but the page, so what is under one path never changes."""

    folder: Path
    digest: str
    files: Mapping[str, Entry]
    stamp: int

    @classmethod
    def read(cls, folder: Path) -> "Build":
        """Raises SettingsError for a build that is not whole."""
        try:
            stamp = _stamp(folder)
            manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=_Manifest)
            build = cls(folder, manifest.digest, manifest.files, stamp)
            lacking = [
                name for name in build.files if not all(each.is_file() for each in build.variants(name))
            ]
        except (OSError, msgspec.MsgspecError) as error:
            raise SettingsError(f"{folder / MANIFEST}: {type(error).__name__}. {_REMEDY}") from None
        if lacking or PAGE not in build.files:
            raise SettingsError(f"{folder}: {(lacking or [PAGE])[0]} of the viewer is not there. {_REMEDY}")
        return build

    def renewed(self) -> "Build":
        """This one, or what has been built in its place since: a server goes on over that."""
        try:
            return self if _stamp(self.folder) == self.stamp else Build.read(self.folder)
        except (
            OSError,
            SettingsError,
        ):  # in the middle of it, or taken away: what was read is all there is to say
            return self

    def path(self, name: str, encoding: str | None = None) -> Path:
        return self.folder / "files" / (name + (_SUFFIX[encoding] if encoding else ""))

    def variants(self, name: str) -> list[Path]:
        return [self.path(name), *(self.path(name, each) for each in self.files[name].encodings)]


def _stamp(folder: Path) -> int:
    return (folder / MANIFEST).stat().st_mtime_ns


_REMEDY = "Remove that folder and build the viewer again: ./run viewer"
