"""What a run will do: what is asked of it, what is there already, and where an earlier one has broken off."""

from dataclasses import dataclass

import structlog

from db.indexing import runs
from indexer.reconcile import is_same_feed
from indexer.work import Work

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class RunOrder:
    """What is asked of a run. full: not only what changed. reconcile: full, and remove what is gone. confirmed: even
    most of it."""

    full: bool = False
    reconcile: bool = False
    confirmed: bool = False


WHAT_CHANGED = RunOrder()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do: full from a checkpoint on, or the feed from a cursor on. cursor: where a full run
    leaves the feed, None where there is none. newest: where the feed ends, for a run that follows it."""

    full: bool
    checkpoint: str
    cursor: int | None
    newest: int = 0


def needs_full(order: RunOrder, position: runs.IndexedUpTo) -> bool:
    """Where the feed does not lead on from what is in the index, or more is asked for than what changed."""
    return (
        order.full or order.reconcile or position.last_completed_at is None or position.change_cursor is None
    )


async def decide(
    work: Work, order: RunOrder, position: runs.IndexedUpTo, left: runs.Resumable | None
) -> Plan:
    """What to do, after a look at the feed: another one than was followed is not gone on with."""
    newest = await work.client.last_change()
    followed = position.change_cursor is not None
    if followed and not await is_same_feed(work.database, work.archive_id, work.client):
        _log.warning("another database stands behind the archive: all is read", archive=work.run.code)
        await runs.forget_feed(work.database, work.archive_id)
        return Plan(full=True, checkpoint="", cursor=newest)
    return _plan(order, position, left, newest)


def _plan(
    order: RunOrder, position: runs.IndexedUpTo, left: runs.Resumable | None, newest: int | None
) -> Plan:
    """newest: the feed's last sequence; one before our cursor says that the archive's database was reset."""
    cursor = position.change_cursor
    if newest is not None and cursor is not None and newest >= cursor and not needs_full(order, position):
        return Plan(full=False, checkpoint="", cursor=cursor, newest=newest)
    if left is None or (newest is not None and newest < (left.change_cursor or 0)):
        return Plan(full=True, checkpoint="", cursor=newest)
    return Plan(full=True, checkpoint=left.checkpoint, cursor=left.change_cursor)
