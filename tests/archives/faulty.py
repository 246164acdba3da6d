"""An archive that misbehaves on demand: a scripted HTTP server on loopback, one behaviour a server.

    with faulty(cuts_pages(25, 10)) as archive:
        ... archive.url, archive.asked ...

A behaviour is a function of one Exchange. It answers as it likes: late, never, half, or something else.
"""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

Json = dict[str, object]
JSON = "application/dicom+json"


@dataclass
class Exchange:
    """One request and the connection to answer on."""

    method: str
    path: str
    query: dict[str, str]
    connection: socket.socket
    stopping: threading.Event
    number: int
    fields: tuple[str, ...] = ()
    """What includefield asks for, once or more often."""
    body: bytes = b""

    @property
    def offset(self) -> int:
        return int(self.query.get("offset", "0"))

    @property
    def limit(self) -> int:
        return int(self.query.get("limit", "1000000"))

    def reply(self, status: int, body: bytes = b"", kind: str = JSON, **headers: str) -> None:
        self.head(status, len(body), kind, **headers)
        self.send(body)

    def rows(self, rows: list[Json], **headers: str) -> None:
        self.reply(200, json.dumps(rows).encode(), **headers)

    def head(self, status: int, length: int, kind: str = JSON, **headers: str) -> None:
        lines = [f"HTTP/1.1 {status} Said", f"Content-Type: {kind}", f"Content-Length: {length}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.send("\r\n".join([*lines, "", ""]).encode())

    def send(self, content: bytes) -> None:
        self.connection.sendall(content)

    def hang(self, seconds: float = 60) -> None:
        """Until the server stops or the other side has gone."""
        self.connection.settimeout(0.05)
        for _ in range(int(seconds / 0.05)):
            if self.stopping.is_set():
                return
            with suppress(TimeoutError):
                if not self.connection.recv(1):
                    return

    def reset(self) -> None:
        """RST instead of FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


Behaviour = Callable[[Exchange], None]


@dataclass
class Faulty:
    """`asked` lists method and target of each request; `open` counts connections still held by the client."""

    url: str
    asked: list[str] = field(default_factory=list)
    open: int = 0


@contextmanager
def faulty(behaviour: Behaviour) -> Iterator[Faulty]:
    listener = socket.create_server(("127.0.0.1", 0))
    stopping = threading.Event()
    state = Faulty(f"http://127.0.0.1:{listener.getsockname()[1]}/dicom-web")
    lock = threading.Lock()

    def serve(connection: socket.socket) -> None:
        with lock:
            state.open += 1
        with suppress(OSError, ValueError), connection:
            while not stopping.is_set() and (asked := _read_request(connection)) is not None:
                method, target, body = asked
                parts = urlsplit(target)
                listed = parse_qs(parts.query, keep_blank_values=True)
                query = {name: found[0] for name, found in listed.items()}
                fields = tuple(listed.get("includefield", ()))
                with lock:
                    state.asked.append(f"{method} {target}")
                    number = len(state.asked)
                behaviour(Exchange(method, parts.path, query, connection, stopping, number, fields, body))
        with lock:
            state.open -= 1

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield state
    finally:
        stopping.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _read_request(connection: socket.socket) -> tuple[str, str, bytes] | None:
    head = b""
    while b"\r\n\r\n" not in head:
        if not (chunk := connection.recv(65536)):
            return None
        head += chunk
    start, _, body = head.partition(b"\r\n\r\n")
    lines = start.decode("latin-1").split("\r\n")
    fields = {line.split(":")[0].lower(): line.split(":", 1)[1].strip() for line in lines[1:]}
    length = int(fields.get("content-length", "0"))
    while len(body) < length and (chunk := connection.recv(65536)):
        body += chunk
    method, target, _ = lines[0].split(" ", 2)
    return method, target, body


def study(number: int, **attributes: object) -> Json:
    """A row as a QIDO-RS server sends it; more attributes by tag."""
    row: Json = {
        "00080020": {"vr": "DA", "Value": ["20200315"]},
        "00100020": {"vr": "LO", "Value": [f"P{number}"]},
        "0020000D": {"vr": "UI", "Value": [f"1.2.3.{number}"]},
    }
    return row | {tag.removeprefix("t"): value for tag, value in attributes.items()}


def studies(count: int, start: int = 1) -> list[Json]:
    return [study(number) for number in range(start, start + count)]


def says(status: int, body: bytes = b"", kind: str = JSON, **headers: str) -> Behaviour:
    return lambda exchange: exchange.reply(status, body, kind, **headers)


def holds(rows: list[Json], cap: int | None = None, **headers: str) -> Behaviour:
    """Pages over rows with limit and offset; never more than `cap` at once, and then with `headers`."""

    def behave(exchange: Exchange) -> None:
        size = min(exchange.limit, cap or exchange.limit)
        page = rows[exchange.offset : exchange.offset + size]
        is_cut = exchange.offset + size < len(rows)
        exchange.rows(page, **(headers if is_cut else {}))

    return behave


def ignores_offset(rows: list[Json], cap: int, **headers: str) -> Behaviour:
    return lambda exchange: exchange.rows(rows[:cap], **headers)


def never_ends(exchange: Exchange) -> None:
    exchange.rows(studies(exchange.limit, 1 + exchange.offset))


def repeats_rows(rows: list[Json], overlap: int) -> Behaviour:
    """Each page starts with the last rows of the one before."""

    def behave(exchange: Exchange) -> None:
        start = max(exchange.offset - overlap, 0)
        exchange.rows(rows[start : start + exchange.limit] if exchange.offset < len(rows) else [])

    return behave


def hangs_before_headers(exchange: Exchange) -> None:
    exchange.hang()


def hangs_in_headers(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Ty")
    exchange.hang()


def hangs_in_body(exchange: Exchange) -> None:
    exchange.head(200, 5000)
    exchange.send(b'[{"0020000D":')
    exchange.hang()


def drips(content: bytes) -> Behaviour:
    """Ten bytes a second, which no socket timeout notices."""

    def behave(exchange: Exchange) -> None:
        for start in range(len(content)):
            exchange.send(content[start : start + 1])
            if exchange.stopping.wait(0.1):
                return

    return behave


def is_huge(announced: bool) -> Behaviour:
    """A valid beginning without end."""

    def behave(exchange: Exchange) -> None:
        if announced:
            exchange.head(200, 10**10)
        else:
            exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
        exchange.send(b"[")
        while not exchange.stopping.is_set():
            exchange.send(json.dumps(study(1)).encode() * 100 + b",")

    return behave


def resets(exchange: Exchange) -> None:
    exchange.reset()


def resets_in_body(exchange: Exchange) -> None:
    exchange.head(200, 5000)
    exchange.send(b'[{"0020000D":')
    exchange.reset()


def closes_in_body(exchange: Exchange) -> None:
    exchange.head(200, 5000)
    exchange.send(b'[{"0020000D":')
    exchange.connection.shutdown(socket.SHUT_RDWR)


def first(count: int, bad: Behaviour, good: Behaviour) -> Behaviour:
    """Misbehaves `count` times, then recovers."""
    return lambda exchange: (bad if exchange.number <= count else good)(exchange)
