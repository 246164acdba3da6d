"""The archives that there are: those of archives.toml, and those added over the API, which the database has."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cli.runtime import database_url_of
from config.archives_file import ArchiveConfig
from config.settings import Settings, SettingsError
from db.definitions import Definition, definitions_if_any
from db.embedded.postgres import EmbeddedPostgresError
from db.embedded.room import has_room
from db.pool import FAILED, Database, DatabaseUnreachable

_SECONDS = 10.0
FILE, API = "archives.toml", "API"


@dataclass(frozen=True, slots=True)
class Known:
    """origin: archives.toml or API. off: switched off."""

    config: ArchiveConfig
    origin: str
    off: bool


class NotReadable(Exception):
    """What the database says of archives could not be read; the message says why."""


async def known_archives(settings: Settings, of_file: list[ArchiveConfig]) -> tuple[list[Known], str | None]:
    """Those of the file, then those added over the API, in rank order; and why the latter could not be read."""
    found: list[Definition] = []
    problem = None
    try:
        found = await _definitions(settings)
    except NotReadable as error:
        problem = f"archives that were added over the API are not known here: {error}"
    off = {each.config.code for each in found if each.disabled}
    codes = {config.code for config in of_file}
    known = [Known(config, FILE, config.code in off) for config in of_file]
    added = [each for each in found if not each.in_file and each.config.code not in codes]
    return known + [Known(each.config, API, each.disabled) for each in added], problem


async def _definitions(settings: Settings) -> list[Definition]:
    """Of a database that has none yet: none. Changes nothing. Raises NotReadable."""
    with _readable():
        if settings.database() is None and not has_room(settings.data_dir):
            return []
        async with database_url_of(settings) as url, asyncio.timeout(_SECONDS):
            database = await Database.open(url, max_size=1)
            try:
                return await definitions_if_any(database)
            finally:
                await database.close()


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except (SettingsError, EmbeddedPostgresError, DatabaseUnreachable) as error:
        raise NotReadable(str(error)) from None
    except TimeoutError:
        raise NotReadable(f"the database does not answer within {_SECONDS:.0f} s") from None
    except FAILED as error:
        raise NotReadable(f"the database refuses: {type(error).__name__}") from None
