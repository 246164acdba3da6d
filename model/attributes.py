"""The attribute table: which DICOM attributes the index holds in typed columns, at which level.

A new searchable attribute is one row here and a migration (docs/recipes/add-an-attribute.md).
Every other attribute stays reachable through the data set kept as DICOM JSON (paths.py).
Identifying: named by PS3.15 Table E.1-1 (Basic Profile) with an action other than keep.
"""

from dataclasses import dataclass
from enum import StrEnum

from pydicom.datadict import dictionary_VR, tag_for_keyword


class Level(StrEnum):
    """Information levels of the Study Root model (PS3.4 C.6.2); the value is the table's name."""

    STUDY = "study"
    SERIES = "series"
    INSTANCE = "instance"


class Kind(StrEnum):
    """How values of a VR compare."""

    TEXT = "text"
    UID = "uid"
    NAME = "name"
    DATE = "date"
    TIME = "time"
    INTEGER = "integer"
    LIST = "list"


_KINDS = {
    "PN": Kind.NAME,
    "UI": Kind.UID,
    "DA": Kind.DATE,
    "TM": Kind.TIME,
    "IS": Kind.INTEGER,
    "US": Kind.INTEGER,
}


@dataclass(frozen=True, slots=True)
class Attribute:
    """One row of the table. `column` is the typed column of the level's table."""

    keyword: str
    tag: str
    vr: str
    kind: Kind
    level: Level
    column: str
    identifying: bool


def _row(
    keyword: str, level: Level, column: str, *, identifying: bool = False, many: bool = False
) -> Attribute:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise ValueError(f"{keyword} is not a keyword of PS3.6")
    vr = dictionary_VR(tag)
    kind = Kind.LIST if many else _KINDS.get(vr, Kind.TEXT)
    return Attribute(keyword, f"{tag:08X}", vr, kind, level, column, identifying)


ATTRIBUTES: tuple[Attribute, ...] = (
    _row("StudyInstanceUID", Level.STUDY, "study_uid", identifying=True),
    _row("StudyDate", Level.STUDY, "study_date", identifying=True),
    _row("StudyTime", Level.STUDY, "study_time", identifying=True),
    _row("AccessionNumber", Level.STUDY, "accession_number", identifying=True),
    _row("StudyID", Level.STUDY, "study_id", identifying=True),
    _row("StudyDescription", Level.STUDY, "study_description", identifying=True),
    _row("ReferringPhysicianName", Level.STUDY, "referring_physician_name", identifying=True),
    _row("PatientID", Level.STUDY, "patient_id", identifying=True),
    _row("IssuerOfPatientID", Level.STUDY, "issuer_of_patient_id", identifying=True),
    _row("PatientName", Level.STUDY, "patient_name", identifying=True),
    _row("PatientBirthDate", Level.STUDY, "patient_birth_date", identifying=True),
    _row("PatientSex", Level.STUDY, "patient_sex", identifying=True),
    _row("ModalitiesInStudy", Level.STUDY, "modalities", many=True),
    _row("NumberOfStudyRelatedSeries", Level.STUDY, "number_of_series"),
    _row("NumberOfStudyRelatedInstances", Level.STUDY, "number_of_instances"),
    _row("SeriesInstanceUID", Level.SERIES, "series_uid", identifying=True),
    _row("Modality", Level.SERIES, "modality"),
    _row("SeriesNumber", Level.SERIES, "series_number"),
    _row("SeriesDate", Level.SERIES, "series_date", identifying=True),
    _row("SeriesTime", Level.SERIES, "series_time", identifying=True),
    _row("SeriesDescription", Level.SERIES, "series_description", identifying=True),
    _row("BodyPartExamined", Level.SERIES, "body_part_examined"),
    _row("Laterality", Level.SERIES, "laterality"),
    _row("ProtocolName", Level.SERIES, "protocol_name", identifying=True),
    _row("Manufacturer", Level.SERIES, "manufacturer"),
    _row("ManufacturerModelName", Level.SERIES, "manufacturer_model_name"),
    _row("NumberOfSeriesRelatedInstances", Level.SERIES, "number_of_instances"),
    _row("SOPInstanceUID", Level.INSTANCE, "sop_uid", identifying=True),
    _row("SOPClassUID", Level.INSTANCE, "sop_class_uid"),
    _row("InstanceNumber", Level.INSTANCE, "instance_number"),
    _row("Rows", Level.INSTANCE, "rows"),
    _row("Columns", Level.INSTANCE, "columns"),
    _row("NumberOfFrames", Level.INSTANCE, "number_of_frames"),
    _row("AvailableTransferSyntaxUID", Level.INSTANCE, "transfer_syntax_uid"),
)

BY_KEYWORD: dict[str, Attribute] = {row.keyword: row for row in ATTRIBUTES}

UNITED = frozenset(
    {
        "ModalitiesInStudy",
        "NumberOfStudyRelatedSeries",
        "NumberOfStudyRelatedInstances",
        "NumberOfSeriesRelatedInstances",
    }
)
"""What a node has of the union of its copies, and not as one of them says it."""

UID_COLUMN = {Level.STUDY: "study_uid", Level.SERIES: "series_uid", Level.INSTANCE: "sop_uid"}

Key = tuple[str, ...]
"""What names a node: the UIDs from the study down to its own. Two studies may have series of one UID."""

KEY_COLUMNS: dict[Level, tuple[str, ...]] = {
    Level.STUDY: ("study_uid",),
    Level.SERIES: ("study_uid", "series_uid"),
    Level.INSTANCE: ("study_uid", "series_uid", "sop_uid"),
}
"""The columns of a Key."""


def attribute(keyword: str) -> Attribute:
    """The row of a keyword that is known to be in the table. Raises KeyError."""
    return BY_KEYWORD[keyword]


def columns_of(level: Level) -> tuple[Attribute, ...]:
    """The level's attributes in table order."""
    return tuple(row for row in ATTRIBUTES if row.level is level)
