"""`ernfed consent`: a whole file or nothing, every bad line with its number, and back as CSV."""

import asyncio
import csv
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from cli.commands import consent, index
from tests.cli.commands.test_index import folder  # noqa: F401

HEAD = "StudyInstanceUID,care,registry,research\n"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(consent.app, list(arguments))


def fetch(url: str, sql: str) -> list[Any]:
    async def ask() -> list[Any]:
        connection = await asyncpg.connect(url)
        try:
            return [tuple(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    return asyncio.run(ask())


def written(folder: Path, text: str) -> str:  # noqa: F811
    file = folder / "consents.csv"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_import_and_list(folder: Path, database_url: str) -> None:  # noqa: F811
    assert CliRunner().invoke(index.app, ["once"]).exit_code == 0
    ((uid,),) = fetch(database_url, "select study_uid from study where archive_id = 1")
    file = written(folder, f"\ufeff{HEAD}{uid},yes,No,TRUE\n\n1.2.3,0,1,false\n")
    dry = run("import", file, "--archive", "one", "--dry-run")
    assert (dry.exit_code, dry.stdout) == (
        0,
        "2 consents would be set; 1 of studies that the index does not know yet\n",
    )
    assert fetch(database_url, "select from consent") == []
    done = run("import", file, "--archive", "one", "--by", "dpo")
    assert (done.exit_code, done.stdout) == (
        0,
        "2 consents set; 1 of studies that the index does not know yet\n",
    )
    stored = "select study_uid, care, registry, research, changed_by from consent order by study_uid"
    assert fetch(database_url, stored) == [
        ("1.2.3", False, True, False, "dpo"),
        (uid, True, False, True, "dpo"),
    ]
    assert fetch(database_url, "select research from pseudonymised.series where archive_id = 1") == [(True,)]
    listed = run("list", "--archive", "one")
    lines = list(csv.reader(listed.stdout.splitlines()))
    assert [line[:4] for line in lines] == [
        HEAD.strip().split(","),
        ["1.2.3", "no", "yes", "no"],
        [uid, "yes", "no", "yes"],
    ]
    again = run("import", written(folder, listed.stdout), "--archive", "one", "--by", "dpo")
    assert again.exit_code == 0, again.output
    assert fetch(database_url, "select count(*) from audit_event") == [(3,)]


def test_consent_of_a_study_that_comes_later(folder: Path, database_url: str) -> None:  # noqa: F811
    from pydicom import dcmread

    uid = dcmread(next((folder / "two").iterdir())).StudyInstanceUID
    assert run("import", written(folder, f"{HEAD}{uid},1,1,1\n"), "--archive", "two").exit_code == 0
    assert CliRunner().invoke(index.app, ["once"]).exit_code == 0
    assert fetch(database_url, "select research from pseudonymised.study where archive_id = 2") == [(True,)]


def test_every_bad_line_is_told_and_nothing_is_written(folder: Path, database_url: str) -> None:  # noqa: F811
    lines = ["1.2.3,yes,yes,yes", "x y,yes,yes,yes", "1.2.4,maybe,yes,", "1.2.5,yes", "1.2.3,no,no,no"]
    done = run("import", written(folder, HEAD + "\n".join(lines)), "--archive", "one")
    assert (done.exit_code, done.stdout) == (1, "")
    told = [line.partition("consents.csv:")[2] for line in done.stderr.splitlines()]
    assert told == [
        "3: StudyInstanceUID: expected 1 to 128 characters without spaces, backslashes, * and ?",
        "4: care: expected yes or no, true or false, 1 or 0",
        "4: research: expected yes or no, true or false, 1 or 0",
        "5: expected 4 values, got 2",
        "6: the study of line 2 again",
    ]
    assert fetch(database_url, "select from consent") == []


@pytest.mark.parametrize(
    "head", ["", "1.2.3,yes,yes,yes\n", "StudyInstanceUID,care,registry\n", HEAD.replace("\n", ",care\n")]
)
def test_another_header_is_refused(folder: Path, head: str) -> None:  # noqa: F811
    done = run("import", written(folder, head), "--archive", "one")
    assert done.exit_code == 1
    assert "csv:1: expected the columns StudyInstanceUID,care,registry,research" in done.stderr


def test_a_file_that_cannot_be_read(folder: Path) -> None:  # noqa: F811
    assert "No such file" in run("import", str(folder / "none.csv"), "--archive", "one").stderr
    (folder / "latin.csv").write_bytes(HEAD.encode() + b"\xe4,1,1,1\n")
    assert "not UTF-8" in run("import", str(folder / "latin.csv"), "--archive", "one").stderr


@pytest.mark.parametrize("command", [["list"], ["import", "x.csv"]])
def test_an_unknown_archive(folder: Path, command: list[str]) -> None:  # noqa: F811
    done = run(*command, "--archive", "three")
    assert (done.exit_code, "there are: one, two" in done.stderr) == (2, True)
