"""The session scope: what the API's role can read when a statement forgets the scope, and what it can do at all."""

import asyncio
from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest

import db.scoped
from access.scope import AccessScope, Projection, Scope, ScopedArchive
from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.pool import Database, StatementTimeout
from db.scoped import ROLE, ScopedDatabase
from tests.federation import generate, load
from tests.postgres import Fill

ERNS = ("ERN-EYE", "ERN-RND", "VASCERN")
FORGETFUL = "select * from {schema}.{table}"
SCHEMAS = ["records", "pseudonyms", "counts"]
TABLES = ("study", "series", "instance", "consent")


async def _fill(database: Database) -> None:
    configs = [ArchiveConfig(code=f"a{n}", ern=ern, title=ern, kind="folder") for n, ern in enumerate(ERNS)]
    ids = await sync_archives(database, configs)
    await load(database, generate(3, list(ids.values()), studies=12))
    await database.execute(
        "copy",
        "insert into consent select archive_id, study_uid, true, true, true, now(), 'x'"
        " from study on conflict do nothing",
    )


@pytest.fixture
def beginning(filled_with: Callable[[Fill], str]) -> str:
    return filled_with(_fill)


@pytest.fixture
async def scoped(database: Database) -> AsyncIterator[ScopedDatabase]:
    opened = await ScopedDatabase.open(database.url, size=1)
    yield opened
    await opened.close()


def archives(*ids: int) -> tuple[ScopedArchive, ...]:
    return tuple(ScopedArchive(each, f"a{each}", ERNS[each - 1]) for each in ids)


def access_scope(
    full: tuple[int, ...] = (), pseudonymised: tuple[int, ...] = (), counted: tuple[int, ...] = ()
) -> AccessScope:
    return AccessScope(
        Scope(archives(*full), archives(*full)),
        Scope(archives(*pseudonymised), archives(*pseudonymised), Projection.PSEUDONYMISED),
        archives(*counted),
    )


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("schema", ["records", "pseudonyms", "counts"])
async def test_a_statement_that_forgot_the_scope_finds_nothing(
    scoped: ScopedDatabase, schema: str, table: str
) -> None:
    await scoped.within(access_scope(full=(1, 2, 3))).fetch(
        "before", FORGETFUL.format(schema="records", table="study")
    )
    assert await scoped.without_scope().fetch("x", FORGETFUL.format(schema=schema, table=table)) == []


async def test_no_view_shows_anything_without_a_scope(scoped: ScopedDatabase) -> None:
    views = await scoped.without_scope().fetch(
        "x", "select schemaname || '.' || viewname as name from pg_views where schemaname = any($1)", SCHEMAS
    )
    assert len(views) > len(TABLES) * len(SCHEMAS)
    for view in views:
        assert await scoped.without_scope().fetch("x", f"select * from {view['name']}") == [], view["name"]  # noqa: S608


async def test_values_of_a_shared_study_are_those_of_visible_copies(
    scoped: ScopedDatabase, database: Database
) -> None:
    """The row of a copy has the values of all copies of its family: each is shown to who sees where it comes from."""
    everybodys = scoped.within(access_scope(full=(1, 2, 3)))
    sql = "select study_uid, archive_id, value from records.study_by_value where name = 'modality'"
    own = "select archive_id, study_uid, unnest(modalities) as value from study"
    told = {tuple(row) for row in await database.fetch("x", own)}
    assert any(row["archive_id"] == 1 and (1, row["study_uid"], row["value"]) not in told
               for row in await everybodys.fetch("x", sql))  # fmt: skip
    rows = await scoped.within(access_scope(full=(1,))).fetch("x", sql)
    assert rows
    assert {(row["archive_id"], row["study_uid"], row["value"]) for row in rows} <= told
    counted = await scoped.within(access_scope(full=(1,))).fetch(
        "x", "select archive_id from records.study_value_count"
    )
    assert {row["archive_id"] for row in counted} == {1}


@pytest.mark.parametrize("table", TABLES)
async def test_one_viewers_scope_does_not_stay_for_the_next(scoped: ScopedDatabase, table: str) -> None:
    """One connection serves them all, and no statement here names an archive."""
    sql = FORGETFUL.format(schema="records", table=table)
    for full in ((1, 2, 3), (2,), (), (1, 3), (1, 3), (3,)):
        rows = await scoped.within(access_scope(full=full)).fetch("x", sql)
        assert {row["archive_id"] for row in rows} == set(full)


