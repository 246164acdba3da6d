"""The order inputs of the three levels."""

from collections.abc import Sequence
from enum import Enum
from typing import Any

import strawberry

from db.lists.orders import Sort


def _value(name: str, description: str) -> Any:
    return strawberry.enum_value(name, description=description)


@strawberry.enum(description="Direction of an order; nulls come last in both.")
class OrderDirection(Enum):
    ASC = _value("ASC", "Smallest, earliest, A first.")
    DESC = _value("DESC", "Largest, latest, Z first.")


@strawberry.enum(description="What studies can be ordered by; ties go by StudyInstanceUID.")
class StudyOrderField(Enum):
    STUDY_DATE = _value("STUDY_DATE", "StudyDate.")
    PATIENT_NAME = _value("PATIENT_NAME", "PatientName, case and accents folded.")
    PATIENT_ID = _value("PATIENT_ID", "PatientID.")
    ACCESSION_NUMBER = _value("ACCESSION_NUMBER", "AccessionNumber.")
    STUDY_DESCRIPTION = _value("STUDY_DESCRIPTION", "StudyDescription, case and accents folded.")
    PATIENT_BIRTH_DATE = _value("PATIENT_BIRTH_DATE", "PatientBirthDate.")
    MODALITY = _value("MODALITY", "The first of ModalitiesInStudy, which are in the order of the alphabet.")
    NUMBER_OF_SERIES = _value("NUMBER_OF_SERIES", "NumberOfStudyRelatedSeries.")
    NUMBER_OF_INSTANCES = _value("NUMBER_OF_INSTANCES", "NumberOfStudyRelatedInstances.")
    SYNCED_AT = _value("SYNCED_AT", "When the index last saw a change of the study.")
    RELEVANCE = _value("RELEVANCE", "How well `fuzzy` or `text` of the filter matches; DESC is best first.")


@strawberry.enum(description="What series can be ordered by; ties go by SeriesInstanceUID.")
class SeriesOrderField(Enum):
    SERIES_NUMBER = _value("SERIES_NUMBER", "SeriesNumber.")
    SERIES_DATE = _value("SERIES_DATE", "SeriesDate.")
    MODALITY = _value("MODALITY", "Modality.")
    SERIES_DESCRIPTION = _value("SERIES_DESCRIPTION", "SeriesDescription, case and accents folded.")
    NUMBER_OF_INSTANCES = _value("NUMBER_OF_INSTANCES", "NumberOfSeriesRelatedInstances.")


@strawberry.enum(description="What instances can be ordered by; ties go by SOPInstanceUID.")
class InstanceOrderField(Enum):
    INSTANCE_NUMBER = _value("INSTANCE_NUMBER", "InstanceNumber.")
    SOP_INSTANCE_UID = _value("SOP_INSTANCE_UID", "SOPInstanceUID.")


def _direction() -> Any:
    return strawberry.field(description="Ascending or descending.", default=OrderDirection.ASC)


@strawberry.input(description="One key of an order of studies. Default order: STUDY_DATE DESC, undated last.")
class StudyOrder:
    field: StudyOrderField = strawberry.field(description="What to order by.")
    direction: OrderDirection = _direction()


@strawberry.input(description="One key of an order of series. Default order: SERIES_NUMBER ASC.")
class SeriesOrder:
    field: SeriesOrderField = strawberry.field(description="What to order by.")
    direction: OrderDirection = _direction()


@strawberry.input(description="One key of an order of instances. Default order: INSTANCE_NUMBER ASC.")
class InstanceOrder:
    field: InstanceOrderField = strawberry.field(description="What to order by.")
    direction: OrderDirection = _direction()


Order = StudyOrder | SeriesOrder | InstanceOrder


def sorts_of(given: Sequence[Order] | None) -> tuple[Sort, ...]:
    """The sort keys of an orderBy argument."""
    return tuple(Sort(key.field.value, key.direction is OrderDirection.DESC) for key in given or ())
