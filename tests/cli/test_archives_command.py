"""`ernfed archives`: what it prints, and its exit status."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.archives_command import app
from tests.archives.faulty import faulty, holds, says, studies
from tests.archives.files import SPLIT, instance

ARCHIVE = '[[archive]]\ncode = "{code}"\nern = "VASCERN"\ntitle = "Title"\nkind = "{kind}"\n{place}\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "disc").mkdir()
    (tmp_path / "disc" / "1.dcm").write_bytes(instance(SPLIT))
    path = tmp_path / "archives.toml"
    path.write_text(ARCHIVE.format(code="disc", kind="folder", place='path = "disc"'), encoding="utf-8")
    return path


def add(file: Path, code: str, url: str) -> None:
    text = ARCHIVE.format(code=code, kind="dicomweb", place=f'url = "{url}"')
    file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")


def run(*arguments: str, file: Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, [*arguments, "--archives", str(file)])
    return result.exit_code, result.stdout, result.stderr


def test_list(file: Path) -> None:
    add(file, "paris", "https://pacs.example.org/rs")
    status, out, _ = run("list", file=file)
    assert status == 0
    assert "https://pacs.example.org/rs" in out
    assert out.index("disc") < out.index("paris")


def test_the_file_may_be_named_in_the_environment(file: Path) -> None:
    result = CliRunner().invoke(app, ["list"], env={"ERNFED_ARCHIVES": str(file)})
    assert result.exit_code == 0
    assert "disc" in result.stdout


def test_check(file: Path) -> None:
    with faulty(holds(studies(3))) as well, faulty(says(401)) as ill:
        add(file, "well", well.url)
        status, out, err = run("check", file=file)
        assert (status, err) == (0, "")
        assert out.count("UP") == 2
        add(file, "ill", ill.url)
        status, out, err = run("check", file=file)
        assert status == 1
        assert "REJECTED" in out
        assert err == "1 of 3 archives are not well: ill\n"
        assert run("check", "well", file=file)[0] == 0


def test_probe(file: Path) -> None:
    with faulty(holds(studies(3))) as well, faulty(says(500)) as ill:
        add(file, "well", well.url)
        status, out, _ = run("probe", "well", "disc", file=file)
        assert status == 0
        assert "query_decoding" in out
        assert "1 instances" in out
        add(file, "ill", ill.url)
        status, out, err = run("probe", file=file)
        assert status == 1
        assert "SERVER_ERROR" in out
        assert "ill" in err


@pytest.mark.parametrize("command", ["list", "check", "probe"])
def test_a_wrong_file_or_code_is_status_2(command: str, file: Path, tmp_path: Path) -> None:
    status, out, err = run(command, file=tmp_path / "nowhere.toml")
    assert (status, out) == (2, "")
    assert "archives.example.toml" in err
    file.write_text("[[archive]]\n", encoding="utf-8")
    status, _, err = run(command, file=file)
    assert status == 2
    assert len(err.splitlines()) == 4


def test_an_unknown_code_is_status_2(file: Path) -> None:
    status, _, err = run("check", "nobody", file=file)
    assert status == 2
    assert err == "no archive nobody in the file; it has: disc\n"


def test_every_command_has_help() -> None:
    for command in ("list", "check", "probe"):
        result = CliRunner().invoke(app, [command, "--help"])
        assert result.exit_code == 0
        assert "--archives" in result.stdout
