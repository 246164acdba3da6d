"""`ernfed index` and `ernfed migrate`: what they say and their exit status."""

import shutil
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file
from typer.testing import CliRunner

from cli.commands import index, migrate

runner = CliRunner()

TABLE = """
[[archive]]
code = "{code}"
ern = "ERN-EYE"
title = "{code}"
kind = "folder"
path = "{code}"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two folders, one file each, and archives.toml."""
    for code, name in (("one", "CT_small.dcm"), ("two", "MR_small.dcm")):
        (tmp_path / code).mkdir()
        shutil.copy(str(get_testdata_file(name)), tmp_path / code)
    (tmp_path / "archives.toml").write_text(
        "".join(TABLE.format(code=code) for code in ("one", "two")), encoding="utf-8"
    )
    monkeypatch.setenv("ERNFED_DATABASE_URL", database_url)
    monkeypatch.setenv("ERNFED_ARCHIVES", str(tmp_path / "archives.toml"))
    return tmp_path


def test_once_and_status() -> None:
    done = runner.invoke(index.app, ["once"])
    assert done.exit_code == 0, done.output
    assert "one: completed (1 studies, 1 series" in done.stdout
    assert "two: completed (1 studies, 1 series" in done.stdout
    status = runner.invoke(index.app, ["status"])
    assert status.exit_code == 0
    assert status.stdout.count("up to date") == 2


def test_only_the_archives_asked_for() -> None:
    done = runner.invoke(index.app, ["once", "--archive", "two"])
    assert (done.exit_code, "one:" in done.stdout, "two: completed" in done.stdout) == (0, False, True)
    assert "never" in runner.invoke(index.app, ["status"]).stdout


def test_an_unknown_code() -> None:
    done = runner.invoke(index.app, ["once", "--archive", "three"])
    assert done.exit_code == 2
    assert "three" in done.stderr
    assert "one, two" in done.stderr


def test_a_failed_archive_is_named_and_the_others_are_done(folder: Path) -> None:
    assert runner.invoke(index.app, ["once"]).exit_code == 0
    shutil.rmtree(folder / "one")
    done = runner.invoke(index.app, ["once"])
    assert done.exit_code == 1
    assert "one: failed: " in done.stderr
    assert "two: completed" in done.stdout
    status = runner.invoke(index.app, ["status"])
    assert "failed" in status.stdout


def test_an_emptied_archive_wants_a_confirmation(folder: Path) -> None:
    assert runner.invoke(index.app, ["once"]).exit_code == 0
    next((folder / "one").iterdir()).unlink()
    done = runner.invoke(index.app, ["once", "--reconcile"])
    assert (done.exit_code, "SUSPICIOUS_REMOVAL" in done.stderr) == (1, True)
    done = runner.invoke(index.app, ["once", "--archive", "one", "--reconcile", "--confirm"])
    assert (done.exit_code, "1 removed" in done.stdout) == (0, True)


def test_no_archives_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERNFED_ARCHIVES", "nowhere.toml")
    done = runner.invoke(index.app, ["once"])
    assert (done.exit_code, "nowhere.toml" in done.stderr) == (1, True)


@pytest.mark.parametrize("app", [index.app, migrate.app])
def test_no_database(monkeypatch: pytest.MonkeyPatch, app: object) -> None:
    monkeypatch.setenv("ERNFED_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    done = runner.invoke(app, ["status"] if app is index.app else [])  # type: ignore[arg-type]
    assert (done.exit_code, "ERNFED_DATABASE_URL" in done.stderr) == (1, True)


def test_migrate(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERNFED_DATABASE_URL", empty_database_url)
    first = runner.invoke(migrate.app, [])
    assert (first.exit_code, "applied 0001_index.sql" in first.stdout) == (0, True)
    assert runner.invoke(migrate.app, []).stdout == "up to date\n"
