"""Odd DICOM JSON: what it means as the standard writes it, what cannot be kept, and that nothing raises."""

from math import inf, nan
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.attributes import Level
from model.dicom_json import parse_row
from model.odd_json import DataSet, data_set_of, has_a_tag
from model.records import Record
from tests.rows import study

NAME = {"vr": "PN", "Value": [{"Alphabetic": "Doe^Jane"}]}


def el(vr: str, *values: Any) -> dict[str, Any]:
    return {"vr": vr, "Value": list(values)}


# (what an archive sends, what it means)
SAME_MEANING: dict[str, tuple[Any, Any]] = {
    # arrays
    "Value null": ({"00081030": {"vr": "LO", "Value": None}}, {"00081030": {"vr": "LO"}}),
    "a text instead of an array": ({"00080060": {"vr": "CS", "Value": "CT"}}, {"00080060": el("CS", "CT")}),
    "a number instead of an array": ({"00280010": {"vr": "US", "Value": 512}}, {"00280010": el("US", 512)}),
    "an empty array": ({"00081030": {"vr": "LO", "Value": []}}, {"00081030": {"vr": "LO"}}),
    "nulls where there may be one": ({"00080060": el("CS", None, "CT")}, {"00080060": el("CS", "CT")}),
    "nulls that keep a place": (
        {"00080008": el("CS", "A", None, "B", None)},
        {"00080008": el("CS", "A", None, "B")},
    ),
    "nulls only": ({"00080061": el("CS", None, None)}, {"00080061": {"vr": "CS"}}),
    "null items": (
        {"00081111": el("SQ", None, {"00080060": el("CS", "CT")})},
        {"00081111": el("SQ", {"00080060": el("CS", "CT")})},
    ),
    "one item instead of an array": (
        {"00081111": {"vr": "SQ", "Value": {"00080060": el("CS", "CT")}}},
        {"00081111": el("SQ", {"00080060": el("CS", "CT")})},
    ),
    "a value instead of an element": ({"00080060": "CT"}, {"00080060": el("CS", "CT")}),
    "null instead of an element": ({"00080060": None}, {"00080060": {"vr": "CS"}}),
    "value in small letters": ({"00080060": {"vr": "cs", "value": ["CT"]}}, {"00080060": el("CS", "CT")}),
    # names
    "a name as an object": (
        {"00100010": {"vr": "PN", "Value": {"Alphabetic": "Doe^Jane"}}},
        {"00100010": NAME},
    ),
    "a name as text": ({"00100010": {"vr": "PN", "Value": "Doe^Jane"}}, {"00100010": NAME}),
    "a name as text in an array": ({"00100010": el("PN", "Doe^Jane")}, {"00100010": NAME}),
    "groups of a name in one text": (
        {"00100010": el("PN", "A=B=C")},
        {"00100010": el("PN", {"Alphabetic": "A", "Ideographic": "B", "Phonetic": "C"})},
    ),
    "groups in small letters": (
        {"00100010": el("PN", {"alphabetic": "Doe^Jane", "phonetic": None})},
        {"00100010": NAME},
    ),
    "a number as a name": ({"00100010": el("PN", 12)}, {"00100010": el("PN", {"Alphabetic": "12"})}),
    "several names in one text": (
        {"00081070": el("PN", "A^B\\C^D")},
        {"00081070": el("PN", {"Alphabetic": "A^B"}, {"Alphabetic": "C^D"})},
    ),
    "an object where the VR is a text": (
        {"00080090": {"vr": "LO", "Value": [{"Alphabetic": "Doe"}]}},
        {"00080090": el("LO", "Doe")},
    ),
    # several values in one text
    "values in one text": ({"00080061": el("CS", "CT\\MR")}, {"00080061": el("CS", "CT", "MR")}),
    "values in one text, no array": (
        {"00080061": {"vr": "CS", "Value": "CT\\MR"}},
        {"00080061": el("CS", "CT", "MR")},
    ),
    "numbers in one text": ({"00280030": el("DS", "0.5\\0.25")}, {"00280030": el("DS", "0.5", "0.25")}),
    "an empty value in one text": (
        {"00080008": el("CS", "ORIGINAL\\\\AXIAL")},
        {"00080008": el("CS", "ORIGINAL", None, "AXIAL")},
    ),
    "a backslash in a text": (
        {"00104000": el("LT", "a\\b"), "0040A160": el("UT", "a\\b"), "00080081": el("ST", "a\\b")},
        None,
    ),
    "a backslash where there is one value": ({"00100020": el("LO", "A\\B")}, None),
    "a backslash in an escape sequence": ({"00081048": el("PN", "\x1b$B\\;\x1b(B")}, None),
    # tags
    "small letters": ({"0020000d": el("UI", "1.2")}, {"0020000D": el("UI", "1.2")}),
    "with a comma": (
        {"0020,000d": el("UI", "1.2"), "(0010,0020)": el("LO", "P")},
        {"0020000D": el("UI", "1.2"), "00100020": el("LO", "P")},
    ),
    "a keyword": ({"PatientID": el("LO", "P")}, {"00100020": el("LO", "P")}),
    # VRs
    "no VR": ({"00100010": {"Value": ["Doe^Jane"]}}, {"00100010": NAME}),
    "no VR that there is": ({"00100020": {"vr": 7, "Value": ["P"]}}, {"00100020": el("LO", "P")}),
    "UN of a known attribute": ({"00100020": el("UN", "P")}, {"00100020": el("LO", "P")}),
    "UN of an unknown one": ({"00091001": el("UN", "P", 5, 1.5)}, None),
    # numbers and text
    "a number as text": ({"00280010": el("US", " 512")}, {"00280010": el("US", 512)}),
    "a float as text": (
        {"00186011": {"vr": "SQ", "Value": [{"0018602C": el("FD", "0.25")}]}},
        {"00186011": el("SQ", {"0018602C": el("FD", 0.25)})},
    ),
    "IS and DS as text": ({"00200013": el("IS", "7"), "00180050": el("DS", "2.50")}, None),
    "text as a number": ({"00100020": el("LO", 1234567)}, {"00100020": el("LO", "1234567")}),
    "text as a float": (
        {"00100020": el("LO", 5.0), "00081030": el("LO", 2.5)},
        {"00100020": el("LO", "5"), "00081030": el("LO", "2.5")},
    ),
    "a date as a number": ({"00080020": el("DA", 20200101)}, {"00080020": el("DA", "20200101")}),
    "text as a boolean": ({"00281300": el("CS", True)}, {"00281300": el("CS", "true")}),
    # dates and times
    "an ISO date": ({"00080020": el("DA", "2020-01-02")}, {"00080020": el("DA", "20200102")}),
    "a date of ACR-NEMA": ({"00080020": el("DA", "2020.01.02")}, {"00080020": el("DA", "20200102")}),
    "a time with colons": ({"00080030": el("TM", "10:15:00.25")}, {"00080030": el("TM", "101500.25")}),
    "an ISO moment": (
        {"0008002A": el("DT", "2020-01-02T10:15:00+01:00")},
        {"0008002A": el("DT", "20200102101500+0100")},
    ),
    "an ISO moment in UTC": (
        {"0008002A": el("DT", "2020-01-02T10:15Z")},
        {"0008002A": el("DT", "202001021015+0000")},
    ),
    # what a VR forbids stays as it is
    "no date": ({"00080020": el("DA", "unknown", "2020-1-2", "1/2/2020")}, None),
    "a UID as a number": ({"0020000D": el("UI", 1.2)}, None),
    "bulk data": ({"7FE00010": {"vr": "OW", "BulkDataURI": "http://x"}}, None),
}


