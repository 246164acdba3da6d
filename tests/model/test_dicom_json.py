"""DICOM JSON → records: what becomes of good values, wrong ones and rows that are none. Nothing raises."""

import re
from datetime import date, time
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.attributes import ATTRIBUTES, BY_KEYWORD, Level
from model.dicom_json import clean, parse, parse_date, parse_integer, parse_row, parse_time
from model.records import INSTANCE_COLUMNS, SERIES_COLUMNS, STUDY_COLUMNS, Record, Rejected
from tests.rows import instance, row, series, study

COLUMNS = {Level.STUDY: STUDY_COLUMNS, Level.SERIES: SERIES_COLUMNS, Level.INSTANCE: INSTANCE_COLUMNS}

# An escaped NUL, which jsonb refuses; a backslash before the letters u0000 is text, and stays.
NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def values(record: Record | Rejected) -> dict[str, Any]:
    assert isinstance(record, Record), record
    return {
        column.keyword: value
        for column, value in zip(COLUMNS[record.level], record.values, strict=True)
        if value not in (None, [])
    }


def one(keyword: str, element: object) -> Any:
    """What the column of an attribute becomes when its element is this."""
    attribute = BY_KEYWORD[keyword]
    made = {
        Level.STUDY: study("1.2", PatientID=None, StudyDate=None),
        Level.SERIES: series("1.2", "1.3", Modality=None),
        Level.INSTANCE: instance("1.2", "1.3", "1.4"),
    }[attribute.level]
    made[attribute.tag] = element
    return values(parse_row(attribute.level, made)).get(keyword)


def test_a_study() -> None:
    record = parse_row(
        Level.STUDY, study("1.2", PatientName="Müller^Hans", StudyTime="101500.25", StudyID=" 7 ")
    )
    assert values(record) == {
        "StudyInstanceUID": "1.2",
        "StudyDate": date(2020, 1, 1),
        "StudyTime": time(10, 15, 0, 250_000),
        "StudyID": "7",
        "PatientID": "P1",
        "PatientName": "Müller^Hans",
    }


def test_parents() -> None:
    record = parse_row(Level.INSTANCE, instance("1.2", "1.3", "1.4", Rows=512))
    assert isinstance(record, Record)
    assert (record.uid, record.study_uid, record.series_uid) == ("1.4", "1.2", "1.3")
    record = parse_row(Level.SERIES, series("1.2", "1.3"))
    assert isinstance(record, Record)
    assert (record.uid, record.study_uid, record.series_uid) == ("1.3", "1.2", "")


@pytest.mark.parametrize(
    ("keyword", "element", "expected"),
    [
        ("StudyDescription", {"Value": ["a", "b"]}, "a\\b"),
        ("StudyDescription", {"Value": [None, "b"]}, "b"),
        ("StudyDescription", {"Value": [5]}, "5"),
        ("StudyDescription", {"Value": ["nul \0 byte"]}, "nul  byte"),
        ("StudyDescription", {"Value": ["lone \ud800 surrogate"]}, "lone ? surrogate"),
        ("StudyDescription", {"Value": "no list"}, "no list"),
        ("StudyDescription", {"Value": {}}, None),
        ("StudyDescription", {"vr": "LO"}, None),
        ("StudyDescription", {"BulkDataURI": "http://x"}, None),
        ("StudyDescription", "no object", "no object"),
        ("StudyDescription", None, None),
        ("StudyDate", {"Value": ["20200229"]}, date(2020, 2, 29)),
        ("StudyDate", {"Value": ["2020.02.29"]}, date(2020, 2, 29)),
        ("StudyDate", {"Value": ["20210229"]}, None),
        ("StudyDate", {"Value": ["unknown"]}, None),
        ("StudyDate", {"Value": ["２０２００１０１"]}, None),
        ("StudyDate", {"Value": [20200229]}, date(2020, 2, 29)),
        ("StudyTime", {"Value": ["10"]}, time(10)),
        ("StudyTime", {"Value": ["10:15:30"]}, time(10, 15, 30)),
        ("StudyTime", {"Value": ["235960"]}, time(23, 59, 59)),
        ("StudyTime", {"Value": ["25"]}, None),
        ("PatientName", {"Value": [{"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎"}]},
         "Yamada^Tarou=山田^太郎"),
        ("PatientName", {"Value": [{"Phonetic": "やまだ^たろう"}]}, "==やまだ^たろう"),
        ("PatientName", {"Value": ["Plain^Text"]}, "Plain^Text"),
        ("PatientName", {"Value": [{}]}, None),
        ("PatientName", {"Value": [{"Alphabetic": 5}]}, "5"),
        ("PatientName", {"Value": [["nested"]]}, None),
        ("ModalitiesInStudy", {"Value": ["MR", "CT ", "", None, "MR", 4]}, ["4", "CT", "MR"]),
        ("NumberOfStudyRelatedSeries", {"Value": ["12"]}, 12),
        ("NumberOfStudyRelatedSeries", {"Value": [12.0]}, 12),
        ("NumberOfStudyRelatedSeries", {"Value": ["1e2"]}, 100),
        ("NumberOfStudyRelatedSeries", {"Value": [1.5]}, None),
        ("NumberOfStudyRelatedSeries", {"Value": [True]}, None),
        ("NumberOfStudyRelatedSeries", {"Value": ["many"]}, None),
        ("NumberOfStudyRelatedSeries", {"Value": [2**31]}, None),
        ("NumberOfStudyRelatedSeries", {"Value": ["1e999"]}, None),
        ("SOPClassUID", {"Value": ["1.2.840.10008.5.1.4.1.1.2"]}, "1.2.840.10008.5.1.4.1.1.2"),
        ("SOPClassUID", {"Value": ["not a uid"]}, None),
        ("Rows", {"Value": [512]}, 512),
    ],
)  # fmt: skip
def test_values(keyword: str, element: object, expected: object) -> None:
    assert one(keyword, element) == expected


