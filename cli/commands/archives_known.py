"""The archives that there are: those of archives.toml, and those added over the API, which the database has."""

import asyncio
from dataclasses import dataclass

from cli.runtime import database_url_of, opened_database
from config.archives_file import ArchiveConfig
from config.settings import Settings
from db.definitions import Definition, definitions_if_any
from db.embedded.room import has_room
from db.pool import FAILED
from model.errors import OperatorError

_SECONDS = 10.0  # then the archives of the file are shown alone: they need no database
FILE, API = "archives.toml", "API"


@dataclass(frozen=True, slots=True)
class KnownArchives:
    """origin: archives.toml or API. off: switched off."""

    config: ArchiveConfig
    origin: str
    off: bool


async def known_archives(
    settings: Settings, of_file: list[ArchiveConfig]
) -> tuple[list[KnownArchives], str | None]:
    """Those of the file, then those added over the API, in rank order; and why the latter could not be read."""
    found, why = await _definitions(settings)
    problem = f"archives that were added over the API are not known here: {why}" if why else None
    off = {each.config.code for each in found if each.disabled}
    codes = {config.code for config in of_file}
    known = [KnownArchives(config, FILE, config.code in off) for config in of_file]
    added = [each for each in found if not each.in_file and each.config.code not in codes]
    return known + [KnownArchives(each.config, API, each.disabled) for each in added], problem


async def _definitions(settings: Settings) -> tuple[list[Definition], str | None]:
    """Of a database that has none yet: none. Changes nothing. And why they cannot be read."""
    try:
        if settings.database() is None and not has_room(settings.data_dir):
            return [], None
        async with (
            database_url_of(settings) as url,
            asyncio.timeout(_SECONDS),
            opened_database(url) as database,
        ):
            return await definitions_if_any(database), None
    except OperatorError as error:
        return [], str(error)
    except TimeoutError:
        return [], f"the database does not answer within {_SECONDS:.0f} s"
    except FAILED as error:
        return [], f"the database refuses: {type(error).__name__}"
