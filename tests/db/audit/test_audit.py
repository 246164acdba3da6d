"""The audit log in Postgres: append-only, one chain whoever writes, few commits, nothing unsaid."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from access.audit import AuditRecord, Touched
from db.audit.lines import lines, walk
from db.audit.log import AUDIT_SESSION, AuditLog, AuditUnavailable
from db.migrate import migrate
from db.pool import Database
from tests.postgres import named

CANARY = "Zzyzx^Canary"
ROOT = Path(__file__).parents[3]
ROLE = "ernfed_test_reader"

WRITER = """
import asyncio, sys
from tests.db.audit.test_audit import write_many
asyncio.run(write_many(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


def record(name: str, studies: int = 1) -> AuditRecord:
    touched = Touched(
        studies={f"1.2.{name}.{number}" for number in range(studies)},
        patients={(f"{CANARY}-{name}", None)},
    )
    return AuditRecord(
        datetime.now(UTC), name, "TREAT", "/graphql", "OK", "192.0.2.0/24", f"r-{name}", touched=touched
    )


async def open_log(url: str) -> tuple[Database, AuditLog]:
    database = await Database.open(url, max_size=1, session=AUDIT_SESSION)
    return database, await AuditLog.open(database)


async def write_many(url: str, name: str, count: int) -> None:
    database, log = await open_log(url)
    for start in range(0, count, 20):
        await asyncio.gather(*(log.write(record(f"{name}{n}")) for n in range(start, start + 20)))
    await log.close()
    await database.close()


@pytest.fixture
async def log(database_url: str) -> AsyncIterator[AuditLog]:
    database, opened = await open_log(database_url)
    yield opened
    await opened.close()
    await database.close()


async def tamper(url: str, *statements: str) -> None:
    """What only a superuser can do."""
    connection = await asyncpg.connect(url)
    await connection.execute("set session_replication_role = replica")
    for statement in statements:
        await connection.execute(statement)
    await connection.close()


async def written(log: AuditLog, count: int = 8) -> None:
    for number in range(1, count + 1):
        await log.write(record(str(number)))


async def test_what_is_written_is_there_and_whole(log: AuditLog, database: Database) -> None:
    await written(log)
    chain = await walk(database)
    assert (chain.lines, chain.flaw) == (8, None)
    found = [line async for line in lines(database)]
    assert [line.number for line in found] == list(range(1, 9))
    assert [line.said["subject"] for line in found] == [str(n) for n in range(1, 9)]
    assert found[-1].digest == chain.head


async def test_an_empty_log_is_whole(database: Database) -> None:
    chain = await walk(database)
    assert (chain.lines, chain.head, chain.flaw) == (0, bytes(32), None)


CUT = "delete from audit_event where id = 8; delete from audit_touch where event_id = 8"


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("delete from audit_event where id = 4", "line 4 is missing"),
        ("delete from audit_event where id <= 2", "lines 1 to 2 are missing"),
        ("update audit_event set payload = replace(payload, 'TREAT', 'HRESCH') where id = 3", "line 3 was"),
        ("update audit_event set digest = sha256(digest) where id = 3", "line 3 was changed"),
        ("update audit_event set at = at + '1 s' where id = 3", "the time of line 3"),
        (
            "update audit_event set id = -id; update audit_event set id = case id when -3 then 5"
            " when -5 then 3 else -id end",
            "line 3 was changed, inserted or moved",
        ),
        (
            "update audit_event set id = -id; update audit_event set id = case when id <= -4 then 1 - id"
            " else -id end; insert into audit_event select 4, at, digest, payload from audit_event"
            " where id = 7",
            "line 4 was changed, inserted or moved",
        ),
        ("delete from audit_touch where event_id = 6", "what line 6 says it touched"),
        ("insert into audit_touch values (sha256('x'), 6)", "what line 6 says it touched"),
        ("delete from audit_event where id = 8", "line 8 is missing"),
    ],
)
async def test_tampering_is_found(
    log: AuditLog, database: Database, database_url: str, statement: str, words: str
) -> None:
    await written(log)
    await tamper(database_url, statement)
    assert words in str((await walk(database)).flaw)


async def test_a_cut_end_is_found_by_the_digest_that_was_kept(
    log: AuditLog, database: Database, database_url: str
) -> None:
    await written(log, 7)
    earlier = (await walk(database)).head
    await log.write(record("8"))
    head = (await walk(database)).head
    assert (await walk(database, expect=earlier)).anchored == 7
    await tamper(database_url, CUT)
    assert (await walk(database)).flaw is None
    assert (await walk(database, expect=earlier)).anchored == 7
    assert "the end was cut off" in str((await walk(database, expect=head)).flaw)


