"""Change events: written with the change, in the order of commits. Reading them for a viewer: db/lists/changes.py.

Two streams, one a projection: of stored copies, written by whoever writes the index, and of pseudonymised copies,
written by their maker, so that no event comes before the rows that it is about. Each has one writer at a time,
from before its sequence is drawn to its commit: a reader who has seen one sequence has seen all before it.
"""

from collections.abc import Collection
from typing import Final

from db.locks import Lock
from db.pool import Connection, Database
from db.statements import statements

CHANNEL: Final = "ernfed_events"
"""NOTIFY of `records 3`, `pseudonyms 3` or `health 3`: what kind of news, and of which archive_id."""


async def note(conn: Connection, study_uids: Collection[str]) -> None:
    """Events of what changed of these families, in the caller's transaction, which holds the writers' lock:
    one for each copy that is not as its last event left it."""
    await conn.execute(statements("events")["note"], list(study_uids))


async def note_pseudonyms(conn: Connection, study_uids: Collection[str]) -> None:
    """The same of the pseudonymised copies of these families (UIDs as stored). The transaction should end now."""
    await conn.execute(statements("events")["in_order"], Lock.PSEUDONYM_EVENTS)
    await conn.execute(statements("events")["note_pseudonyms"], list(study_uids))


async def prune(database: Database, hours: int) -> None:
    """Removes events that are older."""
    await database.execute("prune_events", statements("events")["prune"], hours)
