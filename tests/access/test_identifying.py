"""Which paths may identify: the attribute table, the profile and the filters must tell one story."""

import pytest
from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import dictionary_VR, keyword_for_tag

from access.identifying import path_is_identifying
from access.profile import Options, Treatment, treatment
from model.attributes import BY_KEYWORD
from model.paths import parse_path


@pytest.mark.parametrize(
    ("name", "identifying"),
    [
        ("Modality", False),
        ("00280010", False),
        ("SOPClassUID", False),
        ("SliceThickness", False),
        ("EchoTime", False),
        ("SharedFunctionalGroupsSequence.PixelMeasuresSequence.SliceThickness", False),
        ("StudyDate", True),
        ("StudyInstanceUID", True),
        ("PatientID", True),
        ("PatientName", True),
        ("PatientAge", True),
        ("PatientSize", True),
        ("StudyDescription", True),
        ("InstitutionName", True),
        ("DeviceSerialNumber", True),
        ("RequestAttributesSequence.Modality", True),  # the sequence is removed as a whole
        ("RequestAttributesSequence.ScheduledProcedureStepID", True),
        ("OtherPatientIDsSequence.TypeOfPatientID", True),
        ("(ACME 1.0)0029xx10", True),
        ("00104711", True),
    ],
)
def test_paths(name: str, identifying: bool) -> None:
    assert path_is_identifying(parse_path(name)) is identifying


def test_what_a_filter_may_look_at_is_kept_as_it_was() -> None:
    """Of the whole dictionary: pseudonymised rows hold what filters on them may name, unchanged."""
    open_to_filters = 0
    for number in DicomDictionary:
        keyword = keyword_for_tag(number)
        if not keyword or keyword in BY_KEYWORD or dictionary_VR(number) == "SQ":
            continue
        if not path_is_identifying(parse_path(keyword)):
            open_to_filters += 1
            assert treatment(f"{number:08X}", Options()) is Treatment.KEEP, keyword
    assert open_to_filters > 1000
