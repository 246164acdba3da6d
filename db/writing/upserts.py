"""Upserts of a batch: COPY into the staging table of a level, one statement from there; and finding the records that
the database refuses, so that the others are written."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import orjson

from db.pool import Connection
from db.writing.ingest_sql import NAME_COLUMNS, ingest_sql, name_values
from model.attributes import Level
from model.records import INSTANCE_COLUMNS, SERIES_COLUMNS, STUDY_COLUMNS, Record, Rejected

_STAGED = {
    Level.STUDY: ["position", *(column.column for column in STUDY_COLUMNS), *NAME_COLUMNS, "data"],
    Level.SERIES: ["position", "study_uid", *(column.column for column in SERIES_COLUMNS), "data"],
    Level.INSTANCE: [
        *("position", "study_uid", "series_uid"),
        *(column.column for column in INSTANCE_COLUMNS),
        "data",
    ],
}

# What the database says of a value it cannot take, and what the driver says of one it cannot send.
REFUSALS = (asyncpg.DataError, asyncpg.ProgramLimitExceededError, ValueError, OverflowError, TypeError)


@dataclass(slots=True)
class Stored:
    """What a batch did: rows inserted or changed, rows (of studies: UIDs) removed, records refused."""

    changed: int = 0
    removed: int = 0
    refused: list[Rejected] = field(default_factory=list)


async def upsert_all(
    conn: Connection, archive_id: int, level: Level, upsert: str, records: Sequence[Record]
) -> Stored:
    """Upserts all records but those that the database refuses; the staging table then holds the others. `begin` was
    called (ingest.py)."""
    try:
        async with conn.transaction():
            return Stored(changed=await _upsert(conn, archive_id, level, upsert, records))
    except REFUSALS:
        refused = await _find_refused(conn, archive_id, level, upsert, records)
    bad = {id(record) for record, _ in refused}
    good = [record for record in records if id(record) not in bad]
    changed = await _upsert(conn, archive_id, level, upsert, good)
    return Stored(changed=changed, refused=[_rejected(record, error) for record, error in refused])


async def _upsert(
    conn: Connection, archive_id: int, level: Level, upsert: str, records: Sequence[Record]
) -> int:
    await conn.execute(ingest_sql(f"clear_{level.value}"))
    if not records:
        return 0
    await conn.copy_records_to_table(
        f"staged_{level.value}",
        schema_name="pg_temp",
        columns=_STAGED[level],
        records=[(position, *_row(record)) for position, record in enumerate(records)],
    )
    changed: int = await conn.fetchval(ingest_sql(upsert), archive_id)
    return changed


def _row(record: Record) -> tuple[Any, ...]:
    match record.level:
        case Level.STUDY:
            return (*record.values, *name_values(record), record.data)
        case _:
            return (*record.key[:-1], *record.values, record.data)


async def _find_refused(
    conn: Connection, archive_id: int, level: Level, upsert: str, records: Sequence[Record]
) -> list[tuple[Record, Exception]]:
    """Halves the batch until each record that cannot be stored stands alone. Writes nothing."""
    middle = len(records) // 2
    found: list[tuple[Record, Exception]] = []
    for part in (records[:middle], records[middle:]):
        if not part:
            continue
        trial = conn.transaction()
        await trial.start()
        try:
            await _upsert(conn, archive_id, level, upsert, part)
        except REFUSALS as error:
            await trial.rollback()
            if len(part) == 1:
                found.append((part[0], error))
            else:
                found += await _find_refused(conn, archive_id, level, upsert, part)
        else:
            await trial.rollback()
    return found


def _rejected(record: Record, error: Exception) -> Rejected:
    reason = f"the database refuses it: {type(error).__name__}"
    return Rejected(
        record.level, record.uid, reason, record.data if _is_jsonb(error) else _unreadable(record)
    )


def _is_jsonb(error: Exception) -> bool:
    """False where it may be the data set itself that the database cannot read."""
    return isinstance(error, asyncpg.ProgramLimitExceededError) and not isinstance(
        error, asyncpg.StatementTooComplexError
    )


def _unreadable(record: Record) -> str:
    return orjson.dumps({"unreadable": True, "uid": record.uid}).decode()
