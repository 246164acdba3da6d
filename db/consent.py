"""Consents: what a patient agreed to, by study and archive. A withdrawal takes effect with its commit."""

from collections.abc import Sequence
from dataclasses import dataclass

from db.ingest import write
from db.pool import Connection, Database
from db.statements import statements
from model.attributes import Level


@dataclass(frozen=True, slots=True)
class StudyConsent:
    """The three consents of one study in one archive."""

    study_uid: str
    care: bool
    registry: bool
    research: bool


async def set_consents(
    database: Database, archive_id: int, consents: Sequence[StudyConsent], changed_by: str
) -> set[str]:
    """Sets them; returns the study UIDs that the index knows. Consents of others are kept for later."""
    uids = [consent.study_uid for consent in consents]

    async def work(connection: Connection) -> set[str]:
        await connection.execute(
            statements("consent")["set"],
            archive_id,
            uids,
            [consent.care for consent in consents],
            [consent.registry for consent in consents],
            [consent.research for consent in consents],
            changed_by,
        )
        # Pseudonymised rows carry the consent to research: in the same transaction, not when they are remade.
        for level in Level:
            await connection.execute(statements("faces")[f"follow_{level}"], uids)
        known = await connection.fetch(statements("consent")["known"], archive_id, uids)
        return {row["study_uid"] for row in known}

    return await write(database, "set_consents", work)
