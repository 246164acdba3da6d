"""The pseudonymised copies: made from stored rows, in the order in which these changed.

A writer puts the families that it touched on a list, in its own transaction; `drain` takes families from the
list and makes their pseudonymised rows, so that a killed process loses nothing. Rows vanish with their source.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from access.keyed_pseudonyms import Patient
from access.pseudonyms import Pseudonymiser
from db.nodes import Row
from db.pool import Connection, Database
from db.statements import statements
from model.attributes import Level, columns_of
from model.dicom_json import parse_row
from model.records import Record

FAMILIES_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Faces:
    """Makes pseudonymised rows; `makers`: archive_id → the pseudonymiser of its network."""

    database: Database
    makers: Mapping[int, Pseudonymiser]
    codes: Mapping[int, str]

    async def drain(self) -> int:
        """Works off the list; returns how many families it took."""
        taken = 0
        while True:
            async with self.database.transaction("faces") as conn:
                rows = await conn.fetch(statements("faces")["take"], FAMILIES_AT_ONCE)
                uids = [row["study_uid"] for row in rows]
                if not uids:
                    return taken
                await self._make(conn, uids)
                taken += len(uids)

    async def enqueue_all(self) -> int:
        """Puts every family on the list: after a change of keys. Returns how many wait."""
        await self.database.execute("faces_all", statements("faces")["enqueue_all"], list(self.makers))
        rows = await self.database.fetch("faces_waiting", statements("faces")["waiting"])
        waiting: int = rows[0]["count"]
        return waiting

    async def _make(self, conn: Connection, study_uids: list[str]) -> None:
        sql = statements("faces")
        patients = await self._patients(conn, study_uids)
        keys = orjson.dumps({str(each): maker.key_id for each, maker in self.makers.items()}).decode()
        for level in Level:
            stale = await conn.fetch(sql[f"stale_{level}"], study_uids, keys)
            made = [row for each in stale if (row := self._row(level, each, patients)) is not None]
            await _store(conn, level, made)
            await conn.execute(sql[f"follow_{level}"], study_uids)
        for level in Level:
            await conn.execute(sql[f"share_{level}"], study_uids)

    async def _patients(self, conn: Connection, study_uids: list[str]) -> dict[tuple[int, str], Patient]:
        rows = await conn.fetch(statements("faces")["patients"], study_uids)
        return {
            (row["archive_id"], row["study_uid"]): Patient(
                row["patient_id"], row["issuer_of_patient_id"] or self.codes[row["archive_id"]]
            )
            for row in rows
            if row["patient_id"] is not None and row["archive_id"] in self.codes
        }

    def _row(
        self, level: Level, stale: Row, patients: Mapping[tuple[int, str], Patient]
    ) -> tuple[Any, ...] | None:
        """A row of the pseudonymised table; None for an archive that makes none."""
        maker = self.makers.get(stale["archive_id"])
        stored = parse_row(level, orjson.loads(stale["data"]))
        if maker is None or not isinstance(stored, Record):
            return None
        record = maker.record(stored, patients.get((stale["archive_id"], stale["study_uid"])))
        return (*_keys(record), *record.values[1:], record.data, *_source(stale, maker.key_id))


def _keys(record: Record) -> tuple[str, ...]:
    match record.level:
        case Level.STUDY:
            return (record.study_uid,)
        case Level.SERIES:
            return record.study_uid, record.uid
        case Level.INSTANCE:
            return record.study_uid, record.series_uid, record.uid


def _source(stale: Row, key_id: str) -> tuple[int, int, datetime, str]:
    return stale["source_pk"], stale["archive_id"], stale["synced_at"], key_id


_UIDS = {
    Level.STUDY: ("study_uid",),
    Level.SERIES: ("study_uid", "series_uid"),
    Level.INSTANCE: ("study_uid", "series_uid", "sop_uid"),
}


def _columns(level: Level) -> list[str]:
    typed = [column.column for column in columns_of(level)][1:]
    return [*_UIDS[level], *typed, "data", "source_pk", "archive_id", "synced_at", "key_id"]


async def _store(conn: Connection, level: Level, rows: Sequence[tuple[Any, ...]]) -> None:
    """COPY into a temporary table, then one upsert by source."""
    if not rows:
        return
    columns, stage = _columns(level), f"staged_face_{level}"
    names = ", ".join(columns)
    await conn.execute(
        f"create temp table if not exists {stage} on commit delete rows"
        f" as select {names} from pseudonymised.{level} with no data"
    )
    await conn.copy_records_to_table(stage, schema_name="pg_temp", columns=columns, records=rows)
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns)
    await conn.execute(
        f"insert into pseudonymised.{level} ({names}) select {names} from pg_temp.{stage} order by source_pk"
        f" on conflict (source_pk) do update set {changes}"
    )
