"""A real server: what is on the wire, what is in its log, and how it ends."""

import http.client
import json
import signal
import socket
import time
import urllib.request
from urllib.parse import quote, urlsplit

import pytest

from api.server import CannotListen, is_loopback, listen, url_of
from tests.api.serving import serving


def get(url: str) -> tuple[int, dict[str, str], str]:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310
        return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read().decode()


def test_headers_and_log_of_a_query_in_the_url() -> None:
    with serving() as (url, process):
        status, headers, text = get(f"{url}/graphql?query={quote('{ Mueller: hello }')}")
        process.terminate()
        out, log = process.communicate(timeout=15)
    assert (status, json.loads(text)) == (200, {"data": {"Mueller": "world"}})
    assert "server" not in headers
    assert "date" in headers
    assert "Mueller" not in log
    [line] = [json.loads(line) for line in log.splitlines() if "http.request" in line]
    assert (line["method"], line["route"], line["status"]) == ("GET", "/graphql", 200)
    assert line["request_id"] == headers["x-request-id"]
    assert out == "stopped\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    with serving() as (url, process):
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        connection.request("GET", "/livez")  # a connection that is kept open
        assert connection.getresponse().read()
        process.send_signal(number)
        out, log = process.communicate(timeout=15)
        connection.close()
    assert (process.returncode, out) == (0, "stopped\n")
    assert "Traceback" not in log


def test_a_request_that_runs_is_let_end() -> None:
    with serving() as (url, process):
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        connection.request("GET", f"/graphql?query={quote('{ sleeps(seconds: 1) }')}")
        time.sleep(0.3)
        process.terminate()
        assert json.loads(connection.getresponse().read()) == {"data": {"sleeps": "awake"}}
        connection.close()
        process.communicate(timeout=15)
    assert process.returncode == 0


def test_a_second_signal_does_not_wait() -> None:
    with serving() as (url, process):
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        connection.request("GET", f"/graphql?query={quote('{ sleeps(seconds: 30) }')}")
        time.sleep(0.3)
        started = time.monotonic()
        process.terminate()
        time.sleep(0.3)
        process.terminate()
        process.communicate(timeout=15)
        connection.close()
    assert time.monotonic() - started < 8


def test_a_body_over_the_cap_on_the_wire() -> None:
    with serving() as (url, _), socket.create_connection(tuple(urlsplit(url).netloc.split(":"))) as wire:  # type: ignore[arg-type]
        wire.sendall(
            b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 999999999999\r\n\r\n{"
        )
        wire.settimeout(10)
        assert wire.recv(200).startswith(b"HTTP/1.1 413 ")


def test_a_port_in_use_is_said() -> None:
    with listen("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        assert url_of(sock) == f"http://127.0.0.1:{port}"
        with pytest.raises(CannotListen, match=rf"127\.0\.0\.1:{port}.*--port"):
            listen("127.0.0.1", port)
    with pytest.raises(CannotListen, match="--host"):
        listen("no-such-host.invalid", 0)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.3.2.1", True), ("::1", True), ("localhost", True),
     ("0.0.0.0", False), ("::", False), ("192.0.2.1", False), ("", False)],  # noqa: S104
)  # fmt: skip
def test_what_is_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
