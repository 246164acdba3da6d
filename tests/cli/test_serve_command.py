"""`ernfed serve`: where it refuses to listen."""

import socket

import pytest
from typer.testing import CliRunner

from cli.serve_command import app

runner = CliRunner()


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ERNFED_HOST", "ERNFED_PORT", "ERNFED_AUTH_ISSUER", "ERNFED_LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("issuer", [None, "https://login.example.org"])
@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])  # noqa: S104
def test_an_address_that_others_reach_is_refused(
    host: str, issuer: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if issuer:
        monkeypatch.setenv("ERNFED_AUTH_ISSUER", issuer)
    done = runner.invoke(app, ["--host", host, "--port", "0"])
    assert done.exit_code == 1
    assert "ERNFED_HOST" in done.stderr
    assert ("not in this version" if issuer else "every patient") in " ".join(done.stderr.split())


def test_a_port_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = runner.invoke(app, ["--port", str(port)])
    assert done.exit_code == 1
    assert f"127.0.0.1:{port}" in done.stderr
    assert "--port" in done.stderr


def test_a_wrong_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERNFED_PORT", "many")
    done = runner.invoke(app, [])
    assert (done.exit_code, "ERNFED_PORT" in done.stderr) == (1, True)
