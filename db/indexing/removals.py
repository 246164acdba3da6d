"""Removals that wait for somebody to say that they are right: what a run found, and up to what it was confirmed."""

from dataclasses import dataclass
from datetime import datetime

from db.pool import Database
from db.statements import statements


@dataclass(frozen=True, slots=True)
class WaitingRemoval:
    """An archive lacks `gone` of its `total` studies. since: when it was first found to lack so many."""

    gone: int
    total: int
    since: datetime
    confirmed: bool


async def waiting(database: Database) -> dict[int, WaitingRemoval]:
    """By archive_id, of those where something waits."""
    rows = await database.fetch("removals", statements("removals")["waiting"])
    names = WaitingRemoval.__dataclass_fields__
    return {row["archive_id"]: WaitingRemoval(**{name: row[name] for name in names}) for row in rows}


async def note(database: Database, archive_id: int, gone: int, total: int) -> None:
    """A run found this and removed nothing."""
    await database.execute("removals_note", statements("removals")["note"], archive_id, gone, total)


async def confirm(database: Database, archive_id: int, since: datetime, by: str) -> bool:
    """As many as were found are right to go. False when nothing, or more than was seen by then, waits."""
    sql = statements("removals")["confirm"]
    return await database.fetchrow("removals_confirm", sql, archive_id, since, by) is not None


async def is_confirmed(database: Database, archive_id: int, gone: int) -> bool:
    """Whether so many may go."""
    sql = statements("removals")["is_confirmed"]
    return await database.fetchrow("removals_confirmed", sql, archive_id, gone) is not None


async def settled(database: Database, archive_id: int) -> None:
    """Nothing waits any more: it is removed, or there again. What was confirmed holds for nothing later."""
    await database.execute("removals_settled", statements("removals")["settled"], archive_id)
