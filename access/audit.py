"""Audit lines: who asked for what, why, and which studies and patients the answer touched. Never their data.

A line is canonical JSON; each is chained to the one before: digest = SHA-256(previous digest || line), so a
line that is changed, removed, inserted or moved breaks the chain from there on. What was touched is kept as
keyed hashes: with the real id and the key of the table `secret` one finds the accesses to a record; the
audit tables alone tell nothing of it. Writing and reading them: db/audit/log.py.
"""

import hashlib
import hmac
import ipaddress
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from model.errors import BadInput

ANONYMOUS: Final = "anonymous"
EXPORT_PATH: Final = "/export/"
"""How the endpoints begin whose answers are files that somebody keeps."""
IMPORTING: Final = "POST "
"""Before the pattern of a path that takes instances in."""
BEGUN: Final = "BEGUN"
"""The outcome of an import's first line: before anything is sent to the archive."""
GENESIS: Final = bytes(32)
"""What stands for the digest before the first line."""

# HL7 v3 PurposeOfUse (2.16.840.1.113883.1.11.20448), as FHIR R4 binds it, without the abstract root.
PURPOSES: Final = frozenset({
    "HMARKT", "HOPERAT", "CAREMGT", "DONAT", "FRAUD", "GOV", "HACCRED", "HCOMPL", "HDECD", "HDIRECT",
    "HDM", "HLEGAL", "HOUTCOMS", "HPRGRP", "HQUALIMP", "HSYSADMIN", "LABELING", "METAMGT", "MEMADMIN",
    "MILCDM", "PATADMIN", "PATSFTY", "PERFMSR", "RECORDMGT", "SYSDEV", "HTEST", "TRAIN", "HPAYMT",
    "CLMATTCH", "COVAUTH", "COVERAGE", "ELIGDTRM", "ELIGVER", "ENROLLM", "MILDCRG", "REMITADV",
    "HRESCH", "BIORCH", "CLINTRCH", "CLINTRCHNPC", "CLINTRCHPC", "PRECLINTRCH", "DSRCH", "POARCH",
    "TRANSRCH", "PATRQT", "FAMRQT", "PWATRNY", "SUPNWK", "PUBHLTH", "DISASTER", "THREAT", "TREAT",
    "CLINTRL", "COC", "ETREAT", "BTG", "ERTREAT", "POPHLTH",
})  # fmt: skip

# Strings (also block strings and ones without an end) and comments of a GraphQL document. No part of it can
# fail once it began, so it never goes back.
_WORDS = re.compile(r'"""(?:\\"""|(?!""").)*(?:"""|\Z)|"(?:[^"\\\r\n]|\\.)*"?|#[^\r\n]*', re.DOTALL)
_KEY_BYTES = 16

Patient = tuple[str, str | None]
"""PatientID and IssuerOfPatientID."""


class _Row(Protocol):
    def __getitem__(self, name: str, /) -> Any: ...

    def __contains__(self, name: object, /) -> bool: ...


@dataclass(slots=True)
class Touched:
    """What one answer shows, collected while it is made.

    copies: (StudyInstanceUID, archive_id) of series and instances, whose patient the index knows.
    """

    studies: set[str] = field(default_factory=set)
    patients: set[Patient] = field(default_factory=set)
    copies: set[tuple[str, int]] = field(default_factory=set)
    archive_ids: set[int] = field(default_factory=set)

    def add(self, rows: Iterable[_Row]) -> None:
        """Rows of the index, of any level, that become nodes of the answer."""
        for row in rows:
            self.archive_ids.add(row["archive_id"])
            if "study_uid" in row:
                self.copies.add((row["study_uid"], row["archive_id"]))
                self.studies.add(row["study_uid"])
                continue
            self.studies.add(row["uid"])
            if row["patient_id"] is not None:
                self.patients.add((row["patient_id"], row["issuer_of_patient_id"]))

    def asked(self, archive_ids: Iterable[int]) -> None:
        """Archives that a list asked, whether or not they hold anything of it."""
        self.archive_ids.update(archive_ids)

    def removed(self, study_uid: str, archive_id: int) -> None:
        """A study of which is told that it is gone."""
        self.studies.add(study_uid)
        self.archive_ids.add(archive_id)

    @property
    def nothing(self) -> bool:
        """Whether nothing was collected."""
        return not (self.studies or self.patients or self.copies or self.archive_ids)

    def take(self) -> "Touched":
        """What was collected so far; collecting begins anew, for the next event of a stream."""
        taken = Touched(self.studies, self.patients, self.copies, self.archive_ids)
        self.studies, self.patients, self.copies, self.archive_ids = set(), set(), set(), set()
        return taken


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One request. document: `document_digest` of its GraphQL; operation: its name where that is known."""

    at: datetime
    subject: str
    purpose: str | None
    endpoint: str
    outcome: str
    client: str | None
    request_id: str
    operation: str | None = None
    document: str | None = None
    archives: tuple[str, ...] = ()
    touched: Touched = field(default_factory=Touched)


@dataclass(frozen=True, slots=True)
class AuditLine:
    """A line as stored. keys: what it touched, from `audit_touch`."""

    number: int
    at: datetime
    digest: bytes
    payload: str
    keys: tuple[bytes, ...] = ()

    @property
    def said(self) -> dict[str, Any]:
        """The line's own words."""
        parsed: dict[str, Any] = json.loads(self.payload)
        return parsed


