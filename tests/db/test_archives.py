"""Archives in the database: as the file says, with what is known of each."""

from typing import Any

import pytest

from config.archives_file import ArchiveConfig
from db.archives import IndexState, index_states, list_archives, save_capabilities, save_health, sync_archives
from db.indexing import runs
from db.pool import Connection, Database, metered
from db.writing import ingest
from tests.db.writing.ingesting import rows, store, two_archives
from tests.rows import instance, series, study


def config(code: str, **values: Any) -> ArchiveConfig:
    return ArchiveConfig(**{"code": code, "ern": "ERN-EYE", "title": code, "kind": "folder"} | values)


async def test_the_table_follows_the_file(database: Database) -> None:
    first = await sync_archives(database, [config("a"), config("b"), config("c", index="study")])
    assert list(first) == ["a", "b", "c"]
    second = await sync_archives(database, [config("c", title="New", ern="VASCERN"), config("a")])
    assert second == {"c": first["c"], "a": first["a"]}
    listed = await list_archives(database)
    assert [(row.code, row.rank, row.enabled) for row in listed] == [
        ("c", 0, True),
        ("a", 1, True),
        ("b", 1, False),
    ]
    assert (listed[0].title, listed[0].ern, listed[0].index_level) == ("New", "VASCERN", "series")
    assert await sync_archives(database, [config("b")]) == {"b": first["b"]}
    assert [row.enabled for row in await list_archives(database)] == [True, False, False]


async def test_a_start_that_changes_nothing_writes_nothing(database: Database) -> None:
    """The identity is a smallint: 24 archives and a start every five minutes would be at its end after five days."""
    rows = "select code, archive_id, xmin::text from archive order by archive_id"
    configs = [config(f"a{number}") for number in range(3)]
    await sync_archives(database, configs)
    before = await database.fetch("t", rows)
    for _ in range(5):
        await sync_archives(database, configs)
    assert await database.fetch("t", rows) == before
    added = await sync_archives(database, [*configs, config("new")])
    assert added == {"a0": 1, "a1": 2, "a2": 3, "new": 4}


async def test_an_archive_is_new(database: Database) -> None:
    await sync_archives(database, [config("a")])
    (row,) = await list_archives(database)
    assert (row.health_state, row.capabilities, row.change_cursor, row.has_studies) == (
        "UNKNOWN",
        {},
        None,
        False,
    )
    assert await index_states(database) == {row.archive_id: IndexState()}


async def test_health_and_capabilities(database: Database) -> None:
    await sync_archives(database, [config("a")])
    await save_health(database, 1, "DOWN", error_code="TIMEOUT", error_message="no answer")
    await save_capabilities(database, 1, {"offset": "honoured"})
    (row,) = await list_archives(database)
    assert (row.health_state, row.health_error_code, row.capabilities) == (
        "DOWN",
        "TIMEOUT",
        {"offset": "honoured"},
    )
    assert row.health_checked_at is not None
    await save_health(database, 1, "UP", latency_ms=3.5)
    (row,) = await list_archives(database)
    assert (row.health_state, row.health_latency_ms, row.health_error_code) == ("UP", 3.5, None)


async def test_index_states_in_one_statement(database: Database) -> None:
    await two_archives(database)
    both = [study("1.2", PatientID="A"), study("1.2", PatientID="B"), study("1.3")]
    await store(
        database, 1, both, [series("1.2", "7.1"), series("1.3", "7.1")], [instance("1.2", "7.1", "8.1")]
    )
    await store(database, 2, [study("1.2")])
    run = await runs.start(database, 1, "eye", None)
    await runs.set_total(database, run, 10)

    async def advance(conn: Connection) -> None:
        await runs.advance(conn, run, "1.2", done=4, rejected=1, removed=2, changed=True)

    await ingest.write(database, "advance", advance)
    async with metered() as meter:
        states = await index_states(database)
    assert meter.statements == ["index_states"]
    one, two = states[1], states[2]
    assert (one.studies, one.series, one.instances) == (2, 2, 1)  # a series is one of its study
    assert (one.study_rows, one.series_rows, one.instance_rows) == (3, 2, 1)
    assert (one.running, one.done, one.total, one.rejected, one.removed) == (True, 4, 10, 1, 2)
    assert (two.studies, two.study_rows, two.running) == (1, 1, False)


@pytest.mark.parametrize(("age", "expected"), [("23 hours", "1.2"), ("25 hours", None)])
async def test_an_old_run_is_not_gone_on_with(database: Database, age: str, expected: str | None) -> None:
    await two_archives(database)
    run = await runs.start(database, 1, "eye", None)
    await runs.plan(database, run, full=True, change_cursor=7, checkpoint="1.2")
    await database.execute("test", f"update index_run set touched_at = now() - interval '{age}'")  # noqa: S608
    left = await runs.resumable(database, 1)
    assert (left.checkpoint if left else None) == expected
    assert await rows(database, "select state, error_code from index_run") == [("interrupted", "INTERRUPTED")]
