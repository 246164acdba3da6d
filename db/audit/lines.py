"""Reading audit lines: walking the chain, exports, and who saw a record. Writing them: db/audit/log.py."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from access.audit import EXPORT_PATH, GENESIS, AuditLine, flaw, patient_key, study_key
from db.audit.log import audit_secret
from db.audit.past_pseudonyms import NO_PSEUDONYMS, PastPseudonyms, real_study
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


async def who_saw_study(
    database: Database, study_uid: str, past: PastPseudonyms = NO_PSEUDONYMS
) -> list[AuditLine]:
    """The lines of answers that showed a study, as stored or pseudonymised, oldest first.

    study_uid: as stored, or the pseudonym that it has now.
    """
    names = {study_uid, await real_study(database, study_uid)}
    return await _who_saw(database, await _keys_of_studies(database, names, past))


async def who_saw_patient(
    database: Database, patient_id: str, issuer: str | None, past: PastPseudonyms = NO_PSEUDONYMS
) -> list[AuditLine]:
    """The lines of answers that showed a patient, oldest first; issuer None: of any issuer.

    Also found are accesses to the studies that the index now knows of this patient: under which id their
    patient went at that time does not matter.
    """
    secret = await audit_secret(database)
    sql = statements("audit")
    rows = await database.fetch("audit.studies_of_patient", sql["studies_of_patient"], patient_id, issuer)
    studies = await _keys_of_studies(database, [row["study_uid"] for row in rows], past)
    issuers = {issuer} if issuer is not None else set(past.archives)
    if issuer is None:
        told = await database.fetch("audit.issuers", sql["issuers_of_patient"], patient_id)
        issuers |= {row["issuer"] for row in told}
    pseudonyms = [patient_key(secret, each, None) for each in past.of_patient(patient_id, issuers)]
    return await _who_saw(database, [patient_key(secret, patient_id, issuer), *pseudonyms, *studies])


@dataclass(frozen=True, slots=True)
class Accesses:
    """How often a record was shown, and to how many people; `purpose` None: none was told."""

    purpose: str | None
    requests: int
    people: int


async def accesses_of_others(
    database: Database, study_uid: str, past: PastPseudonyms, since: datetime, subject: str
) -> tuple[Accesses, list[Accesses]]:
    """How often others than `subject` were shown a study: in all, and by purpose."""
    keys = await _keys_of_studies(database, [study_uid], past)
    rows = await database.fetch("audit.accesses", statements("audit")["accesses"], keys, since, subject)
    told = [(row["is_total"], Accesses(row["purpose"], row["requests"], row["people"])) for row in rows]
    total = next((each for is_total, each in told if is_total), Accesses(None, 0, 0))
    return total, [each for is_total, each in told if not is_total]


@dataclass(frozen=True, slots=True)
class Export:
    """A file that held a record; `purpose` None: none was told."""

    at: datetime
    purpose: str | None


async def exports_of(
    database: Database, study_uid: str, past: PastPseudonyms, since: datetime
) -> list[Export]:
    """The exports since then that held a study, as stored or pseudonymised, oldest first; at most 1000."""
    keys = await _keys_of_studies(database, [study_uid], past)
    rows = await database.fetch("audit.exports", statements("audit")["exports"], keys, since, EXPORT_PATH)
    return [Export(row["at"], row["purpose"]) for row in rows]


async def _keys_of_studies(
    database: Database, study_uids: Collection[str], past: PastPseudonyms
) -> list[bytes]:
    secret = await audit_secret(database)
    return [study_key(secret, name) for uid in study_uids for name in past.of_study(uid)]


async def _who_saw(database: Database, keys: Sequence[bytes]) -> list[AuditLine]:
    rows = await database.fetch("audit.who_saw", statements("audit")["who_saw"], list(keys))
    return [_line(row) for row in rows]


def _line(row: Any, keys: tuple[bytes, ...] = ()) -> AuditLine:
    return AuditLine(row["id"], row["at"], row["digest"], row["payload"], keys)
