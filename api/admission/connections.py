"""What one connection, and one address, may take of the server before anything of a request is looked at.

uvicorn's parsers have no limit on how large the head of a request may be, nor on how long it may take to send one.
"""

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.admission.sockets import OneATurn, SlicedSocket
from api.problems import problem

MAX_HEAD_BYTES: Final = 65_536
MAX_HEADERS: Final = 100
MAX_PIPELINED: Final = 8
"""Requests that wait on one connection for the one before; no browser sends a second one."""


MIN_BYTES_A_SECOND: Final = 10_000
"""Of an upload, whose body may take its time as long as it comes."""
_UPLOAD: Final = re.compile(rb"/archives/[^/?]+/dicom-web/studies(/[^/?]+)?\Z")


@dataclass(slots=True)
class Limits:
    """receive_seconds: in which a request must have come whole; an upload may go on as long as enough of it comes in
    each of these. per_address: connections; 0: as many as it likes."""

    receive_seconds: float = 30.0
    per_address: int = 0
    open: Counter[str] = field(default_factory=Counter)
    sockets: OneATurn = field(default_factory=OneATurn)


class Refused(Exception):
    """The connection sent what is not taken; it is answered and closed."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.answer = (status, code, message)


_TOO_LARGE = (431, "HEADERS_TOO_LARGE", f"The head of the request has more than {MAX_HEAD_BYTES} bytes.")
_TOO_MANY = (431, "HEADERS_TOO_LARGE", f"The request has more than {MAX_HEADERS} headers.")
_TOO_SLOW = (408, "REQUEST_TIMEOUT", "The request did not come whole in time.")
_NOT_HTTP = (400, "BAD_REQUEST", "This is not HTTP.")
_CROWDED = (503, "TOO_MANY_CONNECTIONS", "Too many connections from this address. Close some.")


def protocols_of(limits: Limits) -> tuple[type[HttpToolsProtocol], type[SlicedSocket]]:
    """Of connections, and of those that have become WebSockets."""

    class Limited(_HttpConnection):
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            self.limits = limits

    class LimitedSocket(SlicedSocket):
        def connection_lost(self, exc: Exception | None) -> None:
            """To end one takes as long as to open it, with all that ends then."""
            _left(limits, self.client)
            limits.sockets.add(partial(super().connection_lost, exc))

    return Limited, LimitedSocket


class _HttpConnection(HttpToolsProtocol):
    """One connection, until it is closed or becomes a WebSocket."""

    limits: Limits
    _head: int | None = None  # bytes of the head that is being read; None between heads
    _clock: asyncio.TimerHandle | None = None
    _came: int | None = None  # bytes of an upload since the clock was set; None of other requests
    _answer = _NOT_HTTP

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        address = self.client[0] if self.client else ""
        self.limits.open[address] += 1
        if 0 < self.limits.per_address < self.limits.open[address]:
            self._refuse(_CROWDED)
        else:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._in_time()
        super().connection_lost(exc)
        _left(self.limits, self.client)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self._clock is None and (self.cycle is None or self.cycle.response_complete):
            self._wait()
        if self._came is not None:
            self._came += len(data)
        super().data_received(data)
        if self._head is not None:
            self._head += len(data)
            if self._head > MAX_HEAD_BYTES:
                self._refuse(_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        if len(self.headers) > MAX_HEADERS:
            self._give_up(_TOO_MANY)

    def on_headers_complete(self) -> None:
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > MAX_HEAD_BYTES:
            self._give_up(_TOO_LARGE)
        if len(self.pipeline) >= MAX_PIPELINED:
            self.transport.abort()
            self._give_up(_NOT_HTTP)
        self._head = None
        is_upload = self.parser.get_method() == b"POST" and _UPLOAD.match(self.url) is not None
        self._came = 0 if is_upload else None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._came = None
        self._in_time()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """To open a socket takes a millisecond, with all that begins then."""
        self._in_time()
        self.transport.pause_reading()
        self.limits.sockets.add(self._upgrade)

    def _upgrade(self) -> None:
        if not self.transport.is_closing():
            super().handle_websocket_upgrade()
            self.transport.resume_reading()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn calls where the parser gave up, or was made to."""
        self._refuse(self._answer)

    def _give_up(self, answer: tuple[int, str, str]) -> None:
        self._answer = answer
        raise Refused(*answer)

    def _wait(self) -> None:
        self._clock = self.loop.call_later(self.limits.receive_seconds, self._too_slow)

    def _in_time(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _too_slow(self) -> None:
        self._clock = None
        if self._goes_on():
            self._came = 0
            self._wait()
        else:
            self._refuse(_TOO_SLOW)

    def _goes_on(self) -> bool:
        """Whether an upload is taken and comes in, or waits for us; what nobody reads any more is not."""
        if self._came is None or self.cycle is None or self.cycle.response_complete:
            return False
        return self.flow.read_paused or self._came >= MIN_BYTES_A_SECOND * self.limits.receive_seconds

    def _refuse(self, answer: tuple[int, str, str]) -> None:
        """Says why, where no answer has begun, and closes."""
        self._in_time()
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(_bytes(*answer))
        if self.cycle is not None:
            self.cycle.disconnected = True  # of a request whose body is still awaited
            self.cycle.message_event.set()
        self.transport.close()


def _left(limits: Limits, client: tuple[str, int] | None) -> None:
    address = client[0] if client else ""
    limits.open[address] -= 1
    if limits.open[address] <= 0:
        del limits.open[address]


def _bytes(status: int, code: str, message: str) -> bytes:
    response = problem(status, code, message, headers={"Connection": "close"})
    head = b"".join(name + b": " + value + b"\r\n" for name, value in response.raw_headers)
    return b"HTTP/1.1 %d Refused\r\n" % status + head + b"\r\n" + bytes(response.body)
