"""Generated data sets as pydicom has them, and the DICOM JSON of them as archives send it.

Deterministic by seed. Small vocabularies, so that filters find something; odd values, so that they stumble.
"""

import random
from dataclasses import dataclass, field
from typing import Any

from pydicom import DataElement, Dataset, Sequence
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.uid import UID

from model.attributes import Level

CREATORS = ("ACME 1.0", "SIEMENS MR HEADER", "Größe/1")
PRIVATE = {0x10: "LO", 0x11: "DS", 0x12: "SH", 0x0C: "IS"}

TEXTS = ["axial", "Axial T1", "AXIÁL*", "50%_x", "back\\slash", "ω ς Σ", "a", "T1", "x" * 16, " padded "]
NUMBERS = ["0", "1", "1.5", "-2.25", "1e3", "0.1", "65535", "3", "2.50", "-0"]
WHOLE = [0, 1, 2, 7, -3, 255]
DAYS = ["20200101", "20200229", "20191231", "20210615", "19991231"]
CLOCKS = ["10", "1030", "103015", "103015.5", "235959.999999", "000000", "1031"]
MOMENTS = [
    "2020", "202001", "20200101", "2020010110", "20200101103015.25", "20200101000000+0100", "20191231230000+0000",
    "20200229235959-0500",
]  # fmt: skip
NAMES = ["Müller^Hans", "Yamada^Tarou=山田^太郎=やまだ^たろう", "^Ann", "MULLER^Eva"]
UIDS = ["1.2.3", "1.2.3.4", "1.2.840.10008.5.1.4.1.1.4"]
AGES = ["045Y", "003M", "010D"]
TAGS = [0x00181063, 0x00080008]

_STUDIES = """
PatientSize PatientWeight PatientAge PatientComments EthnicGroup PatientBirthTime OtherPatientNames
LastMenstrualDate RequestAttributesSequence
"""
_INSTANCES = """
SliceThickness EchoTime PixelSpacing ImageType AcquisitionDateTime AcquisitionTime ContentDate
FrameTimeVector RecommendedDisplayFrameRateInFloat SelectorUVValue SelectorSVValue ReferencePixelX0
RecommendedDisplayFrameRate FrameIncrementPointer SmallestImagePixelValue DiffusionBValue
SharedFunctionalGroupsSequence SourceImageSequence ImageComments
"""
OF_STUDIES, OF_INSTANCES = _STUDIES.split(), _INSTANCES.split()
PATHS = [
    *(name for name in (*OF_STUDIES, *OF_INSTANCES) if not name.endswith("Sequence")),
    "RequestAttributesSequence.ScheduledProcedureStepID",
    "RequestAttributesSequence.RequestedProcedureCodeSequence.CodeValue",
    "SharedFunctionalGroupsSequence.PixelMeasuresSequence.SliceThickness",
    "SharedFunctionalGroupsSequence.PixelMeasuresSequence.PixelSpacing",
    "SourceImageSequence.ReferencedSOPInstanceUID",
    "00180050",
    "00400275.00400009",
    *(f"({creator})0029xx{element:02X}" for creator in CREATORS for element in PRIVATE),
    f"SourceImageSequence.({CREATORS[0]})0029xx10",
]


@dataclass(slots=True)
class Made:
    """One copy: its UIDs and data set; of a series also the representative's."""

    level: Level
    archive: int
    uids: dict[Level, str]
    data: Dataset
    representative: Dataset | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)


def copies(rng: random.Random, archives: int, studies: int) -> list[Made]:
    """Studies with their series and instances in one archive or two."""
    made = []
    for n in range(studies):
        for archive in rng.sample(range(archives), rng.choice([1, 1, 1, 2])):
            made.append(_copy(rng, archive, {Level.STUDY: f"1.5.{n}"}, OF_STUDIES))
            for k in range(2):
                uids = {Level.STUDY: f"1.5.{n}", Level.SERIES: f"1.5.{n}.{k}"}
                series = _copy(rng, archive, uids, [*OF_STUDIES, *OF_INSTANCES])
                series.representative = data_set(rng, OF_INSTANCES) if rng.random() < 0.7 else None
                made.append(series)
                sop = uids | {Level.INSTANCE: f"1.5.{n}.{k}.0"}
                made.append(_copy(rng, archive, sop, [*OF_STUDIES, *OF_INSTANCES]))
    return made


def _copy(rng: random.Random, archive: int, uids: dict[Level, str], keywords: list[str]) -> Made:
    level = list(uids)[-1]
    made = Made(level, archive, uids, data_set(rng, keywords))
    row = as_json(rng, made.data)
    for at, tag in zip(Level, ("0020000D", "0020000E", "00080018"), strict=True):
        if at in uids:
            row[tag] = {"vr": "UI", "Value": [uids[at]]}
    made.rows.append(row)
    return made


