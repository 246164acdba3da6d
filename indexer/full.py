"""A full run: every study of an archive, from its listing of UIDs or by date slices, then removals.

Only a complete pass may remove, and never most of an archive at once without being told so.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import date

from archives.client import Row, Selection
from db.indexing import removals, runs
from db.pool import Connection
from db.writing import ingest
from db.writing.keeping import Told, keep
from indexer.batch import STUDIES_AT_ONCE, Batch, batch_of_rows, chunks, fetch_batch
from indexer.read_ahead import reading_ahead
from indexer.windows import Slice, slices
from indexer.work import RunFailed, Work
from model.attributes import Level, attribute
from model.dicom_json import first
from model.uids import is_plain, is_uid

_STUDY_UID = attribute("StudyInstanceUID").tag
_BY_DATE = "date: "  # with a space that no UID has
# More than `removal_limit` of at least so many studies gone at once: rather a broken archive than a clean-up.
_SUSPICIOUS_FROM = 20
_HIDDEN_SHARE = 0.5  # more than that listed and not answered: its search is broken, not the studies


async def run_full(work: Work, after: str, *, reconcile: bool, confirmed: bool) -> bool:
    """Indexes everything after the checkpoint; True when it also removed what the archive no longer has.

    reconcile: removals are asked for, so a pass by dates starts from its beginning.
    Raises ArchiveError, RunFailed.
    """
    listing = await work.client.list_study_uids()
    if listing is not None:
        after = "" if after.startswith(_BY_DATE) else after
        seen = await _by_listing(work, sorted(set(listing)), after)
        await _forget_rejected(work, after)
        await remove_unseen(work, seen, confirmed=confirmed)
        return True
    after = "" if reconcile else after
    seen_by_dates = await _by_slices(work, after)
    await _forget_rejected(work, after)
    if not reconcile or seen_by_dates is None:
        return False
    await _must_be_gone(work, seen_by_dates)
    await remove_unseen(work, seen_by_dates, confirmed=confirmed)
    return True


async def _forget_rejected(work: Work, after: str) -> None:
    """What a pass from the beginning, all of it answered, has not come upon is not answered any more."""
    if after or work.tally.shortfalls:
        return
    levels = list(Level)[: list(Level).index(Level(work.client.config.index)) + 1]

    async def forget(conn: Connection) -> None:
        await ingest.forget_rejected(conn, work.archive_id, levels, work.run.started_at)

    await ingest.write(work.database, "forget_rejected", forget)


async def _by_listing(work: Work, listing: list[str], after: str) -> set[str]:
    """Returns the UIDs that the archive has."""
    rest = [uid for uid in listing if uid > after]
    await work.expect(len(listing), len(listing) - len(rest))

    async def batches() -> AsyncGenerator[tuple[Batch, str], None]:
        for chunk in chunks(rest, STUDIES_AT_ONCE):
            yield await fetch_batch(work.client, chunk), chunk[-1]

    async with aclosing(reading_ahead(batches())) as source:
        async for batch, checkpoint in source:
            await work.write(batch, checkpoint)
    seen = set(listing)
    if work.tally.missing:
        # Deleted while we were reading, or hidden from searches? The listing knows.
        now = set(await work.client.list_study_uids() or [])
        deleted = set(work.tally.missing) - now
        hidden = len(set(work.tally.missing) & now)
        seen -= deleted
        _judge_hidden(work, hidden, len(rest))
    return seen


def _judge_hidden(work: Work, hidden: int, asked: int) -> None:
    if hidden == 0:
        return
    message = f"the archive lists {hidden} studies that its search does not answer"
    if hidden > asked * _HIDDEN_SHARE:
        raise RunFailed("INCOMPLETE", f"{message}, of {asked} in all", start_over=True)
    work.tally.shortfalls.append(message)


async def _by_slices(work: Work, after: str) -> set[str] | None:
    """Returns the UIDs that the archive has, None when an earlier run has seen a part of them. Behind a slice that was
    not answered whole there is no checkpoint: who goes on later begins before it."""
    resumed = date.fromisoformat(after.removeprefix(_BY_DATE)) if after.startswith(_BY_DATE) else None
    seen: set[str] = set()
    incomplete: list[str] = []
    whole = False

    async def batches() -> AsyncGenerator[tuple[Batch, str], None]:
        nonlocal whole
        async for piece in slices(work.client, resumed):
            whole = piece.until is None
            if piece.incomplete_because is not None:
                incomplete.append(piece.incomplete_because)
            async for batch, checkpoint in _batches_of(work, piece, seen, after if whole else ""):
                yield batch, "" if incomplete else checkpoint

    async with aclosing(reading_ahead(batches())) as source:
        async for batch, checkpoint in source:
            await work.write(batch, checkpoint)
    if incomplete:
        why = "; ".join(
            dict.fromkeys((incomplete[0], incomplete[-1]))
        )  # the last may say why there are no more
        raise RunFailed(
            "INCOMPLETE",
            f"the archive does not answer everything ({why}); {len(seen)} studies are indexed, "
            "others may be missing, nothing was removed",
            start_over=True,
        )
    return seen if whole or resumed is None else None


async def _batches_of(
    work: Work, piece: Slice, seen: set[str], after: str
) -> AsyncGenerator[tuple[Batch, str], None]:
    """A slice in batches with their checkpoints: a UID where all is one slice, else the slice's last date."""
    rows: dict[str, list[Row]] = {}
    strays: list[Row] = []
    for row in piece.rows:
        uid = first(row, _STUDY_UID) if isinstance(row, dict) else None
        if is_uid(uid):
            rows.setdefault(uid, []).append(row)
        else:
            strays.append(row)
    seen.update(rows)
    rest = sorted(uid for uid in rows if after.startswith(_BY_DATE) or uid > after)
    if piece.until is None:
        await work.expect(len(rows), len(rows) - len(rest))
    groups = list(chunks(rest, STUDIES_AT_ONCE))
    for number, group in enumerate(groups, 1):
        if piece.incomplete_because is None:
            batch = await batch_of_rows(work.client, group, [row for uid in group for row in rows[uid]])
        else:  # what a search brought that did not end whole is believed where the archive answers it by its UID
            batch = await fetch_batch(work.client, group)
        if piece.until is None:
            yield batch, group[-1]
        else:
            yield (
                batch,
                f"{_BY_DATE}{piece.until.isoformat()}" if number == len(groups) and not strays else "",
            )
    if strays or not groups:
        batch = await batch_of_rows(work.client, [], strays)
        yield batch, "" if piece.until is None else f"{_BY_DATE}{piece.until.isoformat()}"


