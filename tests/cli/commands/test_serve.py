"""`ernfed serve`: where it refuses to listen."""

import socket

import pytest
from typer.testing import CliRunner

from cli.commands.serve import app
from config.settings import Settings

runner = CliRunner()


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ERNFED_{name.upper()}", raising=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])  # noqa: S104
def test_an_address_that_others_reach_needs_an_issuer(host: str) -> None:
    done = runner.invoke(app, ["--host", host, "--port", "0"])
    assert done.exit_code == 1
    assert "ERNFED_HOST" in done.stderr
    assert "every patient" in " ".join(done.stderr.split())


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104
@pytest.mark.parametrize(
    ("issuer", "audience", "named"),
    [
        ("https://login.example.org", None, "ERNFED_AUTH_AUDIENCE"),
        ("http://login.example.org", "ernfed", "ERNFED_AUTH_ISSUER"),
        (None, "ernfed", "ERNFED_AUTH_AUDIENCE"),
    ],
)
def test_a_half_set_issuer_stops_the_start(
    host: str, issuer: str | None, audience: str | None, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("ISSUER", issuer), ("AUDIENCE", audience)):
        if value:
            monkeypatch.setenv(f"ERNFED_AUTH_{name}", value)
    done = runner.invoke(app, ["--host", host, "--port", "0"])
    assert done.exit_code == 1
    assert named in done.stderr


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
