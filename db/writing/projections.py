"""The pseudonymised copies: made from stored rows, in the order in which these changed.

A writer puts the families that it touched on a list, in its own transaction; `drain` takes families from the
list and makes their pseudonymised rows, so that a killed process loses nothing. Rows vanish with their source.
Putting rows into the tables is projection_rows.py.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg
import orjson
import structlog

from access.keyed_pseudonyms import Patient
from access.pseudonyms import Pseudonymiser, patient_of
from db.locks import Lock
from db.pool import Connection, Database, Row
from db.statements import statements
from db.writing.events import note_pseudonyms
from db.writing.projection_rows import ProjectionRow, store
from model.attributes import Level
from model.dicom_json import parse_row
from model.records import Record

FAMILIES_AT_ONCE = 50  # a transaction: a change of consents waits for it
ROWS_AT_ONCE = 2000  # in memory with their data sets
_TRIES = 5  # deadlocks with writers end one of the two; the next try comes a little later

_log = structlog.get_logger(__name__)


class Drained(NamedTuple):
    """What was done: families taken from the list, and rows that could not be made and are not shown."""

    families: int = 0
    refused: int = 0


class WaitingFamilies(NamedTuple):
    """Families on the list: those that changed, and those that only wait for new keys."""

    changed: int
    rotating: int


class _Target(NamedTuple):
    """What the rows of one study in one archive are made with: `patient`, of its first row, whose shift of dates all
    have, and, where it has several rows, everybody that it is said to be of."""

    patient: Patient | None
    made_for: str
    everybody: Sequence[Patient] = ()

    def named_by(self, data: Any, archive: str) -> Patient | None:
        """Whom a row says that it is of. Series and instances are often told without the issuer."""
        told = patient_of(data, archive)
        if told is None:
            return None
        same_id = [each for each in self.everybody if each.patient_id == told.patient_id]
        return told if told in same_id else next(iter(same_id), None)


_Targets = Mapping[tuple[int, str], _Target]


@dataclass(frozen=True, slots=True)
class Projections:
    """Makes pseudonymised rows; `makers`: archive_id → the pseudonymiser of its network."""

    database: Database
    makers: Mapping[int, Pseudonymiser]
    codes: Mapping[int, str]

    async def drain(
        self, *, rotating: bool = False, told: Callable[[int], None] = lambda _families: None
    ) -> Drained:
        """Works off the list; when it returns, all that changed before is made, by whichever process.

        rotating: also what waits for new keys only. told: called with the families that were just done.
        """
        done = Drained()
        while (batch := await self._batch(rotating)).families:
            told(batch.families)
            done = Drained(done.families + batch.families, done.refused + batch.refused)
        if done.refused:
            _log.warning("projections.refused", rows=done.refused)
        await self._wait_for_others()
        return done

    async def enqueue_stale(self, archive_ids: Collection[int]) -> WaitingFamilies:
        """Puts the families of these archives on the list that have rows of other keys or options, or lack
        rows; nothing happens to what waits already. Returns how many wait."""
        wanted = [each for each in self.makers if each in archive_ids]
        marks = {str(each): self.makers[each].made_with for each in wanted}
        sql = statements("projections")["enqueue_stale"]
        await self.database.execute("projections_stale", sql, wanted, orjson.dumps(marks).decode())
        return await waiting(self.database)

    async def enqueue_all(self) -> WaitingFamilies:
        """The same for all archives."""
        return await self.enqueue_stale(self.makers)

    async def _batch(self, rotating: bool) -> Drained:
        """Some families; again after a deadlock with a writer who removes what they are made from."""
        for attempt in range(1, _TRIES + 1):
            try:
                async with self.database.transaction("projections") as conn:
                    await conn.execute(statements("projections")["begin"], Lock.CONSENTS)
                    known = list(self.makers)
                    rows = await conn.fetch(
                        statements("projections")["take"], FAMILIES_AT_ONCE, known, rotating
                    )
                    uids = [row["study_uid"] for row in rows]
                    return Drained(len(uids), await self._make(conn, uids) if uids else 0)
            except (
                asyncpg.DeadlockDetectedError,
                asyncpg.SerializationError,
                asyncpg.ForeignKeyViolationError,  # its source went while it was made
            ):
                if attempt == _TRIES:
                    raise
                await asyncio.sleep(attempt * random.uniform(0.05, 0.2))  # noqa: S311
        raise AssertionError("unreachable")

    async def _wait_for_others(self) -> None:
        async with self.database.transaction("projections_wait") as conn:
            if await conn.fetchval(statements("projections")["at_work"], list(self.makers)):
                await conn.execute(statements("projections")["alone"], Lock.CONSENTS)

    async def _make(self, conn: Connection, study_uids: list[str]) -> int:
        """Makes what is missing or out of date of these families; returns how many rows were refused."""
        sql, refused = statements("projections"), 0
        targets = await self._targets(conn, study_uids)
        for level in Level:
            refused += await self._make_level(conn, level, targets)
        await conn.execute(sql["drop_parentless"], study_uids)
        for level in Level:
            await conn.execute(sql[f"follow_{level}"], study_uids)
        await conn.execute(sql["share"], study_uids)
        await conn.execute(sql["link_values"], study_uids)
        await note_pseudonyms(conn, study_uids)
        return refused

    async def _make_level(self, conn: Connection, level: Level, targets: _Targets) -> int:
        sql, refused, after = statements("projections"), 0, 0
        wanted = (
            [archive_id for archive_id, _ in targets],
            [study_uid for _, study_uid in targets],
            [self.makers[archive_id].made_with for archive_id, _ in targets],
            [target.made_for for target in targets.values()],
        )
        while stale := await conn.fetch(sql[f"stale_{level}"], *wanted, after, ROWS_AT_ONCE):
            made = [row for each in stale if (row := self._row(level, each, targets)) is not None]
            stored = await store(conn, level, made)
            gone = [each["source_pk"] for each in stale if each["source_pk"] not in stored]
            if gone:
                await conn.execute(sql[f"drop_{level}"], gone)
            refused += len(gone)
            after = stale[-1]["source_pk"]
        return refused

    async def _targets(self, conn: Connection, study_uids: list[str]) -> _Targets:
        rows: dict[tuple[int, str], list[Row]] = defaultdict(list)
        for row in await conn.fetch(statements("projections")["patients"], study_uids):
            if row["archive_id"] in self.makers:
                rows[row["archive_id"], row["study_uid"]].append(row)
        return {copy: self._target(copy[0], studies) for copy, studies in rows.items()}

    def _target(self, archive_id: int, studies: Sequence[Row]) -> _Target:
        patients = [
            None
            if study["patient_id"] is None
            else Patient(study["patient_id"], study["issuer_of_patient_id"] or self.codes[archive_id])
            for study in studies
        ]
        maker, everybody = self.makers[archive_id], [each for each in patients if each is not None]
        made_for = " ".join("" if each is None else maker.patient_id(*each) for each in patients)
        return _Target(patients[0], made_for, everybody if len(patients) > 1 else ())

    def _row(self, level: Level, stale: Row, targets: _Targets) -> ProjectionRow | None:
        """A row of the pseudonymised table; None for what cannot be made."""
        maker, target = self.makers[stale["archive_id"]], targets[stale["archive_id"], stale["study_uid"]]
        code = self.codes[stale["archive_id"]]
        try:
            data = orjson.loads(stale["data"])
            stored = parse_row(level, data)
            if not isinstance(stored, Record):
                return None
            record = maker.record(stored, target.patient, target.named_by(data, code))
            more = _representative(maker, stale, target, code) if level is Level.SERIES else ()
        except Exception:  # whatever an archive has sent: one row must not keep all others waiting
            return None
        return ProjectionRow(
            record,
            stale["source_pk"],
            stale["archive_id"],
            stale["synced_at"],
            maker.made_with,
            target.made_for,
            *more,
        )


def _representative(
    maker: Pseudonymiser, stale: Row, target: _Target, archive: str
) -> tuple[str | None, datetime | None]:
    """The representative of a series, an instance like any other; nothing where it cannot be made."""
    text = stale["representative"]
    data = orjson.loads(text) if text is not None else None
    stored = parse_row(Level.INSTANCE, data) if data is not None else None
    if not isinstance(stored, Record):
        return None, None
    made = maker.record(stored, target.patient, target.named_by(data, archive))
    return made.data, stale["representative_synced_at"]


async def waiting(database: Database) -> WaitingFamilies:
    """How many families wait."""
    (row,) = await database.fetch("projections_waiting", statements("projections")["waiting"])
    return WaitingFamilies(row["changed"], row["rotating"])


async def rows_by_key(database: Database) -> list[Any]:
    """(code, ern, key_id, studies, series, instances): key_id None for stored rows without a pseudonymised one."""
    return await database.fetch("projections_keys", statements("projections")["keys"])