def purpose_of(header: str | None) -> str | None:
    """The HL7 code of the header X-Purpose-Of-Use; None where it is missing. Raises BadInput."""
    if header is None:
        return None
    code = header.strip().upper()
    if code not in PURPOSES:
        raise BadInput(
            "X-Purpose-Of-Use: not a code of HL7 v3 PurposeOfUse. Say why you ask: TREAT (treatment), HRESCH "
            "(research), HOPERAT (operations), PATRQT (the patient asked), … or leave the header out."
        )
    return code


def network_of(address: str | None) -> str | None:
    """The /24 (IPv4) or /48 (IPv6) that an address is in: enough to see an odd place, less than a person."""
    try:
        known = ipaddress.ip_address(address or "")
    except ValueError:
        return None
    if isinstance(known, ipaddress.IPv6Address):
        known = known.ipv4_mapped or known
    bits = 24 if known.version == 4 else 48
    return str(ipaddress.ip_network((known, bits), strict=False))


def document_digest(document: str) -> str:
    """SHA-256 of a GraphQL document, the contents of its strings and comments left out.

    They can name a patient, and a hash of few unknown words can be guessed. A document that has neither
    has its plain SHA-256.
    """
    bare = _WORDS.sub(lambda found: "#" if found[0][0] == "#" else '""', document)
    return hashlib.sha256(bare.encode("utf-8", "surrogatepass")).hexdigest()


def study_key(secret: bytes, study_uid: str) -> bytes:
    """The keyed hash that stands for a study in `audit_touch`."""
    return _keyed(secret, "study", study_uid)


def patient_key(secret: bytes, patient_id: str, issuer: str | None) -> bytes:
    """The keyed hash that stands for a patient; without an issuer: for that id, whoever issued it."""
    return _keyed(secret, "patient", patient_id, *([issuer] if issuer else []))


def touch_keys(secret: bytes, touched: Touched) -> list[bytes]:
    """Every study and patient of an answer as a keyed hash, sorted: their order tells nothing either."""
    keys = {study_key(secret, uid) for uid in touched.studies}
    for patient_id, issuer in touched.patients:
        keys |= {patient_key(secret, patient_id, None), patient_key(secret, patient_id, issuer)}
    return sorted(keys)


def payload_of(record: AuditRecord, keys: Iterable[bytes]) -> str:
    """The canonical form of a line: JSON, ASCII, sorted names, no spaces."""
    touched = record.touched
    said: Mapping[str, object] = {
        "at": record.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "subject": record.subject,
        "purpose": record.purpose,
        "endpoint": record.endpoint,
        "operation": record.operation,
        "document": record.document,
        "archives": sorted(record.archives),
        "patients": len(touched.patients),
        "studies": len(touched.studies),
        "touched": keys_digest(keys),
        "outcome": record.outcome,
        "client": record.client,
        "request": record.request_id,
    }
    return json.dumps(said, sort_keys=True, separators=(",", ":"))


def keys_digest(keys: Iterable[bytes]) -> str:
    """Binds the rows of `audit_touch` to their line."""
    return hashlib.sha256(b"".join(sorted(keys))).hexdigest()


def chained(previous: bytes, payload: str) -> bytes:
    """The digest of a line. The function audit_append of the database does the same."""
    return hashlib.sha256(previous + payload.encode()).digest()


def flaw(line: AuditLine, number: int, previous: bytes) -> str | None:
    """What is wrong with a line that should be line `number` after `previous`; None when nothing is."""
    if line.number > number:
        return (
            f"line {number} is missing"
            if line.number == number + 1
            else (f"lines {number} to {line.number - 1} are missing")
        )
    if line.number < number:
        return f"line {line.number} is there twice"
    if chained(previous, line.payload) != line.digest:
        return f"line {number} was changed, inserted or moved"
    if line.at != datetime.fromisoformat(line.said["at"]):
        return f"the time of line {number} was changed"
    if keys_digest(line.keys) != line.said["touched"]:
        return f"what line {number} says it touched was changed"
    return None


def _keyed(secret: bytes, *parts: str) -> bytes:
    message = b"\0".join(part.encode("utf-8", "surrogatepass") for part in parts)
    return hmac.digest(secret, message, "sha256")[:_KEY_BYTES]
