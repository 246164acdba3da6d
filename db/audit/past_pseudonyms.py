"""Every pseudonym that a record has or had here: under each key that the server has, of each network.

For questions about the past (who saw it); what is shown now is made by projections.py.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from access.keyed_pseudonyms import KeyedPseudonyms
from config.pseudonym_keys import derived_key, load_pseudonym_keys
from db.pool import Database
from db.statements import statements
from model.erns import ERNS_ALONE, Networks

MASTER_KEY = "pseudonyms"
"""The name of the master key from which keys are derived where no file is named."""


@dataclass(frozen=True, slots=True)
class PastPseudonyms:
    """`keys`: of all networks; `archives`: their codes, which stand for an issuer that is not told."""

    keys: Sequence[KeyedPseudonyms]
    archives: Sequence[str]

    def of_study(self, study_uid: str) -> set[str]:
        """The UID as stored and its pseudonyms."""
        return {study_uid, *(key.uid(study_uid) for key in self.keys)}

    def of_patient(self, patient_id: str, issuers: Iterable[str]) -> set[str]:
        """The patient's pseudonyms, of each of these issuers."""
        return {key.patient_id(patient_id, issuer) for key in self.keys for issuer in issuers}


NO_PSEUDONYMS = PastPseudonyms((), ())


async def past_pseudonyms(
    database: Database, keys_file: Path | None, networks: Networks = ERNS_ALONE
) -> PastPseudonyms:
    """From the file of keys, and from the master key in the database, which may have come before the file.

    Keys that were removed from the file are not known any more. networks: that there may be
    keys of. Raises PseudonymKeysError.
    """
    rows = await database.fetch("pseudonym_erns", statements("archives")["codes"])
    codes = sorted({row["ern"] for row in rows})
    keys = list(load_pseudonym_keys(keys_file, networks).keys) if keys_file is not None else []
    master = await database.fetchrow("secrets.read", statements("secrets")["read"], MASTER_KEY)
    if master is not None:
        keys += [derived_key(master["value"], ern) for ern in codes]
    return PastPseudonyms([KeyedPseudonyms(key.key, key.ern) for key in keys], [row["code"] for row in rows])


async def real_study(database: Database, study_uid: str) -> str:
    """The UID as stored of a study that is named by it or by the pseudonym that it has now."""
    rows = await database.fetch("real_study", statements("projections")["real_study"], study_uid)
    real: str = rows[0]["study_uid"] if rows else study_uid
    return real
