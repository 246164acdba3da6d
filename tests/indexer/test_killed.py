"""`ernfed index once`, killed in the middle: what was committed stays, and the next run ends right."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.indexer.conftest import Bench
from tests.indexer.scripted import STUDY, uids
from tests.rows import Row, series, study

ALL = uids(250)


class Archive(ThreadingHTTPServer):
    """QIDO-RS over HTTP. Series of a study beyond the first hundred wait until `released`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.released = threading.Event()
        self.asked: list[str] = []
        self.studies = [study(uid) for uid in ALL]
        self.serieses = [series(uid, f"{uid}.1") for uid in ALL]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/dicom-web"

    def answer(self, path: list[str], query: dict[str, list[str]]) -> list[Row]:
        wanted = [uid for text in query.get("StudyInstanceUID", []) for uid in text.split(",")]
        wanted += path[1:2] if path[0] == "studies" else []
        rows = self.studies if path[-1] == "studies" else self.serieses
        if rows is self.serieses:
            if not self.released.is_set() and any(uid >= ALL[100] for uid in wanted):
                self.released.wait(60)
            self.asked += wanted
        found = [row for row in rows if not wanted or row[STUDY]["Value"][0] in wanted]
        offset, limit = (
            int(query.get(name, [default])[0]) for name, default in (("offset", "0"), ("limit", "0"))
        )
        return found[offset : offset + limit if limit else None]


class Handler(BaseHTTPRequestHandler):
    server: Archive

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        path = url.path.removeprefix("/dicom-web/").split("/")
        rows = self.server.answer(path, parse_qs(url.query)) if path[-1] in ("studies", "series") else []
        body = json.dumps(rows).encode()
        self.send_response(200 if rows else 204)
        self.send_header("Content-Type", "application/dicom+json")
        self.send_header("Content-Length", str(len(body) if rows else 0))
        self.end_headers()
        if rows:
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def archive() -> Iterator[Archive]:
    with Archive() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def environment(archive: Archive, database_url: str, tmp_path: Path) -> dict[str, str]:
    file = tmp_path / "archives.toml"
    file.write_text(
        '[[archive]]\ncode = "eye"\nern = "ERN-EYE"\ntitle = "Eye"\nkind = "dicomweb"\n'
        f'url = "{archive.url}"\ntimeout = "60s"\n',
        encoding="utf-8",
    )
    return os.environ | {"ERNFED_DATABASE_URL": database_url, "ERNFED_ARCHIVES": str(file)}


def start(root: Path, environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "cli", "index", *arguments],
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_killed_run_is_gone_on_with(
    bench: Bench, archive: Archive, environment: dict[str, str], root: Path, number: signal.Signals
) -> None:
    first = start(root, environment, "once")
    try:
        async with asyncio.timeout(60):
            while len(await bench.studies()) < 100:
                assert first.poll() is None, first.communicate()
                await asyncio.sleep(0.05)
    finally:
        first.send_signal(number)
        _, said = await asyncio.to_thread(first.communicate, timeout=30)
    assert first.returncode == (-number if number is signal.SIGKILL else 130), said
    assert await bench.counts() == (100, 100, 0)

    archive.released.set()
    archive.asked.clear()
    second = start(root, environment, "once")
    told, said = await asyncio.to_thread(second.communicate, timeout=60)
    assert second.returncode == 0, told + said
    assert "eye: completed (150 studies, 150 series" in told
    assert await bench.counts() == (250, 250, 0)
    assert set(archive.asked) <= set(ALL[100:]) | {ALL[0]}  # the first may be what a probe asks for
    assert [state for _, state in await bench.rows("run_id, state", "index_run")] == [
        "interrupted",
        "completed",
    ]
