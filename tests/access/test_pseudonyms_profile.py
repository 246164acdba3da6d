"""The rules against Table E.1-1: what it says of named attributes and what ernfed makes of them."""

import pytest
from pydicom.datadict import dictionary_keyword, tag_for_keyword

from access.descriptor_words import WORDS
from access.profile import Options, Treatment, compiled, treatment
from access.profile_table import BY_TAG, EDITION, ROWS

DEFAULT = Options()

# keyword, the table's basic action and options (u UIDs, d device, p patient, t dates, c descriptors; capitals
# where the option cleans the identity of devices or patients), and what ernfed does by default.
EXPECTED = """
PatientName Z - EMPTY
PatientID Z/D - PATIENT_ID
IssuerOfPatientID X - REMOVE
PatientBirthDate Z - EMPTY
PatientBirthTime X - REMOVE
PatientSex Z p KEEP
PatientAge X p AGE_BAND
PatientSize X p KEEP
PatientWeight X p KEEP
PatientAddress X - REMOVE
PatientTelephoneNumbers X - REMOVE
PatientMotherBirthName X - REMOVE
PatientReligiousPreference X - REMOVE
PatientComments X c REMOVE
OtherPatientIDs X - REMOVE
OtherPatientIDsSequence X - REMOVE
OtherPatientNames X - REMOVE
EthnicGroup X p REMOVE
Occupation X c REMOVE
MilitaryRank X - REMOVE
Allergies X Pc REMOVE
LastMenstrualDate X t REMOVE
AdditionalPatientHistory X c REMOVE
ResponsiblePerson X - REMOVE
StudyInstanceUID U u UID
SeriesInstanceUID U u UID
SOPInstanceUID U u UID
FrameOfReferenceUID U u UID
ReferencedSOPInstanceUID U u UID
ReferencedImageSequence X/Z/U* u ITEMS
SourceImageSequence X/Z/U* u ITEMS
ReferencedStudySequence X/Z u REMOVE
StudyDate Z t SHIFT
StudyTime Z t SHIFT
SeriesDate X/D t SHIFT
AcquisitionDate X/Z t SHIFT
AcquisitionDateTime X/Z/D t SHIFT
ContentDate Z/D t SHIFT
InstanceCreationDate X/D t SHIFT
ContextGroupVersion D t REMOVE
DateOfLastCalibration X dt REMOVE
TimezoneOffsetFromUTC X t REMOVE
AccessionNumber Z - ACCESSION
StudyID Z - EMPTY
StudyDescription X c REMOVE
SeriesDescription X c REMOVE
ProtocolName X/D c REMOVE
ImageComments X c REMOVE
RequestedProcedureDescription X/Z c REMOVE
AdmittingDiagnosesDescription X c REMOVE
RequestAttributesSequence X c REMOVE
ReferringPhysicianName Z - EMPTY
PerformingPhysicianName X - REMOVE
NameOfPhysiciansReadingStudy X - REMOVE
OperatorsName X/Z/D - REMOVE
InstitutionName X/Z/D - REMOVE
InstitutionAddress X - REMOVE
InstitutionCodeSequence X/Z/D - REMOVE
StationName X/Z/D d REMOVE
DeviceSerialNumber X/Z/D d REMOVE
DeviceUID U du UID
DetectorID X/D d REMOVE
RetrieveAETitle X D REMOVE
PersonName D - REMOVE
ContentSequence D - REMOVE
EncapsulatedDocument D - REMOVE
OriginalAttributesSequence X - REMOVE
IconImageSequence X - REMOVE
ClinicalTrialSubjectID D - REMOVE
GPSLatitude X - REMOVE
CurveDate X t SHIFT
"""

