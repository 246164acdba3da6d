"""Clients as frontends use them (npm), against a served application with an index. CI must run them."""

import asyncio
import contextlib
import json
import re
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from db.pool import Database
from tests.api.graphql.subscribing import serving
from tests.db.writing.ingesting import store
from tests.npm import NODE, installed, names_no_registry
from tests.resolvers.following import with_projections
from tests.rows import study

FOLDER = Path(__file__).parent / "clients"
UIDS = [f"1.{number}" for number in range(5)]
EXAMPLE = re.compile(r"```js\n(import \{ createClient \} from \"graphql-ws\".*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The locked packages, installed outside of the repository, and the documented example ready to be run."""
    folder = installed(FOLDER, tmp_path_factory.mktemp("clients"))
    page = (Path(__file__).parents[3] / "docs/frontend.md").read_text(encoding="utf-8")
    [example] = EXAMPLE.findall(page)
    address = '"wss://ernfed.example.org/graphql"'
    assert address in example
    before = (folder / "ws.js").read_text(encoding="utf-8")
    (folder / "ws.js").write_text(before + example.replace(address, 'url.replace("http", "ws")'), "utf-8")
    return folder


class Line:
    """A line to the server that can be cut. url: what to ask instead of the server."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open: set[asyncio.StreamWriter] = set()
        self._whole = True
        self.url = ""
        self.refused = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._whole:
            self.refused += 1
            writer.transport.abort()
            return
        upstream_reader, upstream = await asyncio.open_connection("127.0.0.1", self._port)
        self._open |= {writer, upstream}
        await asyncio.gather(_pump(reader, upstream), _pump(upstream_reader, writer))
        self._open -= {writer, upstream}

    def cut(self, *, hard: bool = True) -> None:
        """For a while; or closed once without a word, after which clients try again by themselves, and can."""
        self._whole = not hard
        for each in self._open:
            if hard:
                each.transport.abort()
            else:
                each.close()

    def mend(self) -> None:
        self._whole = True


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def line_to(url: str) -> AsyncIterator[Line]:
    line = Line(int(url.rpartition(":")[2]))
    server = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    line.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/graphql"
    try:
        yield line
    finally:
        server.close()
        line.cut()


@contextlib.asynccontextmanager
async def running(folder: Path, name: str, url: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        NODE, f"{name}.js", url, UIDS[0], cwd=folder, stdout=PIPE, stderr=PIPE
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def told(process: Process) -> Any:
    """The next thing that the client tells."""
    assert process.stdout is not None
    assert process.stderr is not None
    line = await asyncio.wait_for(process.stdout.readline(), 60)
    assert line, (await process.stderr.read()).decode()
    return json.loads(line)


async def filled(database: Database) -> None:
    await with_projections(database)
    rows = [
        study(uid, StudyDate=f"2024010{9 - n}", StudyDescription=f"of {uid}") for n, uid in enumerate(UIDS)
    ]
    await store(database, 1, rows)


@pytest.mark.parametrize("name", ["urql", "apollo", "relay"])
async def test_lists_nodes_and_mutations(database: Database, clients: Path, name: str) -> None:
    """A list to its end by pages, a node from the cache by its id, a mutation, and the code of a refusal."""
    await filled(database)
    async with serving(database) as server, running(clients, name, server.graphql) as process:
        found = await told(process)
        assert await asyncio.wait_for(process.wait(), 60) == 0
    assert found.pop("refused", ["GRAPHQL_VALIDATION_FAILED"]) == ["GRAPHQL_VALIDATION_FAILED"]
    assert found == {"uids": UIDS, "cached": f"of {UIDS[0]}", "saved": name}


@pytest.mark.parametrize("name", ["ws", "sse"])
async def test_a_break_loses_nothing(database: Database, clients: Path, name: str) -> None:
    """The documented example (ws): the connection is cut twice, and what comes meanwhile comes after it, once."""
    await filled(database)
    async with (
        serving(database) as server,
        line_to(server.url) as line,
        running(clients, name, line.url) as process,
    ):
        found = await told(process)
        assert found.pop("refused", ["GRAPHQL_VALIDATION_FAILED"]) == ["GRAPHQL_VALIDATION_FAILED"]
        assert found == {"uids": UIDS, "cached": f"of {UIDS[0]}", "saved": name}
        seen: list[str] = []
        for number in range(10, 16, 2):
            await store(database, 1, [study(f"1.{number}")])
            seen.append((await told(process))["studyInstanceUid"])
            line.cut(hard=number % 4 == 0)
            await store(database, 1, [study(f"1.{number + 1}")])
            async with asyncio.timeout(30):
                before = line.refused
                while number % 4 == 0 and line.refused == before:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            line.mend()
            seen.append((await told(process))["studyInstanceUid"])
    assert seen == [f"1.{number}" for number in range(10, 16)]


def test_the_lock_file_names_no_registry() -> None:
    assert names_no_registry(FOLDER)
