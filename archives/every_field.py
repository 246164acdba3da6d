"""Asking for every attribute of a search's rows (`includefield=all`, PS3.18 8.3.4.3), where that works.

What servers make of it differs: everything that they hold, private attributes too (dcm4chee, Google); nothing at all
(Orthanc 1.10.1); some refuse it beside names. So the same rows are asked for in each way, and what came is compared.
"""

import asyncio
from contextlib import suppress
from typing import Final

from archives.abilities import Fields, Learner
from archives.client import Row
from archives.errors import ArchiveError, CircuitOpen, Unreachable
from archives.pager import Page
from archives.queries import SearchQuery
from archives.rows import SERIES_INSTANCE_UID, SOP_INSTANCE_UID, STUDY_INSTANCE_UID, Level, key, text

COMPARED: Final = 20
"""Rows: not each has what only some have."""
_ALL: Final = "all"


async def learn_every(archive: Learner, query: SearchQuery, page: Page, limit: int, offset: int) -> bool:
    """Whether more can be asked for than came by name (`page`): found out once, with the first rows of a level."""
    abilities, level = archive.abilities, query.level
    async with archive.learning:
        if level not in abilities.every and page.rows:
            if level == "instances" and await _gives_whole(archive, page.rows[0]):
                abilities.every[level] = ()
            else:
                with suppress(TimeoutError):
                    async with asyncio.timeout(archive.config.timeout):
                        await _compare(archive, query, page.rows, min(limit, COMPARED), offset)
    return level in abilities.brings_more


async def _compare(archive: Learner, query: SearchQuery, seen: list[Row], limit: int, offset: int) -> None:
    """Notes what to ask for instead of names: what lacks nothing of what these brought (`seen`); () is nothing."""
    abilities, level = archive.abilities, query.level
    best: Fields = ()
    abilities.every[level] = best  # so it stays where the archive is too slow for this
    for fields in ((_ALL, *archive.named(level)), (_ALL,)):
        try:
            rows = (await archive.qido(query, limit, offset, fields)).rows
        except (Unreachable, CircuitOpen):
            del abilities.every[level]  # it says nothing of what it can do
            return
        except ArchiveError:
            continue
        shared = _shared(level, seen, rows)
        more = any(_told(new) - _told(old) for old, new in shared)
        # Without the names it may lack what these rows do not happen to have: it has to be worth that.
        if shared and all(_told(old) <= _told(new) for old, new in shared) and (more or len(fields) > 1):
            best, seen = fields, rows
            abilities.brings_more |= {level} if more else set()
    abilities.every[level] = best


async def _gives_whole(archive: Learner, row: Row) -> bool:
    """Whether whole data sets of instances are to be had: they come with runs, or on demand. A search then brings
    the little that lists show."""
    study, series, sop = (
        text(row, tag) for tag in (STUDY_INSTANCE_UID, SERIES_INSTANCE_UID, SOP_INSTANCE_UID)
    )
    try:
        return study is not None and bool(await archive.metadata(study, series, sop))
    except ArchiveError:
        return False


def _shared(level: Level, before: list[Row], after: list[Row]) -> list[tuple[Row, Row]]:
    """The rows that are in both, as they were and as they are."""
    known = {key(level, row): row for row in after}
    return [(row, known[name]) for row in before if (name := key(level, row)) is not None and name in known]


def _told(row: Row) -> set[str]:
    """The attributes that have a value."""
    return {tag for tag, element in row.items() if isinstance(element, dict) and element.get("Value")}
