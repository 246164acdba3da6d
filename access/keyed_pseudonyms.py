"""Pseudonyms under a secret key: UIDs, patient ids, accession numbers, and the shift of a patient's dates.

HMAC-SHA-256 with the ERN and the purpose in the key: equal within an ERN, unlinkable between ERNs and between
purposes, and not to be found by trying values without the key.
"""

import hmac
from base64 import b32encode
from functools import lru_cache
from typing import NamedTuple

MIN_KEY_BYTES = 32
MAX_SHIFT_DAYS = 5 * 365


class Patient(NamedTuple):
    """Whose study it is. `issuer`: IssuerOfPatientID or, where a row has none, the archive's code."""

    patient_id: str
    issuer: str


class KeyedPseudonyms:
    """For one ERN and one key. Hold on to it: it remembers the UIDs and shifts of the last thousands."""

    def __init__(self, key: bytes, ern: str) -> None:
        if len(key) < MIN_KEY_BYTES:
            raise ValueError(
                f"pseudonym key of {ern}: expected {MIN_KEY_BYTES} bytes or more, got {len(key)}"
            )
        self.ern = ern
        self._keys = {
            purpose: hmac.digest(key, f"ernfed pseudonym\0{ern}\0{purpose}".encode(), "sha256")
            for purpose in ("uid", "uid in", "patient", "accession", "shift", "mark")
        }
        self._cached_uid = lru_cache(maxsize=16384)(self._new_uid)
        self._cached_uid_in = lru_cache(maxsize=16384)(self._new_uid_in)
        self._cached_patient = lru_cache(maxsize=4096)(self._new_patient)
        self._cached_shift = lru_cache(maxsize=4096)(self._new_shift)

    def uid(self, real: str) -> str:
        """'2.25.<decimal>' of a version 8 UUID (PS3.5 B.2, RFC 9562): at most 44 characters."""
        return self._cached_uid(real)

    def uid_in(self, study_uid: str, real: str) -> str:
        """The same of what is within a study: where two studies have a series of one UID, their pseudonyms differ, so
        that it links nobody."""
        return self._cached_uid_in(study_uid, real)

    def patient_id(self, patient_id: str, issuer: str) -> str:
        """'ERN-EYE-' and 16 letters and digits (80 bits)."""
        return self._cached_patient(_joined(issuer, patient_id))

    def accession(self, number: str) -> str:
        """16 characters, the most that an SH may have."""
        return f"A{self._letters('accession', number, 15)}"

    def shift_days(self, patient: Patient | None, study_uid: str = "") -> int:
        """-1825 to 1825 and never 0; of the patient, or of the study where no patient is known."""
        if patient is None:
            return self._cached_shift(_joined("study", study_uid))
        return self._cached_shift(_joined("patient", _joined(patient.issuer, patient.patient_id)))

    def mark(self, rules: str) -> str:
        """Eight hexadecimal digits that tell this key, of this ERN, with these rules from any other."""
        return self._digest("mark", rules)[:4].hex()

    def _digest(self, purpose: str, text: str) -> bytes:
        return hmac.digest(self._keys[purpose], text.encode("utf-8", "surrogatepass"), "sha256")

    def _letters(self, purpose: str, text: str, count: int) -> str:
        return b32encode(self._digest(purpose, text)[:10]).decode()[:count]

    def _new_uid(self, real: str) -> str:
        return _as_uid(self._digest("uid", real))

    def _new_uid_in(self, study_uid: str, real: str) -> str:
        return _as_uid(self._digest("uid in", _joined(study_uid, real)))

    def _new_patient(self, joined: str) -> str:
        return f"{self.ern}-{self._letters('patient', joined, 16)}"

    def _new_shift(self, key: str) -> int:
        number = int.from_bytes(self._digest("shift", key)[:8], "big") % (2 * MAX_SHIFT_DAYS)
        return number - MAX_SHIFT_DAYS if number < MAX_SHIFT_DAYS else number - MAX_SHIFT_DAYS + 1


def _as_uid(digest: bytes) -> str:
    number = int.from_bytes(digest[:16], "big")
    number = number & ~(0xF << 76) & ~(0x3 << 62) | (0x8 << 76) | (0x2 << 62)
    return f"2.25.{number}"


def _joined(first_part: str, second_part: str) -> str:
    """Unambiguous: no two pairs give one text."""
    return f"{len(first_part)}:{first_part}{second_part}"