# Not in the table, so the standard would keep them all; ernfed keeps what holds no free text.
UNLISTED = """
Modality KEEP
ModalitiesInStudy KEEP
BodyPartExamined KEEP
Laterality KEEP
SeriesNumber KEEP
InstanceNumber KEEP
Rows KEEP
PixelSpacing KEEP
SliceThickness KEEP
NumberOfStudyRelatedSeries KEEP
Manufacturer KEEP
ManufacturerModelName KEEP
SOPClassUID UID
AvailableTransferSyntaxUID UID
ProcedureCodeSequence ITEMS
AnatomicRegionSequence ITEMS
CodeValue CODE
CodeMeaning CODE
SoftwareVersions REMOVE
SequenceName REMOVE
TextValue REMOVE
RetrieveURL REMOVE
PixelData REMOVE
IssuerOfAccessionNumberSequence ITEMS
LocalNamespaceEntityID REMOVE
PatientSpeciesDescription REMOVE
"""


def tag_of(keyword: str) -> str:
    number = tag_for_keyword(keyword)
    assert number is not None, keyword
    return f"{number:08X}"


def options_of(tag: str) -> str:
    row = BY_TAG[tag]
    told = [
        {"K": "d", "C": "D", "-": ""}[row.device],
        {"K": "p", "C": "P", "-": ""}[row.patient],
        {"C": "t", "-": ""}[row.dates],
        {"C": "c", "-": ""}[row.descriptors],
        {"K": "u", "-": ""}[row.uids],
    ]
    return "".join(told) or "-"


@pytest.mark.parametrize("line", EXPECTED.strip().splitlines())
def test_listed(line: str) -> None:
    keyword, basic, options, made = line.split()
    tag = tag_of(keyword)
    assert (BY_TAG[tag].basic, options_of(tag)) == (basic, options)
    assert treatment(tag, DEFAULT).name == made


@pytest.mark.parametrize("line", UNLISTED.strip().splitlines())
def test_unlisted(line: str) -> None:
    keyword, made = line.split()
    assert tag_of(keyword) not in BY_TAG
    assert treatment(tag_of(keyword), DEFAULT).name == made


def test_the_table() -> None:
    assert EDITION == "PS3.15 2026d"
    assert len(ROWS) == len(BY_TAG) == 657
    actions = {"D", "Z", "X", "U", "Z/D", "X/Z", "X/D", "X/Z/D", "X/Z/U*"}
    for row in ROWS:
        assert row.basic in actions, row
        assert row.uids in "K-"
        assert row.device in "KC-"
        assert row.patient in "KC-"
        assert row.dates in "C-"
        assert row.descriptors in "C-"
        number = tag_for_keyword(row.keyword)
        assert number is None or f"{number:08X}" == row.tag, row


def test_never_laxer_than_the_table() -> None:
    """What the table removes stays only by an option that is on, as a new UID, or as a pseudonym."""
    for tag, (chosen, _) in compiled(DEFAULT).items():
        row = BY_TAG.get(tag)
        if row is None:
            continue
        if chosen in (Treatment.KEEP, Treatment.AGE_BAND):
            assert row.patient == "K" or row.device == "K", row
        elif chosen is Treatment.SHIFT:
            assert row.dates == "C", row
        elif chosen is Treatment.ITEMS:
            assert row.basic == "X/Z/U*", row
        elif chosen is Treatment.UID:
            assert row.basic in ("U", "D"), row
        else:
            assert chosen in (Treatment.EMPTY, Treatment.PATIENT_ID, Treatment.ACCESSION), row
            assert "Z" in row.basic, row


def test_no_free_text_is_kept() -> None:
    for tag, (chosen, vr) in compiled(DEFAULT).items():
        if chosen is Treatment.KEEP and vr in ("LO", "SH", "ST", "LT", "UT", "UC", "UR", "PN", "AE"):
            assert dictionary_keyword(int(tag, 16)) in {
                "Manufacturer",
                "ManufacturerModelName",
            }
        if chosen is not Treatment.CODE:  # URNCodeValue
            assert vr != "UR"
        assert vr not in ("OB", "OW", "OF", "OD", "OL", "OV", "UN", "AE", "OB or OW")


@pytest.mark.parametrize("tag", ["00091010", "50003000", "60003000", "7FE10010", "", "0010001a", "00104711"])
def test_private_repeating_and_unknown(tag: str) -> None:
    assert treatment(tag, DEFAULT) is Treatment.REMOVE


def test_words_are_no_vr_padding() -> None:
    assert all(word == word.upper() and word.isalnum() for word in WORDS)
