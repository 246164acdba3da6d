"""Small valid DICOM objects, one function a kind. Nothing of who is on them: made_studies.py.

Values are the same at every run: UIDs are hashes of names, pixels are gradients. Modules as in PS3.3.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    CTImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    OphthalmicPhotography8BitImageStorage,
    OphthalmicTomographyImageStorage,
    RTDoseStorage,
    RTPlanStorage,
    RTStructureSetStorage,
    VLWholeSlideMicroscopyImageStorage,
    generate_uid,
)

SIZE = 16


def uid(*names: str | int) -> str:
    """The UID of a thing with this name; the same every time."""
    return str(generate_uid(entropy_srcs=["ernfed demo", *map(str, names)]))


@dataclass(frozen=True, slots=True)
class SamplePatient:
    """name is DICOM's (family^given); birth is YYYYMMDD."""

    id: str
    name: str
    birth: str
    sex: str


@dataclass(frozen=True, slots=True)
class SampleStudy:
    """`key` names it in UIDs; an empty `date` is an undated study."""

    key: str
    patient: SamplePatient
    date: str
    description: str
    institution: str
    referring: str = ""
    accession: str = ""

    @property
    def uid(self) -> str:
        """Its StudyInstanceUID."""
        return uid(self.key)

    def series_uid(self, series: str) -> str:
        """The SeriesInstanceUID of its series of this name."""
        return uid(self.key, series)

    def sop_uid(self, series: str, number: int = 1) -> str:
        """The SOPInstanceUID of an instance."""
        return uid(self.key, series, number)


def mr(
    study: SampleStudy, series: str, number: int, *, echo: float, repetition: float, order: int
) -> FileDataset:
    """A slice of an MR series; `series` is its description, too."""
    image = _image(study, series, number, MRImageStorage, "MR", order=order)
    image.ImageType = ["ORIGINAL", "PRIMARY", "M", "SE"]
    image.ScanningSequence, image.SequenceVariant, image.ScanOptions = "SE", "NONE", ""
    image.MRAcquisitionType, image.MagneticFieldStrength = "2D", 3
    image.EchoTime, image.RepetitionTime, image.EchoTrainLength = echo, repetition, 1
    image.BodyPartExamined, image.ProtocolName = "BRAIN", f"{series} AX"
    _plane(image, number)
    _private(
        image, 0x0043, "ERNFED DEMO", {0x01: ("LO", f"{series} series"), 0x02: ("DS", [echo, repetition])}
    )
    return image


def ct(
    study: SampleStudy, series: str, number: int, *, order: int, body_part: str, contrast: str = ""
) -> FileDataset:
    """A slice of a CT series with the request it answers."""
    image = _image(study, series, number, CTImageStorage, "CT", order=order, stored_bits=12)
    image.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    image.RescaleIntercept, image.RescaleSlope, image.RescaleType = -1024, 1, "HU"
    image.KVP, image.BodyPartExamined = 120, body_part
    if contrast:
        image.ContrastBolusAgent = contrast
    _plane(image, number)
    request = Dataset()
    request.RequestedProcedureID = f"RP-{study.accession}"
    request.RequestedProcedureDescription = study.description
    request.ScheduledProcedureStepID = f"SPS-{study.accession}-{order}"
    request.ScheduledProcedureStepDescription = series
    request.AccessionNumber = study.accession
    request.StudyInstanceUID = study.uid
    image.RequestAttributesSequence = Sequence([request])
    return image


def fundus(study: SampleStudy, series: str, number: int, *, laterality: str) -> FileDataset:
    """A colour photograph of one eye (OP)."""
    image = _image(study, series, number, OphthalmicPhotography8BitImageStorage, "OP", order=1, colour=True)
    image.ImageType = ["ORIGINAL", "PRIMARY", "", "COLOR"]
    image.ImageLaterality, image.Laterality = laterality, laterality
    image.PatientEyeMovementCommanded, image.PupilDilated, image.BurnedInAnnotation = "NO", "YES", "NO"
    image.AnatomicRegionSequence = Sequence([_code("5665001", "SCT", "Retina")])
    image.AcquisitionDeviceTypeCodeSequence = Sequence([_code("409898007", "SCT", "Fundus Camera")])
    return image


