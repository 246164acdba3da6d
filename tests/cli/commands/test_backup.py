"""`ernfed backup` and `ernfed restore`: everything is there again elsewhere, or nothing is."""

import asyncio
import json
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydicom.data import get_testdata_file
from typer.testing import CliRunner

from cli.__main__ import build
from cli.demo.people import CLINICIAN, RESEARCHER
from config.archives_file import ArchiveConfig
from config.settings import Settings, load_settings
from db import definitions
from db.backup import dump, programs
from db.backup.programs import BackupError, Target, program
from db.embedded.room import find_binaries
from db.migrate import migrations
from db.pool import Database
from db.statements import statements
from tests.cli.demo.test_people import runtime

runner = CliRunner()
STUDY_UID = "1.3.6.1.4.1.5962.1.2.1.20040119072730.12322"
KEPT = ("archive", "study", "series", "pseudonymised.study", "consent", "cohort", "cohort_version", "cohort_study",
        "archive_definition", "study_event", "rollup_cell", "migration", "index_run")  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder archive of two studies, an archive of the API, consents: all in a database."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ERNFED_{name.upper()}", raising=False)
    (tmp_path / "eye").mkdir()
    for name in ("CT_small.dcm", "MR_small.dcm"):
        shutil.copy(str(get_testdata_file(name)), tmp_path / "eye")
    (tmp_path / "archives.toml").write_text(
        '[[archive]]\ncode = "eye"\nern = "ERN-EYE"\ntitle = "Eye"\nkind = "folder"\npath = "eye"\n'
    )
    (tmp_path / "consents.csv").write_text(
        f"StudyInstanceUID,care,registry,research\n{STUDY_UID},yes,yes,yes\n"
    )
    monkeypatch.setenv("ERNFED_DATABASE_URL", database_url)
    monkeypatch.setenv("ERNFED_ARCHIVES", str(tmp_path / "archives.toml"))
    monkeypatch.setenv("ERNFED_DATA_DIR", str(tmp_path / "data"))
    ernfed("index", "once")
    ernfed("consent", "import", str(tmp_path / "consents.csv"), "--archive", "eye")
    asyncio.run(add_archive(database_url))
    return tmp_path


def ernfed(*arguments: str, status: int = 0) -> str:
    done = runner.invoke(build(), list(arguments))
    assert done.exit_code == status, (arguments, done.output)
    return done.output


async def add_archive(url: str) -> None:
    database = await Database.open(url, max_size=1)
    archive = ArchiveConfig("added", "ERN-EYE", "Added", "dicomweb", "http://127.0.0.1:9/rs")
    await definitions.add(database, archive, "somebody")
    await database.close()


def sql(url: str, *statements: str) -> list[Any]:
    async def ask() -> list[Any]:
        connection = await asyncpg.connect(url)
        try:
            return [await connection.fetchval(each) for each in statements]
        finally:
            await connection.close()

    return asyncio.run(ask())


def kept(url: str) -> list[Any]:
    """A digest of each table that must be the same."""
    return sql(
        url,
        *(f"select md5(string_agg(t::text, '|' order by t::text)) from {table} t" for table in KEPT),  # noqa: S608
    )


def asked(*questions: Callable[[Any, Any], Any]) -> list[Any]:
    """The answers of a server on the database of the environment: each question gets client and issuer."""

    async def ask() -> list[Any]:
        async with runtime(load_settings(), is_demo=True) as (client, issuer):
            return [await question(client, issuer) for question in questions]

    return asyncio.run(ask())


def operation(text: str, person: Any) -> Callable[[Any, Any], Any]:
    async def ask(client: Any, issuer: Any) -> Any:
        headers = {"authorization": f"Bearer {issuer.token_for(person)}"}
        answer = await client.post("/graphql", json={"query": text}, headers=headers)
        assert "errors" not in answer.json(), answer.text
        return answer.json()["data"]

    return ask


PSEUDONYMS = operation(
    "{ studies { totalCount nodes { studyInstanceUid patientId studyDate } } }", RESEARCHER
)
PLACE = operation("{ studies(first: 1) { pageInfo { endCursor } } }", CLINICIAN)


def refused_after(place: Any) -> Callable[[Any, Any], Any]:
    """The code with which the page after this place is refused; None where it is not."""

    async def ask(client: Any, issuer: Any) -> Any:
        cursor = place["studies"]["pageInfo"]["endCursor"]
        query = "query ($c: String!) { studies(after: $c) { nodes { id } } }"
        headers = {"authorization": f"Bearer {issuer.token_for(CLINICIAN)}"}
        asked = {"query": query, "variables": {"c": cursor}}
        errors = (await client.post("/graphql", json=asked, headers=headers)).json().get("errors")
        return errors[0]["extensions"]["code"] if errors else None

    return ask


