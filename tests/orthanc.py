"""A real Orthanc with its DICOMweb plugin on a free loopback port: start, fill, stop. Not a fake, not a mock.

    with running_orthanc(tmp_path / "eye") as server:
        server.upload(path.read_bytes())
        ... server.dicomweb ...

Without Orthanc on the machine `require_orthanc` skips the test and names the packages; with CI=true it fails.
"""

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
INSTALL = "apt-get install --no-install-recommends orthanc orthanc-dicomweb"
_PR_SET_PDEATHSIG = 1


class OrthancDidNotStart(RuntimeError):
    """The process ended or stayed silent; the message is the end of its log."""


@dataclass(frozen=True, slots=True)
class OrthancServer:
    """A running server. `root` is the REST API, `dicomweb` the QIDO/WADO/STOW root, `pid` its process."""

    root: str
    dicomweb: str
    pid: int
    directory: Path

    def upload(self, content: bytes) -> dict[str, Any]:
        """Store one DICOM file through the REST API."""
        return self.call("POST", "/instances", content)  # type: ignore[no-any-return]

    def delete_study(self, study_uid: str) -> None:
        for orthanc_id in self.find("Study", StudyInstanceUID=study_uid):
            self.call("DELETE", f"/studies/{orthanc_id}")

    def find(self, level: str, **query: str) -> list[str]:
        """Orthanc IDs by /tools/find; keys are DICOM keywords."""
        body = json.dumps({"Level": level, "Query": query}).encode()
        return self.call("POST", "/tools/find", body)  # type: ignore[no-any-return]

    def call(self, method: str, path: str, body: bytes | None = None) -> Any:
        """One REST call, its JSON answer; raises urllib.error.HTTPError on 4xx and 5xx."""
        request = urllib.request.Request(self.root + path, data=body, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.loads(answer.read() or b"null")


def orthanc_program() -> str | None:
    """Path of the Orthanc program, None when it or the DICOMweb plugin is missing."""
    program = shutil.which("Orthanc", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    return program if program is not None and PLUGIN.exists() else None


def require_orthanc() -> str:
    """The program; without it the test is skipped here and fails in CI."""
    if (program := orthanc_program()) is not None:
        return program
    reason = f"needs Orthanc with its DICOMweb plugin: {INSTALL}"
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def running_orthanc(
    directory: Path, files: Iterable[bytes] = (), **options: object
) -> Iterator[OrthancServer]:
    """Start with storage in `directory`, upload `files`, stop at the end. `options` go into orthanc.json."""
    server, process = start_orthanc(directory, at=None, **options)
    try:
        for content in files:
            server.upload(content)
        yield server
    finally:
        stop_orthanc(process)


def start_orthanc(
    directory: Path, *, at: int | None = None, **options: object
) -> tuple[OrthancServer, subprocess.Popen[bytes]]:
    """Start and wait for the first answer. Another process may take the port in between: tries again.

    at: the port, for one that starts again.
    """
    program = require_orthanc()
    directory.mkdir(parents=True, exist_ok=True)
    for attempt in range(3):
        port = at or free_port()
        configuration = directory / "orthanc.json"
        configuration.write_text(json.dumps(_configuration(directory, port) | options), encoding="utf-8")
        with (directory / "orthanc.log").open("wb") as log:
            process = subprocess.Popen(
                [program, str(configuration)], stdout=log, stderr=log, preexec_fn=_die_with_parent
            )
        server = OrthancServer(
            f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port}/dicom-web", process.pid, directory
        )
        if _answers(server, process):
            return server, process
        stop_orthanc(process)
        if attempt == 2:
            break
    tail = (directory / "orthanc.log").read_text(encoding="utf-8", errors="replace")[-2000:]
    raise OrthancDidNotStart(tail)


def stop_orthanc(process: subprocess.Popen[bytes], patience: float = 15.0) -> None:
    """SIGTERM, wait until its database is closed; SIGKILL only when it does not listen."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(patience)


def _configuration(directory: Path, port: int) -> dict[str, object]:
    return {
        "Name": directory.name,
        "StorageDirectory": str(directory / "storage"),
        "IndexDirectory": str(directory / "index"),
        "HttpPort": port,
        "HttpBindAddresses": ["127.0.0.1"],
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomServerEnabled": False,
        "DefaultEncoding": "Utf8",  # with Latin1 Greek and Polish names lose letters in QIDO
        "HttpThreadsCount": 8,
        "Plugins": [str(PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "EnableWado": False},
    }


def _answers(server: OrthancServer, process: subprocess.Popen[bytes], patience: float = 30.0) -> bool:
    end = time.monotonic() + patience
    while time.monotonic() < end and process.poll() is None:
        try:
            server.call("GET", "/system")
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
        else:
            return process.poll() is None
    return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
