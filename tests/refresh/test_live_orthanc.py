"""LIVE on four real Orthancs: what came and went is seen, and one that is stopped or slow holds nobody up."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from archives.registry import open_archives
from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.pool import Database
from indexer.run import index_once
from tests.archives.files import ROOT, instance
from tests.orthanc import OrthancServer, running_orthanc, start_orthanc, stop_orthanc
from tests.resolvers.live_runtime import asked, states, uids
from tests.resolvers.runtime import Runtime, open_services
from tests.slow_proxy import SlowProxy, slow_proxy

ARCHIVES, STUDIES = 4, 7
pytestmark = pytest.mark.orthanc


def uid(archive: int, number: int) -> str:
    return f"{ROOT}.88.{archive}.{number}"


@pytest.fixture(scope="module")
def orthancs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[OrthancServer]]:
    """Each with studies of its own, of one series of two instances."""
    folder = tmp_path_factory.mktemp("live")
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                running_orthanc(
                    folder / f"o{n}",
                    (instance(uid(n, m), 1, k, PatientID=f"P{m}") for m in range(STUDIES) for k in (1, 2)),
                )
            )
            for n in range(ARCHIVES)
        ]


@dataclass
class Four:
    """The service over the four archives; the last is behind a proxy."""

    runtime: Runtime
    servers: list[OrthancServer]
    proxy: SlowProxy


def config(number: int, url: str, timeout: float = 30) -> ArchiveConfig:
    return ArchiveConfig(f"o{number}", f"ERN-{number}", f"O{number}", "orthanc", url=url, timeout=timeout)


async def opened(database: Database, configs: list[ArchiveConfig], stack: AsyncExitStack) -> Runtime:
    archives = await stack.enter_async_context(open_archives(configs))
    services = await open_services(database, list(archives))
    stack.push_async_callback(services.database.close)
    return Runtime(services)


@pytest.fixture
async def four(orthancs: list[OrthancServer], database: Database) -> AsyncIterator[Four]:
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(slow_proxy(orthancs[-1].dicomweb, 0.0))
        urls = [*(server.dicomweb for server in orthancs[:-1]), proxy.url]
        configs = [config(n, url) for n, url in enumerate(urls)]
        await sync_archives(database, configs)
        runtime = await opened(database, configs, stack)
        results = await index_once(database, list(runtime.services.archives))
        assert all(result.all_done for result in results)
        yield Four(runtime, orthancs, proxy)


async def test_what_comes_and_goes_is_seen_at_once(four: Four) -> None:
    new = uid(0, 90)
    four.servers[0].upload(instance(new, 1, 1, PatientID="P1"))
    four.servers[1].delete_study(uid(1, 1))
    try:
        answer = await four.runtime.ask(asked(given='patientId: {eq: "P1"}'))
        assert uids(answer) == {uid(0, 1), new, uid(2, 1), uid(3, 1)}
        assert {state for state, *_ in states(answer).values()} == {"LIVE"}
        by_uid = await four.runtime.ask(f'{{ study(studyInstanceUid: "{uid(1, 1)}") {{ id }} }}')
        assert by_uid.data == {"study": None}
    finally:
        four.servers[0].delete_study(new)
        for number in (1, 2):
            four.servers[1].upload(instance(uid(1, 1), 1, number, PatientID="P1"))


async def test_requests_are_archives_times_levels(four: Four) -> None:
    select = (
        "complete nodes { series { complete nodes { numberOfSeriesRelatedInstances } } } sources { state }"
    )
    await four.runtime.ask(asked())  # more studies than before could be a cap, once
    for first in (3, 1000):
        answer = await four.runtime.ask(asked(more=f", first: {first}", select=select))
        found = answer.data["studies"]
        assert found["complete"]
        assert {source["state"] for source in found["sources"]} == {"LIVE"}
        assert [len(node["series"]["nodes"]) for node in found["nodes"]] == [1] * len(found["nodes"])
        assert sum(answer.requests.values()) <= ARCHIVES * 2
    flat = await four.runtime.ask(asked("series", more=", first: 500"))
    assert flat.data["series"]["totalCount"] == ARCHIVES * STUDIES
    assert flat.requests == {f"o{n}": 2 for n in range(ARCHIVES)}


async def test_one_stopped_and_one_slow_hold_nobody_up(
    four: Four, tmp_path: Path, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """An archive answers after 20 s, another is stopped, then back: all within timeoutMs, without a restart."""
    folder = tmp_path / "fifth"
    fifth, process = start_orthanc(folder)
    query = asked(given='patientId: {eq: "P1"}').replace("mode: LIVE", "mode: LIVE, timeoutMs: 3000")
    urls = [four.servers[0].dicomweb, fifth.dicomweb, four.servers[2].dicomweb, four.proxy.url]
    try:
        for number in (1, 2):
            fifth.upload(instance(uid(1, 70), 1, number, PatientID="P1"))
        async with AsyncExitStack() as stack:
            runtime = await opened(database, [config(n, url, 4) for n, url in enumerate(urls)], stack)
            await index_once(database, list(runtime.services.archives), reconcile=True, confirmed=True)
            stop_orthanc(process)
            four.proxy.delay = 20.0
            answer = await runtime.ask(query)
            assert states(answer) == {
                "o0": ("LIVE", 1, None),
                "o1": ("STALE", 1, "UNREACHABLE"),
                "o2": ("LIVE", 1, None),
                "o3": ("STALE", 1, "TIMEOUT"),
            }
            assert answer.data["studies"]["complete"] is False
            assert uids(answer) == {uid(0, 1), uid(1, 70), uid(2, 1), uid(3, 1)}
            with capsys.disabled():
                for source in answer.data["studies"]["sources"]:
                    print(f"\n{source}", end="")  # noqa: T201
            # It was given up before the deadline: the archive itself would have taken 20 s.
            assert answer.data["studies"]["sources"][3]["elapsedMs"] <= 3000
            four.proxy.delay = 0.0
            _, process = start_orthanc(folder, at=int(fifth.root.rpartition(":")[2]))
            await runtime.services.live.close()  # the slow request ends with the archive's own timeout
            again = await runtime.ask(query)
            assert {state for state, *_ in states(again).values()} == {"LIVE"}
            assert again.data["studies"]["complete"] is True
    finally:
        stop_orthanc(process)
