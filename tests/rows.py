"""DICOM JSON rows as archives answer them, from a few words; and the records of them."""

from collections.abc import Iterable
from typing import Any

from model.attributes import BY_KEYWORD, Level
from model.dicom_json import parse
from model.records import Record

Row = dict[str, Any]


def row(**values: object) -> Row:
    """Attributes by keyword; a list is several values, None leaves it out, a PN is its alphabetic group."""
    made: Row = {}
    for keyword, value in values.items():
        if value is None:
            continue
        attribute = BY_KEYWORD[keyword]
        listed = value if isinstance(value, list) else [value]
        made[attribute.tag] = {
            "vr": attribute.vr,
            "Value": [{"Alphabetic": one} if attribute.vr == "PN" else one for one in listed],
        }
    return made


def study(uid: str, **values: object) -> Row:
    return row(**{"StudyInstanceUID": uid, "PatientID": "P1", "StudyDate": "20200101"} | values)


def series(study_uid: str, uid: str, **values: object) -> Row:
    return row(**{"StudyInstanceUID": study_uid, "SeriesInstanceUID": uid, "Modality": "MR"} | values)


def instance(study_uid: str, series_uid: str, uid: str, **values: object) -> Row:
    told = {"StudyInstanceUID": study_uid, "SeriesInstanceUID": series_uid, "SOPInstanceUID": uid}
    return row(**told | values)


def records(level: Level, rows: Iterable[Row]) -> list[Record]:
    """Of rows that are all well."""
    made, rejected = parse(level, rows)
    assert rejected == []
    return made
