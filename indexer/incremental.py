"""An incremental run: the studies that an archive's change feed names, and nothing else.

It goes as far as the feed went when the run began. What came later is for the next run: a feed that says of no page
that it was the last would be followed for ever.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from archives.client import ChangePage
from archives.errors import BadAnswer
from db.indexing import runs
from db.pool import Connection
from db.writing import ingest
from indexer.batch import STUDIES_AT_ONCE, Batch, chunks, fetch_batch
from indexer.full import refuse_suspicious
from indexer.reconcile import reconcile
from indexer.work import RunFailed, Work, ahead
from model.uids import is_uid

_PAGE = 1000  # changes a request
_MOST_PAGES = 1000  # a run; where a feed has more, the cursor has moved, and the next run goes on


async def run_incremental(work: Work, cursor: int, newest: int) -> None:
    """Follows the feed from `cursor` to `newest`, its last sequence when the run began; the cursor moves with the last
    batch of each page. Then the archive is looked over, where it can be.

    Raises ArchiveError, RunFailed.
    """

    async def batches() -> AsyncGenerator[tuple[Batch, int | None], None]:
        since = cursor
        for _ in range(_MOST_PAGES):
            page = await work.client.changes(since, _PAGE)
            async for item in _batches_of(work, page):
                yield item
            if page.done or page.last >= newest:
                return
            if page.last <= since:
                raise BadAnswer("the change feed does not move on")
            since = page.last
        raise RunFailed(
            "INCOMPLETE",
            f"the change feed goes on after {_MOST_PAGES:,} pages, at {since:,} of {newest:,}; the next run goes on "
            "from there",
            start_over=False,
        )

    async with aclosing(ahead(batches())) as source:
        async for batch, last in source:
            if batch.asked:
                await work.write(batch, "", cursor=last)
            elif last is not None and last != cursor:
                await _move_cursor(work, last)
    await reconcile(work)


async def _batches_of(work: Work, page: ChangePage) -> AsyncGenerator[tuple[Batch, int | None], None]:
    uids = sorted(
        {change.study_uid for change in page.changes if is_uid(change.study_uid) and change.study_uid}
    )
    groups = list(chunks(uids, STUDIES_AT_ONCE))
    for number, group in enumerate(groups, 1):
        batch = await fetch_batch(work.client, group)
        await _find_gone(work, batch)
        yield batch, page.last if number == len(groups) else None
    if not groups:
        yield Batch(), page.last


async def _find_gone(work: Work, batch: Batch) -> None:
    """A changed study without an answer is gone, unless the archive's listing has it nevertheless. Without a listing,
    an answer that was not whole says of no study that it is gone."""
    if not batch.missing:
        return
    listing = await work.client.list_study_uids()
    if listing is None:
        doubtful = set(batch.doubtful)
        batch.gone = [uid for uid in batch.missing if uid not in doubtful]
        batch.missing = [uid for uid in batch.missing if uid in doubtful]
        return
    if not listing:
        states = await runs.count_studies(work.database, work.archive_id)
        if states > 0:
            await refuse_suspicious(work, states, states)
    listed = set(listing)
    batch.gone = [uid for uid in batch.missing if uid not in listed]
    batch.missing = [uid for uid in batch.missing if uid in listed]
    if batch.missing:
        batch.shortfalls.append(
            f"the archive lists {len(batch.missing)} studies that its search does not answer"
        )


async def _move_cursor(work: Work, last: int) -> None:
    async def move(conn: Connection) -> None:
        await runs.move_cursor(conn, work.archive_id, last)

    await ingest.write(work.database, "move_cursor", move)