@pytest.mark.parametrize("name", SAME_MEANING)
def test_what_it_means(name: str) -> None:
    sent, meant = SAME_MEANING[name]
    made = data_set_of(sent)
    assert dict(made) == (sent if meant is None else meant)
    assert made.notes == {}
    assert dict(data_set_of(dict(made))) == dict(made)  # once is enough
    assert orjson.loads(orjson.dumps(made)) == made


@pytest.mark.parametrize(
    ("sent", "kept", "notes"),
    [
        (
            {"00101030": el("DS", nan)},
            {"00101030": {"vr": "DS"}},
            {"00101030": "left out: no number that there is"},
        ),
        (
            {"00280030": el("DS", 0.5, -inf, 0.25)},
            {"00280030": el("DS", 0.5, None, 0.25)},
            {"00280030": "left out: no number that there is"},
        ),
        (
            {"00081111": el("SQ", {"00101030": el("DS", inf), "00080060": el("CS", "CT")})},
            {"00081111": el("SQ", {"00101030": {"vr": "DS"}, "00080060": el("CS", "CT")})},
            {"00081111.00101030": "left out: no number that there is"},
        ),
        (
            {"_id": {"$oid": "5f"}, "00080060": el("CS", "CT")},
            {"00080060": el("CS", "CT")},
            {"": "left out: keys that are no tags"},
        ),
        (
            {"0020000D": el("UI", "1.2"), "0020000d": el("UI", "9")},
            {"0020000D": el("UI", "1.2")},
            {"0020000D": "left out: told twice"},
        ),
        (
            {"00180050": el("DS", "0,625")},
            {"00180050": el("DS", "0,625")},
            {"00180050": "no DS, kept as written"},
        ),
        (
            {"00280010": el("US", "many")},
            {"00280010": el("US", "many")},
            {"00280010": "no US, kept as written"},
        ),
        ({"00200013": el("IS", 1.5)}, {"00200013": el("IS", 1.5)}, {"00200013": "no IS, kept as written"}),
        (
            {"00200013": el("IS", "1.5")},
            {"00200013": el("IS", "1.5")},
            {"00200013": "no IS, kept as written"},
        ),
        (
            {"00080060": el("CS", ["CT"])},
            {"00080060": {"vr": "CS"}},
            {"00080060": "left out: an array in an array"},
        ),
        (
            {"00081111": el("SQ", "text")},
            {"00081111": {"vr": "SQ"}},
            {"00081111": "left out: no data set, in a sequence"},
        ),
        (
            {"00280010": el("US", True)},
            {"00280010": {"vr": "US"}},
            {"00280010": "left out: true or false instead of a number"},
        ),
        (
            {"00100020": el("LO", 1e24)},
            {"00100020": {"vr": "LO"}},
            {"00100020": "left out: a number of too many digits"},
        ),
        ({"00100020": el("LO", {"a": 1})}, {"00100020": {"vr": "LO"}}, {"00100020": "left out: no name"}),
    ],
)
def test_what_cannot_be_kept(sent: Any, kept: Any, notes: dict[str, str]) -> None:
    made = data_set_of(sent)
    assert dict(made) == kept
    assert made.notes == notes