@pytest.mark.parametrize(
    ("level", "made", "uid", "reason"),
    [
        (Level.STUDY, "text", None, "expected a JSON object, got str"),
        (Level.STUDY, None, None, "expected a JSON object, got NoneType"),
        (Level.STUDY, [], None, "expected a JSON object, got list"),
        (Level.STUDY, {}, None, "0020000D is missing"),
        (Level.STUDY, row(StudyInstanceUID="1 2"), None, "0020000D is not a UID"),
        (Level.STUDY, row(StudyInstanceUID="1" * 129), None, "0020000D is not a UID"),
        (Level.STUDY, {"0020000D": {"Value": [5]}}, None, "0020000D is not a UID"),
        (Level.SERIES, row(SeriesInstanceUID="1.3"), "1.3", "0020000D is missing"),
        (Level.INSTANCE, instance("1.2", "x y", "1.4"), "1.4", "0020000E is not a UID"),
    ],
)
def test_rows_that_are_rejected(level: Level, made: Any, uid: str | None, reason: str) -> None:
    outcome = parse_row(level, made)
    assert isinstance(outcome, Rejected)
    assert (outcome.level, outcome.uid, outcome.reason) == (level, uid, reason)
    orjson.loads(outcome.data)


def test_good_and_bad_rows_are_told_apart() -> None:
    records, rejected = parse(Level.STUDY, [study("1.2"), {}, study("1.3"), 7])
    assert [record.uid for record in records] == ["1.2", "1.3"]
    assert [row.data for row in rejected] == ["{}", "7"]


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("depth", [10, 300, 5_000, 100_000])
def test_deep_nesting(depth: int) -> None:
    outcome = parse_row(Level.STUDY, study("1.2") | {"00081111": {"vr": "SQ", "Value": nested(depth)}})
    assert isinstance(outcome, Record)
    orjson.loads(outcome.data)


@pytest.mark.parametrize("value", ["nul \0", "\ud800", 2**70, -(2**70), float("nan"), float("inf"), 1e308])
def test_data_is_json_that_a_database_takes(value: object) -> None:
    made = study("1.2") | {"00104000": {"vr": "LT", "Value": [value]}, "nul\0key": {}}
    outcome = parse_row(Level.STUDY, made)
    assert isinstance(outcome, Record)
    assert not NUL.search(outcome.data)
    assert "unreadable" not in outcome.data
    orjson.loads(outcome.data)


TEXT = st.text(st.characters(exclude_categories=()), max_size=20)  # lone surrogates too
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
TAGS = st.sampled_from([attribute.tag for attribute in ATTRIBUTES])
ELEMENTS = st.one_of(
    JSON,
    st.fixed_dictionaries({"vr": TEXT, "Value": st.lists(JSON, max_size=3)}),
    st.fixed_dictionaries({"Value": st.lists(TEXT, min_size=1, max_size=2)}),
)


@given(level=st.sampled_from(Level), made=JSON | st.dictionaries(TAGS | TEXT, ELEMENTS, max_size=6))
def test_nothing_raises(level: Level, made: Any) -> None:
    outcome = parse_row(level, made)
    assert isinstance(outcome, Record | Rejected)
    orjson.loads(outcome.data)
    assert not NUL.search(outcome.data)


@given(elements=st.dictionaries(TAGS, ELEMENTS, max_size=6), uid=st.just("1.2.3"))
def test_columns_hold_what_their_types_take(elements: dict[str, Any], uid: str) -> None:
    record = parse_row(Level.STUDY, elements | study(uid))
    kinds = (str, int, date, time, list, type(None))
    for value in values(record).values():
        assert isinstance(value, kinds)
        if isinstance(value, str):
            assert value == clean(value) != ""
            value.encode()


@given(st.dates())
def test_dates_round_trip(day: date) -> None:
    assert parse_date(f"{day.year:04}{day.month:02}{day.day:02}") == day


@given(st.times())
def test_times_round_trip(moment: time) -> None:
    assert parse_time(f"{moment:%H%M%S}.{moment.microsecond:06}") == moment.replace(fold=0)


@given(st.integers(-(2**31), 2**31 - 1))
def test_integers_round_trip(number: int) -> None:
    assert parse_integer(number) == parse_integer(str(number)) == parse_integer(f" {number} ") == number


@given(TEXT)
def test_no_text_breaks_a_parser(text: str) -> None:
    parse_date(text)
    parse_time(text)
    parse_integer(text)
    assert "\0" not in clean(text)
    clean(text).encode()
