"""Archives that fail, lie or stall while something is retrieved: another copy is asked, or the answer breaks off."""

import asyncio
import socket
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from starlette.types import Message

from archives.breaker import BreakerState
from archives.retrieval import Retrieving, WantedObject
from config.archives_file import ArchiveConfig
from db.pool import Database
from tests.api.dicomweb.federated import DOUBLED, Federated, opened
from tests.api.dicomweb.test_retrieving import DICOM, held, parts_of, path_of
from tests.archives.faulty import Behaviour, Exchange, Faulty, faulty
from tests.archives.files import SPLIT, instance

pytestmark = pytest.mark.orthanc
BOUNDARY = b"--xyz"
KIND = 'multipart/related; type="application/dicom"; boundary=xyz'
_PART = b"Content-Type: application/dicom; transfer-syntax=*\r\n\r\n"


def body(*files: bytes, end: bytes = b"--") -> bytes:
    parts = b"".join(b"\r\n" + BOUNDARY + b"\r\n" + _PART + each for each in files)
    return parts[2:] + b"\r\n" + BOUNDARY + end + b"\r\n"


def replying(status: int, content: bytes = b"", kind: str = KIND) -> Behaviour:
    return lambda exchange: exchange.reply(status, content, kind)


def cut(content: bytes, announced: int) -> Behaviour:
    def behave(exchange: Exchange) -> None:
        exchange.head(200, announced, KIND)
        exchange.send(content)
        exchange.reset()

    return behave


def hanging(exchange: Exchange) -> None:
    exchange.hang()


def dripping(exchange: Exchange) -> None:
    """A byte now and then, for ever."""
    exchange.head(200, 10**9, KIND)
    while not exchange.stopping.wait(0.05):
        exchange.send(b"x")


ONE = instance(DOUBLED, 1, 1)
OTHER = instance("1.2.3", 1, 1)
FAILURES: dict[str, Behaviour] = {
    "refuses": replying(403),
    "is broken": replying(500),
    "is busy": replying(503),
    "does not have it": replying(404),
    "answers nothing": replying(200, b""),
    "answers a page": replying(200, b"<html>", "text/html"),
    "answers JSON": replying(200, b"[]", "application/dicom+json"),
    "answers no part": replying(200, BOUNDARY + b"--\r\n"),
    "has no boundary": replying(200, body(ONE), "multipart/related"),
    "answers an empty part": replying(200, body(b"")),
    "answers another study": replying(200, body(OTHER)),
    "answers something in a part": replying(200, body(b"x" * 100_000)),
    "answers half a head": replying(200, BOUNDARY + b"\r\n" + b"X: y\r\n" * 10_000),
    "breaks off before the first part": cut(BOUNDARY, 10_000),
    "breaks off in the first bytes": cut(body(ONE)[:2_000], 40_000),
    "hangs": hanging,
    "drips": dripping,
}


@asynccontextmanager
async def behind(
    indexed: str, configs: list[ArchiveConfig], behave: Behaviour, **changes: Any
) -> AsyncIterator[tuple[Federated, Faulty]]:
    """In the place of Orthanc stands somebody else."""
    with faulty(behave) as server:
        changed = {"kind": "dicomweb", "url": server.url, "timeout": 1.0, "retries": 0, **changes}
        others = [replace(c, **changed) if c.code == "orthanc" else c for c in configs]
        database = await Database.open(indexed)
        async with opened(database, others) as home:
            yield home, server
        await database.close()


@pytest.mark.parametrize("name", FAILURES)
async def test_another_copy_is_asked(indexed: str, configs: list[ArchiveConfig], name: str) -> None:
    async with behind(indexed, configs, FAILURES[name]) as (home, server):
        asking = home.client()
        assert [content for _, content in parts_of(await asking.get(path_of([DOUBLED])))] == [ONE]
        assert server.asked[0] == f"GET /dicom-web/studies/{DOUBLED}"
        alone = await asking.get(f"/archives/orthanc{path_of([DOUBLED])}")
        assert alone.status_code in (404, 406, 503), alone.text
        assert "127.0.0.1" not in alone.text
        if alone.status_code == 503:
            assert alone.headers["retry-after"]


def later(end: bytes, announced: int = 0) -> Behaviour:
    """An instance that is asked for, larger than what is looked at before an answer begins; and then `end`."""
    content = body(next(iter(held(SPLIT).values())) + bytes(600_000), end=b"")[: -len(b"\r\n--xyz\r\n")] + end

    def behave(exchange: Exchange) -> None:
        exchange.head(200, announced or len(content), KIND)
        exchange.send(content)
        if announced:
            exchange.connection.shutdown(socket.SHUT_WR)

    return behave


LATER: dict[str, Behaviour] = {
    "breaks off": later(b"", 10**6),
    "ends without its end": later(b"\r\n" + BOUNDARY + b"\r\n" + _PART),
    "answers another study in its second part": later(b"\r\n" + body(OTHER)),
    "answers something in its second part": later(b"\r\n" + body(b"x" * 10_000)),
}


