"""Every DICOM file that pydicom carries, pseudonymised: what names a person or a thing is gone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pydicom
import pytest
from pydicom.datadict import dictionary_has_tag, dictionary_VR, tag_for_keyword

from access.kept_values import is_well_known_uid
from access.keyed_pseudonyms import Patient
from access.pseudonyms import Pseudonymiser
from model.dicom_json import first

FOLDER = Path(pydicom.__file__).parent / "data"
FILES = sorted(path for path in FOLDER.rglob("*") if path.suffix in (".dcm", "") and path.is_file())
PSEUDONYMISER = Pseudonymiser(b"a key of tests, of 32 bytes long", "ERN-EYE")
_KEYWORDS = """
PatientID AccessionNumber StudyID OtherPatientIDs DeviceSerialNumber StationName InstitutionName ProtocolName
StudyDescription SeriesDescription PatientBirthDate StudyDate SeriesDate AcquisitionDate ContentDate
PatientAddress InstitutionAddress RequestedProcedureID PerformedProcedureStepID
"""
PATIENT = Patient("the patient of this test", "")
IDENTIFIERS = [f"{tag_for_keyword(keyword):08X}" for keyword in _KEYWORDS.split()]
MANUFACTURER = "00080070"


def data_set(path: Path) -> dict[str, Any] | None:
    try:
        with pydicom.dcmread(path, force=True, defer_size=1024) as read:
            told = read.to_json_dict(bulk_data_threshold=64, bulk_data_element_handler=lambda _: "bulk")
            loaded: dict[str, Any] = orjson.loads(orjson.dumps(told))
            return loaded
    except Exception:
        return None  # files made to be unreadable


def told(data: Any) -> Iterator[tuple[str, Any]]:
    """(tag, value) of every element, at any depth."""
    for tag, element in data.items():
        for value in element.get("Value") or []:
            if isinstance(value, dict) and element.get("vr") == "SQ":
                yield from told(value)
            else:
                yield tag, value


def identities(data: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    for tag, value in told(data):
        vr = dictionary_VR(int(tag, 16)) if dictionary_has_tag(int(tag, 16)) else ""
        if isinstance(value, dict):
            found |= {part for text in value.values() for part in str(text).replace("=", "^").split("^")}
        elif vr == "UI" and not is_well_known_uid(value):
            found.add(value)
        elif tag in IDENTIFIERS:
            found.add(str(value))
    return {text for text in found if len(text.strip()) > 4}


READABLE = {str(path.relative_to(FOLDER)): data for path in FILES if (data := data_set(path)) is not None}


def test_there_are_files() -> None:
    assert len(READABLE) > 60
    assert sum(len(identities(data)) for data in READABLE.values()) > 400


@pytest.mark.parametrize("name", READABLE)
def test_no_identity_survives(name: str) -> None:
    data = READABLE[name]
    made = PSEUDONYMISER.row(data, patient=PATIENT)
    maker = str(first(data, MANUFACTURER))  # the files of a maker's own laboratory name it as the institution
    left = [(tag, str(value)) for tag, value in told(made)]
    for identity in identities(data):
        # A shift can move one date onto another one's value, never onto its own.
        date_tags = {tag for tag, value in told(data) if value == identity and len(identity) == 8}
        survivors = [tag for tag, text in left if identity in text and (not date_tags or tag in date_tags)]
        assert not survivors or identity in maker, name


@pytest.mark.parametrize("name", READABLE)
def test_only_well_known_uids_stay(name: str) -> None:
    made = PSEUDONYMISER.row(READABLE[name], patient=PATIENT)
    for tag, value in told(made):
        if dictionary_VR(int(tag, 16)) == "UI":
            assert value.startswith("2.25.") or is_well_known_uid(value)
        assert not isinstance(value, dict), f"{tag} is a person's name"