def test_a_record_says_what_was_notes_and_no_value() -> None:
    record = parse_row(Level.STUDY, study("1.2") | {"00101030": el("DS", nan), "_id": "secret"})
    assert isinstance(record, Record)
    assert record.notes == "left out: keys that are no tags, 00101030 left out: no number that there is"
    assert "_id" not in record.data


def test_sequences_end_at_some_depth() -> None:
    nested: dict[str, Any] = {"00080060": el("CS", "CT")}
    for _ in range(100):
        nested = {"00081111": el("SQ", nested)}
    made = data_set_of(nested)
    (where,) = made.notes
    assert where.count(".") == 31


def test_a_data_set_that_is_right_is_looked_at_once() -> None:
    made = data_set_of(study("1.2"))
    assert isinstance(made, DataSet)
    assert data_set_of(made) is made


@pytest.mark.parametrize("row", [{}, {"0020000D": {}}, {"0020000d": 1}, {"x": 1, "PatientID": 2}])
def test_a_data_set(row: Any) -> None:
    assert has_a_tag(row)


@pytest.mark.parametrize(
    "row", [{"error": "no"}, {"Status": 500, "Message": "no"}, {"0020000": {}}, {"0020000DX": {}}]
)
def test_no_data_set(row: Any) -> None:
    assert not has_a_tag(row)


TEXT = st.text(max_size=12) | st.sampled_from(
    ["a\\b", "2020-01-01", "10:15", "1e999", "NaN", "A=B", "\x1b$B\\"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
TAGS = st.sampled_from(
    ["00080060", "00080061", "00100010", "00100020", "00081111", "00280030", "0020000d", "00080020"]
)
VRS = st.sampled_from(["CS", "PN", "LO", "SQ", "DS", "US", "FD", "DA", "UN", "OB", "UI", "xx", None])
ELEMENTS = JSON | st.fixed_dictionaries({"vr": VRS, "Value": JSON})


@given(st.dictionaries(TAGS | TEXT, ELEMENTS, max_size=5))
def test_nothing_raises_and_once_is_enough(row: dict[str, Any]) -> None:
    made = data_set_of(row)
    again = data_set_of(dict(made))
    assert dict(again) == dict(made)
    assert all("kept" in why for why in again.notes.values())
    for tag, element in made.items():
        assert len(tag) == 8
        assert tag == tag.upper()
        values = element.get("Value")
        assert values is None or (isinstance(values, list) and values and values[-1] is not None)
