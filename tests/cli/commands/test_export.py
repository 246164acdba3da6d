"""`ernfed export` against a real server: whole files, refusals in words, and no part that looks whole."""

import contextlib
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.commands.export import app

runner = CliRunner()
Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


@contextlib.contextmanager
def server(answer: Answer) -> Iterator[tuple[str, list[tuple[str, dict[str, str], object]]]]:
    """URL of a server that gives this answer, and what it was asked: path, headers, body."""
    asked: list[tuple[str, dict[str, str], object]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((self.path, dict(self.headers), body))
            answer(self)

        def log_message(self, *_: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http_server:
        thread = threading.Thread(target=http_server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{http_server.server_port}", asked
        finally:
            http_server.shutdown()
            thread.join()


def told(status: int, body: bytes, complete: str = "true", *, whole: bool = True) -> Answer:
    """An answer in one chunk, as the server sends files."""

    def answer(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in (("Total-Count", "2"), ("Complete", complete), ("Sources", "a=CACHED, b=FAILED")):
            handler.send_header(f"X-Ernfed-{name}", value)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"%x\r\n%b\r\n" % (len(body), body) + (b"0\r\n\r\n" if whole else b""))
        handler.close_connection = not whole

    return answer


CSV = b"StudyInstanceUID\r\n1.2\r\n1.3\r\n"


def test_a_file(tmp_path: Path) -> None:
    file, token = tmp_path / "out.csv", tmp_path / "token"
    token.write_text("abc\n", encoding="ascii")
    more = ["--archive", "a", "--archive", "b", "--attribute", "PatientAge", "--purpose", "HRESCH"]
    with server(told(200, CSV)) as (url, asked):
        done = runner.invoke(
            app, ["studies", "--url", url, "--output", str(file), "--token-file", str(token), *more]
        )
    assert (done.exit_code, done.stderr, file.read_bytes()) == (0, "2 studies\n", CSV)
    [(path, headers, body)] = asked
    assert path == "/export/studies.csv"
    assert (headers["Authorization"], headers["X-Purpose-Of-Use"]) == ("Bearer abc", "HRESCH")
    assert body == {"filter": {}, "archives": ["a", "b"], "attributes": ["PatientAge"]}
    assert [each.name for each in tmp_path.iterdir() if each.suffix == ".part"] == []


def test_columns_and_a_cohort() -> None:
    more = ["--column", "Rows", "--column", "SOPInstanceUID", "--cohort", "abc"]
    with server(told(200, CSV)) as (url, asked):
        done = runner.invoke(app, ["instances", "--url", url, *more])
    assert (done.exit_code, asked[0][0]) == (0, "/export/instances.csv")
    assert asked[0][2] == {
        **{"filter": {}, "archives": None, "attributes": []},
        **{"columns": ["Rows", "SOPInstanceUID"], "cohort": "abc"},
    }


def test_standard_output() -> None:
    with server(told(200, b"{}\n{}\n")) as (url, asked):
        done = runner.invoke(app, ["series", "--format", "ndjson", "--url", url])
    assert (done.exit_code, done.stdout, asked[0][0]) == (0, "{}\n{}\n", "/export/series.ndjson")


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with server(told(200, CSV, "false")) as (url, _):
        done = runner.invoke(app, ["studies", "--url", url, "--output", str(tmp_path / "out.csv")])
    assert (done.exit_code, (tmp_path / "out.csv").read_bytes()) == (1, CSV)
    assert "not complete: a=CACHED, b=FAILED" in done.stderr


def test_an_answer_that_breaks_off_leaves_no_file(tmp_path: Path) -> None:
    with server(told(200, CSV, whole=False)) as (url, _):
        done = runner.invoke(app, ["studies", "--url", url, "--output", str(tmp_path / "out.csv")])
    assert done.exit_code == 1
    assert "before the answer was complete" in done.stderr
    assert list(tmp_path.iterdir()) == []


REFUSAL = json.dumps({"errors": [{"message": "No.", "extensions": {"code": "FORBIDDEN"}}]}).encode()


@pytest.mark.parametrize(
    ("answer", "arguments", "words"),
    [
        (told(403, REFUSAL), [], "FORBIDDEN: No."),
        (told(502, b"<html>"), [], "is --url right?"),
        (told(200, CSV), ["--filter", "{"], "--filter is not JSON"),
        (told(200, CSV), ["--filter", "[]"], "--filter must be a JSON object"),
        (told(200, CSV), ["--output", "/nowhere/out.csv"], "cannot be written"),
        (told(200, CSV), ["--token-file", "/nowhere/token"], "--token-file /nowhere/token cannot be read"),
    ],
)
def test_what_goes_wrong_is_said(answer: Answer, arguments: list[str], words: str) -> None:
    with server(answer) as (url, _):
        done = runner.invoke(app, ["studies", "--url", url, *arguments])
    assert done.exit_code == 1
    assert words in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("arguments", [["patients"], ["studies", "--format", "xlsx"], []])
def test_what_there_is_not(arguments: list[str]) -> None:
    assert runner.invoke(app, arguments).exit_code == 2