def tomography(study: SampleStudy, series: str, number: int, *, laterality: str) -> FileDataset:
    """Four B-scans of one eye (OPT), in an enhanced multi-frame object."""
    frames = 4
    image = _image(
        study, series, number, OphthalmicTomographyImageStorage, "OPT", order=2, frames=frames, stored_bits=8
    )
    image.ImageType = ["ORIGINAL", "PRIMARY"]
    image.ImageLaterality, image.ConcatenationFrameOffsetNumber = laterality, 0
    image.AcquisitionDateTime = f"{study.date}101500"
    image.AnatomicRegionSequence = Sequence([_code("5665001", "SCT", "Retina")])
    image.DimensionOrganizationSequence = Sequence([Dataset()])
    image.DimensionOrganizationSequence[0].DimensionOrganizationUID = uid(study.key, "dimensions")
    image.SharedFunctionalGroupsSequence = Sequence([Dataset()])
    measures = Dataset()
    measures.PixelSpacing, measures.SliceThickness = [0.01, 0.01], 0.1
    image.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence = Sequence([measures])
    image.PerFrameFunctionalGroupsSequence = Sequence()
    for frame in range(frames):
        group, content = Dataset(), Dataset()
        content.StackID, content.InStackPositionNumber = "1", frame + 1
        group.FrameContentSequence = Sequence([content])
        image.PerFrameFunctionalGroupsSequence.append(group)
    return image


def slide(study: SampleStudy, series: str, number: int, *, stain: str) -> FileDataset:
    """One tile of a whole slide (SM)."""
    image = _image(
        study, series, number, VLWholeSlideMicroscopyImageStorage, "SM", order=1, colour=True, frames=1
    )
    image.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    image.TotalPixelMatrixColumns = image.TotalPixelMatrixRows = SIZE
    image.TotalPixelMatrixFocalPlanes, image.NumberOfOpticalPaths = 1, 1
    image.ImagedVolumeWidth = image.ImagedVolumeHeight = 0.008
    image.ImagedVolumeDepth, image.DimensionOrganizationType = 0.001, "TILED_FULL"
    image.ContainerIdentifier, image.VolumetricProperties = f"{study.accession}-A1", "VOLUME"
    image.FocusMethod, image.ExtendedDepthOfField, image.BurnedInAnnotation = "AUTO", "NO", "NO"
    image.AcquisitionDateTime = f"{study.date}090000"
    specimen = Dataset()
    specimen.SpecimenIdentifier, specimen.SpecimenUID = (
        f"{study.accession}-A1-{stain}",
        uid(study.key, "specimen"),
    )
    specimen.SpecimenShortDescription = f"{stain} stain"
    image.SpecimenDescriptionSequence = Sequence([specimen])
    optics = Dataset()
    optics.OpticalPathIdentifier, optics.IlluminationColorCodeSequence = (
        "1",
        Sequence([_code("414298005", "SCT", "Full Spectrum")]),
    )
    image.OpticalPathSequence = Sequence([optics])
    return image


def structure_set(study: SampleStudy, series: str, *, of: str) -> FileDataset:
    """One contour, drawn on the series `of` (RTSTRUCT)."""
    made = _object(study, series, 1, RTStructureSetStorage, "RTSTRUCT", order=3)
    made.StructureSetLabel, made.StructureSetDate, made.StructureSetTime = "GTV", study.date, "110000"
    roi, contour, drawn = Dataset(), Dataset(), Dataset()
    roi.ROINumber, roi.ROIName, roi.ROIGenerationAlgorithm = 1, "GTV", "MANUAL"
    roi.ReferencedFrameOfReferenceUID = uid(study.key, "frame")
    drawn.ContourGeometricType, drawn.NumberOfContourPoints = "CLOSED_PLANAR", 3
    drawn.ContourData = [0, 0, 0, 5, 0, 0, 0, 5, 0]
    drawn.ContourImageSequence = Sequence([_reference(CTImageStorage, study.sop_uid(of))])
    contour.ReferencedROINumber, contour.ContourSequence = 1, Sequence([drawn])
    made.StructureSetROISequence, made.ROIContourSequence = Sequence([roi]), Sequence([contour])
    observation = Dataset()
    observation.ObservationNumber, observation.ReferencedROINumber = 1, 1
    observation.RTROIInterpretedType, observation.ROIInterpreter = "GTV", ""
    made.RTROIObservationsSequence = Sequence([observation])
    return made


