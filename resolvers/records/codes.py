"""Codes in the schema: what a series' coded attributes and SOP classes mean."""

import strawberry
from pydicom.uid import UID as DicomUid

from db.pool import Row
from db.statistics.facets import Facet
from model import vocabulary
from model.vocabulary import CODE_COLUMNS, Coded


@strawberry.type(description="A concept of a public vocabulary, found by the vocabulary of this federation.")
class Code:
    value: str = strawberry.field(description="Code value, such as 816094009.")
    scheme: str = strawberry.field(description="Coding scheme: SCT (SNOMED CT) or DCM (PS3.16).")
    meaning: str = strawberry.field(description="Code meaning, in English.")
    raw: str | None = strawberry.field(
        description="What the archive says; null where that is hidden from you or changed."
    )


_RAW = {
    Coded.BODY_PART: "body_part_examined",
    Coded.MODALITY: "modality",
    Coded.LATERALITY: "laterality",
}


def code_of_row(of: Coded, row: Row) -> Code | None:
    """The code that the index derived for a series."""
    found = vocabulary.code_of(of, row[CODE_COLUMNS[of].column])
    return (
        Code(value=found.value, scheme=found.scheme, meaning=found.meaning, raw=row[_RAW[of]])
        if found
        else None
    )


def sop_class_name(uid: str | None) -> str | None:
    """The name of a SOP class (PS3.6 Annex A); None for a private one."""
    known = DicomUid(uid or "")
    return str(known.name) if known.name != known else None


def meaning_of(facet: Facet, value: str | None) -> str | None:
    """What a value of a facet means, where it is a code or names a SOP class."""
    if facet is Facet.SOP_CLASS:
        return sop_class_name(value)
    of = {Facet.BODY_PART_CODE: Coded.BODY_PART, Facet.MODALITY: Coded.MODALITY}.get(facet)
    found = vocabulary.code_of(of, value) if of is not None else None
    return found.meaning if found is not None else None
