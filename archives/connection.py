"""HTTP connections that can be cut off from outside, so that no worker thread outlives its deadline.

A socket timeout bounds one read, not an answer: a server that sends a byte a second never meets it, and
a cancelled task does not stop its thread. So each request holds the socket it is using, and the event
loop shuts that socket down when the deadline has passed or the asker has gone. Knows nothing of DICOM.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Mapping
from typing import Any, Protocol

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class PiecewiseBody(Protocol):
    """Who takes the body of an answer piece by piece, where it is not read whole."""

    def begin(self, headers: Mapping[str, str]) -> None: ...

    def put(self, piece: bytes) -> None: ...

    def wake(self) -> None: ...


class Call:
    """One request in a worker thread: its deadline, its socket, and what came: warnings and server of the headers,
    whether it was a part only (206), bytes of the body."""

    def __init__(self, seconds: float, any_status: bool = False) -> None:
        """any_status: hand the answer over whatever its status (STOW-RS tells its result in 4xx bodies)."""
        self.deadline = time.monotonic() + seconds
        self.any_status = any_status
        self.warnings: list[str] = []
        self.server: str | None = None
        self.is_part = False
        self.size = 0
        self.flow: PiecewiseBody | None = None
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._is_cut = False

    def remaining(self) -> float:
        """Seconds left, never below a millisecond: a timeout of 0 means something else to sockets."""
        return max(self.deadline - time.monotonic(), 0.001)

    def renew(self, seconds: float) -> None:
        """So long from now on."""
        self.deadline = time.monotonic() + seconds

    @property
    def is_cut(self) -> bool:
        return self._is_cut

    @property
    def is_over(self) -> bool:
        return self._is_cut or time.monotonic() >= self.deadline

    def hold(self, connected: socket.socket | None) -> None:
        with self._lock:
            self._socket = connected
            if self._is_cut:
                self._shut()

    def cut(self) -> None:
        """End the request now; called from any thread."""
        with self._lock:
            self._is_cut = True
            self._shut()
        if self.flow is not None:
            self.flow.wake()

    def release(self) -> None:
        """The answer is read: the socket belongs to the pool again."""
        with self._lock:
            self._socket = None

    def _shut(self) -> None:
        if self._socket is not None:
            # Not SSLSocket.shutdown: that drops the TLS state under the reading thread.
            with contextlib.suppress(OSError):  # closed already
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


_thread = threading.local()


def current_call() -> Call | None:
    """The call that this worker thread is busy with."""
    return getattr(_thread, "call", None)


def set_current_call(call: Call | None) -> None:
    _thread.call = call


def _hold(connected: object) -> None:
    if (call := current_call()) is not None and isinstance(connected, socket.socket):
        call.hold(connected)


class _Connection(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _hold(self.sock)

    def request(self, *args: Any, **options: Any) -> None:
        _hold(self.sock)  # a connection from the pool is connected already
        super().request(*args, **options)


class _SecureConnection(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _hold(self.sock)

    def request(self, *args: Any, **options: Any) -> None:
        _hold(self.sock)
        super().request(*args, **options)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class CuttableAdapter(HTTPAdapter):
    """requests' adapter over such connections; `connections` as many as there are worker threads."""

    def __init__(self, connections: int) -> None:
        super().__init__(pool_connections=1, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
