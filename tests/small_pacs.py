"""A second kind of real server: tiny_pacs with its DICOMweb extension, in a process of its own on loopback.

    with running_small_pacs(files) as dicomweb: ...

Independent of Orthanc and of us: 204 when nothing is found, hierarchical routes only, no /metadata, no lists
of UIDs. Its DICOM port stays closed. `python -m tests.small_pacs` serves and prints its DICOMweb root.
"""

import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from archives import stow

ROOT = Path(__file__).parents[1]
_SILENT = {"version": 1, "disable_existing_loggers": True, "root": {"level": "CRITICAL", "handlers": []}}


@contextmanager
def running_small_pacs(files: Iterable[bytes] = ()) -> Iterator[str]:
    """The DICOMweb root of a server that holds `files`, in memory."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.small_pacs"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            if not (dicomweb := process.stdout.readline().strip()):
                raise RuntimeError("tiny_pacs did not start; its error is above")
            for content in files:
                upload(dicomweb, content)
            yield dicomweb
        finally:
            process.terminate()
            process.wait(20)


def upload(dicomweb: str, content: bytes) -> None:
    """Stores one DICOM file by STOW-RS; raises urllib.error.HTTPError where it is refused."""
    body, content_type = stow.body_of([content])
    headers = {"Content-Type": content_type, "Accept": "application/dicom+json"}
    request = urllib.request.Request(f"{dicomweb}/studies", body, headers, method="POST")  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        answer.read()


def main() -> None:
    from tiny_pacs.config import Config
    from tiny_pacs.server import Server

    components: dict[str, Any] = {
        "HttpServer": {"on": True, "host": "127.0.0.1", "port": 0},
        "DICOMWeb": {"on": True, "prefix": "/dicomweb", "auth": "none"},
    }
    configuration = Config()
    configuration.update_config({"components": components, "log": _SILENT})
    server = Server(configuration)
    server.bus.start()  # without its DICOM port, which listens everywhere
    port = next(found for each in server.components if (found := getattr(each, "web_port", None)))
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    typer.echo(f"http://127.0.0.1:{port}/dicomweb")
    stopped.wait()
    server.bus.stop()


if __name__ == "__main__":
    main()
