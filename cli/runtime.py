"""What most commands need: a migrated database and the archives, opened and closed together."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from access.pseudonyms import Pseudonymiser
from archives.registry import Archives, open_archives
from cli.live_archives import LiveArchives
from config.archives_file import load_archives
from config.attributes_file import load_declared
from config.networks_file import load_networks
from config.pseudonym_keys import PseudonymKeysError, derived_key, load_pseudonym_keys
from config.settings import Settings, SettingsError
from db.audit.past_pseudonyms import MASTER_KEY
from db.audit.trail import AUDIT_SESSION, AuditLog
from db.declared import apply_declared
from db.definitions import Definition, definitions
from db.embedded.postgres import EmbeddedPostgres
from db.migrate import migrate
from db.pool import Database
from db.rate_limit import RateLimit
from db.secrets import shared_secret
from db.writing.ingest import followed
from db.writing.projections import Projections

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Opened:
    """archive_ids: by code, of the archives that are asked. migrated: the migrations applied just now.

    live: follows changes of the archives where its `run` does.
    """

    settings: Settings
    database: Database
    database_url: str
    live: LiveArchives
    migrated: list[str]
    projections: Projections

    @property
    def archives(self) -> Archives:
        return self.live.archives

    @property
    def archive_ids(self) -> dict[str, int]:
        return self.live.ids

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Follows changes of the archives while the block runs."""
        task = asyncio.create_task(self.live.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @asynccontextmanager
    async def indexing_attributes(self) -> AsyncIterator[None]:
        """Builds the indexes of declared attributes beside the block; what is left the next start goes on with."""
        task = asyncio.create_task(
            apply_declared(self.database, load_declared(self.settings.archives), _log_index)
        )
        try:
            yield
        finally:
            task.cancel()
            (outcome,) = await asyncio.gather(task, return_exceptions=True)
            if isinstance(outcome, Exception):
                _log.error("attributes.failed", error=type(outcome).__name__)


def _log_index(text: str) -> None:
    _log.info("attributes.index", what=text)


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
    load_archives(settings.archives)  # before anything is started
    load_declared(settings.archives)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(database_url_of(settings))
        database = await Database.open(
            url, max_size=settings.write_pool_size, statement_timeout=statement_timeout
        )
        stack.push_async_callback(database.close)
        migrated = await migrate(url)
        archives = await stack.enter_async_context(open_archives(()))
        maker_of = await _makers(settings, database)
        live = LiveArchives(settings.archives, database, archives, maker_of)
        await live.read_file()
        try:
            _refuse_missing_keys(live, await definitions(database))
        except PseudonymKeysError as error:
            raise SettingsError(str(error)) from None
        await live.look()
        projections = Projections(database, live.makers, live.codes)
        database.after_write.append(projections.drain)
        await followed(database)  # what a killed process has left
        yield Opened(settings, database, url, live, migrated, projections)


def _refuse_missing_keys(live: LiveArchives, found: list[Definition]) -> None:
    """At the start a network without a key stops everything; later it only keeps its archive out."""
    for each in found:
        if not each.disabled:
            live.maker_of(each.config.ern)


async def _makers(settings: Settings, database: Database) -> Callable[[str], Pseudonymiser]:
    """The pseudonymiser of an ERN. Without a file of keys they come from a secret in the database.

    Raises SettingsError for a file of keys that cannot be used.
    """
    file = settings.pseudonym_keys_file
    try:
        keys = load_pseudonym_keys(file, load_networks(settings.archives)) if file is not None else None
    except PseudonymKeysError as error:
        raise SettingsError(str(error)) from None
    master = b"" if keys else await shared_secret(database, MASTER_KEY, new_master)

    def maker_of(ern: str) -> Pseudonymiser:
        key = keys.writing(ern, datetime.now(UTC).date()) if keys else derived_key(master, ern)
        return Pseudonymiser(key.key, ern, key_id=key.key_id)

    return maker_of


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
