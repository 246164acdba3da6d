"""What one client does to another: `./run bench attacks`.

A server of `ernfed serve` over an index of 1,000 made studies, on loopback. A bystander sends light queries, one after
another, in peace and while another process does what it should not, again and again for five seconds.
"""

import asyncio
import contextlib
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from bench.ingest import _Archive, _made
from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.embedded.postgres import EmbeddedPostgres
from db.indexing import runs
from db.migrate import migrate
from db.pool import Database
from indexer.full import run_full
from indexer.work import Work

STUDIES, SECONDS, PAUSE = 1000, 5.0, 0.3
ARCHIVES = '[[archive]]\ncode = "bench"\nern = "ERN-EYE"\ntitle = "bench"\nkind = "dicomweb"\nurl = "http://127.0.0.1:9"\n'
LIGHT = "{ studies(first: 20) { nodes { studyDate studyDescription modalitiesInStudy patientId } } }"
DEAR = """{ studies(first: 1000) { nodes { id studyInstanceUid studyDate studyDescription patientId patientSex
  series(first: 6) { nodes { id seriesInstanceUid modality seriesDescription bodyPartExamined } } } } }"""
FILTERED = "query ($v: StudyFilter) { studies(filter: $v) { totalCount } }"
UPGRADE = (
    b"GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)


def main() -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder, "postgres")) as url:
        asyncio.run(_filled(url))
        Path(folder, "archives.toml").write_text(ARCHIVES)
        with _serving(url, Path(folder)) as port:
            print(f"{'':<40} | p50 ms | p99 ms | p99 / peace | queries")
            asyncio.run(_bystander(port, 1.0))  # warms up
            peace = 0.0
            for name in (None, *ATTACKS):
                attacker = multiprocessing.get_context("spawn").Process(target=_attack, args=(name, port))
                if name is not None:
                    attacker.start()
                    time.sleep(1.5)  # it begins
                times = sorted(asyncio.run(_bystander(port, SECONDS)))
                if name is not None:
                    attacker.terminate()
                    attacker.join()
                p50, p99 = times[len(times) // 2] * 1000, times[len(times) * 99 // 100] * 1000
                peace = peace or p99
                print(
                    f"{name or 'in peace':<40} | {p50:6.1f} | {p99:6.1f} | {p99 / peace:11.1f} | {len(times)}",
                    flush=True,
                )


async def _filled(url: str) -> None:
    await migrate(url)
    database = await Database.open(url, max_size=2)
    config = ArchiveConfig("bench", "ERN-EYE", "bench", "dicomweb", url="http://127.0.0.1:9")
    archive_id = (await sync_archives(database, [config]))["bench"]
    client: Any = _Archive(_made(STUDIES))
    run = await runs.start(database, archive_id, "bench", None)
    await run_full(Work(database, client, run, lambda *_: None), "", reconcile=False, confirmed=False)
    await database.execute("analyze", "vacuum analyze")
    await database.close()


@contextlib.contextmanager
def _serving(url: str, folder: Path) -> Iterator[int]:
    settings = {
        "ERNFED_DATABASE_URL": url,
        "ERNFED_ARCHIVES": str(folder / "archives.toml"),
        "ERNFED_RATE_LIMIT": "0",
        "PYTHONUNBUFFERED": "1",
    }
    log = (folder / "log").open("w")
    command = [sys.executable, "-P", "-m", "cli", "serve", "--port", "0"]
    with log, subprocess.Popen(command, env=os.environ | settings, stdout=log, stderr=log) as server:
        try:
            for _ in range(600):
                told = (folder / "log").read_text()
                if "serves http://127.0.0.1:" in told:
                    break
                if server.poll() is not None:
                    raise SystemExit(told)
                time.sleep(0.1)
            yield int(told.partition("serves http://127.0.0.1:")[2].partition("/")[0])
        finally:
            server.terminate()


async def _bystander(port: int, seconds: float) -> list[float]:
    """How long each light query took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    times: list[float] = []
    end = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < end:
        writer.write(_post(LIGHT))
        answer = await _answer(reader)
        assert b'"nodes"' in answer, answer
        times.append(time.perf_counter() - begun)
        await asyncio.sleep(0.01)
    writer.close()
    return times


def _post(query: str, variables: object = None) -> bytes:
    body = json.dumps({"query": query, "variables": variables}).encode()
    head = "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
    return head.format(len(body)).encode() + body


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    return await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split()[0]))


def _attack(name: str, port: int) -> None:
    async def again_and_again() -> None:
        for _ in range(100):
            with contextlib.suppress(OSError, EOFError):
                await ATTACKS[name](port)
            await asyncio.sleep(PAUSE)

    asyncio.run(again_and_again())


def _asking(query: str, variables: object = None, times: int = 1) -> Callable[[int], Awaitable[None]]:
    """On as many connections at once."""

    async def attack(port: int) -> None:
        async def one() -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(_post(query, variables))
            await _answer(reader)
            writer.close()

        await asyncio.gather(*(one() for _ in range(times)))

    return attack


async def _aliases(port: int) -> None:
    text = "{" + "".join(f"a{n}:__typename " for n in range(1000)) + "}"
    await _asking(f"# {time.time()}\n{text}")(port)


async def _pipelined(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_post(LIGHT) * 400)
    await asyncio.sleep(1)  # and reads nothing
    writer.transport.abort()
    del reader


async def _sockets(port: int) -> None:
    opened = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(200)))
    for _, writer in opened:
        writer.write(UPGRADE)
    for reader, _ in opened:
        await reader.readuntil(b"\r\n\r\n")
    for _, writer in opened:
        writer.transport.abort()


async def _operations(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(UPGRADE)
    await reader.readuntil(b"\r\n\r\n")
    writer.write(_frame({"type": "connection_init"}))
    asked = ({"type": "subscribe", "id": str(n), "payload": {"query": LIGHT}} for n in range(2000))
    writer.write(b"".join(map(_frame, asked)))
    told = b""
    while told.count(b'"error"') + told.count(b'"complete"') < 2000:
        told += await asyncio.wait_for(reader.read(2**20), 20)
    writer.transport.abort()


def _frame(message: object) -> bytes:
    """Of a client: masked, with a mask that changes nothing."""
    data = json.dumps(message).encode().ljust(130)
    return b"\x81\xfe" + len(data).to_bytes(2, "big") + b"\0\0\0\0" + data


def _nested() -> object:
    chain: object = {"patientId": {"eq": "a"}}
    for number in range(100):
        chain = {"not": chain} if number % 3 == 0 else {("and", "or")[number % 2]: [chain]}
    return {"v": chain}


_TERM = {"patientId": {"eq": "a"}}
_BY_PATH = {"name": "PatientComments", "eq": "a"}
ATTACKS: dict[str, Callable[[int], Awaitable[None]]] = {
    "1,000 terms of or": _asking(FILTERED, {"v": {"or": [_TERM] * 1000}}),
    "1,000 attribute conditions": _asking(FILTERED, {"v": {"attribute": [_BY_PATH] * 1000}}),
    "and, or, not, 100 deep": _asking(FILTERED, _nested()),
    "2,000 operations on one socket": _operations,
    "200 sockets opened at once": _sockets,
    "400 pipelined requests, never read": _pipelined,
    "1,000 aliases, a new document each time": _aliases,
    "60 dear queries at once": _asking(DEAR, times=60),
}


if __name__ == "__main__":
    main()
