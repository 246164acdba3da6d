"""Consents in the schema: what a patient agreed to."""

import strawberry

from db.pool import Row
from resolvers.descriptions import described


@strawberry.type(
    description="What the patient agreed to, over the visible copies: true where an archive that holds one "
    "says so and none says otherwise. An archive that was told nothing says nothing; where none was, false."
)
class Consent:
    care: bool = described("Use in the patient's care, such as the discussion of the case.")
    registry: bool = described("Storage in databases and registries of the ERN.")
    research: bool = described("Research. What is pseudonymised shows to others than members only with it.")


def consent_of_row(row: Row | None) -> Consent:
    """The consents of a row of db.writing.consent.consents."""
    if row is None:
        return Consent(care=False, registry=False, research=False)
    return Consent(care=row["care"], registry=row["registry"], research=row["research"])
