"""The filter inputs of the three levels, and the condition trees (model/filters.py) that they mean."""

from collections.abc import Sequence
from typing import Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from model.attributes import Level
from model.errors import BadInput
from model.filters import (
    EVERYTHING,
    MAX_DEPTH,
    AllOf,
    AnyOf,
    CohortTest,
    Condition,
    Consent,
    ConsentTest,
    Not,
    Related,
    all_of,
    check_size,
)
from model.text_search import parse_text
from model.vocabulary import Coded
from resolvers.descriptions import optional
from resolvers.filters.code_match import CodeMatch, code_condition
from resolvers.filters.matches import (
    AttributeMatch,
    DateRange,
    IntRange,
    ListMatch,
    PersonNameMatch,
    StringMatch,
    UidMatch,
    attribute_tests,
    checked,
    given_fields,
    tests_of,
)


def _of(keyword: str) -> Any:
    words = f"{keyword} matches."
    return strawberry.field(description=words, default=strawberry.UNSET, metadata={"keyword": keyword})


def _coded(of: Coded) -> Any:
    words = f"The code of {of.value} matches."
    return strawberry.field(description=words, default=strawberry.UNSET, metadata={"coded": of})


_TEXT = (
    'Words are beginnings of words and all hold; "a phrase" is to the letter, -word excludes, OR between '
    "alternatives. Case and accents are folded."
)
_AND, _OR, _NOT = (
    "All of these match.",
    "At least one of these matches.",
    "This does not match; nulls included.",
)


@strawberry.input(description="What the patient agreed to, in an archive that holds the study.")
class ConsentFilter:
    care: bool | None = optional("true: consent to use in care. false: none.")
    registry: bool | None = optional("true: consent to ERN databases and registries. false: none.")
    research: bool | None = optional("true: consent to contact about research. false: none.")


@strawberry.input(description="Which studies: all given conditions hold.")
class StudyFilter:
    and_: list["StudyFilter"] | None = optional(_AND, "and")
    or_: list["StudyFilter"] | None = optional(_OR, "or")
    not_: "StudyFilter | None" = optional(_NOT, "not")
    study_instance_uid: UidMatch | None = _of("StudyInstanceUID")
    patient_id: StringMatch | None = _of("PatientID")
    patient_name: PersonNameMatch | None = _of("PatientName")
    patient_birth_date: DateRange | None = _of("PatientBirthDate")
    patient_sex: StringMatch | None = _of("PatientSex")
    accession_number: StringMatch | None = _of("AccessionNumber")
    study_id: StringMatch | None = _of("StudyID")
    study_description: StringMatch | None = _of("StudyDescription")
    referring_physician_name: PersonNameMatch | None = _of("ReferringPhysicianName")
    study_date: DateRange | None = _of("StudyDate")
    modalities_in_study: ListMatch | None = _of("ModalitiesInStudy")
    number_of_study_related_series: IntRange | None = _of("NumberOfStudyRelatedSeries")
    number_of_study_related_instances: IntRange | None = _of("NumberOfStudyRelatedInstances")
    body_part_code: CodeMatch | None = strawberry.field(
        description="The code of BodyPartExamined of at least one series matches.",
        default=strawberry.UNSET,
        metadata={"coded": Coded.BODY_PART},
    )
    series: "SeriesFilter | None" = optional("At least one series matches.")
    attribute: list[AttributeMatch] | None = optional(
        "Any DICOM attribute at study level by keyword, tag or path, private ones included."
    )
    consent: ConsentFilter | None = optional("The patient's consents match.")
    cohort: strawberry.ID | None = optional(
        "The study is in this version of a cohort; of a cohort's id: in its newest one. Archives that the version "
        "did not ask as you see them are SKIPPED. In lists and statistics at the root of a query."
    )
    text: str | None = optional(
        "Free text over descriptions, body parts, protocol names of the study and its series. " + _TEXT
    )


