"""The demo's archives as one thing: sample files, the servers that hold them, and archives.toml."""

import contextlib
import hashlib
import importlib.metadata
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from cli.demo import samples
from cli.demo.orthanc import Orthanc, find_orthanc


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many files there are in all, which an archive refused, how many of the packages were left out."""

    files: int
    refused: list[Path]
    left_out: int


class DemoArchives:
    """Four archives below `folder`: Orthanc servers, or folders of files. Stops its servers at the end."""

    def __init__(self, folder: Path, *, orthanc: bool | None) -> None:
        """orthanc: True insists on real servers, False does without, None takes them where installed."""
        self._folder = folder
        self._program = None if orthanc is False else find_orthanc()
        self._servers: list[Orthanc] = []
        self._digest = _digest()

    @property
    def real(self) -> bool:
        """Whether real Orthanc servers are used."""
        return self._program is not None

    @property
    def file(self) -> Path:
        """archives.toml; rewritten by `start`."""
        return self._folder / "archives.toml"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """All servers at once, and waits for them."""
        for server in self._servers:
            server.ask_to_stop()
        for server in self._servers:
            server.stop()
        self._servers = []

    def start(self) -> None:
        """Starts the servers (they answer when it returns) and writes archives.toml."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if self._program is not None:
            for archive in samples.ARCHIVES:
                server = Orthanc(self._program, archive.code, self._folder / "orthanc" / archive.code)
                server.forget(self._digest)
                self._servers.append(server)
                server.start()
            for server in self._servers:
                server.wait()
        self.file.write_text(self._toml(), encoding="utf-8")

    def load(self, progress: Callable[[int, int], None]) -> Loaded:
        """Writes the sample files and gives them to the servers; after the first start nothing is left to do.

        progress(done, all) is called as it goes on.
        """
        files, left_out = self._sample_files()
        total = sum(map(len, files.values()))
        done = 0

        def stored(number: int) -> None:
            nonlocal done
            done += number
            progress(done, total)

        refused: list[Path] = []
        for server in self._servers:
            refused += server.load(files[server.code], self._digest, stored)
        return Loaded(total, refused, left_out)

    def _sample_files(self) -> tuple[dict[str, list[Path]], int]:
        """The files by archive, and how many were left out when they were written: once.

        The mark comes last, so that a killed start begins anew.
        """
        target, mark = self._samples, self._samples / "complete"
        with contextlib.suppress(OSError):
            if mark.read_text(encoding="ascii") == self._digest:
                there = {a.code: sorted((target / a.code).glob("*.dcm")) for a in samples.ARCHIVES}
                return there, 0
        written = samples.build_samples(target)
        mark.write_text(self._digest, encoding="ascii")
        left_out = samples.find_package_files().left_out.total()
        return {code: sorted(paths) for code, paths in written.items()}, left_out

    @property
    def _samples(self) -> Path:
        return self._folder / "samples"

    def _toml(self) -> str:
        servers = {server.code: server for server in self._servers}
        tables = ["# Written by `ernfed demo` at every start."]
        for archive in samples.ARCHIVES:
            values = {"code": archive.code, "ern": archive.ern, "title": archive.title}
            if archive.code in servers:
                values |= {"kind": "orthanc", "url": servers[archive.code].dicomweb_url}
            else:
                values |= {"kind": "folder", "path": str((self._samples / archive.code).absolute())}
            values |= {"index": "instance", "sync_every": "30s"}
            # A JSON string is a TOML basic string.
            tables.append(
                "[[archive]]\n"
                + "\n".join(
                    f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()
                )
            )
        # One attribute with an index of its own, to be compared with those without.
        tables.append('[[attribute]]\nname = "SliceThickness"')
        return "\n\n".join(tables) + "\n"


def _digest() -> str:
    """What the samples are made from: packages and our own code. Another digest, other samples."""
    told = hashlib.sha256()
    for package in ("pydicom", "pydicom-data", "pynetdicom"):
        told.update(f"{package} {importlib.metadata.version(package)}\n".encode())
    for name in ("images.py", "made_studies.py", "samples.py"):
        told.update(Path(__file__).with_name(name).read_bytes())
    return told.hexdigest()
