"""Looking an archive over at the end of a run: what no feed tells, such as deletions; and whether the feed is still
the one that was followed."""

import structlog

from archives.client import ArchiveClient, Reconciled
from archives.errors import ArchiveError
from db.indexing import runs
from db.pool import Database
from indexer.batch import STUDIES_AT_ONCE, chunks, fetch_batch
from indexer.full import remove_unseen
from indexer.work import Work
from model.uids import is_uid

_log = structlog.get_logger(__name__)


async def reconcile(work: Work) -> None:
    """Reads what the archive lists and the index lacks, or holds under other patients, and removes what it does
    not list any more. Raises ArchiveError, RunFailed where that would be suspicious."""
    client = work.client
    if not isinstance(client, Reconciled):
        return
    copies = {uid: count for uid, count in (await client.copies()).items() if is_uid(uid)}
    for chunk in chunks(await runs.differing(work.database, work.archive_id, copies), STUDIES_AT_ONCE):
        batch = await fetch_batch(work.client, chunk)
        if batch.missing:
            batch.shortfalls.append(
                f"the archive lists {len(batch.missing)} studies that its search does not answer"
            )
        await work.write(batch, "")
    await remove_unseen(work, set(copies), confirmed=False)
    await runs.unlisted(work.database, work.archive_id, copies)


async def is_same_feed(database: Database, archive_id: int, client: ArchiveClient) -> bool:
    """False where entries that were noted are others now, or all gone: another database stands behind the URL.

    Raises ArchiveError.
    """
    upto, noted = await runs.feed_marks(database, archive_id)
    if not noted or not isinstance(client, Reconciled):
        return True
    now = await client.feed_marks(upto)
    both = noted.keys() & now.keys()
    return bool(both) and all(noted[each] == now[each] for each in both)


async def note_feed(database: Database, archive_id: int, client: ArchiveClient) -> None:
    """Notes what the feed looks like up to the cursor, if that has moved; what was noted before does otherwise."""
    if not isinstance(client, Reconciled):
        return
    cursor = (await runs.position(database, archive_id)).change_cursor
    upto, noted = await runs.feed_marks(database, archive_id)
    if cursor is None or (upto == cursor and noted):
        return
    try:
        marks = await client.feed_marks(cursor)
    except ArchiveError as error:
        _log.warning("feed not noted", archive=client.config.code, code=error.code)
        return
    await runs.note_feed_marks(database, archive_id, cursor, marks)


async def compare_totals(
    database: Database, archive_id: int, client: ArchiveClient, *, compared: bool
) -> None:
    """Has everything compared soon when the archive's counts and ours drift apart: something was deleted inside a
    study. compared: everything was, just now."""
    if not isinstance(client, Reconciled):
        return
    cursor = (await runs.position(database, archive_id)).change_cursor
    try:
        theirs = await client.totals()
        is_quiet = await client.last_change() == cursor
    except ArchiveError as error:
        _log.warning("totals not compared", archive=client.config.code, code=error.code)
        return
    ours, before = await runs.totals(database, archive_id)
    drift = (theirs[0] - ours[0], theirs[1] - ours[1])
    if compared or (before is None and is_quiet):
        await runs.save_drift(database, archive_id, drift if is_quiet else None)
    elif is_quiet and drift != before:
        await runs.reconcile_soon(database, archive_id)
