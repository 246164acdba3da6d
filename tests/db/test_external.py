"""A PostgreSQL of one's own: the SQL of docs/operator.md, as written, on a server with an ordinary owner."""

import asyncio
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from access.scope import everyone_here
from archives.registry import Archives
from config.settings import Settings
from db import migrate as migrating
from db.embedded.postgres import EmbeddedPostgres
from db.migrate import MigrationError, migrate
from db.pool import Database
from db.ready import problems
from reads.services import Services
from resolvers.context import Context
from resolvers.schema import schema

ROOT = Path(__file__).parent.parent.parent
OLD = Path("/usr/lib/postgresql/15/bin")
[SQL] = re.findall(
    r"```sql\n(create role ernfed login.*?)```", (ROOT / "docs/operator.md").read_text(), re.DOTALL
)


def address(url: str, user: str, password: str, database: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@", path=f"/{database}"))


def run(url: str, *statements: str) -> Any:
    async def each() -> Any:
        connection = await asyncpg.connect(url)
        try:
            return [await connection.fetchval(statement) for statement in statements][-1]
        finally:
            await connection.close()

    return asyncio.run(each())


@pytest.fixture
def server() -> Iterator[str]:
    """URL of the superuser `postgres`: a server as its package makes it, without anything of ours."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="ernfed-test-") as folder:
        Path(folder).chmod(0o755)
        with EmbeddedPostgres(Path(folder)) as url:
            run(url, "create role postgres superuser createrole createdb login password 'its own'")
            admin = address(url, "postgres", "its own", "postgres")
            run(admin, "drop database ernfed", "alter role ernfed rename to first")
            yield admin


def as_written(administrator: str) -> str:
    """Runs the docs' SQL statement by statement, as psql does; the URL of its owner and its database."""
    for statement in SQL.split(";\n"):
        if statement.strip():
            run(administrator, statement)
    return address(administrator, "ernfed", "choose one", "ernfed")


async def asks(url: str) -> Any:
    """What a server on this database is ready with, and answers."""
    owner = await Database.open(url)
    try:
        services = await Services.open(owner, Archives([]), Settings())
        try:
            context = Context.for_request(services, everyone_here(()))
            answer = await schema.execute(
                "{ studies { totalCount } archives { code } }", context_value=context
            )
            return await problems(owner), answer.data, answer.errors
        finally:
            await services.close()
    finally:
        await owner.close()


@pytest.mark.parametrize("who", ["superuser", "administrator of a managed server"])
def test_the_sql_of_the_docs_works_as_written(server: str, who: str) -> None:
    administrator = server
    if who != "superuser":
        run(server, "create role manager createrole createdb login password 'hers'")
        administrator = address(server, "manager", "hers", "postgres")
    url = as_written(administrator)
    assert run(url, "select usesuper or usecreatedb from pg_user where usename = current_user") is False
    assert asyncio.run(migrate(url)) != []
    assert asyncio.run(asks(url)) == ({}, {"studies": {"totalCount": 0}, "archives": []}, None)
    assert (
        run(url, "select datlocprovider::text || datlocale from pg_database where datname = 'ernfed'")
        == "bC.UTF-8"
    )
    assert asyncio.run(migrate(url)) == []


def test_without_the_role_the_hint_says_what_to_do_and_that_works(server: str) -> None:
    for statement in SQL.split(";\n"):
        if statement.strip() and "ernfed_api" not in statement:
            run(server, statement)
    url = address(server, "ernfed", "choose one", "ernfed")
    for lacking in (["create role ernfed_api", "grant ernfed_api to ernfed"], ["grant ernfed_api to ernfed"]):
        with pytest.raises(MigrationError) as refused:
            asyncio.run(migrate(url))
        said = str(refused.value)
        assert len(said.splitlines()) == 1
        assert "the role ernfed_api is needed" in said
        hint = said.partition("administrator of the server: ")[2].rstrip(";").split("; ")
        assert hint == lacking
        run(server, hint[0])
    assert asyncio.run(migrate(url)) != []
    assert asyncio.run(asks(url))[1:] == ({"studies": {"totalCount": 0}, "archives": []}, None)


def test_an_owner_who_may_make_roles_needs_no_help(server: str) -> None:
    run(
        server,
        "create role ernfed createrole login password 'choose one'",
        "create database ernfed owner ernfed",
    )
    url = address(server, "ernfed", "choose one", "ernfed")
    assert asyncio.run(migrate(url)) != []
    assert asyncio.run(asks(url))[0] == {}


def test_what_the_server_refuses_is_one_sentence(server: str) -> None:
    run(
        server,
        "create role ernfed login password 'x'",
        "create role ernfed_api",
        "grant ernfed_api to ernfed",
    )
    run(server, "create database theirs")
    url = address(server, "ernfed", "x", "theirs")  # not its owner
    with pytest.raises(MigrationError, match="permission denied for schema public") as refused:
        asyncio.run(migrate(url))
    assert len(str(refused.value).splitlines()) == 1


def test_an_encoding_other_than_utf8_is_named(server: str) -> None:
    run(server, "create database latin template template0 encoding 'LATIN1' locale 'C' locale_provider libc")
    with pytest.raises(MigrationError, match="encoding LATIN1: make it with template template0"):
        asyncio.run(migrate(address(server, "postgres", "its own", "latin")))


def test_a_version_that_is_too_old_is_one_sentence(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "LEAST", 99)
    with pytest.raises(
        MigrationError, match=r"^PostgreSQL \d+\.\d+ is too old: the index needs 99 or newer$"
    ):
        asyncio.run(migrate(empty_database_url))
