"""LIVE over four Orthanc archives of 50 studies, series of all (Q8): `python -m bench.live` at the root.

Beside it, alternating, studies and series by the same clients with nothing written: of all archives at once, as
LIVE asks them, and of the slowest one alone (on few cores, archives on the same machine slow each other down).
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

from archives.client import ArchiveClient, Selection
from archives.registry import open_archives
from archives.rows import STUDY_INSTANCE_UID, text
from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.embedded.postgres import EmbeddedPostgres
from db.migrate import migrate
from db.pool import Database
from indexer.run import index_once
from tests.archives.files import ROOT, instance
from tests.orthanc import OrthancServer, running_orthanc
from tests.resolvers.runtime import Runtime, open_services

ARCHIVES, STUDIES, SERIES, ROUNDS = 4, 50, 3, 5
QUERY = """{ studies(first: 1000, freshness: {mode: LIVE, timeoutMs: 20000}) {
  complete sources { state } nodes { studyInstanceUid series { complete nodes { seriesInstanceUid } } } } }"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        servers = []
        for n in range(ARCHIVES):
            files = (
                instance(f"{ROOT}.99.{n}.{study}", series, PatientID=f"P{study}")
                for study in range(STUDIES)
                for series in range(1, SERIES + 1)
            )
            servers.append(stack.enter_context(running_orthanc(Path(folder, f"o{n}"), files)))
        url = stack.enter_context(EmbeddedPostgres(Path(folder, "postgres")))
        asyncio.run(_measure(url, servers))


async def _measure(url: str, servers: list[OrthancServer]) -> None:
    configs = [
        ArchiveConfig(f"o{n}", f"ERN-{n}", f"O{n}", "orthanc", url=server.dicomweb, timeout=30)
        for n, server in enumerate(servers)
    ]
    async with AsyncExitStack() as stack:
        await migrate(url)
        database = await Database.open(url)
        stack.push_async_callback(database.close)
        await sync_archives(database, configs)
        archives = await stack.enter_async_context(open_archives(configs))
        await index_once(database, list(archives))
        services = await open_services(database, list(archives))
        stack.push_async_callback(services.close)
        runtime = Runtime(services)
        live, together, alone = [], [], []
        requests = 0
        for _ in range(ROUNDS + 2):
            begin = time.perf_counter()
            answer = await runtime.ask(QUERY)
            live.append(time.perf_counter() - begin)
            found = answer.data["studies"]
            whole = found["complete"] and all(node["series"]["complete"] for node in found["nodes"])
            if not whole or len(found["nodes"]) != ARCHIVES * STUDIES:
                raise SystemExit("the answer is not whole")
            requests = sum(answer.requests.values())
            begin = time.perf_counter()
            await asyncio.gather(*map(_read, archives))
            together.append(time.perf_counter() - begin)
            alone.append(max([await _seconds(_read, client) for client in archives]))
    ours, most, least = (statistics.median(each[2:]) * 1000 for each in (live, together, alone))
    print(
        f"LIVE, {ARCHIVES} archives of {STUDIES} studies, series of all {ours:8.1f} ms, {requests} requests"
    )
    print(f"the same archives read at once                 {most:8.1f} ms, ratio {ours / most:.2f}")
    print(f"the slowest of them alone                      {least:8.1f} ms, ratio {ours / least:.2f}")
    print(f"medians of {ROUNDS}, alternating")


async def _seconds(work: Callable[[ArchiveClient], Awaitable[None]], client: ArchiveClient) -> float:
    begin = time.perf_counter()
    await work(client)
    return time.perf_counter() - begin


async def _read(client: ArchiveClient) -> None:
    studies = await client.search_studies(Selection())
    uids = [uid for row in studies.rows if (uid := text(row, STUDY_INSTANCE_UID))]
    await client.search_series(Selection(study_uids=uids))


if __name__ == "__main__":
    main()