async def test_what_retention_removed_is_no_flaw(
    log: AuditLog, database: Database, database_url: str
) -> None:
    await written(log)
    last = [line async for line in lines(database)][3].digest
    await tamper(
        database_url, "delete from audit_event where id <= 4", "delete from audit_touch where event_id <= 4"
    )
    chain = await walk(database, after=last)
    assert (chain.lines, chain.flaw) == (4, None)
    assert "line 5 was changed" in str((await walk(database, after=bytes(32))).flaw)
    await log.write(record("9"))
    assert (await walk(database, after=last)).lines == 5


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_event set payload = ''",
        "delete from audit_event",
        "truncate audit_event",
        "update audit_touch set event_id = 2",
        "delete from audit_touch",
        "truncate audit_touch",
    ],
)
async def test_the_tables_only_grow(log: AuditLog, database_url: str, statement: str) -> None:
    """Also for their owner; a role without rights is refused before."""
    await written(log, 2)
    connection = await asyncpg.connect(database_url)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await connection.execute(statement)
    await connection.close()


async def test_an_ordinary_role_cannot_switch_the_trigger_off(log: AuditLog, database_url: str) -> None:
    await written(log, 1)
    connection = await asyncpg.connect(database_url)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(f"create role {ROLE}; grant select, insert on audit_event to {ROLE}")
    await connection.execute(f"grant update, delete on audit_event to {ROLE}; set local role {ROLE}")
    for statement in ("delete from audit_event", "set local session_replication_role = replica"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with connection.transaction():
                await connection.execute(statement)
    await transaction.rollback()
    await connection.close()


async def test_the_api_role_gets_what_it_needs_and_no_more(empty_database_url: str) -> None:
    connection = await asyncpg.connect(empty_database_url)
    had = await connection.fetchval("select exists (select from pg_roles where rolname = 'ernfed_api')")
    if not had:
        await connection.execute("create role ernfed_api nologin")
    try:
        await migrate(empty_database_url)
        rights = await connection.fetch(
            "select r.name as name from unnest(array['select', 'insert', 'update', 'delete', 'truncate'])"
            " r (name) where has_table_privilege('ernfed_api', 'audit_event', r.name)"
        )
        assert [row["name"] for row in rights] == ["select", "insert"]
    finally:
        await connection.execute("drop owned by ernfed_api")
        if not had:
            await connection.execute("drop role ernfed_api")
        await connection.close()


async def test_many_at_once_share_few_commits(log: AuditLog, database: Database) -> None:
    await log.write(record("warm"))
    before = log.commits
    await asyncio.gather(*(log.write(record(str(number))) for number in range(200)))
    assert log.commits - before <= 5
    assert (await walk(database)).lines == 201


async def test_throughput(log: AuditLog, capsys: pytest.CaptureFixture[str]) -> None:
    async def one(person: int) -> None:
        for turn in range(10):
            await log.write(record(f"{person}.{turn}", studies=20))

    started, before = time.perf_counter(), log.commits
    await asyncio.gather(*(one(person) for person in range(500)))
    seconds = time.perf_counter() - started
    with capsys.disabled():
        commits = log.commits - before
        rate = f"{5000 / seconds:.0f} lines/s in {commits} commits"
        print(f"\naudit: 500 requests at once, each line of 20 studies: {rate}")  # noqa: T201


async def test_processes_side_by_side_keep_one_chain(database_url: str, database: Database) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITER, database_url, name, "200"], cwd=ROOT)  # noqa: ASYNC220
        for name in "abc"
    ]
    for process in processes:
        assert await asyncio.to_thread(process.wait, 60) == 0
    chain = await walk(database)
    assert (chain.lines, chain.flaw) == (600, None)
    people = [line.said["subject"][0] for line in [line async for line in lines(database)]]
    assert sorted(people) == ["a"] * 200 + ["b"] * 200 + ["c"] * 200
    assert people != sorted(people)  # they did write at the same time


async def test_without_a_database_it_says_so(new_database_url: Callable[[], str]) -> None:
    url = await asyncio.to_thread(new_database_url)
    database, log = await open_log(url)
    await log.write(record("1"))
    name = urlsplit(url).path[1:]
    connection = await asyncpg.connect(named(url, "postgres"))
    await connection.execute(f"alter database {name} allow_connections false")
    await connection.fetch("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name)
    for _ in range(2):
        with pytest.raises(AuditUnavailable):
            await log.write(record("2"))
    await connection.execute(f"alter database {name} allow_connections true")
    await log.write(record("3"))
    await connection.close()
    assert [line.said["subject"] async for line in lines(database)] == ["1", "3"]
    await log.close()
    await database.close()


async def test_a_line_that_cannot_be_made_harms_no_later_one(log: AuditLog, database: Database) -> None:
    broken = AuditRecord(datetime.now(UTC), object(), None, "/", "OK", None, "-")  # type: ignore[arg-type]
    with pytest.raises(AuditUnavailable):
        await log.write(broken)
    await log.write(record("2"))
    assert (await walk(database)).lines == 1


async def test_odd_text_is_stored(log: AuditLog, database: Database) -> None:
    odd = AuditRecord(datetime.now(UTC), "a\0b\ud800ü", None, "/", "OK", None, "-")
    await log.write(odd)
    assert [line.said["subject"] async for line in lines(database)] == ["a\0b\ud800ü"]


async def test_a_cancelled_request_leaves_its_line(log: AuditLog, database: Database) -> None:
    task = asyncio.create_task(log.write(record("1")))
    await asyncio.sleep(0)
    task.cancel()
    await log.write(record("2"))
    assert (await walk(database)).lines == 2