def data_set(rng: random.Random, keywords: list[str]) -> Dataset:
    """Some of these attributes, private ones among them, in one block or in a later one."""
    made = Dataset()
    for keyword in keywords:
        if rng.random() < 0.35:
            made.add(_element(rng, keyword))
    for creator in CREATORS:
        if rng.random() < 0.3:
            _add_private(rng, made, creator)
    return made


def _add_private(rng: random.Random, made: Dataset, creator: str) -> None:
    if rng.random() < 0.5:
        made.private_block(0x0029, "SOMEBODY ELSE", create=True).add_new(0x10, "LO", rng.choice(TEXTS[:4]))
    block = made.private_block(0x0029, creator, create=True)
    for element, vr in PRIVATE.items():
        if rng.random() < 0.6:
            pool: list[Any] = (
                NUMBERS if vr == "DS" else ["1", "12", "-3"] if vr == "IS" else ["1", "1.0", *TEXTS[:6]]
            )
            block.add_new(element, vr, rng.choice(pool).replace("\\", "/"))


def _element(rng: random.Random, keyword: str) -> DataElement:
    tag = tag_for_keyword(keyword)
    assert tag is not None
    vr = dictionary_VR(tag)
    match keyword:
        case "RequestAttributesSequence":
            items = [
                _item(rng, ["ScheduledProcedureStepID", "RequestedProcedureCodeSequence"]) for _ in range(2)
            ]
        case "RequestedProcedureCodeSequence":
            items = [_item(rng, ["CodeValue"])]
        case "SharedFunctionalGroupsSequence":
            items = [_item(rng, ["PixelMeasuresSequence"])]
        case "PixelMeasuresSequence":
            items = [_item(rng, ["SliceThickness", "PixelSpacing"]) for _ in range(rng.randint(0, 2))]
        case "SourceImageSequence":
            items = [_item(rng, ["ReferencedSOPInstanceUID"]) for _ in range(rng.randint(0, 3))]
            for item in items:
                if rng.random() < 0.5:
                    _add_private(rng, item, CREATORS[0])
        case _:
            return DataElement(tag, "SS" if vr == "US or SS" else vr, _value(rng, keyword, vr))
    return DataElement(tag, "SQ", Sequence(items))


def _item(rng: random.Random, keywords: list[str]) -> Dataset:
    made = Dataset()
    for keyword in keywords:
        if rng.random() < 0.7:
            made.add(_element(rng, keyword))
    return made


def _value(rng: random.Random, keyword: str, vr: str) -> Any:
    if rng.random() < 0.08:
        return None
    pools: dict[str, list[Any]] = {
        "DS": NUMBERS, "IS": WHOLE, "FL": [0.5, 1.5, -2.25, 1e20], "FD": [0.1, 1.5, 1e300, 3.0],
        "UV": [0, 2**63, 2**64 - 1, 7], "SV": [-(2**63), 7, 0], "SL": [-(2**31), 7, 0], "US or SS": [-5, 0, 7],
        "DA": DAYS, "TM": CLOCKS, "DT": MOMENTS, "PN": NAMES, "UI": [UID(each) for each in UIDS], "AS": AGES,
        "AT": TAGS, "CS": ["ORIGINAL", "PRIMARY", "AXIAL", "M_FFE"],
    }  # fmt: skip
    pool = pools.get(vr, TEXTS)
    if vr not in ("LT", "ST", "UT"):
        pool = [each.replace("\\", "/") if isinstance(each, str) else each for each in pool]
    is_many = keyword in (
        "PixelSpacing",
        "FrameTimeVector",
        "ImageType",
        "OtherPatientNames",
        "FrameIncrementPointer",
    )
    return [rng.choice(pool) for _ in range(rng.randint(1, 3))] if is_many else rng.choice(pool)


def as_json(rng: random.Random, made: Dataset) -> dict[str, Any]:
    """PS3.18 Annex F as archives write it: of numbers in DS and IS some as text, with padding."""
    row: dict[str, Any] = made.to_json_dict(suppress_invalid_tags=True)
    _loosen(rng, row)
    return row


def _loosen(rng: random.Random, row: dict[str, Any]) -> None:
    for element in row.values():
        values = element.get("Value")
        if element["vr"] == "SQ":
            for item in values or []:
                _loosen(rng, item)
        elif element["vr"] in ("DS", "IS") and values and rng.random() < 0.4:
            element["Value"] = [None if each is None else f" {each} " for each in values]