async def test_a_wall_that_takes_too_long_is_a_slow_statement_and_is_not_trusted(
    scoped: ScopedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql = FORGETFUL.format(schema="records", table="study")
    await scoped.within(access_scope(full=(1, 2))).fetch("x", sql)
    await scoped.within(access_scope(full=(1, 2))).fetch("x", "set statement_timeout = 50")
    with monkeypatch.context() as slow:
        slow.setattr("db.scoped._SET", f"{db.scoped._SET}, pg_sleep(10)")
        with pytest.raises(StatementTimeout):
            await scoped.within(access_scope(full=(3,))).fetch("x", sql)
    for full in ((3,), (1, 2)):
        rows = await scoped.within(access_scope(full=full)).fetch("x", sql)
        assert {row["archive_id"] for row in rows} == set(full)


async def test_counted_archives_show_no_records(scoped: ScopedDatabase) -> None:
    reader = scoped.within(access_scope(full=(1,), counted=(2,)))
    for schema, seen in (("records", {1}), ("pseudonyms", set()), ("counts", {1, 2})):
        rows = await reader.fetch("x", FORGETFUL.format(schema=schema, table="study"))
        assert {row["archive_id"] for row in rows} == seen


@pytest.mark.parametrize(
    "sql",
    [
        "select * from public.study",
        "select * from public.instance",
        "select * from pseudonymised.study",
        "select * from pseudonymised.waiting",
        "select * from public.study_event",
        "select * from pseudonymised.study_event",
        "select * from study_version",
        "select * from pseudonymised.study_version",
        "delete from records.study_event",
        "select * from secret",
        "select * from rejected_record",
        "select * from public.consent",
        "insert into records.study (archive_id, study_uid) select archive_id, study_uid from records.study",
        "update records.study set patient_name = 'x'",
        "delete from records.study",
        "delete from counts.study",
        "create table records.mine ()",
        "create table public.mine ()",
        "truncate public.study",
    ],
)
async def test_the_role_can_do_nothing_else(scoped: ScopedDatabase, sql: str) -> None:
    reader = scoped.within(access_scope(full=(1, 2, 3)))
    with pytest.raises(asyncpg.PostgresError) as refused:
        await reader.fetch("x", sql)
    assert refused.value.sqlstate in ("42501", "55000"), refused.value


async def test_the_role_owns_nothing(database: Database) -> None:
    rows = await database.fetch(
        "x",
        "select count(*) from pg_class where relowner = (select oid from pg_roles where rolname = $1)",
        ROLE,
    )
    assert rows[0]["count"] == 0


async def test_a_statement_after_a_failed_one_has_its_own_scope(scoped: ScopedDatabase) -> None:
    with pytest.raises(asyncpg.PostgresError):
        await scoped.within(access_scope(full=(1,))).fetch("x", "select 1 / 0")
    rows = await scoped.within(access_scope(full=(2,))).fetch("x", "select * from records.study")
    assert {row["archive_id"] for row in rows} == {2}


async def test_events_are_of_what_may_be_read(scoped: ScopedDatabase) -> None:
    for seen in (
        access_scope(full=(1, 3), counted=(2,)),
        access_scope(full=(2,)),
        access_scope(counted=(1, 2, 3)),
    ):
        rows = await scoped.within(seen).fetch("x", FORGETFUL.format(schema="records", table="study_event"))
        assert {row["archive_id"] for row in rows} == set(seen.full_ids)
    for schema in ("records", "pseudonyms"):
        sql = FORGETFUL.format(schema=schema, table="study_event")
        assert await scoped.without_scope().fetch("x", sql) == []


async def test_closing_waits_for_what_is_under_way_and_then_refuses(scoped: ScopedDatabase) -> None:
    reader = scoped.within(access_scope(full=(1,)))
    slow = asyncio.create_task(reader.fetch("x", "select pg_sleep(0.3), 7 as answer"))
    await asyncio.sleep(0.1)
    waiting = asyncio.create_task(reader.fetch("x", "select 1"))
    closing = asyncio.create_task(scoped.close())
    assert [row["answer"] for row in await slow] == [7]
    assert len(await waiting) == 1  # it was there before
    await closing
    with pytest.raises(asyncpg.InterfaceError):
        await reader.fetch("x", "select 1")
