"""What most commands need: a migrated database and the archives, opened and closed together."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from access.pseudonyms import Pseudonymiser
from archives.registry import Archives, open_archives
from config.archives_file import ArchiveConfig, load_archives
from config.pseudonym_keys import PseudonymKeysError, derived_key, load_pseudonym_keys
from config.settings import Settings, SettingsError
from db.archives import sync_archives
from db.audit import AUDIT_SESSION, AuditLog
from db.embedded import EmbeddedPostgres
from db.faces import Faces
from db.ingest import followed
from db.migrate import migrate
from db.past_pseudonyms import MASTER_KEY
from db.pool import Database
from db.rate_limit import RateLimit
from db.secrets import shared_secret


@dataclass(frozen=True, slots=True)
class Opened:
    """archive_ids: by code, of the archives in archives.toml. migrated: the migrations applied just now."""

    settings: Settings
    database: Database
    database_url: str
    archives: Archives
    archive_ids: dict[str, int]
    migrated: list[str]
    faces: Faces


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
async def opened(settings: Settings, statement_timeout: float | None = None) -> AsyncIterator[Opened]:
    """Migrates, registers the archives, opens their clients. statement_timeout: as in Database.open.

    Raises ArchivesFileError, SettingsError, EmbeddedPostgresError, MigrationError, DatabaseUnreachable.
    """
    configs = load_archives(settings.archives)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(database_url_of(settings))
        database = await Database.open(url, statement_timeout=statement_timeout)
        stack.push_async_callback(database.close)
        migrated = await migrate(url)
        archive_ids = await sync_archives(database, configs)
        faces = await open_faces(settings, database, configs, archive_ids)
        database.after_write.append(faces.drain)
        await followed(database)  # what a killed process has left
        archives = await stack.enter_async_context(open_archives(configs))
        yield Opened(settings, database, url, archives, archive_ids, migrated, faces)


async def open_faces(
    settings: Settings, database: Database, configs: list[ArchiveConfig], archive_ids: dict[str, int]
) -> Faces:
    """The maker of pseudonymised copies. Without a file of keys they come from a secret in the database.

    Raises SettingsError for keys that cannot be used.
    """
    file = settings.pseudonym_keys_file
    makers, today = {}, datetime.now(UTC).date()
    try:
        keys = load_pseudonym_keys(file) if file is not None else None
        master = b"" if keys else await shared_secret(database, MASTER_KEY, new_master)
        for config in configs:
            key = keys.writing(config.ern, today) if keys else derived_key(master, config.ern)
            makers[archive_ids[config.code]] = Pseudonymiser(key.key, config.ern, key_id=key.key_id)
    except PseudonymKeysError as error:
        raise SettingsError(str(error)) from None
    return Faces(database, makers, {archive_id: code for code, archive_id in archive_ids.items()})


def new_master() -> bytes:
    """A key from which those of all networks are derived."""
    return secrets.token_bytes(32)


@asynccontextmanager
async def opened_audit(settings: Settings, database_url: str) -> AsyncIterator[AuditLog]:
    """The writer of audit lines, on a connection of its own. Raises DatabaseUnreachable."""
    database = await Database.open(
        database_url, max_size=1, statement_timeout=settings.statement_timeout, session=AUDIT_SESSION
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        log = await AuditLog.open(database)
        stack.push_async_callback(log.close)
        yield log


@asynccontextmanager
async def opened_limit(settings: Settings, database: Database) -> AsyncIterator[RateLimit | None]:
    """The rate limit, if there is one: a server without an issuer has one person, who sets it or does not."""
    wanted = settings.auth_issuer is not None or "rate_limit" in settings.model_fields_set
    if not settings.rate_limit or not wanted:
        yield None
        return
    limit = RateLimit(database, settings.rate_limit)
    limit.start()
    try:
        yield limit
    finally:
        await limit.close()
