"""What connections may not do to the server: heads without an end, requests that come slowly, and too many of them."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, Self

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from api.admission.connections import MAX_HEAD_BYTES, MAX_HEADERS, MAX_PIPELINED, Limits
from api.admission.sockets import SLICE, SlicedSocket
from api.graphql.request_data import asked_of
from api.graphql.websocket import OpenSocket
from api.server import listen, run_server
from tests.api.tiny import tiny_app

ASK = b'{"query": "{ hello }"}'
HEAD = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
GOOD = HEAD + b"Content-Length: %d\r\n\r\n" % len(ASK) + ASK
UPGRADE = (
    b"GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)


@contextlib.asynccontextmanager
async def served(limits: Limits, app: ASGIApp | None = None) -> AsyncIterator[int]:
    """The port of a server in this process."""
    started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    with listen("127.0.0.1", 0) as sock:
        server = asyncio.create_task(
            run_server(app or tiny_app(), sock, started=started.set_result, limits=limits)
        )
        try:
            yield int((await started).rpartition(":")[2])
        finally:
            server.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await server


Connected = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connected(port: int) -> Connected:
    return await asyncio.open_connection("127.0.0.1", port)


async def everything(reader: asyncio.StreamReader) -> bytes:
    """Until the server closes."""
    with contextlib.suppress(ConnectionError):
        return await asyncio.wait_for(reader.read(), 30)
    return b""


def code_of(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["errors"][0]["extensions"]["code"]


TOO_LARGE, TOO_SLOW = (431, "HEADERS_TOO_LARGE"), (408, "REQUEST_TIMEOUT")


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (HEAD + b"X: " + b"x" * 2_000_000, TOO_LARGE),
        (HEAD + b"X: " + b"x" * 100_000 + b"\r\n\r\n", TOO_LARGE),
        (HEAD + b"X: " + b"x" * MAX_HEAD_BYTES + b"\r\n\r\n", TOO_LARGE),
        (b"GET /" + b"x" * 200_000, TOO_LARGE),
        (HEAD + b"X: y\r\n" * 10_000 + b"\r\n", TOO_LARGE),
        (HEAD + b"X: y\r\n" * (MAX_HEADERS - 1) + b"\r\n", TOO_LARGE),
        (UPGRADE[:-2] + b"X: " + b"x" * 100_000 + b"\r\n\r\n", TOO_LARGE),
        (b"", TOO_SLOW),
        (b"\r\n\r\n", TOO_SLOW),
        (b"POST", TOO_SLOW),
        (HEAD, TOO_SLOW),
        (HEAD + b"Content-Length: 5000\r\n\r\n{", TOO_SLOW),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", TOO_SLOW),
        (b"\x16\x03\x01\x02\x00", (400, "BAD_REQUEST")),
    ],
)  # fmt: skip
async def test_what_is_no_request(sent: bytes, answer: tuple[int, str]) -> None:
    async with served(Limits(receive_seconds=0.5)) as port:
        reader, writer = await connected(port)
        with contextlib.suppress(ConnectionError):
            writer.write(sent)
            await writer.drain()
        told = await everything(reader)
        assert told == b"" or code_of(told) == answer  # a sender who does not stop may see the reset only
        assert told or len(sent) > MAX_HEAD_BYTES
        writer.close()


@pytest.mark.parametrize("start", [b"POST /graphql", HEAD, HEAD + b"Content-Length: 5000\r\n\r\n"])
async def test_a_byte_at_a_time_is_not_waited_for(start: bytes) -> None:
    async with served(Limits(receive_seconds=0.5)) as port:
        reader, writer = await connected(port)
        writer.write(start)

        async def drip() -> None:
            with contextlib.suppress(ConnectionError):
                while True:
                    writer.write(b"x")
                    await writer.drain()
                    await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        assert code_of(await everything(reader)) == TOO_SLOW
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)


async def _takes_all(scope: Scope, receive: Receive, send: Send) -> None:
    size, more = 0, scope["type"] == "http"
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"%d" % size})


@pytest.mark.parametrize("path", [b"/archives/a/dicom-web/studies", b"/archives/a/dicom-web/studies/1.2"])
async def test_an_upload_may_go_on_as_long_as_it_comes_in(path: bytes) -> None:
    """And one that stalls is not waited for."""
    head = b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2000000\r\n\r\n"
    async with served(Limits(receive_seconds=0.2), _takes_all) as port:
        reader, writer = await connected(port)
        writer.write(head)
        for _ in range(20):
            writer.write(b"x" * 100_000)
            await asyncio.sleep(0.05)
        assert b"\r\n2000000\r\n" in await everything(reader)
        reader, writer = await connected(port)
        writer.write(head + b"x" * 100_000)
        assert code_of(await everything(reader)) == TOO_SLOW
        writer.close()


async def test_what_comes_in_time_is_answered(capsys: pytest.CaptureFixture[str]) -> None:
    """Several on one connection, in pieces, with as many headers and as large a body as may be."""
    body = json.dumps({"query": "{ hello }", "variables": {"x": "y" * 900_000}}).encode()
    large = HEAD + b"X: y\r\n" * (MAX_HEADERS - 4) + b"Content-Length: %d\r\n\r\n" % len(body) + body
    async with served(Limits(receive_seconds=5)) as port:
        reader, writer = await connected(port)
        for sent in (GOOD, large, GOOD):
            for start in range(0, len(sent), 50_000):
                writer.write(sent[start : start + 50_000])
                await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = int(head.lower().partition(b"content-length: ")[2].split()[0])
            assert await reader.readexactly(length) == b'{"data":{"hello":"world"}}'
        writer.close()


async def test_requests_that_wait_for_the_one_before() -> None:
    async with served(Limits()) as port:
        reader, writer = await connected(port)
        writer.write(GOOD * (MAX_PIPELINED + 1))
        for _ in range(MAX_PIPELINED + 1):
            assert (await reader.readuntil(b"world")).startswith((b"HTTP/1.1 200", b'"}}HTTP/1.1 200'))
        writer.close()
        reader, writer = await connected(port)
        writer.write(GOOD * 400)
        assert (await everything(reader)).count(b"world") <= MAX_PIPELINED + 1


async def test_connections_of_one_address() -> None:
    limits = Limits(per_address=3)
    async with served(limits) as port:
        held: list[Any] = []
        for sent in (GOOD, UPGRADE, GOOD):
            held.append(await connected(port))
            held[-1][1].write(sent)
            await held[-1][0].readuntil(b"\r\n\r\n")
        reader, _ = await connected(port)
        assert code_of(await everything(reader)) == (503, "TOO_MANY_CONNECTIONS")
        for _, writer in held:
            writer.transport.abort()
        async with asyncio.timeout(30):
            while limits.open:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        reader, writer = await connected(port)
        writer.write(GOOD)
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
        writer.close()


class Turns:
    """How often something was done in each turn of the event loop."""

    def __init__(self) -> None:
        self.counts: list[int] = [0]

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._handle = self._loop.call_soon(self._turn)
        return self

    def __exit__(self, *_error: object) -> None:
        self._handle.cancel()

    def counted(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def calling(*args: Any) -> Any:
            self.counts[-1] += 1
            return method(*args)

        return calling

    def _turn(self) -> None:
        if self.counts[-1]:
            self.counts.append(0)
        self._handle = self._loop.call_soon(self._turn)


def frame(text: str) -> bytes:
    """Of a client: masked, with a mask that changes nothing."""
    data = text.encode()
    assert 125 < len(data) < 65_536
    return b"\x81\xfe" + len(data).to_bytes(2, "big") + b"\0\0\0\0" + data


async def test_many_operations_on_one_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames are made of a slice at a time, one message is handled each turn, one too many is not looked at."""
    many, ask = 2000, json.dumps({"query": "{ sleeps(seconds: 60) }"}) + " " * 60
    subscribe = '{"type": "subscribe", "id": "%d", "payload": ' + ask + "}"
    sent = b"".join(frame(subscribe % number) for number in range(many))
    frames, handled, looked_at = Turns(), Turns(), Turns()
    monkeypatch.setattr(SlicedSocket, "handle_text", frames.counted(SlicedSocket.handle_text))
    monkeypatch.setattr(OpenSocket, "handle_subscribe", handled.counted(OpenSocket.handle_subscribe))
    monkeypatch.setattr("api.graphql.websocket.asked_of", looked_at.counted(asked_of))
    async with served(Limits()) as port:
        reader, writer = await connected(port)
        writer.write(UPGRADE)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(frame('{"type": "connection_init"}'.ljust(130)))
        await reader.readuntil(b"connection_ack")
        with frames, handled, looked_at:
            writer.write(sent)
            told = b""
            while told.count(b"TOO_MANY_SUBSCRIPTIONS") < many - 20:
                told += await asyncio.wait_for(reader.read(2**20), 60)
        writer.transport.abort()
    assert (sum(frames.counts), sum(handled.counts)) == (many + 1, many)  # and connection_init
    assert max(frames.counts) <= SLICE // 125
    assert max(handled.counts) == 1
    assert sum(looked_at.counts) == 20


