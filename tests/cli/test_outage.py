"""An outage of the database is two lines of the log of a whole server with its worker, however many meet it."""

import asyncio
import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from structlog.testing import capture_logs

from api.logging import configure_logging
from api.server import listen
from cli.serving import serve_on
from config.settings import load_settings
from db.embedded.postgres import EmbeddedPostgres
from db.outage import Outage, is_told, outage_of
from tests.cli.test_live_archives import TABLE, until


@pytest.fixture
def postgres() -> Iterator[EmbeddedPostgres]:
    """A server of the test's own; its folder is short enough for a socket that keeps its place."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    found = EmbeddedPostgres(folder)
    yield found
    found.stop()
    shutil.rmtree(folder)


async def test_a_server_tells_of_an_outage_once(
    postgres: EmbeddedPostgres,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("indexer.worker._AFTER_FAILURE", 0.5)
    (tmp_path / "one").mkdir()
    (tmp_path / "archives.toml").write_text(TABLE.format("one"), encoding="utf-8")
    url = await asyncio.to_thread(postgres.start)
    settings = load_settings(database_url=url, archives=tmp_path / "archives.toml")
    configure_logging("info")
    lines: list[dict[str, Any]] = []

    def told(event: str) -> int:
        lines.extend(json.loads(line) for line in capsys.readouterr().err.splitlines())
        return sum(line["event"] == event for line in lines)

    started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    with listen("127.0.0.1", 0) as sock:
        task = asyncio.create_task(serve_on(sock, settings, started.set_result, worker=True))
        async with httpx.AsyncClient(base_url=await started, timeout=60) as client:

            async def ask() -> int:
                await client.get("/metrics")
                await client.get("/readyz")
                query = "{ studies { totalCount } archives { health { state } } }"
                return (await client.post("/graphql", json={"query": query})).status_code

            assert await ask() == 200
            before = told("database.away")
            await asyncio.to_thread(postgres.stop)
            for _ in range(3):
                await ask()
            await until(lambda: told("database.away") > 0)
            assert await asyncio.to_thread(postgres.start) == url
            await until(lambda: told("database.back") > 0)
            assert await ask() == 200
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert (before, told("database.away"), told("database.back")) == (0, 1, 1)
    loud = [line for line in lines if line["level"] in ("warning", "error", "critical")]
    assert {line["event"] for line in loud} == {"database.away", "database.back"}


def test_it_begins_once_and_ends_when_all_is_calm() -> None:
    now = 0.0
    outage = Outage(lambda: now, calm=6.0)
    with capture_logs() as told:
        outage.works()
        outage.met(OSError())
        now = 1.0
        outage.met(asyncpg.CannotConnectNowError())
        now = 3.0
        outage.works()  # a pool has a connection, a listener has none yet
        now = 4.0
        outage.met(OSError())
        now = 5.0
        outage.works()
        now = 9.9
        outage.works()
        assert outage.lasts
        now = 10.0
        outage.works()
        outage.works()
        assert not outage.lasts
        now = 20.0
        outage.met(asyncpg.InterfaceError("connection is closed"), since=3.0)  # noticed late
        assert not outage.lasts
        outage.met(asyncpg.InterfaceError("connection is closed"), since=12.0)
        assert outage.lasts
    assert [(line["event"], line.get("seconds")) for line in told] == [
        ("database.away", None),
        ("database.back", 5.0),
        ("database.away", None),
    ]


def test_what_is_told_and_what_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.outage._outages", {})
    error = asyncpg.ConnectionDoesNotExistError()
    assert not is_told(error)
    outage_of("postgresql://nobody").met(asyncpg.QueryCanceledError())
    assert not is_told(error)
    outage_of("postgresql://nobody").met(error)
    assert is_told(error)
    assert not is_told(ValueError())
    assert not is_told(None)
