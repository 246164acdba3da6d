"""Names of attributes: what each spelling means, and what is refused."""

import pytest

from model.errors import BadInput
from model.paths import AttributePath, Step, parse_path

PRIVATE = Step(None, None, None, "SIEMENS CSA HEADER", "0029", "10")
RAS = Step("00400275", "SQ", "RequestAttributesSequence")


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("PatientName", [Step("00100010", "PN", "PatientName")]),
        ("00100010", [Step("00100010", "PN", "PatientName")]),
        ("0020000d", [Step("0020000D", "UI", "StudyInstanceUID")]),
        ("00091001", [Step("00091001", None, None)]),
        ("99990001", [Step("99990001", None, None)]),
        ("(SIEMENS CSA HEADER)0029xx10", [PRIVATE]),
        ("(SIEMENS CSA HEADER)0029XX10", [PRIVATE]),
        ("(a.b c)00e1Xxff", [Step(None, None, None, "a.b c", "00E1", "FF")]),
        (
            "RequestAttributesSequence.ScheduledProcedureStepID",
            [RAS, Step("00400009", "SH", "ScheduledProcedureStepID")],
        ),
        ("00400275.00400009", [RAS, Step("00400009", "SH", "ScheduledProcedureStepID")]),
        ("RequestAttributesSequence.(SIEMENS CSA HEADER)0029xx10", [RAS, PRIVATE]),
        ("(SIEMENS CSA HEADER)0029xx10.00100010", [PRIVATE, Step("00100010", "PN", "PatientName")]),
        (".".join(["00400275"] * 8), [RAS] * 8),
    ],
)
def test_a_name_means_its_steps(name: str, steps: list[Step]) -> None:
    path = parse_path(name)
    assert path == AttributePath(name[:64], tuple(steps))
    assert path.last == steps[-1]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "expected a keyword"),
        ("x" * 513, "expected a keyword"),
        ("PatientNmae", "Did you mean PatientName"),
        ("patientname", "is not in the DICOM dictionary"),
        ("qqqqqqqqqq", "is not in the DICOM dictionary.$"),
        ("0010001", "is not in the DICOM dictionary"),
        ("0010,0010", "is not in the DICOM dictionary. Did you mean 00100010\\?$"),
        ("(0010,0010)", "is not in the DICOM dictionary. Did you mean 00100010\\?$"),
        ("PatientName\n", "is not in the DICOM dictionary"),
        ("StudyDate.", "is not a sequence|not in the DICOM dictionary"),
        (".StudyDate", "not in the DICOM dictionary"),
        ("StudyDate.PatientID", "StudyDate is not a sequence"),
        (".".join(["00400275"] * 9), "at most 8 steps"),
        ("(ACME)0028xx10", "0028 is even"),
        ("(ACME)0029xx1", "not in the DICOM dictionary"),
        ("(ACME)00291010", r"not in the DICOM dictionary. Did you mean \(ACME\)0029xx10\?"),
        ("()0029xx10", "not in the DICOM dictionary"),
        (f"({'a' * 65})0029xx10", "not in the DICOM dictionary"),
        ("StudyDate(", "do not belong there"),
        ("StudyDate)", "not in the DICOM dictionary|do not belong there"),
        ("(StudyDate", "do not belong there"),
        ("(a)0029xx10..00100010", "do not belong there"),
    ],
)
def test_what_is_no_name_is_refused(name: str, said: str) -> None:
    with pytest.raises(BadInput, match=said) as refused:
        parse_path(name)
    assert "x" * 65 not in refused.value.message
