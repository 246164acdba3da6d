"""Running the indexer over scripted archives, and looking at what it left."""

from collections.abc import Callable
from typing import Any

import pytest

from db.archives import ArchiveRow, list_archives, sync_archives
from db.pool import Database
from indexer.results import RunResult
from indexer.run import index_once
from tests.indexer.scripted import ScriptedArchive


class Bench:
    """A database and the archives in it."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def once(self, *archives: ScriptedArchive, **options: Any) -> list[RunResult]:
        await sync_archives(self.database, [archive.config for archive in archives])
        return await index_once(self.database, archives, **options)

    async def run(self, archive: ScriptedArchive, **options: Any) -> RunResult:
        return (await self.once(archive, **options))[0]

    async def studies(self, code: str = "eye") -> list[str]:
        return [row[0] for row in await self.rows("study_uid", "study", code)]

    async def counts(self, code: str = "eye") -> tuple[int, ...]:
        return tuple([len(await self.rows("1", t, code)) for t in ("study", "series", "instance")])

    async def rows(self, columns: str, table: str, code: str = "eye") -> list[tuple[Any, ...]]:
        sql = f"select {columns} from {table} join archive using (archive_id) where code = $1 order by 1"  # noqa: S608
        return [tuple(row) for row in await self.database.fetch("test", sql, code)]

    async def archive(self, code: str = "eye") -> ArchiveRow:
        return next(row for row in await list_archives(self.database) if row.code == code)


@pytest.fixture
def bench(database: Database) -> Bench:
    return Bench(database)


@pytest.fixture
def told() -> Callable[..., None]:
    """A progress callback that keeps what it is told in `.lines`."""
    lines: list[tuple[str, int, int | None, str]] = []

    def progress(code: str, done: int, total: int | None, message: str) -> None:
        lines.append((code, done, total, message))

    progress.lines = lines  # type: ignore[attr-defined]
    return progress
