"""What the documents must name, and that what they show works: queries, answers, links, commands."""

import ast
import json
import re
import shlex
import tomllib
from collections.abc import AsyncIterator, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import typer.main
from graphql import build_schema, parse, validate

from access.scope import everyone_here
from archives.errors import ArchiveError
from archives.fields import FIELDS
from archives.registry import open_archives
from cli.__main__ import COMMANDS, build
from cli.demo.made_studies import SPLIT_STUDY_UID
from cli.demo.samples import ARCHIVES, build_samples
from config.archive_keys import KEYS
from config.archives_file import ArchiveConfig
from config.settings import Settings
from db.archives import sync_archives
from db.pool import Database
from indexer.run import index_once
from model.errors import InputError
from reads.services import Services
from resolvers.context import Context
from resolvers.schema import schema

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FOR_READERS = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
# Words in capitals that no client or operator gets as a code.
NO_CODES = {
    "CUT_OFF",
    "DELETE",
    "DENY",
    "DOWN",
    "HEAD",
    "ONLINE",
    "OPTIONS",
    "PATCH",
    "POST",
    "SUBSCRIBED",
    "YYYYMMDD",
}
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
OPERATOR = (ROOT / "docs/operator.md").read_text(encoding="utf-8")
FRONTEND = (ROOT / "docs/frontend.md").read_text(encoding="utf-8")
ANALYST = (ROOT / "docs/analyst.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return [body for _, name, body in BLOCK.findall(text) if name == language]


def queries() -> list[Any]:
    """Every GraphQL block of the pages for readers, and every example of the page at "/"."""
    of_pages = [
        pytest.param(query, id=f"{page.name}-{number}")
        for page in FOR_READERS
        for number, query in enumerate(blocks(page.read_text(encoding="utf-8"), "graphql"), 1)
    ]
    return of_pages + [pytest.param(text, id=title) for title, text in examples()]


def examples() -> list[tuple[str, str]]:
    """(title, operation) of the page at "/", cut as the page does it."""
    text = (ROOT / "api/static/examples.graphql").read_text(encoding="utf-8")
    return [(part.partition("\n")[0][2:], part) for part in re.split(r"\n\n(?=# )", text.strip())]


def answers() -> list[Any]:
    """(query, what stands right below it) of every GraphQL block that a JSON block follows."""
    below = re.compile(
        r"```graphql\n((?:(?!```).)*)```\n+(?:```sh\n(?:(?!```).)*```\n+)?```json\n((?:(?!```).)*)```",
        re.DOTALL,
    )
    return [
        (page.name, query, answer)
        for page in FOR_READERS
        for query, answer in below.findall(page.read_text(encoding="utf-8"))
    ]


def rows(text: str) -> dict[str, list[str]]:
    """Table rows by the first word in code of their first cell."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        for name in re.findall(r"`([\w-]+)", cells[0]) if line.startswith("|") else ():
            found[name] = cells
    return found


def page_names(pages: list[Path]) -> list[str]:
    return [str(page.relative_to(ROOT)) for page in pages]


# ---- complete ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_described(name: str) -> None:
    row = rows(OPERATOR)[f"ERNFED_{name.upper()}"]
    default = Settings.model_fields[name].default
    shown = str(default).lower() if isinstance(default, bool) else default
    assert row[1] == ("unset" if default is None else f"`{shown}`")


def test_no_setting_is_made_up() -> None:
    known = {f"ERNFED_{name.upper()}" for name in Settings.model_fields}
    for page in PAGES:
        named = set(re.findall(r"\bERNFED_[A-Z]+(?:_[A-Z]+)*\b", page.read_text(encoding="utf-8")))
        assert named <= known, page


def commands() -> Iterator[tuple[str, Any]]:
    """(path, command) of every command that does something."""

    def below(path: str, command: Any) -> Iterator[tuple[str, Any]]:
        children = getattr(command, "commands", None) or {}
        if not children:
            yield path, command
        for name, child in children.items():
            yield from below(f"{path} {name}", child)

    yield from below("ernfed", typer.main.get_command(build()))


def sections() -> dict[str, str]:
    """The operator's page by heading; `ernfed a b, c` stands for `ernfed a b` and `ernfed a c`."""
    found: dict[str, str] = {}
    for part in re.split(r"^##+ ", OPERATOR, flags=re.MULTILINE):
        heading, _, text = part.partition("\n")
        first, *others = heading.split(", ")
        group = first.rpartition(" ")[0]
        found |= dict.fromkeys((first, *(f"{group} {name}" for name in others)), text)
    return found


@pytest.mark.parametrize(("path", "command"), [pytest.param(*each, id=each[0]) for each in commands()])
def test_every_command_and_option_is_described(path: str, command: Any) -> None:
    text = sections()[path]
    options = [
        name
        for option in command.params
        for name in (*option.opts, *option.secondary_opts)
        if name.startswith("--") and name != "--help"
    ]
    for name in options:
        assert re.search(rf"`{name}[` ]", text), name
    assert set(re.findall(r"`(--[a-z-]+)", text)) <= set(options)


def test_the_walk_finds_commands() -> None:
    found = [path for path, _ in commands()]
    assert "ernfed index once" in found
    assert {path.split()[1] for path in found} == set(COMMANDS)


def test_every_key_of_an_archive_is_described() -> None:
    table = rows(OPERATOR)
    example = (ROOT / "config/archives.example.toml").read_text(encoding="utf-8")
    assert set(KEYS) == {field.name for field in fields(ArchiveConfig)}
    for name in KEYS:
        assert name in table, name
        assert re.search(rf"^(# )?{name}\b", example, re.MULTILINE), name


def error_codes() -> set[str]:
    """Every code that a client or an operator can get: of the trees, and words in capitals of those rooms."""
    codes: set[str] = set()
    waiting: list[Any] = [InputError, ArchiveError]
    while waiting:
        kind = waiting.pop()
        codes.add(kind.code)
        waiting += kind.__subclasses__()
    for file in (*ROOT.glob("api/**/*.py"), ROOT / "reads/reports.py", *ROOT.glob("indexer/*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and re.fullmatch(r"[A-Z_]{4,}", str(node.value)):
                codes.add(str(node.value))
    return codes - NO_CODES


@pytest.mark.parametrize("code", sorted(error_codes()))
def test_every_error_code_is_described(code: str) -> None:
    page = OPERATOR if code == "BUSY" else FRONTEND
    assert re.search(rf"^\|.*`{code}`.*\|", page, re.MULTILINE)


def test_what_archives_are_asked_for_is_listed() -> None:
    listed = {
        name: re.findall(r"\w+", re.sub(r"\s+", " ", names))
        for name, names in re.findall(
            r"^- (study|series|instance): ((?:.+\n)(?:  .+\n)*)", ANALYST, re.MULTILINE
        )
    }
    assert listed == {
        "study": list(FIELDS["studies"]),
        "series": list(FIELDS["series"]),
        "instance": list(FIELDS["instances"]),
    }


def test_every_room_stands_in_the_architecture() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for room in project["tool"]["importlinter"]["root_packages"]:
        assert f"| `{room}/` |" in text


def test_every_decision_is_listed() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for page in ROOT.glob("docs/decisions/*.md"):
        assert f"(docs/decisions/{page.name})" in text


# ---- true --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", queries())
def test_queries_fit_the_schema(query: str) -> None:
    described = build_schema((ROOT / "schema.graphql").read_text(encoding="utf-8"))
    assert validate(described, parse(query)) == []


@pytest.fixture
async def services(database: Database, tmp_path: Path) -> AsyncIterator[Services]:
    """The demo's samples in four folders, indexed."""
    configs = [
        ArchiveConfig(
            each.code, each.ern, each.title, "folder", path=tmp_path / each.code, index="instance", timeout=60
        )
        for each in ARCHIVES
    ]
    build_samples(tmp_path)
    async with open_archives(configs) as archives:
        await sync_archives(database, configs)
        assert all(result.all_done for result in await index_once(database, archives))
        opened = await Services.open(database, archives, Settings())
        yield opened
        await opened.close()


async def ask(services: Services, query: str) -> dict[str, Any]:
    """The answer's data, as JSON."""
    viewer = everyone_here(row.ern for row in services.directory)
    result = await schema.execute(query, context_value=Context.for_request(services, viewer))
    assert result.errors is None
    told = (result.extensions or {}).get("warnings", [])
    assert {each["code"] for each in told} <= {"NOT_FAST"}
    data: dict[str, Any] = json.loads(json.dumps(result.data, default=str))
    return data


def nodes_of(data: dict[str, Any]) -> list[Any]:
    """The nodes of every list at the root."""
    return [node for field in data.values() for node in field.get("nodes", field.get("edges", [field]))]


async def test_queries_find_something_in_the_demo(services: Services) -> None:
    for parameter in queries():
        (query,) = parameter.values
        if str(query).startswith("subscription"):
            continue  # it waits for changes (tests/api/graphql/test_subscriptions.py)
        data = await ask(services, str(query))
        assert nodes_of(data), query


async def test_queries_have_the_answers_that_are_shown(services: Services) -> None:
    shown = answers()
    assert {page for page, _, _ in shown} >= {"README.md", "analyst.md"}
    for page, query, answer in shown:
        assert {"data": await ask(services, query)} == json.loads(answer), (page, query)


def test_the_page_shows_what_the_index_can_do() -> None:
    kinds = [parse(text).definitions[0].operation.value for _, text in examples()]  # type: ignore[attr-defined]
    assert len(kinds) >= 8
    assert "mutation" in kinds


def test_the_curl_of_the_first_query_is_that_query() -> None:
    query = blocks(README, "graphql")[0]
    assert SPLIT_STUDY_UID in query
    (line,) = [line for block in blocks(README, "sh") for line in block.splitlines() if "curl" in line]
    sent = json.loads(shlex.split(line)[-1])["query"]
    assert " ".join(query.split()) == sent


@pytest.mark.parametrize("page", PAGES, ids=page_names(PAGES))
def test_commands_exist(page: Path) -> None:
    known = {*COMMANDS, "check", "bench", "chaos", "ARGS"}
    text = page.read_text(encoding="utf-8")
    for command in re.findall(r"(?<![\w/.])\./run ([\w-]+)", text):
        assert command in known, command
    paths = {path for path, _ in commands()} | {f"ernfed {name}" for name in COMMANDS} | {"ernfed ARGS"}
    for path in re.findall(r"`ernfed ((?:index|archives) \w+|\w+)", text):
        assert f"ernfed {path}" in paths, path


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", BLOCK.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=page_names(PAGES))
def test_links_lead_somewhere(page: Path) -> None:
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert not urlsplit(target).scheme, target
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.is_file(), target
        assert there.is_relative_to(ROOT), target
        assert not anchor or anchor in anchors(there), target


@pytest.mark.parametrize("page", PAGES, ids=page_names(PAGES))
def test_addresses_are_of_this_machine_or_examples(page: Path) -> None:
    """Packages come from wherever a machine is set up to take them (decision 4): no page names a place."""
    for url in re.findall(r"\w+://[\w[][^\s`'\"<>)]*", page.read_text(encoding="utf-8")):
        assert urlsplit(url.replace("…", "x")).hostname in {
            "127.0.0.1",
            "localhost",
            "host",
            "pacs.example.org",
            "login.example.org",
            "ernfed.example.org",
        }, url


def test_locks_name_no_place() -> None:
    for name in ("requirements.in", "requirements.lock", "requirements-dev.in", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text
        assert "--index" not in text
    of_npm = [*ROOT.glob("tests/**/package-lock.json"), *ROOT.glob("web/**/package-lock.json")]
    assert len(of_npm) > 3
    for lock in of_npm:
        assert '"resolved"' not in lock.read_text(encoding="utf-8"), lock


@pytest.mark.parametrize("page", PAGES, ids=page_names(PAGES))
def test_lines_are_short(page: Path) -> None:
    for number, line in enumerate(BLOCK.sub("", page.read_text(encoding="utf-8")).splitlines(), 1):
        assert len(line) <= 120 or line.startswith("|"), number


@pytest.mark.parametrize("page", PAGES, ids=page_names(PAGES))
def test_tables_are_whole(page: Path) -> None:
    for table in re.findall(r"(?:^\|.*\n)+", page.read_text(encoding="utf-8"), re.MULTILINE):
        counts = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(counts) == 1, table


def test_the_words_of_the_glossary_are_those_of_the_code() -> None:
    rows = [
        row for row in (ROOT / "docs/glossary.md").read_text(encoding="utf-8").splitlines() if row[:2] == "| "
    ]
    names = {row.split("|")[-2].strip().strip("`") for row in rows} - {"in the code"}
    rooms = [path for path in ROOT.glob("*/__init__.py") if path.parent.name not in ("tests", "bench")]
    code = "\n".join(
        file.read_text(encoding="utf-8")
        for room in rooms
        for file in [*room.parent.rglob("*.py"), *room.parent.rglob("*.sql")]
    )
    assert len(names) > 40
    assert [name for name in sorted(names) if not re.search(rf"\b{re.escape(name)}\b", code)] == []


@pytest.mark.parametrize("page", PAGES, ids=page_names(PAGES))
def test_files_and_names_of_the_code_exist(page: Path) -> None:
    """`room/file.py`, and `room/file.py::Name` where a page says what is in there; not of what once was."""
    if page.name == "CHANGELOG.md":
        return
    for path, name in re.findall(
        r"`((?:\w+/)+\w+\.(?:py|sql|md|toml))(?:::(\w+))?`", page.read_text(encoding="utf-8")
    ):
        assert (ROOT / path).is_file(), path
        if name:
            found = rf"^(class|def|async def|type) {name}\b|^{name}\b"
            assert re.search(found, (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE), (
                f"{path}::{name}"
            )
