"""Made-up consents of the demo's samples, so that a researcher sees some records and not all of them."""

import hashlib

from db.archives import list_archives
from db.pool import Database
from db.writing.consent import StudyConsent, set_consents, untold_studies

_WITHOUT = 3
"""One study in so many is without consent to research."""


async def tell_consents(database: Database) -> str:
    """Consents of the studies of which none was told: what somebody changed stays. Says how many, if any."""
    studies = agreed = 0
    for archive in await list_archives(database):
        uids = await untold_studies(database, archive.archive_id)
        consents = [StudyConsent(uid, care=True, registry=True, research=_agrees(uid)) for uid in uids]
        if consents:
            await set_consents(database, archive.archive_id, consents, "demo")
        studies += len(consents)
        agreed += sum(consent.research for consent in consents)
    return f"consent to research for {agreed} of {studies} studies" if studies else ""


def _agrees(study_uid: str) -> bool:
    """The same at every start, and for every copy of a study."""
    return hashlib.sha256(study_uid.encode()).digest()[0] % _WITHOUT != 0