def test_everything_is_there_again_elsewhere(
    folder: Path, database_url: str, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = operation(
        'mutation { saveCohort(name: "Mine", filter: {}, freeze: true) { versions { id } } }', CLINICIAN
    )
    saved, pseudonyms = asked(save, PSEUDONYMS)
    assert pseudonyms["studies"]["totalCount"] == 1
    version = json.loads(json.dumps(saved))["saveCohort"]["versions"][0]["id"]
    in_cohort = operation(f'{{ studies(filter: {{cohort: "{version}"}}) {{ totalCount }} }}', CLINICIAN)
    assert asked(in_cohort)[0]["studies"]["totalCount"] == 2

    told = ernfed("backup", str(folder / "backup"))
    assert f"{folder / 'archives.toml'}" in told
    assert stat.S_IMODE((folder / "backup").stat().st_mode) == 0o600
    assert [each.name for each in folder.glob("backup*")] == ["backup"]
    verified = ernfed("audit", "verify")
    head = next(word for word in verified.split() if len(word) == 64)
    before = kept(database_url)

    monkeypatch.setenv("ERNFED_DATABASE_URL", empty_database_url)
    told = ernfed("restore", str(folder / "backup"))
    assert "2 archives, 2 studies, 1 consents, 1 cohorts" in told
    assert "audit verify" in told
    assert kept(empty_database_url) == before
    assert "OK" in ernfed("audit", "verify", "--expect", head)
    assert "ernfed restore" in ernfed("audit", "export", "--format", "fhir")
    assert ",yes,yes,yes" in ernfed("consent", "list", "--archive", "eye")
    listed, cohort = asked(PSEUDONYMS, in_cohort)
    assert listed == pseudonyms
    assert cohort["studies"]["totalCount"] == 2
    assert "eye: completed" in ernfed("index", "once", "--reconcile", "--archive", "eye")
    ernfed("statistics", "verify")
    assert asked(PSEUDONYMS) == [pseudonyms]
    assert "http://127.0.0.1:9/rs" in ernfed("archives", "list")


def test_from_and_into_the_embedded_database(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ernfed("backup", str(folder / "first"))
    monkeypatch.delenv("ERNFED_DATABASE_URL")
    ernfed("restore", str(folder / "first"))
    ernfed("backup", str(folder / "second"))
    monkeypatch.setenv("ERNFED_DATA_DIR", str(folder / "elsewhere"))
    assert "2 archives, 2 studies, 1 consents" in ernfed("restore", str(folder / "second"))
    # What is there is not written over.
    told = ernfed("restore", str(folder / "second"), status=1)
    assert "the database is not empty" in told
    assert "ERNFED_DATA_DIR" in told


def test_places_in_a_stream_of_changes_that_is_not_there_any_more_are_refused(
    folder: Path, database_url: str, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = "select count(*) from secret where name = 'cursors'"
    [cursor] = asked(PLACE)
    assert (asked(refused_after(cursor)), sql(database_url, secrets)) == ([None], [1])
    ernfed("backup", str(folder / "backup"))
    monkeypatch.setenv("ERNFED_DATABASE_URL", empty_database_url)
    ernfed("restore", str(folder / "backup"))
    assert sql(empty_database_url, secrets) == [0]
    assert asked(refused_after(cursor)) == ["BAD_CURSOR"]


def test_a_backup_of_an_older_version_is_brought_forward_and_a_newer_one_is_refused(
    folder: Path, database_url: str, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql(database_url, "insert into migration (name) values ('9999_later.sql')")
    ernfed("backup", str(folder / "newer"))
    last = migrations()[-1].name
    sql(database_url, f"delete from migration where name in ('9999_later.sql', '{last}')")  # noqa: S608
    ernfed("backup", str(folder / "older"))
    monkeypatch.setenv("ERNFED_DATABASE_URL", empty_database_url)
    assert "newer than this version" in ernfed("restore", str(folder / "newer"), status=1)
    assert sql(empty_database_url, "select to_regclass('study')") == [None]
    # It holds what the last migration makes, so applying that says so: which shows that it was applied.
    assert last in ernfed("restore", str(folder / "older"), status=1)


def test_a_broken_file_leaves_nothing(
    folder: Path, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ernfed("backup", str(folder / "backup"))
    whole = (folder / "backup").read_bytes()
    flipped = bytearray(whole)
    for place in range(len(whole) // 2, len(whole) // 2 + 2000):
        flipped[place] ^= 0xFF
    monkeypatch.setenv("ERNFED_DATABASE_URL", empty_database_url)
    for name, content in {
        "half": whole[: len(whole) // 2],
        "nearly": whole[:-1000],
        "start": whole[:4],
        "head": whole[:60],
        "other": b"PK\x03\x04" + whole,
        "nothing": b"",
        "flipped": bytes(flipped),
    }.items():
        (folder / name).write_bytes(content)
        told = ernfed("restore", str(folder / name), status=1)
        assert len(told.splitlines()) == 1, told
        assert sql(empty_database_url, "select to_regclass('study')") == [None], name
    assert "cannot be read" in ernfed("restore", str(folder / "nowhere"), status=1)
    (folder / "backup").write_bytes(whole)
    ernfed("restore", str(folder / "backup"))


def test_a_backup_that_fails_leaves_the_last_one(
    folder: Path, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "backup").write_text("the last one")
    assert "cannot be written" in ernfed("backup", str(folder / "nowhere" / "backup"), status=1)
    monkeypatch.setenv("ERNFED_DATABASE_URL", empty_database_url)
    assert "nothing to back up" in ernfed("backup", str(folder / "backup"), status=1)
    monkeypatch.setenv("ERNFED_DATABASE_URL", "postgresql://nobody:hush@127.0.0.1:9/none")
    told = ernfed("backup", str(folder / "backup"), status=1)
    assert "cannot connect" in told
    assert "hush" not in told
    assert [each.name for each in folder.glob("backup*")] == ["backup"]
    assert (folder / "backup").read_text() == "the last one"


def test_a_file_of_keys_is_asked_for(
    folder: Path, database_url: str, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql(database_url, "delete from secret where name = 'pseudonyms'")  # as where a file of keys is used
    ernfed("backup", str(folder / "backup"))
    monkeypatch.setenv("ERNFED_DATABASE_URL", empty_database_url)
    assert "ERNFED_PSEUDONYM_KEYS_FILE" in ernfed("restore", str(folder / "backup"))


@pytest.mark.parametrize(
    ("url", "address", "password"),
    [
        ("postgresql://u:p%40s@db.example.org:5433/x", "postgresql://u@db.example.org:5433/x", "p@s"),
        ("postgres://u@h/x?sslmode=require", "postgresql://u@h/x?sslmode=require", None),
        ("postgresql://u:p@/x?host=%2Frun%2Fa%20b&port=5432", "postgresql://u@/x?host=%2Frun%2Fa%20b&port=5432", "p"),
        ("postgresql://h/x?user=u&password=p%26q", "postgresql://h/x?user=u", "p&q"),
        ("postgresql://a%40b:p@[::1]:5432/x", "postgresql://a%40b@[::1]:5432/x", "p"),
    ],
)  # fmt: skip
def test_no_list_of_processes_shows_a_password(url: str, address: str, password: str | None) -> None:
    target = Target.of(url)
    assert (target.address, target.password) == (address, password)
    assert "p%40s" not in repr(target)


def test_a_server_newer_than_every_program_is_told_what_to_install() -> None:
    with pytest.raises(BackupError, match="install postgresql-client-99"):
        program("pg_dump", 99)


def test_stopped_it_leaves_nothing(folder: Path) -> None:
    """A table is locked, so that it waits; then Ctrl-C."""
    root = Path(__file__).parents[3]

    async def locked(url: str) -> asyncpg.Connection:
        connection = await asyncpg.connect(url)
        await connection.execute("begin; lock table study")
        return connection

    async def waits(connection: asyncpg.Connection) -> bool:
        waiting = "select count(*) from pg_locks where not granted and relation = 'study'::regclass"
        return bool(await connection.fetchval(waiting))

    with asyncio.Runner() as loop:
        connection = loop.run(locked(os.environ["ERNFED_DATABASE_URL"]))
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "cli", "backup", str(folder / "backup")],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
        while not loop.run(waits(connection)):
            assert process.poll() is None
            time.sleep(0.05)
        assert (folder / "backup.part").exists()
        process.terminate()
        _, said = process.communicate()
        loop.run(connection.close())
    assert (process.returncode, "nothing was written" in said) == (130, True)
    assert list(folder.glob("backup*")) == []


def test_the_programs_of_the_embedded_server_speak_no_tls() -> None:
    """Should they ever, nobody has to install others."""
    command = [str(find_binaries() / "pg_dump"), "--dbname=postgresql://127.0.0.1:1/x?sslmode=require"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    assert "SSL support is not compiled in" in said


def test_what_is_encrypted_is_not_read_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    """libpq goes on without TLS where a program has none."""
    embedded, installed = find_binaries() / "pg_dump", Path("/usr/lib/postgresql/99/bin/pg_dump")
    monkeypatch.setattr(programs, "_major", {embedded: 18, installed: 99}.get)
    monkeypatch.setattr(programs, "_found", lambda name: [embedded])
    assert program("pg_dump", 18) == embedded
    with pytest.raises(BackupError, match=r"over TLS.*install postgresql-client-18.*sslmode=disable"):
        program("pg_dump", 18, encrypted=True)
    monkeypatch.setattr(programs, "_found", lambda name: [embedded, installed])
    assert program("pg_dump", 18, encrypted=True) == installed


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_whether_the_server_speaks_tls_is_asked(
    folder: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what stands in the URL holds for the program."""
    ernfed("backup", str(folder / "all.dump"))
    asked: list[bool] = []

    def chosen(name: str, least: int, *, encrypted: bool = False) -> Path:
        asked.append(encrypted)
        raise BackupError("not now")

    monkeypatch.setitem(statements("backup"), "encrypted", "select true")
    monkeypatch.setattr(dump, "_migrations_in", lambda *_: asyncio.sleep(0, {}))
    monkeypatch.setattr(dump, "program", chosen)
    monkeypatch.setattr(dump, "_refuse_full", lambda *_: asyncio.sleep(0))
    ernfed(command, str(folder / ("again.dump" if command == "backup" else "all.dump")), status=1)
    assert asked == [True]
    assert "sslmode=verify-full" in Target.of("postgresql://u:p@db/x?sslmode=verify-full").address
