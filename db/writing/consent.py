"""Consents: what a patient agreed to, by study and archive. A withdrawal takes effect with its commit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from access.scope import Scope
from db.locks import Lock
from db.pool import Connection, Database, Reader, Row
from db.statements import statements, within
from db.writing.events import note, note_pseudonyms
from db.writing.ingest import write
from model.attributes import Level

_AT_ONCE = 5000  # studies a statement: a file of all consents of a network is one call


@dataclass(frozen=True, slots=True)
class StudyConsent:
    """The three consents of one study in one archive."""

    study_uid: str
    care: bool
    registry: bool
    research: bool


@dataclass(frozen=True, slots=True)
class StoredConsent:
    """As it stands. given_at: since when at least one of the three holds; None while none does."""

    consent: StudyConsent
    changed_at: datetime
    changed_by: str
    given_at: datetime | None


async def set_consents(
    database: Database, archive_id: int, consents: Sequence[StudyConsent], changed_by: str
) -> set[str]:
    """Sets them, all or none; a study may stand there once. Returns the study UIDs that the index knows:
    consents of others are kept for later."""

    async def work(connection: Connection) -> set[str]:
        # Events are written: in order with those of all writers of the index.
        await connection.execute(statements("projections")["alone"], Lock.INDEX)
        # A maker of pseudonymised rows that has read the old consent must have committed before, or its
        # rows would show it for good.
        await connection.execute(statements("projections")["alone"], Lock.CONSENTS)
        known: set[str] = set()
        for part in _parts(consents):
            known |= await _set(connection, archive_id, part, changed_by)
        return known

    return await write(database, "set_consents", work)


async def consents_of_archive(database: Database, archive_id: int) -> list[StoredConsent]:
    """Every consent that an archive has told, by study UID."""
    rows = await database.fetch("consents", statements("consent")["of_archive"], archive_id)
    return [_stored(row) for row in rows]


async def untold_studies(database: Database, archive_id: int) -> list[str]:
    """The studies of an archive, as stored, of which no consent was told yet."""
    rows = await database.fetch("consent_untold", statements("consent")["untold"], archive_id)
    return [row["study_uid"] for row in rows]


async def consent_of(database: Database, archive_id: int, study_uid: str) -> StoredConsent | None:
    """The consent of one study in one archive, if one was told."""
    row = await database.fetchrow("consent_of", statements("consent")["of_study"], archive_id, study_uid)
    return _stored(row) if row is not None else None


async def known_studies(database: Database, archive_id: int, study_uids: Sequence[str]) -> set[str]:
    """Which of these studies the index knows in the archive."""
    rows = await database.fetch("consent_known", statements("consent")["known"], archive_id, list(study_uids))
    return {row["study_uid"] for row in rows}


async def consents(database: Reader, scope: Scope, study_uids: Sequence[str]) -> list[Row]:
    """Rows (uid, care, registry, research): true where every visible copy whose archive told a consent has it."""
    sql = within(scope.projection, "consent", "of_nodes")
    return await database.fetch("consents", sql, scope.visible_ids, list(study_uids))


async def _set(
    connection: Connection, archive_id: int, part: Sequence[StudyConsent], changed_by: str
) -> set[str]:
    uids = [consent.study_uid for consent in part]
    await connection.execute(
        statements("consent")["set"],
        archive_id,
        uids,
        [consent.care for consent in part],
        [consent.registry for consent in part],
        [consent.research for consent in part],
        changed_by,
    )
    # Pseudonymised rows carry the consent to research: in the same transaction, not when they are remade.
    for level in Level:
        await connection.execute(statements("projections")[f"follow_{level}"], uids)
    await note(connection, uids)
    await note_pseudonyms(connection, uids)
    known = await connection.fetch(statements("consent")["known"], archive_id, uids)
    return {row["study_uid"] for row in known}


def _parts(consents: Sequence[StudyConsent]) -> Iterator[Sequence[StudyConsent]]:
    return (consents[start : start + _AT_ONCE] for start in range(0, len(consents), _AT_ONCE))


def _stored(row: Row) -> StoredConsent:
    consent = StudyConsent(row["study_uid"], row["care"], row["registry"], row["research"])
    return StoredConsent(consent, row["changed_at"], row["changed_by"], row["given_at"])