@strawberry.input(description="Which series: all given conditions hold.")
class SeriesFilter:
    and_: list["SeriesFilter"] | None = optional(_AND, "and")
    or_: list["SeriesFilter"] | None = optional(_OR, "or")
    not_: "SeriesFilter | None" = optional(_NOT, "not")
    series_instance_uid: UidMatch | None = _of("SeriesInstanceUID")
    modality: StringMatch | None = _of("Modality")
    series_description: StringMatch | None = _of("SeriesDescription")
    modality_code: CodeMatch | None = _coded(Coded.MODALITY)
    body_part_examined: StringMatch | None = _of("BodyPartExamined")
    body_part_code: CodeMatch | None = _coded(Coded.BODY_PART)
    laterality_code: CodeMatch | None = _coded(Coded.LATERALITY)
    protocol_name: StringMatch | None = _of("ProtocolName")
    manufacturer: StringMatch | None = _of("Manufacturer")
    manufacturer_model_name: StringMatch | None = _of("ManufacturerModelName")
    series_date: DateRange | None = _of("SeriesDate")
    number_of_series_related_instances: IntRange | None = _of("NumberOfSeriesRelatedInstances")
    study: StudyFilter | None = optional("The study matches.")
    instance: "InstanceFilter | None" = optional("At least one instance matches.")
    text: str | None = optional("Free text over description, body part and protocol name. " + _TEXT)
    attribute: list[AttributeMatch] | None = optional(
        "Any DICOM attribute at series level by keyword, tag or path, private ones included."
    )


@strawberry.input(description="Which instances: all given conditions hold.")
class InstanceFilter:
    and_: list["InstanceFilter"] | None = optional(_AND, "and")
    or_: list["InstanceFilter"] | None = optional(_OR, "or")
    not_: "InstanceFilter | None" = optional(_NOT, "not")
    sop_instance_uid: UidMatch | None = _of("SOPInstanceUID")
    sop_class_uid: UidMatch | None = _of("SOPClassUID")
    instance_number: IntRange | None = _of("InstanceNumber")
    rows: IntRange | None = _of("Rows")
    columns: IntRange | None = _of("Columns")
    number_of_frames: IntRange | None = _of("NumberOfFrames")
    series: SeriesFilter | None = optional("The series matches.")
    attribute: list[AttributeMatch] | None = optional(
        "Any DICOM attribute at instance level by keyword, tag or path, private ones included."
    )


Filter = StudyFilter | SeriesFilter | InstanceFilter

_LEVELS: dict[type[Filter], Level] = {
    StudyFilter: Level.STUDY,
    SeriesFilter: Level.SERIES,
    InstanceFilter: Level.INSTANCE,
}


def condition_of(given: Filter | None) -> Condition:
    """The condition tree of a filter argument. Raises BadInput naming what cannot be used."""
    if given is None:
        return EVERYTHING
    condition = _condition(given, 1, "filter")
    check_size(condition)
    return condition


def _condition(given: Filter, depth: int, where: str) -> Condition:
    if depth > MAX_DEPTH:
        raise BadInput(f"filter: nested deeper than {MAX_DEPTH} levels; flatten it.")
    level = _LEVELS[type(given)]
    parts: list[Condition] = []
    for definition, value in given_fields(given, where):
        at = f"{where}.{definition.graphql_name or to_camel_case(definition.python_name)}"
        match definition.python_name:
            case "and_":
                parts.append(AllOf(_each(value, depth, at)))
            case "or_":
                parts.append(AnyOf(_each(value, depth, at)))
            case "not_":
                parts.append(Not(_condition(value, depth + 1, at)))
            case "study" | "series" | "instance" as other:
                parts.append(Related(Level(other), _condition(value, depth + 1, at)))
            case "attribute":
                parts.extend(attribute_tests(level, value, at))
            case "consent":
                parts.extend(_consents(value, at))
            case "cohort":
                parts.append(CohortTest(str(checked("cohort", str(value)))))
            case "text":
                parts.append(parse_text(str(checked("text", value))))
            case _ if (of := definition.metadata.get("coded")) is not None:
                parts.append(code_condition(level, of, value, at))
            case _:
                parts.extend(tests_of(definition.metadata["keyword"], value, at))
    return all_of(parts) if parts else EVERYTHING


def _each(given: Sequence[Filter], depth: int, where: str) -> tuple[Condition, ...]:
    return tuple(_condition(child, depth + 1, f"{where}[{number}]") for number, child in enumerate(given))


def _consents(given: ConsentFilter, where: str) -> list[Condition]:
    return [
        ConsentTest(consent) if wanted else Not(ConsentTest(consent))
        for definition, wanted in given_fields(given, where)
        for consent in [Consent(definition.python_name)]
    ]
