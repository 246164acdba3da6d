"""`ernfed archives`: what it prints, and its exit status."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.commands.archives import app
from config.archives_file import ArchiveConfig
from config.settings import Settings
from db import definitions
from db.embedded.postgres import EmbeddedPostgres
from db.migrate import migrate
from db.pool import Database
from tests.archives.faulty import faulty, holds, says, studies
from tests.archives.files import SPLIT, instance

ARCHIVE = '[[archive]]\ncode = "{code}"\nern = "VASCERN"\ntitle = "Title"\nkind = "{kind}"\n{place}\n'


@pytest.fixture(autouse=True)
def no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings, and a data directory that is not there."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ERNFED_{name.upper()}", raising=False)
    monkeypatch.setenv("ERNFED_DATA_DIR", str(tmp_path / "no-data"))


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
    assert err == "no archive nobody; there are: disc\n"


def test_every_command_has_help() -> None:
    for command in ("list", "check", "probe"):
        result = CliRunner().invoke(app, [command, "--help"])
        assert result.exit_code == 0
        assert "--archives" in result.stdout


async def added(database: Database, code: str, url: str, *, off: bool = False) -> None:
    config = ArchiveConfig(code, "VASCERN", f"Title of {code}", "dicomweb", url)
    await definitions.add(database, config, "somebody")
    if off:
        await definitions.switch(database, code, disabled=True, by="somebody")


def filled(url: str, *archives: tuple[str, str, bool]) -> None:
    """Archives added over the API: code, URL, whether it was switched off."""

    async def fill() -> None:
        database = await Database.open(url, max_size=1)
        for code, address, off in archives:
            await added(database, code, address, off=off)
        await database.close()

    asyncio.run(fill())


def test_archives_added_over_the_api_are_known(
    file: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERNFED_DATABASE_URL", database_url)
    with faulty(holds(studies(3))) as well:
        # The code of the second came into the file: it is the file's from then on.
        away = ("away", "https://away.example.org/rs", True)
        filled(database_url, ("added", well.url, False), ("disc", well.url, False), away)
        status, out, err = run("list", file=file)
        assert (status, err) == (0, "")
        rows = {line.split()[0]: line for line in out.splitlines()[1:]}
        assert list(rows) == ["disc", "added", "away"]
        assert [word in rows["disc"] for word in ("folder", "archives.toml")] == [True, True]
        assert [word in rows["added"] for word in (well.url, "API", "off")] == [True, True, False]
        assert "API, off" in rows["away"]
        status, out, err = run("check", file=file)
        assert (status, err, out.count("UP"), "away" in out) == (0, "", 2, False)
        status, out, _ = run("probe", "added", file=file)
        assert (status, "query_decoding" in out) == (0, True)
        status, out, _ = run("check", "away", file=file)
        assert (status, "DOWN" in out) == (1, True)


def test_a_database_that_cannot_be_read_is_said_and_the_file_is_shown(
    file: Path, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERNFED_DATABASE_URL", empty_database_url)  # before any migration: nothing to say
    status, out, err = run("list", file=file)
    assert (status, err, "disc" in out) == (0, "", True)
    monkeypatch.setenv("ERNFED_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    status, out, err = run("list", file=file)
    assert (status, "disc" in out) == (0, True)
    assert "added over the API are not known here" in err
    assert "ERNFED_DATABASE_URL" in err


def test_the_embedded_database_is_asked_where_there_is_one(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ERNFED_DATABASE_URL", raising=False)
    monkeypatch.setenv("ERNFED_DATA_DIR", str(tmp_path / "data"))
    assert run("list", file=file)[0] == 0
    assert not (tmp_path / "data").exists()  # nothing is made by looking

    with EmbeddedPostgres(tmp_path / "data") as url:
        asyncio.run(migrate(url))
        filled(url, ("added", "https://pacs.example.org/rs", False))
        assert "https://pacs.example.org/rs" in run("list", file=file)[1]
    assert "https://pacs.example.org/rs" in run("list", file=file)[1]
