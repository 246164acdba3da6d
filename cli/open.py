"""What most commands need: a migrated database and the archives, opened and closed together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from archives.registry import Archives, open_archives
from config.archives_file import load_archives
from config.settings import Settings
from db.archives import sync_archives
from db.embedded import EmbeddedPostgres
from db.migrate import migrate
from db.pool import Database


@dataclass(frozen=True, slots=True)
class Opened:
    """archive_ids: by code, of the archives in archives.toml. migrated: the migrations applied just now."""

    settings: Settings
    database: Database
    database_url: str
    archives: Archives
    archive_ids: dict[str, int]
    migrated: list[str]


@asynccontextmanager
async def database_url_of(settings: Settings) -> AsyncIterator[str]:
    """The database that the settings name; without one, the embedded Postgres, running while the block does.

    Raises SettingsError, EmbeddedPostgresError.
    """
    if (url := settings.database()) is not None:
        yield url
        return
    postgres = EmbeddedPostgres(settings.data_dir)
    try:
        yield await asyncio.to_thread(postgres.start)
    finally:
        await asyncio.to_thread(postgres.stop)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Opened]:
    """Migrates, registers the archives, opens their clients.

    Raises ArchivesFileError, SettingsError, EmbeddedPostgresError, MigrationError, DatabaseUnreachable.
    """
    configs = load_archives(settings.archives)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(database_url_of(settings))
        database = await Database.open(url)
        stack.push_async_callback(database.close)
        migrated = await migrate(url)
        archive_ids = await sync_archives(database, configs)
        archives = await stack.enter_async_context(open_archives(configs))
        yield Opened(settings, database, url, archives, archive_ids, migrated)