async def _must_be_gone(work: Work, seen: set[str]) -> None:
    """Asks by UID for what a pass of searches did not see. Raises RunFailed where one is answered: the pass was cut
    somewhere, as by a cap that came while it went on, and says nothing of what is gone."""
    stale, _ = await runs.unseen(work.database, work.archive_id, seen, work.run.started_at)
    plain = [uid for uid in stale if is_plain(uid)]
    odd = sorted({*stale} - {*plain})  # silence about these says nothing, and is what there is
    for chunk in (
        *chunks(plain if seen else [], STUDIES_AT_ONCE),
        *chunks(odd if seen else [], STUDIES_AT_ONCE),
    ):
        answer = await work.client.search_studies(Selection(study_uids=chunk))
        doubtful = answer.unending or (not answer.complete and is_plain(chunk[0]))
        if answer.all_rows or doubtful:
            why = f" ({answer.incomplete_because})" if doubtful else ""
            raise RunFailed(
                "INCOMPLETE",
                f"the archive did not answer everything{why}: it has studies ({len(answer.rows)} of {len(chunk)} that "
                "were asked for by UID) which its searches did not bring; nothing was removed",
                start_over=True,
            )


async def remove_unseen(work: Work, seen: set[str], *, confirmed: bool) -> None:
    """Removes studies that a complete pass did not see. Raises RunFailed when that would be suspicious."""
    stale, total = await runs.unseen(work.database, work.archive_id, seen, work.run.started_at)
    if not stale:
        await removals.settled(work.database, work.archive_id)
        return
    limit = work.client.config.removal_limit
    many = total >= _SUSPICIOUS_FROM and len(stale) > total * limit
    if (many or not seen) and not confirmed:
        await refuse_suspicious(work, len(stale), total)

    for chunk in chunks(stale, 1000):

        async def remove(conn: Connection, chunk: list[str] = chunk) -> int:
            removed = (await keep(conn, work.archive_id, Told(gone=chunk))).removed
            await runs.removed(conn, work.run, removed)
            return removed

        work.tally.removed += await ingest.write(work.database, "remove_unseen", remove)
    await removals.settled(work.database, work.archive_id)
    work.progress(work.run.code, work.tally.done, work.total, f"removed {work.tally.removed}")


async def refuse_suspicious(work: Work, gone: int, total: int) -> None:
    """Raises RunFailed, which says what would go and how to confirm it, unless an administrator has confirmed it."""
    if await removals.is_confirmed(work.database, work.archive_id, gone):
        return
    await removals.note(work.database, work.archive_id, gone, total)
    raise RunFailed(
        "SUSPICIOUS_REMOVAL",
        f"the archive no longer lists {gone} of its {total} studies; nothing was removed. If that is right, run "
        f"`ernfed index reconcile --archive {work.run.code} --confirm`, or confirm it over the API (confirmRemovals)",
        start_over=True,
    )
