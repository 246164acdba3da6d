"""What the index holds of one archive, to be compared with what the archive says now: stored rows, not answers."""

from collections.abc import Collection, Sequence
from datetime import datetime

import asyncpg

from db.indexing import runs
from db.pool import Connection, Database, Row
from db.statements import statements
from model.attributes import Level
from model.bounds import Bounds
from model.records import STUDY_COLUMNS, Record

_PATIENT_ID, _ISSUER = (
    next(n for n, column in enumerate(STUDY_COLUMNS) if column.keyword == keyword)
    for keyword in ("PatientID", "IssuerOfPatientID")
)


async def moment(database: Database) -> datetime:
    """The database's time."""
    (row,) = await database.fetch("live_moment", statements("live")["moment"])
    moment: datetime = row["now"]
    return moment


async def unanswered(
    database: Database,
    archive_id: int,
    before: datetime,
    bounds: Bounds,
    answered: Collection[str],
    limit: int,
) -> list[str]:
    """Studies within the bounds, in the index since before `before`, that are not in the answer."""
    rows = await database.fetch(
        "live_unanswered",
        statements("live")["unanswered"],
        archive_id,
        before,
        list(answered),
        sorted(bounds.patient_ids) or None,
        *(bounds.study_date or (None, None)),
        bounds.undated and bounds.study_date is None,
        bounds.modality,
        limit,
    )
    return [row["study_uid"] for row in rows]


async def elsewhere(
    database: Database, archive_id: int, before: datetime, answered: Sequence[Record]
) -> list[str]:
    """Answered studies that the index also has under another patient: moved, or of two patients."""
    uids = [record.study_uid for record in answered]
    keys = [f"{record.values[_PATIENT_ID] or ''}\\{record.values[_ISSUER] or ''}" for record in answered]
    sql = statements("live")["elsewhere"]
    rows = await database.fetch("live_elsewhere", sql, archive_id, before, uids, keys)
    return [row["study_uid"] for row in rows]


async def present(
    database: Database, archive_id: int, before: datetime, study_uids: Collection[str]
) -> list[str]:
    """Those of the studies that are in the index since before `before`."""
    sql = statements("live")["present"]
    rows = await database.fetch("live_present", sql, archive_id, before, list(study_uids))
    return [row["study_uid"] for row in rows]


async def unchanged(
    database: Database, archive_id: int, answered: Sequence[Record], *, shallow: bool
) -> set[str]:
    """Answered studies of which the index has the same, counts of series and instances included: nothing
    below them has come or gone. shallow: also those of which it has nothing below."""
    uids = [record.study_uid for record in answered]
    sql = statements("live")["unchanged"]
    data = [record.data for record in answered]
    try:
        rows = await database.fetch("live_unchanged", sql, archive_id, uids, data, shallow)
    except (asyncpg.DataError, asyncpg.ProgramLimitExceededError):
        return set()  # one of them cannot be stored: who writes them finds out which
    return {row["study_uid"] for row in rows}


async def parents(database: Database, archive_id: int, level: Level, uids: Collection[str]) -> list[Row]:
    """(uid, study_uid, series_uid) of series or instances that the index has of this archive."""
    name = "parents_of_series" if level is Level.SERIES else "parents_of_instances"
    return await database.fetch(f"live_{name}", statements("live")[name], archive_id, list(uids))


async def count_studies(database: Database, archive_id: int) -> int:
    """Distinct StudyInstanceUIDs of the archive in the index."""
    return await runs.count_studies(database, archive_id)


async def changed(conn: Connection, archive_id: int) -> None:
    """Inside the transaction that changed something: notes when."""
    await conn.execute(statements("live")["changed"], archive_id)
