"""The rules: what becomes of each attribute for a pseudonymised viewer, made from Table E.1-1.

An attribute that has no treatment is removed: private ones, the repeating groups 50xx and 60xx, everything
that PS3.6 does not know, and everything that no rule below keeps. Where a rule is stricter than the table it
says why; none is laxer. The transformation itself stands in pseudonyms.py.
"""

from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import tag_for_keyword

from access.profile_table import BY_TAG, ProfileRow
from model.paths import NUMERIC_VRS, TEMPORAL_VRS


class Treatment(Enum):
    """What is done with an attribute."""

    REMOVE = auto()
    EMPTY = auto()
    KEEP = auto()
    SHIFT = auto()
    UID = auto()
    PATIENT_ID = auto()
    ACCESSION = auto()
    AGE_BAND = auto()
    CODE = auto()
    WORDS = auto()
    ITEMS = auto()


@dataclass(frozen=True, slots=True)
class Options:
    """The options of PS3.15 E.3 that are applied; the defaults are what an ERN gets that says nothing."""

    patient_characteristics: bool = True
    device_identity: bool = True
    modified_dates: bool = True
    clean_descriptors: bool = False
    uids: bool = False
    exact_times: bool = False

    @property
    def text(self) -> str:
        """Short and stable, for DeidentificationMethod: 'basic+patient+device+dates'."""
        names = {
            "patient": self.patient_characteristics,
            "device": self.device_identity,
            "dates": self.modified_dates,
            "descriptors": self.clean_descriptors,
            "uids": self.uids,
            "times": self.exact_times,
        }
        return "+".join(["basic", *(name for name, on in names.items() if on)])


def _tags(keywords: str) -> frozenset[str]:
    found = {keyword: tag_for_keyword(keyword) for keyword in keywords.split()}
    if unknown := [keyword for keyword, tag in found.items() if tag is None]:
        raise ValueError(f"not in PS3.6: {unknown}")
    return frozenset(f"{tag:08X}" for tag in found.values())


# Groups that hold how an image was made, and neither who, where nor for which order. The others (0010 and
# 0012 patient and trial, 0032 and 0038 order and visit, 0042 documents, 0400 signatures, 2xxx print, 4xxx
# reports) keep only what is named below.
_TECHNICAL = """
0008 0016 0018 0020 0022 0024 0028 003A 0040 0046 0048 0050 0052 0054 0060 0062 0064 0066 0068 0070
3002 3004 3006 3008 300A 300C 3010 5200
"""
TECHNICAL_GROUPS = frozenset(_TECHNICAL.split())

_STRUCTURED_VRS = NUMERIC_VRS | {"CS", "AT", "US or SS"}
_TEXT_VRS = frozenset({"LO", "SH", "ST", "LT", "UT", "UC"})

# Retain Patient Characteristics, as far as analysts need it. Age becomes a band. Ethnic group, pronouns,
# allergies and the free text of the option are left out: with rare diseases few people share them.
_PATIENT = _tags("PatientSex PatientSize PatientWeight PatientSexNeutered SmokingStatus PregnancyStatus")
_AGE = _tags("PatientAge")

# Retain Device Identity: the kind of machine, never which one. Serial numbers, station names, AE titles,
# device UIDs and software versions tell the hospital, so the option's K is not followed for them.
_DEVICE = _tags("Manufacturer ManufacturerModelName")

# Dates that are the same for many patients: whoever knows one of them in the clear reads every shift off it.
_SHARED_DATES = _tags(
    "ContextGroupVersion ContextGroupLocalVersion TemplateVersion TemplateLocalVersion "
    "HangingProtocolCreationDateTime EffectiveDateTime InformationIssueDateTime ProductExpirationDateTime "
    "EthicsCommitteeApprovalEffectivenessStartDate EthicsCommitteeApprovalEffectivenessEndDate "
    "SourceStrengthReferenceDate SourceStrengthReferenceTime InstanceCoercionDateTime ContributionDateTime "
    "AttributeModificationDateTime DigitalSignatureDateTime SOPAuthorizationDateTime CertifiedTimestamp "
    "SelectorDAValue SelectorDTValue SelectorTMValue CreationDate CreationTime"
)
# Never needed to place an examination in time, and telling more than a date.
_INTIMATE_DATES = _tags("LastMenstrualDate GPSDateStamp")

_CODES = _tags("CodeValue LongCodeValue URNCodeValue CodeMeaning CodingSchemeDesignator CodingSchemeVersion")
# Sequences of references: the instances in them get their new UIDs (U of X/Z/U*).
_REFERENCES = _tags("ReferencedImageSequence SourceImageSequence")
_NAMED = {
    **dict.fromkeys(_tags("PatientID"), Treatment.PATIENT_ID),
    **dict.fromkeys(_tags("AccessionNumber"), Treatment.ACCESSION),
    **dict.fromkeys(_REFERENCES, Treatment.ITEMS),
    **dict.fromkeys(_CODES, Treatment.CODE),
}


def treatment(tag: str, options: Options) -> Treatment:
    """Of a public attribute GGGGEEEE; REMOVE for all that is unknown, private or malformed."""
    return compiled(options).get(tag, (Treatment.REMOVE, ""))[0]


@lru_cache(maxsize=16)
def compiled(options: Options) -> dict[str, tuple[Treatment, str]]:
    """tag → (treatment, VR) of every attribute that leaves something in the result."""
    plan: dict[str, tuple[Treatment, str]] = {}
    for number, (vr, *_) in DicomDictionary.items():
        tag = f"{number:08X}"
        chosen = _chosen(tag, vr, options)
        if chosen is not Treatment.REMOVE:
            plan[tag] = (chosen, vr)
    return plan


def _chosen(tag: str, vr: str, options: Options) -> Treatment:
    if tag in _NAMED:
        return _NAMED[tag]
    if tag in _AGE:
        return Treatment.AGE_BAND if options.patient_characteristics else Treatment.REMOVE
    if tag in _PATIENT and options.patient_characteristics:
        return Treatment.KEEP
    if tag in _DEVICE:
        return Treatment.KEEP if options.device_identity else Treatment.REMOVE
    row = BY_TAG.get(tag)
    return _unlisted(tag, vr) if row is None else _listed(row, vr, options)


def _listed(row: ProfileRow, vr: str, options: Options) -> Treatment:
    """An attribute of the table.

    An index row is no instance of an IOD, so nothing obliges it to hold a value: D and the X of X/Z, X/D and
    X/Z/D remove, Z and Z/D leave the attribute empty.
    """
    if vr == "UI" and row.basic in ("U", "D"):
        return Treatment.UID
    if row.dates == "C" and options.modified_dates and vr in TEMPORAL_VRS:
        shared = row.tag in _SHARED_DATES or row.device != "-" or row.tag in _INTIMATE_DATES
        return Treatment.REMOVE if shared else Treatment.SHIFT
    if row.descriptors == "C" and options.clean_descriptors and vr in _TEXT_VRS:
        return Treatment.WORDS
    return Treatment.EMPTY if row.basic in ("Z", "Z/D") and vr != "SQ" else Treatment.REMOVE


def _unlisted(tag: str, vr: str) -> Treatment:
    """The table would keep these; ernfed keeps what cannot hold a sentence: numbers, codes, references."""
    if tag[:4] not in TECHNICAL_GROUPS:
        return Treatment.REMOVE
    if vr == "SQ":
        return Treatment.ITEMS
    if vr == "UI":
        return Treatment.UID
    return Treatment.KEEP if vr in _STRUCTURED_VRS else Treatment.REMOVE
