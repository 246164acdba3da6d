"""`ernfed audit`, and a real server that is killed: every answer that was received has its line."""

import asyncio
import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from access.audit import AuditLine, AuditRecord, Touched
from cli.commands.audit import app
from db.audit.lines import lines, walk, who_saw_study
from db.audit.log import AUDIT_SESSION, AuditLog
from db.pool import Database
from tests.federation import Federation
from tests.resolvers.conftest import loaded  # noqa: F401

ROOT = Path(__file__).parents[3]
CANARY = "Zzyzx^Canary"
QUERY = "{ studies(first: 3) { nodes { studyInstanceUid } } }"
ARCHIVES = """
[[archive]]
code = "a{n}"
ern = "{ern}"
title = "Archive"
kind = "folder"
path = "{path}"
"""


@pytest.fixture
def url(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("ERNFED_DATABASE_URL", database_url)
    asyncio.run(_fill(database_url))
    return database_url


async def _fill(url: str) -> None:
    database = await Database.open(url, max_size=1, session=AUDIT_SESSION)
    log = await AuditLog.open(database)
    for day in range(1, 6):
        touched = Touched(studies={f"1.2.{day}"}, patients={(CANARY, "HOSPITAL")})
        at = datetime(2024, 5, day, 12, tzinfo=UTC)
        await log.write(
            AuditRecord(at, f"person-{day}", "TREAT", "/graphql", "OK", None, "-", touched=touched)
        )
    await log.close()
    await database.close()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_verify(url: str) -> None:
    done = run("verify")
    assert done.exit_code == 0
    assert done.stdout.startswith("OK: 5 lines. Head: ")
    head = done.stdout.split()[-1]
    again = run("verify", "--expect", head)
    assert (again.exit_code, "line 5" in again.stdout) == (0, True)


def test_verify_names_the_line(url: str) -> None:
    head = run("verify").stdout.split()[-1]
    asyncio.run(
        _tamper(url, "delete from audit_event where id = 5; delete from audit_touch where event_id = 5")
    )
    assert run("verify").exit_code == 0
    cut = run("verify", "--expect", head)
    assert (cut.exit_code, "the end was cut off" in cut.stderr) == (1, True)
    asyncio.run(_tamper(url, "delete from audit_event where id = 3"))
    broken = run("verify")
    assert (broken.exit_code, "line 3 is missing" in broken.stderr) == (1, True)


@pytest.mark.parametrize("digest", ["", "abc", "ab" * 31, "zz" * 32])
def test_a_digest_that_is_none(url: str, digest: str) -> None:
    assert run("verify", "--expect", digest).exit_code == 2


def test_dicom_export(url: str) -> None:
    done = run("export", "--format", "dicom")
    assert done.exit_code == 0
    messages = [ET.fromstring(line) for line in done.stdout.splitlines()]  # noqa: S314
    assert len(messages) == 6
    assert {message.tag for message in messages} == {"AuditMessage"}
    codes = [message[0][0].get("csd-code") for message in messages]
    assert codes == ["110112"] * 5 + ["110101"]  # the last one: that the log was used
    assert "Canary" not in done.stdout


def test_fhir_export_of_a_time(url: str) -> None:
    done = run("export", "--format", "fhir", "--since", "2024-05-02", "--until", "2024-05-04T12:00:00")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["id"] for event in events] == ["2", "3"]
    assert all(event["resourceType"] == "AuditEvent" for event in events)
    assert "Canary" not in done.stdout


def test_who_saw(url: str) -> None:
    done = run("who-saw", "--study", "1.2.3")
    assert done.exit_code == 0
    [line] = done.stdout.splitlines()
    assert line.split("\t")[1:4] == ["person-3", "TREAT", "/graphql"]
    assert len(run("who-saw", "--patient", CANARY).stdout.splitlines()) == 5
    assert len(run("who-saw", "--patient", CANARY, "--issuer", "HOSPITAL").stdout.splitlines()) == 5
    assert run("who-saw", "--patient", CANARY, "--issuer", "OTHER").stdout == ""
    assert run("verify").stdout.startswith("OK: 9 lines.")  # asking leaves lines as well


@pytest.mark.parametrize("arguments", [[], ["--study", "1.2", "--patient", "P"]])
def test_who_saw_wants_one_of_them(url: str, arguments: list[str]) -> None:
    done = run("who-saw", *arguments)
    assert (done.exit_code, "--patient ID" in done.stderr) == (1, True)


def test_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERNFED_DATABASE_URL", "postgresql://127.0.0.1:9/x")
    done = run("verify")
    assert (done.exit_code, "ERNFED_DATABASE_URL" in done.stderr) == (1, True)


# ---- a real server -----------------------------------------------------------------------------------


@contextlib.contextmanager
def serving(url: str, folder: Path) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    erns = ("ERN-EYE", "ERN-RND", "VASCERN")
    file = folder / "archives.toml"
    file.write_text("".join(ARCHIVES.format(n=n, ern=ern, path=folder) for n, ern in enumerate(erns)))
    environment = {**os.environ, "ERNFED_DATABASE_URL": url, "ERNFED_ARCHIVES": str(file)}
    with subprocess.Popen(
        [sys.executable, "-m", "cli", "serve", "--port", "0"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            said = process.stdout.readline()
            yield said.split("the API: ")[1].split(")")[0], process
        finally:
            process.kill()


def ask(url: str, number: int) -> tuple[str, list[str]] | None:
    """Request id and studies of an answer that arrived whole."""
    identity = f"request-{number:05}"
    request = urllib.request.Request(  # noqa: S310
        url,
        json.dumps({"query": QUERY}).encode(),
        {"Content-Type": "application/json", "X-Request-Id": identity},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            nodes = json.loads(answer.read())["data"]["studies"]["nodes"]
    except (OSError, ValueError, http.client.HTTPException):  # killed in the middle of an answer
        return None
    return identity, [node["studyInstanceUid"] for node in nodes]


def test_a_server_that_is_killed_has_the_line_of_every_answer(
    loaded: tuple[str, Federation],  # noqa: F811
    tmp_path: Path,
) -> None:
    url = loaded[0]
    answered: list[tuple[str, list[str]]] = []

    with serving(url, tmp_path) as (endpoint, process), ThreadPoolExecutor(16) as pool:

        def client(start: int) -> None:
            for number in range(start, start + 1000):
                got = ask(endpoint, number)
                if got is None:
                    return
                answered.append(got)
                if len(answered) == 100:
                    process.send_signal(signal.SIGKILL)

        list(pool.map(client, range(0, 16_000, 1000)))
        process.wait(10)
    assert len(answered) >= 100
    found, saw = asyncio.run(_lines(url, answered[-1][1][0]))
    by_request = {line.said["request"]: line for line in found}
    assert {identity for identity, _ in answered} <= set(by_request)
    assert all(by_request[identity].said["studies"] == 3 for identity, _ in answered)
    assert answered[-1][0] in {line.said["request"] for line in saw}


async def _lines(url: str, study_uid: str) -> tuple[list[AuditLine], list[AuditLine]]:
    database = await Database.open(url)
    assert (await walk(database)).flaw is None
    found = [line async for line in lines(database)]
    saw = await who_saw_study(database, study_uid)
    await database.close()
    return found, saw


async def _tamper(url: str, statement: str) -> None:
    connection: Any = await asyncpg.connect(url)
    await connection.execute("set session_replication_role = replica")
    await connection.execute(statement)
    await connection.close()
