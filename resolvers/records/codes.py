"""Codes in the schema: what a series' coded attributes mean, and how filters ask for them."""

from typing import Any

import strawberry
from pydicom.uid import UID as DicomUid

from db.lists.nodes import Row
from db.statistics.facets import Facet
from model import vocabulary
from model.attributes import Level
from model.filters import EVERYTHING, Condition, Op, Related, Test, all_of
from model.vocabulary import CODE_COLUMNS, Coded
from resolvers.filters.matches import checked, given_fields


def _describe(description: str) -> Any:
    return strawberry.field(description=description, default=strawberry.UNSET)


@strawberry.type(description="A concept of a public vocabulary, found by the vocabulary of this federation.")
class Code:
    value: str = strawberry.field(description="Code value, such as 816094009.")
    scheme: str = strawberry.field(description="Coding scheme: SCT (SNOMED CT) or DCM (PS3.16).")
    meaning: str = strawberry.field(description="Code meaning, in English.")
    raw: str | None = strawberry.field(
        description="What the archive says; null where that is hidden from you or changed."
    )


@strawberry.input(
    description="All given conditions hold. A code is named by its value (816094009 or SCT:816094009), or by a "
    "term or word for it (CHEST, Thorax, poitrine); one that the vocabulary does not know is BAD_INPUT."
)
class CodeMatch:
    eq: str | None = _describe("This code.")
    in_: list[str] | None = strawberry.field(
        description="One of these codes (1 to 1000).", default=strawberry.UNSET, name="in"
    )
    is_null: bool | None = _describe("true: has no code, whatever the raw value. false: has one.")


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


def code_condition(level: Level, of: Coded, match: CodeMatch, at: str) -> Condition:
    """What a match at this path means at a level; at that of studies: of at least one series. Raises BadInput."""
    column, where = CODE_COLUMNS[of], f"{of.value} code"
    tests: list[Condition] = []
    for definition, value in given_fields(match, at, of.value):
        match definition.python_name:
            case "eq":
                tests.append(Test(column, Op.EQ, _value(of, str(checked(where, value)))))
            case "in_":
                checked(where, value)
                tests.append(Test(column, Op.IN, tuple(_value(of, each) for each in value)))
            case _:
                tests.append(Test(column, Op.IS_NULL, value))
    if not tests:
        return EVERYTHING
    condition = all_of(tests)
    return condition if level is column.level else Related(column.level, condition)


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


def _value(of: Coded, text: str) -> str:
    return vocabulary.find(of, text).value
