"""At which level an attribute lives, by the modules of PS3.3 that hold it: what coverage counts and docs say.

The attribute table decides for its rows; here is the rest. What neither names is of instances, as most are.
"""

from pydicom.datadict import tag_for_keyword

from model.attributes import BY_KEYWORD, Level
from model.paths import AttributePath

# General Study, Patient Study (C.7.2.1, C.7.2.2), and what else is the same in all of a study.
_STUDY = """
ReferencedStudySequence ProcedureCodeSequence PhysiciansOfRecord PhysiciansOfRecordIdentificationSequence
NameOfPhysiciansReadingStudy PhysiciansReadingStudyIdentificationSequence ConsultingPhysicianName
ConsultingPhysicianIdentificationSequence ReferringPhysicianIdentificationSequence
ReferringPhysicianAddress ReferringPhysicianTelephoneNumbers RequestingServiceCodeSequence
ReasonForPerformedProcedureCodeSequence AdmittingDiagnosesDescription AdmittingDiagnosesCodeSequence
ModalitiesInStudy SOPClassesInStudy IssuerOfAccessionNumberSequence
"""
# General Series, General Equipment, Frame of Reference (C.7.3.1, C.7.5.1, C.7.4.1).
_SERIES = """
SeriesDescriptionCodeSequence ReferencedPerformedProcedureStepSequence RelatedSeriesSequence
PerformedProcedureStepID PerformedProcedureStepStartDate PerformedProcedureStepStartTime
PerformedProcedureStepEndDate PerformedProcedureStepEndTime PerformedProcedureStepDescription
PerformedProtocolCodeSequence CommentsOnThePerformedProcedureStep RequestAttributesSequence
PerformingPhysicianName PerformingPhysicianIdentificationSequence OperatorsName
OperatorIdentificationSequence PatientPosition SmallestPixelValueInSeries LargestPixelValueInSeries
AnatomicalOrientationType TreatmentSessionUID InstitutionName InstitutionAddress
InstitutionalDepartmentName InstitutionalDepartmentTypeCodeSequence StationName DeviceSerialNumber
SoftwareVersions GantryID DeviceUID UDISequence SpatialResolution DateOfLastCalibration TimeOfLastCalibration
DateOfManufacture DateOfInstallation ClinicalTrialSeriesID ClinicalTrialSeriesDescription
FrameOfReferenceUID PositionReferenceIndicator SynchronizationFrameOfReferenceUID SynchronizationTrigger
"""
# Patient (0010), clinical trial subject and study (0012), order (0032), visit (0038).
_STUDY_GROUPS = ("0010", "0012", "0032", "0038")


def _tags(keywords: str) -> frozenset[str]:
    found = {keyword: tag_for_keyword(keyword) for keyword in keywords.split()}
    if unknown := [keyword for keyword, tag in found.items() if tag is None]:
        raise ValueError(f"not in PS3.6: {unknown}")
    return frozenset(f"{tag:08X}" for tag in found.values())


_TAGS = {
    tag: level
    for level, keywords in ((Level.STUDY, _STUDY), (Level.SERIES, _SERIES))
    for tag in _tags(keywords)
}
_TAGS |= {row.tag: row.level for row in BY_KEYWORD.values()}


def level_of_tag(tag: str) -> Level:
    """Of a public attribute GGGGEEEE."""
    if (level := _TAGS.get(tag)) is not None:
        return level
    return Level.STUDY if tag[:4] in _STUDY_GROUPS else Level.INSTANCE


def level_of(path: AttributePath) -> Level | None:
    """Of the attribute that a path begins with; None for a private one, which may stand anywhere."""
    tag = path.steps[0].tag
    return None if tag is None else level_of_tag(tag)
