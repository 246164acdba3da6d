"""Reading rows that nobody has checked: nothing makes it raise, and what does not fit is dropped."""

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archives.client import Row, Selection
from archives.errors import BadAnswer
from archives.queries import CHUNK_CHARACTERS, CHUNK_UIDS, chunked, plan
from archives.recheck import Recheck
from archives.rows import Level, as_rows, key, study_date, text, values, without_bulk
from tests.archives.faulty import study

TAGS = ["00080018", "00080020", "00080060", "00080061", "00100020", "0020000D", "0020000E", "00081190"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10) | st.sampled_from(["CT", "1.2.3"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(TAGS), inner, max_size=3),
    max_leaves=8,
)
ELEMENT = st.fixed_dictionaries({}, optional={"vr": st.sampled_from(["UI", "SQ"]), "Value": JSON}) | JSON
ROWS = st.dictionaries(st.sampled_from(TAGS), ELEMENT, max_size=6)
LEVELS: list[Level] = ["studies", "series", "instances"]
quietly = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
DAY = date(2020, 3, 15)
EVERYTHING = Selection(["1.2.3"], ["1.2.3"], ["1.2.3"], "P1", "CT", (DAY, DAY))


@quietly
@given(ROWS, st.sampled_from(LEVELS))
def test_no_row_makes_them_raise(row: Row, level: Level) -> None:
    key(level, row)
    study_date(row)
    for tag in TAGS:
        values(row, tag)
        text(row, tag)
    for selection in (EVERYTHING, Selection(undated=True), Selection()):
        Recheck(level, selection).fits(row)
    assert "00081190" not in without_bulk(row)


@quietly
@given(JSON)
def test_an_answer_is_rows_or_a_bad_answer(answer: object) -> None:
    with suppress(BadAnswer):
        assert all(isinstance(row, dict) for row in as_rows(answer))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("20200315", DAY),
        ("2020.03.15", DAY),
        ("", None),
        ("2020", None),
        ("20201399", None),
        ("00000000", None),
    ],
)
def test_study_dates(written: str, expected: date | None) -> None:
    assert study_date(study(1, t00080020={"vr": "DA", "Value": [written]})) == expected


@pytest.mark.parametrize(
    ("selection", "fits"),
    [
        (Selection(), True),
        (Selection(study_uids=["1.2.3.1", "1.2.3.9"]), True),
        (Selection(study_uids=["1.2.3.9"]), False),
        (Selection(patient_id="P1"), True),
        (Selection(patient_id="P1 "), True),
        (Selection(patient_id="P"), False),
        (Selection(study_date=(DAY, DAY)), True),
        (Selection(study_date=(None, DAY)), True),
        (Selection(study_date=(date(2020, 3, 16), None)), False),
        (Selection(study_date=(None, date(2020, 3, 14))), False),
        (Selection(undated=True), False),
        (Selection(modality="MR"), True),  # the row does not tell its modalities
    ],
)
def test_recheck(selection: Selection, fits: bool) -> None:
    assert Recheck("studies", selection).fits(study(1)) is fits


def test_recheck_of_modalities() -> None:
    row = study(1, t00080061={"vr": "CS", "Value": ["CT", "SR"]})
    assert Recheck("studies", Selection(modality="SR")).fits(row)
    assert not Recheck("studies", Selection(modality="MR")).fits(row)


def test_bulk_data_goes_and_the_rest_stays() -> None:
    inner = {"00100020": {"vr": "LO", "Value": ["P1"]}, "00091001": {"vr": "OB", "InlineBinary": "AAAA"}}
    row = {
        "00082112": {"vr": "SQ", "Value": [inner]},
        "7FE00010": {"vr": "OW", "BulkDataURI": "http://inside/bulk"},
        "00081190": {"vr": "UR", "Value": ["http://inside"]},
    }
    assert without_bulk(row) == {"00082112": {"vr": "SQ", "Value": [{"00100020": inner["00100020"]}]}}


@quietly
@given(st.lists(st.integers(0, 10**40).map(lambda number: f"1.2.{number}"), max_size=400))
def test_chunks_hold_each_uid_once_and_fit_a_url(uids: list[str]) -> None:
    chunks = list(chunked(uids))
    assert [uid for chunk in chunks for uid in chunk] == list(dict.fromkeys(uids))
    assert all(len(chunk) <= CHUNK_UIDS and len(",".join(chunk)) <= CHUNK_CHARACTERS for chunk in chunks)


def test_plans() -> None:
    uids = [f"1.2.{number}" for number in range(250)]
    selection = Selection(study_uids=uids, modality="CT")
    assert len(plan("series", selection, uid_list=True, top_level=True)) == 3
    assert len(plan("series", selection, uid_list=False, top_level=True)) == 250
    below = plan("series", selection, uid_list=True, top_level=False)
    assert [query.study_uid for query in below] == uids
    assert below[0].filters == {"Modality": "CT"}
