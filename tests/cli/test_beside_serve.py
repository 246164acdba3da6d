"""Commands beside a running `serve`, all on the embedded database of one data directory."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import asyncpg
import pytest
from pydicom.data import get_testdata_file
from typer.testing import CliRunner

from cli.__main__ import build
from config.settings import Settings
from db.embedded.postgres import EmbeddedPostgres

ROOT = Path(__file__).parent.parent.parent
STUDY_UID = "1.3.6.1.4.1.5962.1.2.1.20040119072730.12322"
COMMANDS = [
    (["migrate"], "up to date"),
    (["index", "once"], "one: completed"),
    (["index", "reconcile", "--archive", "one", "--confirm"], "one: completed"),
    (["index", "status"], "up to date"),
    (["consent", "import", "{folder}/consents.csv", "--archive", "one"], "1 consents set"),
    (["consent", "list", "--archive", "one"], STUDY_UID),
    (["audit", "verify"], "OK"),
    (["audit", "who-saw", "--study", STUDY_UID], ""),
    (["pseudonyms", "status"], "one"),
    (["statistics", "verify"], ""),
    (["attributes", "list"], ""),
    (["archives", "disable", "one"], "one: off"),
    (["archives", "enable", "one"], "one: on"),
]
runner = CliRunner()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder archive with one study, and settings with a data directory and no database."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ERNFED_{name.upper()}", raising=False)
    (tmp_path / "one").mkdir()
    shutil.copy(str(get_testdata_file("CT_small.dcm")), tmp_path / "one")
    (tmp_path / "archives.toml").write_text(
        '[[archive]]\ncode = "one"\nern = "ERN-EYE"\ntitle = "One"\nkind = "folder"\npath = "one"\n'
    )
    (tmp_path / "consents.csv").write_text(
        f"StudyInstanceUID,care,registry,research\n{STUDY_UID},yes,yes,no\n"
    )
    monkeypatch.setenv("ERNFED_ARCHIVES", str(tmp_path / "archives.toml"))
    monkeypatch.setenv("ERNFED_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


@contextlib.contextmanager
def serving() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process of `ernfed serve` that takes requests, with its address."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "cli", "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        assert "serves http" in said, said
        yield process, said.split("serves ")[1].split("/ ")[0]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        process.stdout.close()


def ready(address: str) -> bool:
    with urlopen(f"{address}/readyz", timeout=30) as answer:  # noqa: S310 (loopback)
        return bool(answer.status == 200)


async def studies(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval("select count(*) from study"))
    finally:
        await connection.close()


def test_commands_join_the_database_of_a_server_that_runs(folder: Path) -> None:
    with serving() as (_, address):
        for arguments, said in COMMANDS:
            done = runner.invoke(build(), [each.format(folder=folder) for each in arguments])
            assert (done.exit_code, said in done.output) == (0, True), (arguments, done.output)
        assert ready(address)
    # Nobody is left: the next one starts the server again, on the same data.
    assert "up to date" in runner.invoke(build(), ["index", "status"]).output


def test_a_server_joins_a_command_and_either_may_end_first(folder: Path) -> None:
    command = EmbeddedPostgres(folder / "data")
    url = command.start()
    with serving() as (_, address):
        command.stop()  # which had started it
        assert ready(address)
        command.start()
    assert asyncio.run(studies(url)) == 0
    assert runner.invoke(build(), ["index", "once"]).exit_code == 0
    assert asyncio.run(studies(url)) == 1
    command.stop()
    with pytest.raises(FileNotFoundError):
        asyncio.run(studies(url))
