"""Attributes that a search asks for beyond those that every archive returns (PS3.18 tables 10.6.3-3 to -5).

Measured on Orthanc 1.10.1: each is given at its level, at no measurable cost a row; SpecificCharacterSet
must not be asked for (status 400), and TransferSyntax is not to be had by QIDO-RS there.
"""

from typing import Final

from archives.rows import Level

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
