"""The DICOM files of the conformance suite: some that pydicom carries, and some built for hard cases."""

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
from pydicom import Dataset, dcmread

CARRIED = (
    "test_files/CT_small.dcm",
    "test_files/MR_small.dcm",
    "test_files/JPEG2000.dcm",
    "test_files/ExplVR_BigEnd.dcm",
    "test_files/rtplan.dcm",
    "test_files/SC_rgb_rle.dcm",
    "charset_files/chrGreek.dcm",
    "charset_files/chrRuss.dcm",
    "charset_files/chrX1.dcm",
)

ROOT = "1.2.826.0.1.3680043.10.1"
SPLIT, TWO_PATIENTS, UNDATED, GREEK, CYRILLIC, JAPANESE = (f"{ROOT}.{number}" for number in range(1, 7))
ODD_PATIENT_ID = "PAT 7^A,B"
NAMES = {
    GREEK: {"Alphabetic": "Παπαδόπουλος^Ελένη"},
    CYRILLIC: {"Alphabetic": "Достоевский^Фёдор"},
    JAPANESE: {"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎", "Phonetic": "やまだ^たろう"},
}


@cache
def carried() -> tuple[bytes, ...]:
    data = Path(pydicom.__file__).parent / "data"
    return tuple((data / name).read_bytes() for name in CARRIED)


def instance(study_uid: str, series: int = 1, number: int = 1, **values: Any) -> bytes:
    """A small CT image of its own study, series and number; `values` by DICOM keyword."""
    data_set = dcmread(BytesIO(carried()[0]))
    data_set.StudyInstanceUID = study_uid
    data_set.SeriesInstanceUID = f"{study_uid}.{series}"
    data_set.SOPInstanceUID = f"{study_uid}.{series}.{number}"
    data_set.file_meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
    data_set.PatientID = f"P{study_uid[-1]}"
    data_set.StudyDate = "20200315"
    data_set.SeriesNumber, data_set.InstanceNumber = series, number
    for keyword, value in values.items():
        setattr(data_set, keyword, value)
    return _bytes_of(data_set)


def _bytes_of(data_set: Dataset) -> bytes:
    written = BytesIO()
    data_set.save_as(written)
    return written.getvalue()


@cache
def built() -> tuple[bytes, ...]:
    return (
        instance(SPLIT, 1, 1, SeriesDescription="one", StudyDescription="two series"),
        instance(SPLIT, 1, 2, SeriesDescription="one", StudyDescription="two series"),
        instance(SPLIT, 2, 1, Modality="OT", SeriesDescription="two", StudyDescription="two series"),
        instance(TWO_PATIENTS, 1, 1, PatientID="TWIN-A"),
        instance(TWO_PATIENTS, 2, 1, PatientID="TWIN-B"),
        instance(UNDATED, StudyDate="", PatientID=ODD_PATIENT_ID),
        _named(GREEK, "ISO_IR 192", "Παπαδόπουλος^Ελένη", StudyDate="19991231"),
        _named(CYRILLIC, "ISO_IR 144", "Достоевский^Фёдор", StudyDate="20200101"),
        _named(JAPANESE, "ISO_IR 192", "Yamada^Tarou=山田^太郎=やまだ^たろう", StudyDate="20201231"),
    )


def _named(study_uid: str, charset: str, name: str, **values: Any) -> bytes:
    return instance(study_uid, SpecificCharacterSet=charset, PatientName=name, **values)


@cache
def everything() -> tuple[bytes, ...]:
    return carried() + built()


@cache
def truth() -> tuple[Dataset, ...]:
    """The headers as pydicom reads them."""
    return tuple(dcmread(BytesIO(content), stop_before_pixels=True) for content in everything())
