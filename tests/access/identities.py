"""Made-up identities hidden everywhere in DICOM JSON, for tests that look for them in the result.

A canary is text that no other value holds. Dates lie ten years apart, further than any shift (±5 years) moves
one onto another.
"""

from typing import Any

from hypothesis import strategies as st
from pydicom.datadict import dictionary_VR, keyword_dict

from access.profile_table import BY_TAG

NAMES = ("Canarius^Zebedäus", "Quxmann^Wilhelmine^^Dr", "ヤマダ^タロウ")
TEXTS = ("CANARY-4711-X", "Kanarienvogel wohnt in Straßburg", "PID/8800.471", "canary@hospital.example")
DATES = ("19511231", "19620817", "19731104", "19850209", "19960630", "20070715", "20180930")
UIDS = ("1.3.999.4711.1", "1.3.999.4711.22", "2.25.998877665544332211", "1.2.840.113619.2.471100")
CANARIES = (*NAMES, *TEXTS, *DATES, *UIDS)

NUMBERS = (7, 512, 0.5, -3, "12", 471147114711)

# Where an identity may stand: listed in Table E.1-1, private, unknown to PS3.6, repeating or nested.
_LISTED = sorted(tag for tag in BY_TAG if len(tag) == 8 and "x" not in tag and "_" not in tag)
_ODD = [
    "00091001",
    "00290010",
    "7FE11001",
    "00110010",
    "5000300A",
    "60003000",
    "60004000",
    "0008FFFE",
    "FFFFFFFF",
]
_UNLISTED = ["00081032", "00082218", "00081115", "00181250", "00181020", "00080051", "00400260", "0040A043"]
_WRONG_KEYS = ["", "0010", "patientName", "0010001g", "0008103e", "00100010 "]
_NUMBER_TAGS = ["00200011", "00280010", "00180050", "00280106", "00189087", "0040A30A"]


def element(value: Any, vr: str) -> dict[str, Any]:
    return {"vr": vr, "Value": [value]}


def person(text: str) -> dict[str, str]:
    return {"Alphabetic": text, "Ideographic": text, "Phonetic": text}


canaries = st.sampled_from(CANARIES)
names = st.sampled_from(NAMES).map(person)
scalars = canaries | names | st.sampled_from(NUMBERS) | st.none() | st.booleans()
vrs = st.sampled_from(["PN", "LO", "DA", "UI", "CS", "IS", "SQ", "TM", "UN", "OB", "", 7, None])
tags = st.sampled_from(_LISTED + _ODD * 5 + _UNLISTED * 5 + _WRONG_KEYS + _NUMBER_TAGS * 4)


def _elements(items: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    good = st.builds(
        lambda vr, values: {"vr": vr, "Value": values}, vrs, st.lists(scalars | items, max_size=3)
    )
    bad = (
        canaries
        | st.none()
        | st.lists(canaries, max_size=2)
        | st.builds(lambda value: {"vr": "LO", "Value": value}, canaries)
        | st.builds(lambda value: {"Value": {"0": value}}, canaries)
        | st.builds(lambda value: {"vr": "OB", "InlineBinary": value, "BulkDataURI": value}, canaries)
    )
    return good | good | good | bad


data_sets: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.dictionaries(tags, _elements(st.nothing()), max_size=12),
    lambda items: st.dictionaries(tags, _elements(items), max_size=8),
    max_leaves=12,
)


def everything_listed(canary: str) -> dict[str, Any]:
    """Every attribute of the table and of PS3.6 that holds text, with one canary in each."""
    made: dict[str, Any] = {}
    for keyword, number in keyword_dict.items():
        tag = f"{number:08X}"
        vr = dictionary_VR(number)
        if vr == "SQ":
            made[tag] = {"vr": vr, "Value": [{"00100010": element(person(canary), "PN")}]}
        elif keyword not in KEPT_TEXTS:
            made[tag] = element(person(canary) if vr == "PN" else canary, vr)
    return made


KEPT_TEXTS = frozenset({"Manufacturer", "ManufacturerModelName"})