def plan(study: SampleStudy, series: str, *, structures: str) -> FileDataset:
    """A radiotherapy plan of one beam (RTPLAN)."""
    made = _object(study, series, 1, RTPlanStorage, "RTPLAN", order=4)
    made.RTPlanLabel, made.RTPlanDate, made.RTPlanTime = "VMAT 1", study.date, "120000"
    made.RTPlanGeometry, made.PlanIntent = "PATIENT", "CURATIVE"
    made.ReferencedStructureSetSequence = Sequence(
        [_reference(RTStructureSetStorage, study.sop_uid(structures))]
    )
    group = Dataset()
    group.FractionGroupNumber, group.NumberOfFractionsPlanned = 1, 25
    group.NumberOfBeams, group.NumberOfBrachyApplicationSetups = 0, 0
    made.FractionGroupSequence = Sequence([group])
    return made


def dose(study: SampleStudy, series: str, *, plan: str) -> FileDataset:
    """A dose grid of four frames (RTDOSE)."""
    grid = _image(study, series, 1, RTDoseStorage, "RTDOSE", order=5, frames=4, stored_bits=16)
    grid.DoseUnits, grid.DoseType, grid.DoseSummationType = "GY", "PHYSICAL", "PLAN"
    grid.DoseGridScaling, grid.GridFrameOffsetVector = 0.001, [0, 1, 2, 3]
    grid.FrameIncrementPointer = 0x3004000C
    grid.ReferencedRTPlanSequence = Sequence([_reference(RTPlanStorage, study.sop_uid(plan))])
    _plane(grid, 1)
    return grid


def _object(
    study: SampleStudy, series: str, number: int, sop_class: str, modality: str, *, order: int
) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(sop_class)
    meta.MediaStorageSOPInstanceUID = UID(study.sop_uid(series, number))
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SOPClassUID, made.SOPInstanceUID = sop_class, study.sop_uid(series, number)
    made.StudyInstanceUID, made.SeriesInstanceUID = study.uid, study.series_uid(series)
    made.FrameOfReferenceUID, made.PositionReferenceIndicator = uid(study.key, "frame"), ""
    made.StudyDate = made.SeriesDate = made.ContentDate = study.date
    made.StudyTime = made.SeriesTime = made.ContentTime = "093000" if study.date else ""
    made.Modality, made.Manufacturer, made.ManufacturerModelName = modality, "ernfed", "demo"
    made.StudyDescription, made.SeriesDescription = study.description, series
    made.InstitutionName, made.ReferringPhysicianName = study.institution, study.referring
    made.AccessionNumber, made.StudyID = study.accession, study.key[:16]
    made.PatientName, made.PatientID = study.patient.name, study.patient.id
    made.PatientBirthDate, made.PatientSex = study.patient.birth, study.patient.sex
    made.SeriesNumber, made.InstanceNumber = order, number
    return made


def _image(
    study: SampleStudy,
    series: str,
    number: int,
    sop_class: str,
    modality: str,
    *,
    order: int,
    stored_bits: int = 16,
    colour: bool = False,
    frames: int | None = None,
) -> FileDataset:
    made = _object(study, series, number, sop_class, modality, order=order)
    bits = 8 if colour else stored_bits
    made.SamplesPerPixel = 3 if colour else 1
    made.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        made.PlanarConfiguration = 0
    if frames is not None:
        made.NumberOfFrames = frames
    made.Rows = made.Columns = SIZE
    made.BitsAllocated, made.BitsStored, made.HighBit = (8 if bits <= 8 else 16), bits, bits - 1
    made.PixelRepresentation = 0
    shape = ((frames or 1), SIZE, SIZE, made.SamplesPerPixel)
    values = np.arange(np.prod(shape), dtype=np.uint32) * (7 * number) % (1 << bits)
    made.PixelData = values.astype(np.uint8 if bits <= 8 else "<u2").reshape(shape).tobytes()
    return made


def _plane(image: Dataset, number: int) -> None:
    image.PixelSpacing, image.SliceThickness = [1, 1], 5
    image.ImagePositionPatient = [0, 0, 5 * (number - 1)]
    image.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]


def _private(image: Dataset, group: int, creator: str, elements: dict[int, tuple[str, Any]]) -> None:
    block = image.private_block(group, creator, create=True)
    for offset, (vr, value) in elements.items():
        block.add_new(offset, vr, value)


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


def _reference(sop_class: str, sop_uid: str) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = sop_class, sop_uid
    return reference
