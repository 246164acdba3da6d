"""Real Orthanc servers as children of the demo: start, load by STOW-RS, stop. Which files: samples.py.

The options and their reasons were measured on Orthanc 1.10 (docs: archives). Up to 1.12.9 Orthanc listens
on every interface and refuses whoever is not on this machine (RemoteAccessAllowed); later ones bind loopback.
"""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from db.embedded.child import Child, end_leftovers
from model.errors import OperatorError

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
HOW_TO_GET = "apt-get install --no-install-recommends orthanc orthanc-dicomweb"
ROOT = "/dicom-web"
_STOP = ((signal.SIGTERM, 15.0),)
_START_SECONDS = 30.0
_ENV = {"LC_ALL": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TZ": "UTC"}
_BATCH_FILES, _BATCH_BYTES = 25, 16 << 20
_REFERENCED = "00081199"  # Referenced SOP Sequence: what is stored (PS3.18 10.5.3)


class OrthancError(OperatorError):
    """An Orthanc of the demo does not start or does not take a file; the message says what to do."""


def find_orthanc() -> Path | None:
    """The program, where it and its DICOMweb plugin are installed."""
    program = shutil.which("Orthanc", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    return Path(program) if program is not None and PLUGIN.exists() else None


class Orthanc:
    """One archive: its data in `folder`, which it has for itself."""

    def __init__(self, program: Path, code: str, folder: Path) -> None:
        self.code = code
        self._program, self._folder = program, folder
        self._config = folder / "orthanc.json"
        self._child: Child | None = None
        self.port = 0

    @property
    def dicomweb_url(self) -> str:
        """Where archives.toml points to."""
        return f"http://127.0.0.1:{self.port}{ROOT}"

    def start(self) -> None:
        """Starts it, without waiting. What a killed run left behind in this folder is ended first."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._end_leftovers()
        self.port = self._free_port()
        self._config.write_text(json.dumps(self._options(), indent=2), encoding="utf-8")
        self._child = Child(
            [str(self._program), str(self._config)],
            log=self._fresh_log(),
            env=_ENV,
            death_signal=signal.SIGTERM,
        )

    def wait(self) -> None:
        """Returns when it answers; a port that somebody took in between is exchanged for another."""
        for attempt in range(3):
            deadline = time.monotonic() + _START_SECONDS
            while self._child is not None and self._child.running() and time.monotonic() < deadline:
                with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
                    if self._get("/system").get("Name") == self.code:
                        return
                time.sleep(0.05)
            self.stop()
            if attempt < 2:
                (self._folder / "port").unlink(missing_ok=True)
                self.start()
        tail = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-10:]
        raise OrthancError(
            f"Orthanc for {self.code} does not start (use --no-orthanc to do without):\n" + "\n".join(tail)
        )

    def ask_to_stop(self) -> None:
        """The signal only, so that several end at the same time."""
        if self._child is not None and self._child.running():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child.pid, signal.SIGTERM)

    def stop(self) -> None:
        """Returns when it has gone: its database is locked until then."""
        if self._child is not None:
            self._child.stop(_STOP)
            self._child = None

    def load(self, files: Sequence[Path], digest: str, stored: Callable[[int], None]) -> list[Path]:
        """Stores the files, once for each `digest`; returns those it refused.

        `stored` hears how many were dealt with. An interrupted load is done again from its beginning:
        what is there already stays as it is.
        """
        mark = self._folder / "loaded"
        if mark.is_file() and mark.read_text(encoding="ascii") == digest:
            stored(len(files))
            return []
        refused = []
        for batch in _batches(files):
            refused += self._store(batch)
            stored(len(batch))
        mark.write_text(digest, encoding="ascii")
        return refused

    def forget(self, digest: str) -> None:
        """Removes the data of an older version's samples. Only while it is stopped."""
        mark = self._folder / "loaded"
        if mark.is_file() and mark.read_text(encoding="ascii") != digest:
            self._end_leftovers()
            shutil.rmtree(self._folder)

    def _options(self) -> dict[str, object]:
        storage = str(self._folder / "storage")
        return {
            "Name": self.code,
            "StorageDirectory": storage,
            "IndexDirectory": storage,
            "HttpPort": self.port,
            "HttpBindAddresses": ["127.0.0.1"],
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "DicomServerEnabled": False,
            "DefaultEncoding": "Utf8",  # Latin1 loses Greek and Polish letters
            "ConcurrentJobs": 1,
            "Plugins": [str(PLUGIN)],
            "DicomWeb": {"Enable": True, "Root": f"{ROOT}/", "EnableWado": False},
        }

    def _free_port(self) -> int:
        """The port of the last run if it is free still, so that bookmarks and the index stay right."""
        note = self._folder / "port"
        with contextlib.suppress(OSError, ValueError):
            last = int(note.read_text(encoding="ascii"))
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", last))
                return last
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        note.write_text(str(port), encoding="ascii")
        return port

    @property
    def _log(self) -> Path:
        return self._folder / "orthanc.log"

    def _fresh_log(self) -> Path:
        self._log.unlink(missing_ok=True)
        return self._log

    def _end_leftovers(self) -> None:
        config = os.fsencode(self._config)

        def ours(process: Path) -> bool:
            words = (process / "cmdline").read_bytes().split(b"\0")
            return config in words and words[0].endswith(b"Orthanc")

        try:
            end_leftovers(ours, _STOP)
        except TimeoutError as error:
            raise OrthancError(f"an older Orthanc for {self.code} does not end: {error}") from None

    def _get(self, path: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        with contextlib.closing(connection):
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())

    def _store(self, batch: Sequence[Path]) -> list[Path]:
        """The refused ones. When it cannot be told which, they are sent one by one."""
        if self._stow(batch) == len(batch):
            return []
        if len(batch) == 1:
            return list(batch)
        return [path for file in batch for path in self._store([file])]

    def _stow(self, batch: Sequence[Path]) -> int:
        """How many of them are stored now, by the answer's sequence, not by its status."""
        boundary = uuid.uuid4().hex
        body = b"".join(
            b"--%b\r\nContent-Type: application/dicom\r\n\r\n%b\r\n" % (boundary.encode(), path.read_bytes())
            for path in batch
        )
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            try:
                connection.request(
                    "POST",
                    f"{ROOT}/studies",
                    body=body + b"--%b--\r\n" % boundary.encode(),
                    headers={
                        "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}',
                        "Accept": "application/dicom+json",
                    },
                )
                text = connection.getresponse().read()
            except (OSError, http.client.HTTPException) as error:
                raise OrthancError(
                    f"Orthanc for {self.code} went away while it was loaded: {error}"
                ) from None
        try:
            answer = json.loads(text)
        except ValueError:
            return 0
        return len(answer.get(_REFERENCED, {}).get("Value", []))


def _batches(files: Sequence[Path]) -> Iterator[list[Path]]:
    batch: list[Path] = []
    size = 0
    for path in files:
        length = path.stat().st_size
        if batch and (len(batch) >= _BATCH_FILES or size + length > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(path)
        size += length
    if batch:
        yield batch
