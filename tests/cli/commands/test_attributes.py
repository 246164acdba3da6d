"""`ernfed attributes`: what is declared gets its indexes, and loses them."""

from pathlib import Path

from typer.testing import CliRunner, Result

from cli.commands import attributes
from tests.cli.commands.test_index import folder  # noqa: F401


def run(*arguments: str) -> Result:
    return CliRunner().invoke(attributes.app, list(arguments))


def test_declare_build_and_drop(folder: Path) -> None:  # noqa: F811
    file = folder / "archives.toml"
    before = file.read_text(encoding="utf-8")
    assert "none is declared" in run("list").stdout
    file.write_text(before + '\n[[attribute]]\nname = "SliceThickness"\n', encoding="utf-8")
    assert "NEW" in run("list").stdout
    done = run("apply")
    assert done.exit_code == 0, done.output
    assert done.stdout.count("building ") == 4
    assert done.stdout.endswith("1 of 1 declared attributes are ready\n")
    assert "READY" in run("list").stdout
    file.write_text(before, encoding="utf-8")
    assert "no longer in archives.toml" in run("list").stdout
    assert run("apply").stdout.count("dropping ") == 4
    assert "none is declared" in run("list").stdout


def test_a_mistake_in_the_file(folder: Path) -> None:  # noqa: F811
    with (folder / "archives.toml").open("a", encoding="utf-8") as file:
        file.write('\n[[attribute]]\nname = "SliceThicknes"\n')
    done = run("apply")
    assert done.exit_code == 1
    assert "Did you mean SliceThickness" in done.stderr
