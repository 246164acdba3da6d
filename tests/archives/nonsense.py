"""What servers send instead of rows, beside rows, and instead of values: none of it is DICOM JSON."""

from typing import Any, Final

from tests.archives.faulty import Json

STUDY, SERIES, SOP = "0020000D", "0020000E", "00080018"
HUGE: Final = 10**400


def _ui(*values: Any) -> Json:
    return {"vr": "UI", "Value": list(values)}


def _deep(depth: int) -> Any:
    deep: Any = _ui("1.2")
    for _ in range(depth):
        deep = {"vr": "SQ", "Value": [{"00081110": deep}]}
    return deep


ROWS: Final[dict[str, Any]] = {
    "null": None,
    "true": True,
    "a number": 7,
    "a huge number": HUGE,
    "text": "<html><body>Please log in</body></html>",
    "a list": [],
    "a list of lists": [[[]], [{STUDY: _ui("1.2")}]],
    "an empty object": {},
    "an error": {"error": {"code": 500}, "Message": "no", "_id": 7},
    "words as keys": {"StudyInstanceUID": {"a": 1}, "": {}, "\u0660\u0660\u0662\u0660000D": _ui("1.2")},
    "an UID of null": {STUDY: None, SERIES: None, SOP: None},
    "an UID of a number": {STUDY: 1.2, SERIES: 7, SOP: HUGE},
    "an UID of an empty list": {tag: _ui() for tag in (STUDY, SERIES, SOP)},
    "an UID of lists": {tag: _ui(["1.2"], [["1.2"]]) for tag in (STUDY, SERIES, SOP)},
    "an UID of objects": {tag: _ui({"Alphabetic": 7}, {"vr": "UI"}) for tag in (STUDY, SERIES, SOP)},
    "an UID of true": {tag: _ui(True) for tag in (STUDY, SERIES, SOP)},
    "an UID in a sequence": {tag: {"vr": "SQ", "Value": [{tag: _ui("1.2")}]} for tag in (STUDY, SERIES, SOP)},
    "an UID that is a name": {
        tag: {"vr": "PN", "Value": [{"Alphabetic": "no uid here"}]} for tag in (STUDY, SERIES, SOP)
    },
    "an UID of bulk data": {
        tag: {"vr": "UI", "BulkDataURI": 7, "InlineBinary": {}} for tag in (STUDY, SERIES, SOP)
    },
    "an UID of half a character": {tag: _ui("1.2\ud800") for tag in (STUDY, SERIES, SOP)},
    "an UID of NUL": {tag: _ui("\0") for tag in (STUDY, SERIES, SOP)},
    "an UID that is long": {tag: _ui("9" * 100_000) for tag in (STUDY, SERIES, SOP)},
    "a VR that is none": {tag: {"vr": {"a": 7}, "Value": ["no uid"]} for tag in (STUDY, SERIES, SOP)},
    "depth": {STUDY: _deep(100), "00081110": _deep(100)},
}
"""Rows that are none."""

ELEMENTS: Final[dict[str, Any]] = {
    "00080020": {"vr": "DA", "Value": [[], {"a": 1}, 20200101.5, True]},
    "00080030": 7,
    "00080050": [],
    "00080060": {"vr": "CS", "Value": {"0": "CT"}},
    "00080061": {"vr": "SQ", "Value": ["CT", [["MR"]], None, {"00080060": "PT"}]},
    "00081030": {"vr": "UI", "Value": ["\ud800\0", HUGE, -HUGE, 1e308, {"b": []}]},
    "0008103E": {"Value": None, "value": [7], "VR": [], "BulkDataURI": {}},
    "00080090": {"vr": "PN", "Value": [[["Doe"]], {"Alphabetic": {"a": 1}}, {"x": "y"}, True]},
    "00100030": {"vr": "US", "Value": ["not a number", HUGE]},
    "00100040": {"vr": "zz", "Value": "\\\\\\"},
    "00101010": {"vr": "AS", "Value": [-(2**70)]},
    "00180015": True,
    "00180050": {"vr": "DS", "Value": ["1,5", HUGE, "9" * 5000, [1.5], None]},
    "00200011": {"vr": "IS", "Value": [HUGE, "x", {}]},
    "00200013": {"vr": "IS", "Value": "1\\2\\x"},
    "00201206": {"vr": "IS", "Value": [2**70]},
    "00201208": {"vr": "IS", "Value": ["-1"]},
    "00201209": {"vr": "IS", "Value": [1e300]},
    "00280010": {"vr": "US", "Value": [[1], "2", 3.5]},
    "00400275": {"vr": "SQ", "Value": [7, "x", None, [{}], {"0040": {}}, {"00400007": [[]]}]},
    "00091001": {"vr": "UN", "Value": [HUGE, {"a": [None]}, "\ud800"]},
    "00082112": _deep(60),
}
"""Elements of rows that are some."""
