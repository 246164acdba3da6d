"""What /readyz is told of a database: empty, migrated, newer, gone."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.embedded.postgres import EmbeddedPostgres
from db.migrate import migrate
from db.pool import Database
from db.ready import problems


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EmbeddedPostgres, str]]:
    folder: Path = tmp_path_factory.mktemp("ready")
    postgres = EmbeddedPostgres(folder)
    try:
        yield postgres, postgres.start()
    finally:
        postgres.stop()


async def test_problems(server: tuple[EmbeddedPostgres, str]) -> None:
    postgres, url = server
    database = await Database.open(url, max_size=2)
    try:
        assert await problems(database) == {"migrations": "none is applied: run ernfed migrate"}
        await migrate(url)
        assert await problems(database) == {}
        await database.execute("test", "insert into migration (name) values ('9999_later.sql')")
        assert "newer than this version" in (await problems(database))["migrations"]
        await database.execute("test", "delete from migration")
        assert "not applied" in (await problems(database))["migrations"]
        await asyncio.to_thread(postgres.stop)
        assert await problems(database) == {"database": "does not answer"}
    finally:
        await database.close()
