"""Migrations: applied once, side by side without harm, and all of them together are db/schema.sql."""

import asyncio

import asyncpg
import pytest

from db.migrate import VIEWS, MigrationError, migrate, migrations
from db.schema import FILE, dump


def names() -> list[str]:
    return [path.name for path in migrations()]


def test_schema_sql_is_all_migrations(database_url: str) -> None:
    assert dump(database_url) == FILE.read_text(encoding="utf-8"), "run: python -m db.schema"


def test_every_number_is_used_once() -> None:
    numbers = [name[:4] for name in names()]
    assert numbers == sorted(set(numbers))


async def test_an_empty_database(empty_database_url: str) -> None:
    assert await migrate(empty_database_url) == [*names(), VIEWS.name]
    assert await migrate(empty_database_url) == []


async def test_a_start_that_changes_nothing_writes_nothing(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    written = "select xmin::text, * from migration order by name"
    views = "select oid, xmin::text from pg_class where relkind = 'v' order by oid"
    before = await connection.fetch(written), await connection.fetch(views)
    assert await migrate(database_url) == []
    assert (await connection.fetch(written), await connection.fetch(views)) == before
    await connection.close()


async def test_views_are_made_anew_when_they_are_others(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    before = dump(database_url)
    await connection.execute("update migration set digest = '0' where name = 'views.sql'")
    await connection.execute("drop view records.study_event; create view counts.stray as select 1 as one")
    assert await migrate(database_url) == [VIEWS.name]
    assert dump(database_url) == before
    may = "select has_table_privilege('ernfed_api', 'records.study_event', 'select')"
    assert await connection.fetchval(may)
    await connection.close()


async def test_side_by_side(empty_database_url: str) -> None:
    done = await asyncio.gather(*(migrate(empty_database_url) for _ in range(4)))
    assert sorted(done) == [[], [], [], [*names(), VIEWS.name]]


@pytest.mark.parametrize("digest", ["'0'", "null"])
async def test_a_database_of_other_migrations_is_refused(database_url: str, digest: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute(f"update migration set digest = {digest} where name like '0002%'")  # noqa: S608
    await connection.close()
    with pytest.raises(MigrationError, match=r"never released: 0002_access\.sql changed since.* index again"):
        await migrate(database_url)


async def test_a_newer_database_is_refused(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("insert into migration (name) values ('9999_later.sql')")
    await connection.close()
    with pytest.raises(MigrationError, match=r"9999_later\.sql"):
        await migrate(database_url)