@pytest.mark.parametrize("name", LATER)
async def test_half_an_answer_is_none(indexed: str, configs: list[ArchiveConfig], name: str) -> None:
    """What has begun cannot be taken back: the connection closes before the end, and every client sees that."""
    async with (
        behind(indexed, configs, LATER[name]) as (home, _),
        home.served() as url,
        httpx.AsyncClient(timeout=20) as http,
    ):
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get(url + path_of([SPLIT]))
    async with behind(indexed, configs, LATER[name]) as (home, _):
        client = home.archives["orthanc"]
        assert isinstance(client, Retrieving)
        events = client.retrieve(WantedObject((SPLIT,), (DICOM,)))
        assert [type(await anext(events)).__name__ for _ in range(2)] == ["Begin", "bytes"]
        with pytest.raises(Exception, match=r"orthanc: "):
            async for _ in events:
                pass


async def test_other_words_are_tried(indexed: str, configs: list[ArchiveConfig]) -> None:
    """An archive that refuses transfer-syntax=*, or the whole type, as some do; and one that answers one part alone."""

    def picky(exchange: Exchange) -> None:
        if exchange.number < 3:
            exchange.reply(406)
        else:
            exchange.reply(200, ONE, "application/dicom")

    async with behind(indexed, configs, picky) as (home, server):
        answer = await home.client().get(f"/archives/orthanc{path_of([DOUBLED])}")
        assert parts_of(answer) == [("application/dicom; transfer-syntax=1.2.840.10008.1.2.1", ONE)]
        assert len(server.asked) == 3


async def test_what_cannot_be_drawn_makes_nobody_sick(indexed: str, configs: list[ArchiveConfig]) -> None:
    async with behind(indexed, configs, replying(500)) as (home, _):
        asking, uids = home.client(), next(iter(held(SPLIT)))
        for path in ("/rendered", "/thumbnail", "/bulk/7fe00010"):
            for _ in range(6):
                assert (await asking.get(path_of(uids) + path)).status_code == 406
        assert state_of(home) == BreakerState.CLOSED
        for _ in range(6):
            assert (await asking.get(path_of(uids))).status_code == 503
        assert state_of(home) == BreakerState.OPEN


def state_of(home: Federated) -> BreakerState:
    return home.archives["orthanc"].standing.breaker.state


async def test_a_picture_is_a_picture(indexed: str, configs: list[ArchiveConfig]) -> None:
    """A page of somebody else's is not passed on under this server's name."""
    uids = next(iter(held(SPLIT)))
    page = replying(200, b"<script>", "text/html")
    async with behind(indexed, configs, page) as (home, _):
        for path in ("/rendered", "/thumbnail", "/frames/1", "/bulk/x"):
            assert (await home.client().get(path_of(uids) + path)).status_code == 406


def _endless(exchange: Exchange) -> None:
    """An instance that never ends."""
    exchange.head(200, 10**12, KIND)
    exchange.send(body(next(iter(held(SPLIT).values())))[:-20])
    piece = bytes(64 * 1024)
    while not exchange.stopping.is_set():
        exchange.send(piece)


async def test_a_client_that_goes_ends_it(indexed: str, configs: list[ArchiveConfig]) -> None:
    async with behind(indexed, configs, _endless) as (home, server), home.served() as url:
        async with httpx.AsyncClient(timeout=20) as http:
            for _ in range(6):  # more often than there are connections
                async with http.stream("GET", url + path_of([SPLIT])) as answer:
                    assert answer.status_code == 200
                    await anext(answer.aiter_bytes())
        async with asyncio.timeout(20):
            while server.open:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


async def test_a_client_that_takes_nothing_is_given_up(indexed: str, configs: list[ArchiveConfig]) -> None:
    async with behind(indexed, configs, _endless) as (home, server):
        app, asked, never = home.app(send_patience=0.2), iter([{"type": "http.request"}]), asyncio.Event()

        async def receive() -> Message:
            if (message := next(asked, None)) is None:
                await never.wait()
            return message or {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            assert message.get("status", 200) == 200
            if message["type"] == "http.response.body":
                await never.wait()

        path = path_of([SPLIT])
        scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b"",
                 "scheme": "http", "server": ("ernfed.test", 80)}  # fmt: skip
        await asyncio.wait_for(app(scope, receive, send), 20)
        async with asyncio.timeout(20):
            while server.open:  # noqa: ASYNC110
                await asyncio.sleep(0.02)


async def test_memory_is_flat(indexed: str, configs: list[ArchiveConfig]) -> None:
    """100 MB take no more than some pieces."""
    size, piece = 100 * 1024**2, bytes(1024**2)
    head, tail = body(ONE)[: -len(b"\r\n--xyz--\r\n")], b"\r\n--xyz--\r\n"

    def large(exchange: Exchange) -> None:
        exchange.head(200, len(head) + size + len(tail), KIND)
        exchange.send(head)
        for _ in range(size // len(piece)):
            exchange.send(piece)
        exchange.send(tail)

    async with behind(indexed, configs, large, timeout=20) as (home, _):
        events = home.archives["orthanc"].retrieve(WantedObject((DOUBLED,), (DICOM,)))  # type: ignore[attr-defined]
        tracemalloc.start()
        total = 0
        async for event in events:
            total += len(event) if isinstance(event, bytes) else 0
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert total == size + len(ONE)
    assert most < 16 * 1024**2
