"""Consents in the schema: what a patient agreed to."""

from typing import Any

import strawberry

from db.lists.nodes import Row


def _describe(description: str) -> Any:
    return strawberry.field(description=description)


@strawberry.type(
    description="What the patient agreed to, over the visible copies: true where an archive that holds one "
    "says so and none says otherwise. An archive that was told nothing says nothing; where none was, false."
)
class Consent:
    care: bool = _describe("Use in the patient's care, such as the discussion of the case.")
    registry: bool = _describe("Storage in databases and registries of the ERN.")
    research: bool = _describe("Research. What is pseudonymised shows to others than members only with it.")


def consent_of_row(row: Row | None) -> Consent:
    """The consents of a row of db.writing.consent.consents."""
    if row is None:
        return Consent(care=False, registry=False, research=False)
    return Consent(care=row["care"], registry=row["registry"], research=row["research"])
