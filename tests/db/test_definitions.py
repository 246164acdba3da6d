"""What defines the archives: the file, mutations beside it, and what a change of them starts anew."""

from typing import Any

import pytest

from config.archives_file import ArchiveConfig
from db import definitions
from db.archives import list_archives
from db.definitions import DefinitionRefused, sync_archives
from db.indexing import jobs
from db.pool import Database
from db.writing.purge import purge
from tests.db.writing.ingesting import rows, store
from tests.rows import instance, series, study


def config(code: str, **values: Any) -> ArchiveConfig:
    given = {
        "code": code,
        "ern": "ERN-EYE",
        "title": code,
        "kind": "orthanc",
        "url": f"http://{code}/dicom-web",
    }
    return ArchiveConfig(**given | values)


async def enabled(database: Database) -> list[str]:
    return [row.code for row in await list_archives(database) if row.enabled]


async def test_those_of_mutations_stand_behind_the_files(database: Database) -> None:
    await definitions.add(database, config("added"), "admin")
    await sync_archives(database, [config("filed")])
    assert await enabled(database) == ["filed", "added"]
    await sync_archives(database, [])
    assert await enabled(database) == ["added"]
    (found,) = await definitions.definitions(database)
    assert (found.config, found.in_file, found.changed_by) == (config("added"), False, "admin")


async def test_the_file_decides_of_what_is_in_it(database: Database) -> None:
    await definitions.add(database, config("a"), "admin")
    await sync_archives(database, [config("a", title="The file's")])
    found = await definitions.definition(database, "a")
    assert found is not None
    assert (found.config.title, found.in_file) == ("The file's", True)
    for refused in (definitions.change(database, config("a"), "x"), definitions.remove(database, "a")):
        with pytest.raises(DefinitionRefused, match=r"archives\.toml"):
            await refused
    with pytest.raises(DefinitionRefused, match="already"):
        await definitions.add(database, config("a"), "x")
    await sync_archives(database, [])
    with pytest.raises(DefinitionRefused, match="choose another code"):
        await definitions.add(database, config("a", ern="VASCERN"), "x")
    await definitions.add(database, config("a"), "x")
    assert await enabled(database) == ["a"]


async def test_off_stays_off(database: Database) -> None:
    await sync_archives(database, [config("a"), config("b")])
    await definitions.switch(database, "a", disabled=True, by="admin")
    await sync_archives(database, [config("a", title="New"), config("b")])
    assert await enabled(database) == ["b"]
    assert await jobs.enqueue_due(database) == 1
    await definitions.switch(database, "a", disabled=False, by="admin")
    assert await enabled(database) == ["a", "b"]


@pytest.mark.parametrize(
    ("changes", "anew"),
    [
        ({"title": "New", "timeout": 9.0}, False),
        ({"url": "http://elsewhere/dicom-web"}, True),
        ({"index": "instance"}, True),
    ],
)
async def test_another_place_is_another_index(
    database: Database, changes: dict[str, Any], anew: bool
) -> None:
    await sync_archives(database, [config("a")])
    await database.execute("position", 'update archive set change_cursor = 7, capabilities = \'{"a": "b"}\'')
    await database.execute("later", "update archive_schedule set next_reconcile_at = now() + interval '1 h'")
    await sync_archives(database, [config("a", **changes)])
    (row,) = await list_archives(database)
    assert (row.change_cursor, dict(row.capabilities)) == ((None, {}) if anew else (7, {"a": "b"}))
    (due,) = await database.fetch("due", "select next_reconcile_at <= now() as due from archive_schedule")
    assert due["due"] is anew


async def test_a_purge_leaves_others_alone(database: Database) -> None:
    ids = await sync_archives(database, [config("a"), config("b")])
    for archive_id in ids.values():
        await store(
            database,
            archive_id,
            studies=[study(f"1.2.{n}") for n in range(5)],
            serieses=[series(f"1.2.{n}", f"1.2.{n}.1") for n in range(5)],
            instances=[instance("1.2.1", "1.2.1.1", "1.2.1.1.1")],
        )
    assert await rows(database, "select distinct shared from study") == [(True,)]
    await sync_archives(database, [config("b")])
    told: list[int] = []
    assert await purge(database, ids["a"], told.append) == 5
    assert told == [5]
    for table, left in (("study", 5), ("series", 5), ("instance", 1)):
        found = await rows(database, f"select archive_id, shared from {table}")  # noqa: S608
        assert found == [(ids["b"], False)] * left
    assert [row.code for row in await list_archives(database)] == ["b", "a"]
    await sync_archives(database, [config("a"), config("b")])
    assert await jobs.enqueue_due(database) == 2
