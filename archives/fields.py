"""Attributes that a search asks for beyond those that every archive returns (PS3.18 tables 10.6.3-3 to -5).

Measured on Orthanc 1.10.1: each is given at its level, at no measurable cost a row; SpecificCharacterSet
must not be asked for (status 400), and TransferSyntax is not to be had by QIDO-RS there.
"""

from collections.abc import Iterable
from typing import Final

from archives.rows import Level
from model import attributes
from model.declared import Declared

_STUDY: Final = (
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ModalitiesInStudy",
    "ReferringPhysicianName",
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "PatientAge",
    "StudyID",
    "StudyDescription",
    "InstitutionName",
    "NumberOfStudyRelatedSeries",
    "NumberOfStudyRelatedInstances",
)

_SERIES: Final = (
    "StudyDate",
    "PatientID",
    "Modality",
    "SeriesNumber",
    "SeriesDescription",
    "SeriesDate",
    "SeriesTime",
    "BodyPartExamined",
    "Laterality",
    "ProtocolName",
    "Manufacturer",
    "ManufacturerModelName",
    "StationName",
    "InstitutionName",
    "NumberOfSeriesRelatedInstances",
)

_INSTANCE: Final = (
    "StudyDate",
    "PatientID",
    "Modality",
    "SOPClassUID",
    "AvailableTransferSyntaxUID",
    "InstanceNumber",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "BitsAllocated",
    "PhotometricInterpretation",
    "ImageType",
    "Laterality",
    "ContentDate",
    "ContentTime",
    "AcquisitionDate",
    "AcquisitionDateTime",
    "InstanceCreationDate",
)

FIELDS: Final[dict[Level, tuple[str, ...]]] = {
    "studies": _STUDY,
    "series": _SERIES,
    "instances": _INSTANCE,
}


def tags_of(declared: Iterable[Declared]) -> dict[Level, tuple[str, ...]]:
    """What an operator has declared, by tag: private and unknown attributes have no other name in a search. A private
    one lies in the first block that its creator could have, and its creator is asked for, too."""
    asked: dict[Level, dict[str, None]] = {"studies": {}, "series": {}, "instances": {}}
    for each in declared:
        level, step = _QIDO[each.level], each.path.steps[0]
        if step.creator is not None:
            asked[level] |= dict.fromkeys((f"{step.group}0010", f"{step.group}10{step.element}"))
        elif step.tag is not None and step.keyword not in FIELDS[level]:
            asked[level][step.tag] = None
    return {level: tuple(tags) for level, tags in asked.items() if tags}


_QIDO: Final[dict[attributes.Level, Level]] = {
    attributes.Level.STUDY: "studies",
    attributes.Level.SERIES: "series",
    attributes.Level.INSTANCE: "instances",
}

# Every answer of a search carries the UIDs of its rows.
_UIDS: Final = frozenset({"StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"})
_BY_LEVEL: Final = {
    attributes.Level.STUDY: _UIDS.union(_STUDY),
    attributes.Level.SERIES: _UIDS.union(_SERIES),
    attributes.Level.INSTANCE: _UIDS.union(_INSTANCE),
}


def returned_keywords(level: attributes.Level) -> frozenset[str]:
    """Keywords of the attributes that a search at this level brings."""
    return _BY_LEVEL[level]
