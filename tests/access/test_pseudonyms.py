"""Pseudonyms: nothing of an identity survives, whatever the data set; what should stay comparable, does."""

from datetime import date, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from access.ages import band_of
from access.keyed_pseudonyms import MAX_SHIFT_DAYS, KeyedPseudonyms, Patient
from access.profile import Options
from access.pseudonyms import MAX_DEPTH, Pseudonymiser, patient_of
from model.attributes import Level
from model.dicom_json import first, parse_row
from model.records import INSTANCE_COLUMNS, SERIES_COLUMNS, STUDY_COLUMNS, Record
from model.uids import is_uid
from tests.access.identities import CANARIES, DATES, UIDS, data_sets, element, everything_listed
from tests.rows import instance, series, study

KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))
EYE = Pseudonymiser(KEY, "ERN-EYE", key_id="2026-1")
EVERY_OPTION = Pseudonymiser(KEY, "ERN-EYE", Options(clean_descriptors=True, exact_times=True))
NO_OPTION = Pseudonymiser(
    KEY,
    "ERN-EYE",
    Options(patient_characteristics=False, device_identity=False, modified_dates=False),
)
PATIENT = Patient("P1", "archive")
COLUMNS = {Level.STUDY: STUDY_COLUMNS, Level.SERIES: SERIES_COLUMNS, Level.INSTANCE: INSTANCE_COLUMNS}


def record(level: Level, row: dict[str, Any]) -> Record:
    made = parse_row(level, row)
    assert isinstance(made, Record), made
    return made


def columns(made: Record) -> dict[str, Any]:
    return {
        column.keyword: value for column, value in zip(COLUMNS[made.level], made.values, strict=True) if value
    }


def survivors(result: bytes) -> list[str]:
    """Canaries in the bytes, also as fragments that JSON escapes, dates also with separators."""
    text = result.decode()
    dotted = [f"{day[:4]}{mark}{day[4:6]}{mark}{day[6:]}" for day in DATES for mark in ".-/"]
    return [canary for canary in (*CANARIES, *dotted) if canary in text]


@pytest.mark.parametrize("pseudonymiser", [EYE, EVERY_OPTION, NO_OPTION], ids=["default", "most", "least"])
@given(data=data_sets)
@settings(max_examples=150, deadline=None)
def test_nothing_survives_in_any_data_set(pseudonymiser: Pseudonymiser, data: dict[str, Any]) -> None:
    result = orjson.dumps(pseudonymiser.row(data, patient=PATIENT))
    assert survivors(result) == []


@given(data=data_sets, level=st.sampled_from(list(Level)))
@settings(max_examples=150, deadline=None)
def test_nothing_survives_in_a_record(data: dict[str, Any], level: Level) -> None:
    uids = {
        "0020000D": element(UIDS[0], "UI"),
        "0020000E": element(UIDS[1], "UI"),
        "00080018": element(f" {UIDS[2]}\0", "UI"),
        "00100020": element("CANARY-4711-X", "LO"),
    }
    made = EYE.record(record(level, data | uids), PATIENT)
    assert survivors(repr(made).encode()) == []
    assert all(is_uid(uid) for uid in (made.uid, made.study_uid))


@pytest.mark.parametrize("canary", CANARIES)
def test_every_attribute_of_the_dictionary(canary: str) -> None:
    data = everything_listed(canary)
    nested = {"00081115": {"vr": "SQ", "Value": [{"00081199": {"vr": "SQ", "Value": [data]}}]}}
    for pseudonymiser in (EYE, EVERY_OPTION, NO_OPTION):
        result = orjson.dumps(pseudonymiser.row(data | nested, patient=PATIENT))
        assert canary not in result.decode()


