"""`ernfed schema` and its --check."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.graphql.sdl import sdl
from cli.commands.schema import app
from tests.api.tiny import schema

runner = CliRunner()


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.commands.schema.served", schema)


def test_it_prints_what_is_served() -> None:
    done = runner.invoke(app, [])
    assert (done.exit_code, done.stdout) == (0, sdl(schema))


def test_check(tmp_path: Path) -> None:
    file = tmp_path / "schema.graphql"
    file.write_text(sdl(schema), encoding="utf-8")
    assert runner.invoke(app, ["--check", str(file)]).exit_code == 0
    file.write_text(sdl(schema).replace("tooBig: Int!", "tooBig: Int"), encoding="utf-8")
    done = runner.invoke(app, ["--check", str(file)])
    assert done.exit_code == 1
    assert "-  tooBig: Int\n+  tooBig: Int!\n" in done.stdout
    assert f"ernfed schema > {file}" in done.stderr
    done = runner.invoke(app, ["--check", str(tmp_path / "none.graphql")])
    assert (done.exit_code, "cannot be read" in done.stderr) == (1, True)
