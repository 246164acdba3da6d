"""What most commands need: a migrated database, the archives, projections, opened and closed together."""

import asyncio
import functools
import getpass
import inspect
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Concatenate, ParamSpec

import structlog

from access.audit import AuditRecord
from access.pseudonyms import Pseudonymiser
from api.logging import configure_logging
from archives.registry import Archives, open_archives
from cli.live_archives import LiveArchives
from cli.runner import WrongUse, beside, run, run_service
from config.archives_file import load_archives
from config.attributes_file import load_declared
from config.networks_file import load_networks
from config.pseudonym_keys import derived_key, load_pseudonym_keys
from config.settings import Settings, load_settings
from db.audit.log import AUDIT_SESSION, AuditLog
from db.audit.past_pseudonyms import MASTER_KEY
from db.declared import apply_declared
from db.definitions import definitions
from db.embedded.postgres import EmbeddedPostgres
from db.migrate import migrate
from db.pool import Database
from db.secrets import shared_secret
from db.writing.ingest import followed
from db.writing.projections import Projections

P = ParamSpec("P")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Runtime:
    """archive_ids: by code, of the archives that are asked."""

    settings: Settings
    database: Database
    live: LiveArchives
    projections: Projections

    @property
    def archives(self) -> Archives:
        return self.live.archives

    @property
    def archive_ids(self) -> dict[str, int]:
        return self.live.ids

    def ids_of(self, codes: Sequence[str]) -> list[int]:
        """Of archives that `--archive` names. Raises WrongUse."""
        if unknown := [code for code in codes if code not in self.archive_ids]:
            there = ", ".join(self.archive_ids)
            raise WrongUse(f"--archive {', '.join(unknown)}: no such archive; there are: {there}")
        return [self.archive_ids[code] for code in codes]

    @asynccontextmanager
    async def keeping_up(self) -> AsyncIterator[None]:
        """While the block runs: follows changes of the archives, and builds the indexes of declared attributes; what
        is left of them the next start goes on with."""
        declared = load_declared(self.settings.archives)
        building = apply_declared(
            self.database, declared, lambda told: _log.info("attributes.index", what=told)
        )
        async with beside("archives", self.live.run()), beside("attributes", building):
            yield


def on_runtime(
    command: str, *, service: bool = False
) -> Callable[[Callable[Concatenate[Runtime, P], Coroutine[Any, Any, None]]], Callable[P, None]]:
    """Makes a command of what needs a Runtime: opened before it, closed after it, and no option of the command line.

    service: see run_service; its log has the level of the settings.
    """

    def command_of(work: Callable[Concatenate[Runtime, P], Coroutine[Any, Any, None]]) -> Callable[P, None]:
        async def opened_and_closed(*args: P.args, **options: P.kwargs) -> None:
            settings = load_settings()
            if service:
                configure_logging(settings.log_level)
            async with opened_runtime(settings) as runtime:
                await work(runtime, *args, **options)

        @functools.wraps(work)
        def run_it(*args: P.args, **options: P.kwargs) -> None:
            (run_service if service else run)(command, opened_and_closed(*args, **options))

        signature = inspect.signature(work)  # what typer makes options of
        options = list(signature.parameters.values())[1:]
        run_it.__signature__ = signature.replace(parameters=options)  # type: ignore[attr-defined]
        return run_it

    return command_of


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
async def opened_database(
    url: str,
    max_size: int = 1,
    statement_timeout: float | None = None,
    session: Mapping[str, str] | None = None,
) -> AsyncIterator[Database]:
    """The database as it is: not migrated. Parameters and errors as of Database.open."""
    database = await Database.open(
        url, max_size=max_size, statement_timeout=statement_timeout, session=session
    )
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def reachable_url(settings: Settings) -> AsyncIterator[str]:
    """As database_url_of, of a database that was reached. Raises DatabaseUnreachable, which says in words why not."""
    async with database_url_of(settings) as url:
        async with opened_database(url):
            pass
        yield url


@asynccontextmanager
async def opened_runtime(
    settings: Settings, statement_timeout: float | None = None
) -> AsyncIterator[Runtime]:
    """Migrates, registers the archives, opens their clients. statement_timeout: as in Database.open.

    Raises OperatorError.
    """
    load_archives(settings.archives)  # before anything is started
    declared = load_declared(settings.archives)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(database_url_of(settings))
        database = await stack.enter_async_context(
            opened_database(url, settings.write_pool_size, statement_timeout)
        )
        await migrate(url)
        archives = await stack.enter_async_context(open_archives((), declared))
        maker_of = await _makers(settings, database)
        live = LiveArchives(settings.archives, database, archives, maker_of)
        await live.read_file()
        for each in await definitions(database):
            if not each.disabled:
                maker_of(
                    each.config.ern
                )  # a network without a key stops the start; later it keeps its archive out
        await live.look()
        projections = Projections(database, live.makers, live.codes)
        database.after_write.append(projections.drain)
        await followed(database)  # what a killed process has left
        yield Runtime(settings, database, live, projections)


async def _makers(settings: Settings, database: Database) -> Callable[[str], Pseudonymiser]:
    """The pseudonymiser of an ERN. Without a file of keys all are derived from a secret in the database.

    Raises PseudonymKeysError for a file of keys that cannot be used.
    """
    file = settings.pseudonym_keys_file
    keys = load_pseudonym_keys(file, load_networks(settings.archives)) if file is not None else None
    master = b"" if keys else await shared_secret(database, MASTER_KEY, lambda: secrets.token_bytes(32))

    def maker_of(ern: str) -> Pseudonymiser:
        key = keys.writing(ern, datetime.now(UTC).date()) if keys else derived_key(master, ern)
        return Pseudonymiser(key.key, ern, key_id=key.key_id)

    return maker_of


@asynccontextmanager
async def opened_audit(settings: Settings, database_url: str) -> AsyncIterator[AuditLog]:
    """The writer of audit lines, on a connection of its own. Raises DatabaseUnreachable."""
    async with opened_database(database_url, 1, settings.statement_timeout, AUDIT_SESSION) as database:
        log = await AuditLog.open(database)
        try:
            yield log
        finally:
            await log.close()


async def leave_line(settings: Settings, database_url: str, endpoint: str) -> None:
    """That a command did this is a line of the audit trail, before what it does, or shows, is there."""
    async with opened_audit(settings, database_url) as trail:
        await trail.write(AuditRecord(datetime.now(UTC), account(), None, endpoint, "OK", None, "-"))


def account() -> str:
    """Who gives the command, in the audit trail."""
    return f"os:{getpass.getuser()}"