def test_a_study() -> None:
    row = study(
        "1.2.3",
        PatientName="Canarius^Zebedäus",
        StudyDate="20200304",
        StudyTime="101523.5",
        PatientBirthDate="19800305",
        PatientSex="M",
        AccessionNumber="A123",
        StudyID="S1",
        StudyDescription="Knee of Zebedäus",
        ReferringPhysicianName="House^Gregory",
        IssuerOfPatientID="HUG",
        ModalitiesInStudy=["MR", "SR"],
        NumberOfStudyRelatedSeries=3,
    )
    made = EYE.record(record(Level.STUDY, row), patient_of(row, "archive"))
    days = timedelta(EYE.shift_days(Patient("P1", "HUG")))
    assert columns(made) == {
        "StudyInstanceUID": EYE.uid("1.2.3"),
        "StudyDate": date(2020, 3, 4) + days,
        "StudyTime": columns(record(Level.STUDY, study("1", StudyTime="10")))["StudyTime"],
        "AccessionNumber": EYE.accession("A123"),
        "PatientID": EYE.patient_id("P1", "HUG"),
        "PatientSex": "M",
        "ModalitiesInStudy": ["MR", "SR"],
        "NumberOfStudyRelatedSeries": 3,
    }
    data = orjson.loads(made.data)
    assert first(data, "00101010") == "035Y"  # 39 years on the day of the study
    assert band_of("035Y") == "35-39"
    assert first(data, "00120062") == "YES"
    assert first(data, "00120063") == "ernfed PS3.15 2026d basic+patient+device+dates key 2026-1"
    assert first(data, "00280303") == "MODIFIED"


def test_three_levels_of_one_study_meet() -> None:
    patient = Patient("P1", "archive")
    told = {"00080020": element("20200304", "DA")}
    studies = EYE.record(record(Level.STUDY, study("1.2", StudyDate="20200304")), patient)
    of_series = EYE.record(record(Level.SERIES, series("1.2", "1.3", SeriesDate="20200304") | told), patient)
    of_instance = EYE.record(record(Level.INSTANCE, instance("1.2", "1.3", "1.4") | told), patient)
    assert of_series.study_uid == studies.uid == of_instance.study_uid
    assert of_instance.series_uid == of_series.uid == EYE.uid_in("1.2", "1.3")
    days = {first(orjson.loads(made.data), "00080020") for made in (studies, of_series, of_instance)}
    assert len(days) == 1
    assert columns(of_series)["SeriesDate"] == columns(studies)["StudyDate"]


@given(
    one=st.dates(date(1950, 1, 1), date(2040, 1, 1)),
    other=st.dates(date(1950, 1, 1), date(2040, 1, 1)),
    patient_id=st.text(max_size=20),
    issuer=st.text(max_size=20),
)
def test_intervals_of_a_patient_survive(one: date, other: date, patient_id: str, issuer: str) -> None:
    patient = Patient(patient_id, issuer)
    moved = [
        EYE.record(record(Level.STUDY, study(uid, StudyDate=f"{day:%Y%m%d}")), patient)
        for uid, day in (("1.2.1", one), ("1.2.2", other))
    ]
    first_day, second_day = (columns(made)["StudyDate"] for made in moved)
    assert second_day - first_day == other - one
    assert 1 <= abs((first_day - one).days) <= MAX_SHIFT_DAYS


@given(text=st.text(min_size=1), issuer=st.text())
def test_equal_within_an_ern_and_different_elsewhere(text: str, issuer: str) -> None:
    again = KeyedPseudonyms(KEY, "ERN-EYE")
    others = [KeyedPseudonyms(KEY, "ERN-RND"), KeyedPseudonyms(OTHER_KEY, "ERN-EYE")]
    for make in (
        lambda p: p.uid(text),
        lambda p: p.uid_in(issuer, text),
        lambda p: p.patient_id(text, issuer)[-16:],
        lambda p: p.accession(text),
    ):
        assert make(again) == make(EYE)
        assert len({make(EYE), *(make(other) for other in others)}) == 3


@given(st.text())
def test_forms(text: str) -> None:
    for uid in (EYE.uid(text), EYE.uid_in("1.2", text)):
        assert is_uid(uid)
        assert uid.startswith("2.25.")
        assert not uid.startswith("2.25.0")
        assert len(uid) <= 64
    assert len(EYE.accession(text)) == 16
    assert len(EYE.patient_id(text, "")) <= 64


