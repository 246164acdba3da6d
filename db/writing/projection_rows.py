"""Putting pseudonymised rows into their tables; one that the database refuses does not keep the others out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from db.pool import Connection
from db.writing.upserts import REFUSALS
from model.attributes import KEY_COLUMNS, Level, columns_of
from model.records import Record


class ProjectionRow(NamedTuple):
    """A pseudonymised record, and what it was made from, with and for."""

    record: Record
    source_pk: int
    archive_id: int
    synced_at: datetime
    key_id: str
    made_for: str
    representative: str | None = None
    representative_synced_at: datetime | None = None

    @property
    def values(self) -> tuple[Any, ...]:
        record = self.record
        marks = self[1:] if record.level is Level.SERIES else self[1 : 1 + len(_MARKS)]
        return (*record.key, *record.values[1:], record.data, *marks)


_MARKS = ("source_pk", "archive_id", "synced_at", "key_id", "made_for")
# What follows the source anyway (follow_series of projections.sql): written with the row, it need not be written again.
_FOLLOWED = {Level.SERIES: ("instances_synced_at", "body_part_code", "modality_code", "laterality_code")}


async def store(conn: Connection, level: Level, rows: Sequence[ProjectionRow]) -> set[int]:
    """COPY into a temporary table, then one upsert by source; the sources of the rows that are stored."""
    if not rows:
        return set()
    try:
        async with conn.transaction():
            await _put(conn, level, rows)
    except REFUSALS:
        if len(rows) == 1:
            return set()
        middle = len(rows) // 2
        return await store(conn, level, rows[:middle]) | await store(conn, level, rows[middle:])
    return {row.source_pk for row in rows}


async def _put(conn: Connection, level: Level, rows: Sequence[ProjectionRow]) -> None:
    columns, stage = _columns(level), f"staged_projection_{level}"
    names = ", ".join(columns)
    await conn.execute(
        f"create temp table if not exists {stage} on commit delete rows"
        f" as select {names} from pseudonymised.{level} with no data"
    )
    await conn.execute(f"delete from pg_temp.{stage}")
    await conn.copy_records_to_table(
        stage, schema_name="pg_temp", columns=columns, records=[row.values for row in rows]
    )
    followed = _FOLLOWED.get(level, ())
    names = ", ".join([*columns, *followed])
    staged = ", ".join([*(f"p.{name}" for name in columns), *(f"s.{name}" for name in followed)])
    source = (
        f" left join lateral (select {', '.join(followed)} from {level}"
        f" where {level}_pk = p.source_pk offset 0) s on true"
        if followed
        else ""
    )
    changes = ", ".join(f"{name} = excluded.{name}" for name in [*columns, *followed])
    await conn.execute(
        f"insert into pseudonymised.{level} ({names}) select {staged} from pg_temp.{stage} p{source}"
        f" order by p.source_pk on conflict (source_pk) do update set {changes}"
    )


def _columns(level: Level) -> list[str]:
    typed = [column.column for column in columns_of(level)][1:]
    marks = ProjectionRow._fields[1:] if level is Level.SERIES else _MARKS
    return [*KEY_COLUMNS[level], *typed, "data", *marks]