async def test_many_sockets_opened_and_cut_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    opened, ended = Turns(), Turns()
    monkeypatch.setattr(SlicedSocket, "handle_connect", opened.counted(SlicedSocket.handle_connect))
    monkeypatch.setattr(SlicedSocket, "connection_lost", ended.counted(SlicedSocket.connection_lost))
    async with served(Limits()) as port:
        sockets = [await connected(port) for _ in range(200)]
        with opened:
            for _, writer in sockets:
                writer.write(UPGRADE)
            for reader, _ in sockets:
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        with ended:
            for _, writer in sockets:
                writer.transport.abort()
            async with asyncio.timeout(60):
                while sum(ended.counts) < 200:  # noqa: ASYNC110
                    await asyncio.sleep(0)
    assert (sum(opened.counts), sum(ended.counts)) == (200, 200)
    assert (max(opened.counts), max(ended.counts)) == (1, 1)


@pytest.mark.parametrize("message", [b"\x89\x80\0\0\0\0" * 5000, frame(" " * 60_000)[:-1] + b"\xff"])
async def test_what_else_comes_at_length(message: bytes) -> None:
    """Pings are answered all, in slices; a text that is none is told after its last slice."""
    async with served(Limits()) as port:
        reader, writer = await connected(port)
        writer.write(UPGRADE)
        await reader.readuntil(b"\r\n\r\n")
        writer.write(message)
        if message.startswith(b"\x89"):
            assert await asyncio.wait_for(reader.readexactly(2 * 5000), 60) == b"\x8a\0" * 5000
        else:
            assert (await everything(reader)).startswith(b"\x88")
        writer.transport.abort()
