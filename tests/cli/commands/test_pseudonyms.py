"""`ernfed pseudonyms`: rows by key, and made anew after a change of keys."""

import base64
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.commands import index, pseudonyms
from tests.cli.commands.test_consent import fetch
from tests.cli.commands.test_index import folder  # noqa: F401


def run(*arguments: str) -> Result:
    return CliRunner().invoke(pseudonyms.app, list(arguments))


@pytest.fixture
def keys(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: F811
    """A file with one key of ERN-EYE, which is used from then on."""
    file = folder / "keys.json"
    key = base64.b64encode(bytes(range(32))).decode()
    file.write_text(json.dumps({"ERN-EYE": [{"id": "2026-1", "key": key, "since": "2020-01-01"}]}))
    file.chmod(0o600)
    monkeypatch.setenv("ERNFED_PSEUDONYM_KEYS_FILE", str(file))
    return file


def test_status_and_rotation(folder: Path, database_url: str, request: pytest.FixtureRequest) -> None:  # noqa: F811
    assert CliRunner().invoke(index.app, ["once"]).exit_code == 0
    fresh = run("status")
    assert fresh.exit_code == 0, fresh.output
    assert fresh.stdout.count("db-1:") == 2
    assert "waiting: 0 changed studies, 0 for new keys" in fresh.stdout
    request.getfixturevalue("keys")
    assert run("status").stdout.count("to be made anew") == 2
    before = fetch(database_url, "select study_uid from pseudonymised.study order by 1")
    done = run("rotate", "--ern", "ERN EYE")
    assert (done.exit_code, done.stdout) == (0, "2 studies made\n")
    assert set(fetch(database_url, "select study_uid from pseudonymised.study")).isdisjoint(before)
    after = run("status").stdout
    assert (after.count("2026-1:"), after.count("made anew")) == (2, 0)
    assert run("rotate").stdout == "0 studies made\n"


def test_rows_that_are_missing_are_made(folder: Path, database_url: str) -> None:  # noqa: F811
    assert CliRunner().invoke(index.app, ["once"]).exit_code == 0
    fetch(database_url, "delete from pseudonymised.series")
    assert "not made yet" in run("status").stdout
    assert run("rotate").stdout == "2 studies made\n"
    assert len(fetch(database_url, "select from pseudonymised.series")) == 2


def test_a_network_without_archives(folder: Path) -> None:  # noqa: F811
    for ern in ("VASCERN", "nonsense"):
        done = run("rotate", "--ern", ern)
        assert (done.exit_code, "there are: ERN-EYE" in done.stderr) == (2, True)


def test_keys_that_cannot_be_used(keys: Path) -> None:
    keys.chmod(0o644)
    done = run("status")
    assert done.exit_code == 1
    assert "chmod 600" in done.stderr
