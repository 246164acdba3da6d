"""Reading audit lines: walking the chain, exports, and who saw a record. Writing them: db/audit.py."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from access.audit import GENESIS, AuditLine, flaw, patient_key, study_key
from db.audit import audit_secret
from db.pool import Database
from db.statements import statements

_CHUNK: Final = 1000


@dataclass(frozen=True, slots=True)
class Chain:
    """What a walk found. flaw: where the chain breaks, None when it holds.

    anchored: the number of the line whose digest was expected; None where none was, or it is not there.
    """

    lines: int
    head: bytes
    flaw: str | None = None
    anchored: int | None = None


async def walk(database: Database, *, after: bytes | None = None, expect: bytes | None = None) -> Chain:
    """Recomputes every digest.

    after: the digest of the last line that retention removed; without it the first line must be line 1.
    expect: a head that was printed earlier; a chain that was cut before it, or made anew, lacks it.
    """
    number, head, count = 1, GENESIS, 0
    anchored = 0 if expect == GENESIS else None
    if after is not None:
        first = await database.fetchrow("audit.first", statements("audit")["first"])
        number, head = (first["id"] if first and first["id"] else 1), after
    async for line in lines(database):
        if wrong := flaw(line, number, head):
            return Chain(count, head, wrong, anchored)
        number, head, count = number + 1, line.digest, count + 1
        if head == expect:
            anchored = line.number
    if expect is not None and anchored is None:
        wrong = "no line has the expected digest: the end was cut off, or the chain was made anew"
        return Chain(count, head, wrong)
    stray = await database.fetchrow("audit.stray", statements("audit")["stray"])
    if after is None and stray is not None and stray["id"] is not None:
        return Chain(count, head, f"line {stray['id']} is missing: only what it touched is there", anchored)
    return Chain(count, head, None, anchored)


async def lines(
    database: Database, since: datetime | None = None, until: datetime | None = None
) -> AsyncIterator[AuditLine]:
    """Lines in chain order; `until` is exclusive. Read in pieces, so any number fits."""
    last = -(2**62)
    while True:
        rows = await database.fetch("audit.read", statements("audit")["read"], last, since, until, _CHUNK)
        for row in rows:
            yield _line(row, tuple(row["keys"]))
        if len(rows) < _CHUNK:
            return
        last = rows[-1]["id"]


async def who_saw_study(database: Database, study_uid: str) -> list[AuditLine]:
    """The lines of answers that showed a study, oldest first."""
    return await _who_saw(database, [study_key(await audit_secret(database), study_uid)])


async def who_saw_patient(database: Database, patient_id: str, issuer: str | None) -> list[AuditLine]:
    """The lines of answers that showed a patient, oldest first; issuer None: of any issuer.

    Also found are accesses to the studies that the index now knows of this patient: under which id their
    patient went at that time does not matter.
    """
    secret = await audit_secret(database)
    rows = await database.fetch(
        "audit.studies_of_patient", statements("audit")["studies_of_patient"], patient_id, issuer
    )
    studies = [study_key(secret, row["study_uid"]) for row in rows]
    return await _who_saw(database, [patient_key(secret, patient_id, issuer), *studies])


async def _who_saw(database: Database, keys: Sequence[bytes]) -> list[AuditLine]:
    rows = await database.fetch("audit.who_saw", statements("audit")["who_saw"], list(keys))
    return [_line(row) for row in rows]


def _line(row: Any, keys: tuple[bytes, ...] = ()) -> AuditLine:
    return AuditLine(row["id"], row["at"], row["digest"], row["payload"], keys)
