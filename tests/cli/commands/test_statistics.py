"""`ernfed statistics`: rollups compared with the index, and counted again."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.commands import index, statistics
from tests.cli.commands.test_consent import fetch
from tests.cli.commands.test_index import folder  # noqa: F401


def run(*arguments: str) -> Result:
    return CliRunner().invoke(statistics.app, list(arguments))


def test_what_is_wrong_is_told_and_counted_again(folder: Path, database_url: str) -> None:  # noqa: F811
    assert CliRunner().invoke(index.app, ["once"]).exit_code == 0
    fine = run("verify")
    assert (fine.exit_code, fine.stdout) == (0, "the rollups are what the index says\n")
    fetch(database_url, "update rollup_cell set nodes = nodes + 1 where kind = 0")
    wrong = run("verify")
    assert wrong.exit_code == 1
    assert "rollup_cell: 4 rows differ" in wrong.stderr
    assert "ernfed statistics rebuild" in wrong.stderr
    assert (run("rebuild").stdout, run("verify").exit_code) == ("the rollups were counted again\n", 0)


@pytest.mark.parametrize("command", ["verify", "rebuild"])
def test_a_wrong_setting_is_named(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERNFED_SMALL_COUNT", "few")
    done = run(command)
    assert done.exit_code == 1
    assert "ERNFED_SMALL_COUNT" in done.stderr
