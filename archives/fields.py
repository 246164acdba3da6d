"""Attributes that a search asks for beyond those that every archive returns (PS3.18 tables 10.6.3-3 to -5).

Measured on Orthanc 1.10.1: each is given at its level, at no measurable cost a row; SpecificCharacterSet
must not be asked for (status 400), and TransferSyntax is not to be had by QIDO-RS there.
"""

from typing import Final

from archives.rows import Level
from model import attributes

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