def test_shifts_use_the_whole_range() -> None:
    shifts = [EYE.shift_days(Patient(str(number), "")) for number in range(20_000)]
    assert 0 not in shifts
    assert min(shifts) >= -MAX_SHIFT_DAYS
    assert max(shifts) <= MAX_SHIFT_DAYS
    assert len(set(shifts)) > 3000
    assert abs(sum(shifts) / len(shifts)) < 40


def test_issuer_and_number_are_not_glued_together() -> None:
    assert EYE.patient_id("12", "3") != EYE.patient_id("2", "31")
    assert EYE.patient_id("1", "") != EYE.patient_id("", "1")


def test_the_same_number_in_two_archives_is_two_patients() -> None:
    row = study("1.2")
    one, other = patient_of(row, "paris"), patient_of(row, "lyon")
    assert one is not None
    assert other is not None
    assert EYE.patient_id(*one) != EYE.patient_id(*other)
    told = study("1.2", IssuerOfPatientID="HUG")
    assert patient_of(told, "paris") == patient_of(told, "lyon")


def test_a_study_of_nobody_is_shifted_on_its_own() -> None:
    row = study("1.2", PatientID=None)
    assert patient_of(row, "archive") is None
    made = EYE.record(record(Level.STUDY, row))
    assert columns(made)["StudyDate"] == date(2020, 1, 1) + timedelta(EYE.shift_days(None, "1.2"))
    assert "PatientID" not in columns(made)


@pytest.mark.parametrize("patient_id", [{}, [], None, {"Alphabetic": "x"}, 7.5])
def test_a_patient_id_that_is_none(patient_id: object) -> None:
    assert patient_of({"00100020": {"vr": "LO", "Value": [patient_id]}}, "archive") is None


def test_references_follow_their_targets() -> None:
    row = {
        "00081140": {"vr": "SQ", "Value": [{"00081155": element("1.4", "UI")}]},
        "00081199": {"vr": "SQ", "Value": [{"00081155": element("1.4\0", "UI")}]},
    }
    made = EYE.row(row, patient=PATIENT, study_uid="1.2")
    for tag in row:
        assert first(made[tag]["Value"][0], "00081155") == EYE.uid_in("1.2", "1.4")
    target = EYE.record(record(Level.INSTANCE, instance("1.2", "1.3", "1.4")), PATIENT)
    assert target.uid == EYE.uid_in("1.2", "1.4")


def test_references_to_another_study_follow_their_targets_there() -> None:
    below = {
        "0020000E": element("1.3", "UI"),
        "00081199": {"vr": "SQ", "Value": [{"00081155": element("1.4", "UI")}]},
    }
    there = {"0020000D": element("1.9", "UI"), "00081115": {"vr": "SQ", "Value": [below]}}
    to_itself = {"00081155": element("1.2", "UI")}
    row = {"00081200": {"vr": "SQ", "Value": [there]}, "00081140": {"vr": "SQ", "Value": [to_itself]}}
    made = EYE.row(row, patient=PATIENT, study_uid="1.2")
    target = EYE.record(record(Level.INSTANCE, instance("1.9", "1.3", "1.4")), PATIENT)
    elsewhere = made["00081200"]["Value"][0]
    series = elsewhere["00081115"]["Value"][0]
    assert first(elsewhere, "0020000D") == target.study_uid == EYE.uid("1.9")
    assert first(series, "0020000E") == target.series_uid
    assert first(series["00081199"]["Value"][0], "00081155") == target.uid
    assert first(made["00081140"]["Value"][0], "00081155") == EYE.uid("1.2")


def test_a_uid_of_two_patients_links_nobody() -> None:
    rows = [instance("1.2.1", "1.3.9", "1.4.1"), instance("1.2.2", "1.3.9", "1.4.1")]
    frame = {"00200052": element("1.5", "UI")}
    one, other = (EYE.record(record(Level.INSTANCE, row | frame), PATIENT) for row in rows)
    uids = [{each.study_uid, each.series_uid, each.uid} for each in (one, other)]
    assert not uids[0] & uids[1]
    assert {first(orjson.loads(each.data), "00200052") for each in (one, other)} == {EYE.uid("1.5")}


