"""The demo's servers: started, loaded, reused, and all of them gone however the demo ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import graphql
import pytest

from cli.demo.archives import DemoArchives
from cli.demo.samples import ARCHIVES, SPLIT_STUDY_UID
from cli.demo.words import LIST_QUERY, SPLIT_QUERY
from config.archives_file import load_archives
from db.embedded.child import processes_where
from resolvers.schema import schema as strawberry_schema
from tests.orthanc import require_orthanc

REPO = Path(__file__).parents[3]

# The demo with its own Postgres, archives and signals; the index and the API have tests of their own.
DEMO = """
import sys
from starlette.applications import Starlette
from api.server import run_server
from cli.demo import service
from cli.commands.demo import app

async def index_archives(settings, progress):
    return ["not in this test"]

async def serve(settings, listening, ready):
    await run_server(Starlette(), listening, started=ready)

service.index_archives, service.serve = index_archives, serve
app(args=sys.argv[1:], prog_name="ernfed demo")
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="ernfed-test-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


def children_of(folder: Path) -> list[int]:
    """Postgres and Orthanc processes that work on this folder."""
    return processes_where(
        lambda process: (
            os.fsencode(folder) in (process / "cmdline").read_bytes()
            and Path(os.readlink(process / "exe")).name in ("postgres", "Orthanc")
        )
    )


def demo(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", DEMO, "--data-dir", str(folder), "--no-browser", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPO), "LANG": "xx_YY"},
    )


def wait_for(process: subprocess.Popen[str], word: str) -> str:
    """Everything it says up to the line with this word."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if word in line:
            return said
    raise AssertionError(said)


def wait_gone(folder: Path) -> None:
    end = time.monotonic() + 15
    while children_of(folder) and time.monotonic() < end:
        time.sleep(0.1)
    assert children_of(folder) == []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("query", [LIST_QUERY, SPLIT_QUERY])
def test_the_ready_queries_fit_the_schema(query: str) -> None:
    assert graphql.validate(strawberry_schema._schema, graphql.parse(query)) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything(folder: Path, number: signal.Signals) -> None:
    port = free_port()
    process = demo(folder, "--no-orthanc", "--port", str(port))
    said = wait_for(process, "Stop with Ctrl-C")
    assert f"http://127.0.0.1:{port}/graphql" in said
    assert SPLIT_STUDY_UID in said
    assert children_of(folder)
    process.send_signal(number)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0, out
    assert out.rstrip().endswith("stopped")
    assert children_of(folder) == []
    with socket.socket() as probe:  # the port is free
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))


@pytest.mark.orthanc
def test_killed_with_real_orthancs_and_started_again(folder: Path) -> None:
    require_orthanc()
    process = demo(folder, "--orthanc", "--port", "0")
    wait_for(process, "Stop with Ctrl-C")
    assert len(children_of(folder)) > 4
    process.kill()
    process.communicate()
    # At once: what is still ending must not be in the way, and nothing is loaded twice.
    started = time.monotonic()
    process = demo(folder, "--orthanc", "--port", "0")
    said = wait_for(process, "Stop with Ctrl-C")
    assert time.monotonic() - started < 20
    assert "left out" not in said
    process.kill()
    process.communicate()
    wait_gone(folder)


def test_a_port_in_use_is_named_before_anything_starts(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        out, _ = (process := demo(folder, "--port", str(port))).communicate(timeout=30)
    assert process.returncode == 1
    assert f":{port}" in out
    assert "--port" in out
    assert list(folder.iterdir()) == []


def test_two_on_one_folder(folder: Path) -> None:
    first = demo(folder, "--no-orthanc", "--port", "0")
    try:
        wait_for(first, "Stop with Ctrl-C")
        out, _ = (second := demo(folder, "--no-orthanc", "--port", "0")).communicate(timeout=30)
        assert second.returncode == 1
        assert f"in use by process {first.pid}" in out
    finally:
        first.terminate()
        first.communicate(timeout=30)


def test_folders_of_files_where_there_is_no_orthanc(folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    with DemoArchives(folder, orthanc=False) as archives:
        archives.start()
        loaded = archives.load(lambda done, total: seen.append((done, total)))
        configs = load_archives(archives.file)
        again = archives.load(lambda done, total: None)
    assert [(config.code, config.kind) for config in configs] == [(one.code, "folder") for one in ARCHIVES]
    files = [len(list(config.path.glob("*.dcm"))) for config in configs if config.path is not None]
    assert sum(files) == loaded.files == again.files
    assert loaded.left_out > 0


@pytest.mark.orthanc
def test_real_orthancs_hold_what_they_were_given(folder: Path) -> None:
    require_orthanc()
    seen: list[tuple[int, int]] = []
    with DemoArchives(folder, orthanc=True) as archives:
        archives.start()
        loaded = archives.load(lambda done, total: seen.append((done, total)))
        urls = [config.url for config in load_archives(archives.file) if config.kind == "orthanc"]
        assert len(urls) == len(ARCHIVES)
        held = 0
        for url in urls:
            root = str(url).removesuffix("/dicom-web")
            with urllib.request.urlopen(f"{root}/statistics") as answer:  # noqa: S310 (loopback)
                held += json.load(answer)["CountInstances"]
        assert seen[-1] == (loaded.files, loaded.files)
        assert len(loaded.refused) < 5
        assert held == loaded.files - len(loaded.refused)
    assert children_of(folder) == []
