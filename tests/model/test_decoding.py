"""Text that a server did not decode: which is suspect, what of a name is left out of the index, what is kept."""

from typing import Any

import orjson
import pytest

from model.attributes import Level
from model.dicom_json import parse_row
from model.records import STUDY_COLUMNS, Record
from tests.rows import study

RAW = {"Alphabetic": "Yamada^Tarou", "Ideographic": "\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B"}
STRIPPED = {"Alphabetic": "ﾔﾏﾀﾞ^ﾀﾛｳ", "Ideographic": ";3ED^B@O:", "Phonetic": "$d$^$@^$?$m$&"}
WELL = {"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎", "Phonetic": "やまだ^たろう"}


def record(tag: str, value: object, vr: str = "PN") -> Record:
    made = parse_row(Level.STUDY, study("1.2.3") | {tag: {"vr": vr, "Value": [value]}})
    assert isinstance(made, Record)
    return made


def column(made: Record, keyword: str) -> Any:
    return made.values[[one.keyword for one in STUDY_COLUMNS].index(keyword)]


@pytest.mark.parametrize(
    ("name", "kept", "suspect"),
    [
        (WELL, "Yamada^Tarou=山田^太郎=やまだ^たろう", False),
        (RAW, "Yamada^Tarou", True),
        (STRIPPED, "ﾔﾏﾀﾞ^ﾀﾛｳ", True),
        ({"Ideographic": RAW["Ideographic"]}, None, True),
        ({"Alphabetic": "\x1b$)CKim^Hong"}, None, True),
        ("Yamada=\x1b$B;3ED\x1b(B", "Yamada", True),
        ({"Alphabetic": "M\ufffdller^Ann"}, "M\ufffdller^Ann", True),
        ({"Alphabetic": "M\x81ller^Ann"}, "M\x81ller^Ann", True),
        (
            {"Alphabetic": "Wang^XiaoDong", "Ideographic": "王^小東", "Phonetic": ""},
            "Wang^XiaoDong=王^小東",
            False,
        ),
        ({"Alphabetic": "O'Neil^Zoë", "Ideographic": "O'Neil^Zoe"}, "O'Neil^Zoë=O'Neil^Zoe", False),
        ({"Alphabetic": "Smith^J. (2)"}, "Smith^J. (2)", False),
    ],
)
def test_names(name: object, kept: str | None, suspect: bool) -> None:
    made = record("00100010", name)
    assert column(made, "PatientName") == kept
    assert made.suspect == ("00100010" if suspect else "")
    assert orjson.loads(made.data)["00100010"]["Value"] == [name]  # nothing that an archive said is lost


@pytest.mark.parametrize(
    ("text", "suspect"),
    [
        ("CT Schädel", False),
        ("頭部", False),
        ("\x1b$B;3ED\x1b(B", True),
        ("\x1b[31mred", True),
        ("Sch\ufffddel", True),
        ("\\u001b", False),
    ],
)
def test_other_text_is_kept_and_flagged(text: str, suspect: bool) -> None:
    made = record("00081030", text, "LO")
    assert column(made, "StudyDescription") == text
    assert made.suspect == ("00081030" if suspect else "")


def test_every_suspect_tag_is_named_once_and_no_value() -> None:
    row = study("1.2.3") | {
        "00400275": {"vr": "SQ", "Value": [{"00400007": {"vr": "LO", "Value": ["\x1b$Bx"]}}]},
        "00100010": {"vr": "PN", "Value": [RAW, STRIPPED]},
    }
    made = parse_row(Level.STUDY, row)
    assert isinstance(made, Record)
    assert made.suspect == "00100010, 00400275"
