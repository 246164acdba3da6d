"""Running the application: a socket, uvicorn on it, and an orderly end when the task is cancelled."""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

from api.admission.connections import Limits, protocols_of
from api.document.limits import MAX_BODY_BYTES
from model.errors import OperatorError

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
"""What a browser on this machine may call a server that listens on loopback only."""

_GRACE_SECONDS = 10


class CannotListen(OperatorError):
    """The address cannot be listened on; the message says why and what to do."""


def is_loopback(host: str) -> bool:
    """Whether every address that `host` stands for reaches this machine only."""
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return False
    return bool(found) and all(ipaddress.ip_address(str(address)).is_loopback for address in found)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises CannotListen."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        sock = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise CannotListen(f"{host} is not an address of this machine: {error}. Check --host.") from error
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(2048)
    except OSError as error:
        sock.close()
        raise CannotListen(
            f"cannot listen on {host}:{port}: {error.strerror}. "
            "Is another ernfed running there? Choose another port with --port (0 takes a free one)."
        ) from error
    sock.setblocking(False)
    return sock


def url_of(sock: socket.socket) -> str:
    """`http://127.0.0.1:8000`"""
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def run_server(
    app: ASGIApp,
    sock: socket.socket,
    *,
    started: Callable[[str], None],
    max_message: int = MAX_BODY_BYTES,
    limits: Limits | None = None,
    stopping: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Serves until the task is cancelled, then lets running requests end, and raises CancelledError.

    `started` gets the URL as soon as requests are taken; `max_message` is of WebSockets, in bytes; `limits` are those
    of connections; `stopping` ends what would go on for ever. A second cancel cuts running requests off.
    """
    connection, websocket = protocols_of(limits or Limits())
    config = uvicorn.Config(
        app,
        http=connection,
        ws=websocket,
        log_config=None,
        access_log=False,  # its lines hold query strings; api/middleware.py writes better ones
        server_header=False,
        proxy_headers=False,  # it would believe everybody on this machine; api/proxies.py believes whom it is told to
        timeout_graceful_shutdown=_GRACE_SECONDS,
        ws_max_size=max_message,
        ws_max_queue=8,
        ws_ping_interval=20.0,  # a client that answers no ping in 20 s more is gone
        ws_ping_timeout=20.0,
    )
    server = _Server(config, started)
    serving = asyncio.create_task(server.serve(sockets=[sock]), name="http server")
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        try:
            if stopping is not None:
                await stopping()
            server.should_exit = True
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            server.should_exit = server.force_exit = True
            await serving
        raise
    finally:
        sock.close()


class _Server(uvicorn.Server):
    """Leaves signals to the command: uvicorn's own handling raises them again and skips clean-up."""

    def __init__(self, config: uvicorn.Config, started: Callable[[str], None]) -> None:
        super().__init__(config)
        self._on_started = started

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if sockets and not self.should_exit:
            self._on_started(url_of(sockets[0]))
