"""What the index has of an archive and a reading of it lacks: moved, hidden, gone, or the archive is not itself."""

from typing import Final

from archives.client import Selection
from db.indexing import stored
from refresh.reading import MOST_STUDIES, ArchiveReader

# More than `removal_limit` of at least so many studies gone at once: rather a sick archive (as indexer/full.py)
_SUSPICIOUS_FROM: Final = 20


async def ask_for_missing(reader: ArchiveReader) -> None:
    """Asks by UID for what a search did not answer and the index has, or has of another patient; studies that are
    not there any more are `reading.gone`. Raises ArchiveError."""
    database, archive_id, bounds = reader.database, reader.archive_id, reader.wanted.bounds
    if not bounds.by_uid and reader.complete:
        studies = reader.reading.studies
        moved = await stored.elsewhere(database, archive_id, reader.began, studies)
        answered = {record.study_uid for record in studies}
        lacking = await stored.unanswered(
            database, archive_id, reader.began, bounds, answered, MOST_STUDIES + 1
        )
        if len(lacking) > MOST_STUDIES:
            _suspicious(reader, len(lacking))
            return
        await reader.studies_by_uid({*moved, *lacking})
    if reader.unanswered:
        here = await stored.present(database, archive_id, reader.began, reader.unanswered)
        if here:
            await _judge(reader, set(here))


async def _judge(reader: ArchiveReader, missing: set[str]) -> None:
    listing = await reader.client.list_study_uids()
    if listing is None:
        has_any = bool(reader.reading.studies)
        if not has_any:
            has_any = bool((await reader.client.search_studies(Selection(most=1))).rows)
    else:
        has_any = bool(listing)
        hidden = missing & set(listing)
        if hidden:
            reader.lacks("INCOMPLETE", "the archive lists studies that its search does not answer")
            missing -= hidden
    total = await stored.count_studies(reader.database, reader.archive_id)
    is_most = total >= _SUSPICIOUS_FROM and len(missing) > total * reader.client.config.removal_limit
    if missing and (is_most or not has_any):
        _suspicious(reader, len(missing))
    else:
        reader.reading.gone = sorted(missing)


def _suspicious(reader: ArchiveReader, gone: int) -> None:
    reader.lacks(
        "SUSPICIOUS_REMOVAL",
        f"the archive no longer answers {gone} studies or more that the index has; nothing was removed. If that is "
        f"right, run `ernfed index reconcile --archive {reader.client.config.code} --confirm`, or confirm over the API "
        "what an index run finds (confirmRemovals)",
    )
