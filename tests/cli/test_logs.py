"""Every command: its log goes to standard error, so that what it prints can go into a file; one format a stream."""

import json
import logging
import re
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
import typer.main
from click.testing import CliRunner
from graphql import parse
from pydicom.data import get_testdata_file

from api.logging import configure_logging
from cli.__main__ import build
from tests.cli.commands.test_index import TABLE

COMMANDS: list[tuple[str, int, str]] = [
    ("demo --no-browser --port {taken}", 1, ""),
    ("serve --port {taken}", 1, ""),
    ("index once", 0, "one: completed"),
    ("index reconcile", 0, "one: completed"),
    ("index status", 0, "archive "),
    ("index watch", 1, ""),
    ("migrate", 0, "up to date\n"),
    ("archives list", 0, "code "),
    ("archives check", 0, "code "),
    ("archives probe", 0, "one (folder)"),
    ("archives disable one", 0, ""),
    ("archives enable one", 0, ""),
    ("archives remove one", 1, ""),
    ("attributes list", 0, ""),
    ("attributes apply", 0, ""),
    ("audit verify", 0, "OK: "),
    ("audit export --format fhir", 0, "{"),
    ("audit who-saw --study 1.2.3", 0, ""),
    ("consent import {folder}/consents.csv --archive one", 0, "1 consents set"),
    ("consent list --archive one", 0, "StudyInstanceUID,"),
    ("pseudonyms status", 0, "archive "),
    ("pseudonyms rotate", 0, ""),
    ("statistics verify", 0, ""),
    ("statistics rebuild", 0, ""),
    ("query {folder}/q.graphql --url http://127.0.0.1:{closed}/graphql", 1, ""),
    ("export studies --url http://127.0.0.1:{closed}", 1, ""),
    ("upload {folder}/one --archive one --url http://127.0.0.1:{closed}", 1, ""),
    ("viewer --folder {folder}/q.graphql", 1, ""),  # no folder, so nothing is fetched
    ("backup {folder}/all.backup", 0, ""),
    ("restore {folder}/consents.csv", 1, ""),
    ("schema", 0, '"""'),
]
"""Arguments, exit status, and how standard output begins."""


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    commands = getattr(command, "commands", None)
    if not commands:
        yield path, command
        return
    for name, below in commands.items():
        yield from leaves(below, (*path, name))


ROOT = typer.main.get_command(build())
NAMES = {path for path, _ in leaves(ROOT)}


def test_every_command_is_tried() -> None:
    words = [tuple(arguments.split()) for arguments, _, _ in COMMANDS]
    assert {name for name in NAMES if not any(each[: len(name)] == name for each in words)} == set()


def speaking(callback: Callable[..., Any]) -> Callable[..., Any]:
    """A command whose work logs, by both ways that there are."""

    def speak(*args: Any, **kwargs: Any) -> Any:
        structlog.get_logger("ours").warning("canary one")
        logging.getLogger("theirs").warning("canary two")
        return callback(*args, **kwargs)

    return speak


@pytest.fixture(scope="module")
def runtime(
    tmp_path_factory: pytest.TempPathFactory, new_database_url: Callable[[], str]
) -> tuple[Path, str]:
    """A folder with archives.toml and all that commands read, and a database for all of them."""
    folder = tmp_path_factory.mktemp("logs")
    (folder / "one").mkdir()
    shutil.copy(str(get_testdata_file("CT_small.dcm")), folder / "one")
    # That there are rules is told at info by whatever opens the archives.
    (folder / "archives.toml").write_text(
        TABLE.format(code="one") + '[policy]\nothers = "counts"\n', encoding="utf-8"
    )
    (folder / "consents.csv").write_text("StudyInstanceUID,care,registry,research\n1.2.3,1,1,1\n", "utf-8")
    (folder / "q.graphql").write_text("{ viewer { subject } }", "utf-8")
    return folder, new_database_url()


@pytest.fixture(autouse=True)
def folder(runtime: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    structlog.reset_defaults()
    monkeypatch.setenv("ERNFED_DATABASE_URL", runtime[1])
    monkeypatch.setenv("ERNFED_ARCHIVES", str(runtime[0] / "archives.toml"))
    yield runtime[0]
    configure_logging("info")


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command tree as `ernfed` has it, each command of which logs."""
    tree = typer.main.get_command(build())
    for _, leaf in leaves(tree):
        monkeypatch.setattr(leaf, "callback", speaking(leaf.callback or (lambda: None)))
    return tree


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


@pytest.mark.parametrize(("arguments", "status", "begins"), COMMANDS, ids=[each[0] for each in COMMANDS])
def test_nothing_of_the_log_is_on_standard_output(
    folder: Path,
    root: Any,
    taken: int,
    monkeypatch: pytest.MonkeyPatch,
    arguments: str,
    status: int,
    begins: str,
) -> None:
    if arguments == "index watch":
        monkeypatch.setenv("ERNFED_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    monkeypatch.setenv("ERNFED_LOG_LEVEL", "debug")
    done = CliRunner().invoke(
        root, arguments.format(taken=taken, closed=1, folder=folder).split(), prog_name="ernfed"
    )
    assert done.exit_code == status, done.output
    assert done.stdout.lstrip().startswith(begins)
    assert re.search(r"canary|\[(debug|info|warning) *\]|\"level\":", done.stdout) is None, done.stdout
    assert done.stderr.count("canary") == 2
    assert not re.search(r"^\{", done.stderr, re.MULTILINE) or "watch" in arguments or "serve" in arguments
    parse_output(arguments, done.stdout)


def parse_output(arguments: str, text: str) -> None:
    """What is read by programs is nothing else."""
    if arguments == "schema":
        parse(text)
    elif arguments.startswith("audit export"):
        assert {json.loads(line)["resourceType"] for line in text.splitlines()} == {"AuditEvent"}
    elif arguments.startswith("consent list"):
        assert {line.count(",") for line in text.splitlines()} == {5}


def test_only_warnings_where_no_level_is_set(root: Any) -> None:
    done = CliRunner().invoke(root, ["consent", "list", "--archive", "one"], prog_name="ernfed")
    lines = done.stderr.splitlines()
    assert (done.exit_code, len(lines)) == (0, 2), done.stderr
    assert all("warning" in line for line in lines)