@pytest.mark.parametrize(
    ("scheme", "kept"),
    [
        (["SCT"], True),
        (["DCM \0"], True),
        (["99HOSPITAL"], False),
        (["SCT", "99HOSPITAL"], False),
        ([], False),
        ([5], False),
        ("SCT", False),
    ],
)
def test_codes_stay_under_public_schemes(scheme: object, kept: bool) -> None:
    code = {
        "00080100": element("241601008", "SH"),
        "00080102": {"vr": "SH", "Value": scheme},
        "00080104": element("MRI of head", "LO"),
    }
    made = EYE.row({"00081032": {"vr": "SQ", "Value": [code]}}, patient=PATIENT)
    assert ("00081032" in made) is kept
    assert ("MRI of head" in orjson.dumps(made).decode()) is kept


def test_depth_is_bounded() -> None:
    row: dict[str, Any] = {"00280010": element(512, "US")}
    for _ in range(2000):
        row = {"00081199": {"vr": "SQ", "Value": [row]}, "00280010": element(512, "US")}
    made, depth = EYE.row(row, patient=PATIENT), 0
    while "00081199" in made:
        made, depth = made["00081199"]["Value"][0], depth + 1
    assert depth == MAX_DEPTH


@pytest.mark.parametrize("data", ["null", "[]", '"x"', "{}", '{"unreadable": true}'])
def test_a_record_without_a_data_set(data: str) -> None:
    made = EYE.record(Record(Level.INSTANCE, "1.4", "1.2", "1.3", (), data))
    assert (made.uid, made.study_uid, made.series_uid) == (
        EYE.uid_in("1.2", "1.4"),
        EYE.uid("1.2"),
        EYE.uid_in("1.2", "1.3"),
    )


def test_without_options() -> None:
    row = study("1.2", PatientSex="F", PatientBirthDate="19800101", StudyTime="1015")
    made = NO_OPTION.record(record(Level.STUDY, row), PATIENT)
    assert set(columns(made)) == {"StudyInstanceUID", "PatientID"}
    assert first(orjson.loads(made.data), "00280303") == "REMOVED"


def test_retained_uids() -> None:
    pseudonymiser = Pseudonymiser(KEY, "ERN-EYE", Options(uids=True))
    made = pseudonymiser.record(record(Level.INSTANCE, instance("1.2", "1.3", "1.4")), PATIENT)
    assert (made.uid, made.study_uid, made.series_uid) == ("1.4", "1.2", "1.3")


def test_clean_descriptors() -> None:
    row = study("1.2", StudyDescription="MR Knee left, Zebedäus Canarius 4711 (Dr. House)")
    made = EVERY_OPTION.record(record(Level.STUDY, row), PATIENT)
    assert columns(made)["StudyDescription"] == "MR KNEE LEFT"
    assert "StudyDescription" not in columns(EYE.record(record(Level.STUDY, row), PATIENT))


def test_parts_of_a_name_are_no_words() -> None:
    row = study("1.2", StudyDescription="Zebedäus, Müller-Küsner; übt Õct")
    assert "StudyDescription" not in columns(EVERY_OPTION.record(record(Level.STUDY, row), PATIENT))


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes or more, got 31"):
        Pseudonymiser(bytes(31), "ERN-EYE")


def test_uids_that_break_the_rules_never_stay() -> None:
    """They may hold a name; where others are kept, they have pseudonyms all the same, the same wherever they stand."""
    kept = Pseudonymiser(bytes(range(32)), "ERN-EYE", Options(uids=True))
    odd, right = "DOE^JANE.1", "1.2.3"
    made = kept.row(
        study(odd) | {"00081140": {"vr": "SQ", "Value": [{"00081155": {"vr": "UI", "Value": [odd, right]}}]}}
    )
    pseudonym = kept.uid(odd)
    assert made["0020000D"]["Value"] == [pseudonym]
    assert "DOE" not in str(made)
    record = parse_row(Level.STUDY, study(odd))
    assert isinstance(record, Record)
    assert kept.record(record).uid == pseudonym
    record = parse_row(Level.STUDY, study(right))
    assert isinstance(record, Record)
    assert kept.record(record).uid == right
