"""What passes of a kept value, and what becomes of dates, times and ages."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.ages import age_band, band_of, lower_edge, years_between, years_of
from access.kept_values import code_strings, decimals, device_texts, integers, is_well_known_uid, tags
from access.shifted_times import coarse_time, shifted_date, shifted_datetime


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ([3, "12", " 7 ", 2.0], [3, "12", " 7 ", 2.0]),
        ([19800517, "19800517", "1980-05-17", True, {}, [], "x", 2.5, 10**12], []),
    ],
)
def test_integers(values: list[object], kept: list[object]) -> None:
    assert integers(values) == kept


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ([3, 0.5, "1.25", "-1e-3", ".5", None], [3, 0.5, "1.25", "-1e-3", ".5", None]),
        ([19800517, 19800517.0, "19800517", "1.2.3", "nan", True, {}, "12345678.5"], []),
    ],
)
def test_decimals(values: list[object], kept: list[object]) -> None:
    assert decimals(values) == kept


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        (["MR", "ISO_IR 100", "ISO 2022 IR 159", "HEAD-NECK", "Knee", None], None),
        (["Müller", "A^B", "20200101", "2020-01-01", "1.2.3", "MORE THAN SIXTEEN CHARACTERS", 5, {}], []),
    ],
)
def test_code_strings(values: list[object], kept: list[object] | None) -> None:
    assert code_strings(values) == (values if kept is None else kept)


def test_device_texts() -> None:
    assert device_texts(["SIEMENS", "MAGNETOM Aera", "A^B", "SN 123456", "x" * 65, {}]) == [
        "SIEMENS",
        "MAGNETOM Aera",
    ]


@pytest.mark.parametrize(
    ("uid", "known"),
    [
        ("1.2.840.10008.5.1.4.1.1.4", True),
        ("1.2.840.10008.1.2.4.90", True),
        ("2.16.840.1.113883.6.96", True),
        ("1.2.840.113619.2.1", False),
        ("1.2.840.10008.5.1.4.1.1.4.99.1", False),
    ],
)
def test_well_known_uids(uid: str, known: bool) -> None:
    assert is_well_known_uid(uid) is known


@pytest.mark.parametrize(
    ("text", "days", "expected"),
    [
        ("20200228", 2, "20200301"),
        ("2020.02.28", -1, "20200227"),
        ("20200228\0", 1, "20200229"),
        ("2020", 1, ""),
        ("20200230", 1, ""),
        ("99991231", 1, ""),
        ("00010101", -1, ""),
        ("yesterday", 1, ""),
    ],
)
def test_shifted_dates(text: str, days: int, expected: str) -> None:
    assert shifted_date(text, days) == expected


@pytest.mark.parametrize(
    ("text", "coarse", "exact"),
    [("101523.25", "10", "101523.25"), ("10", "10", "10"), ("10:15:23", "10", "10:15:23"), ("x", "", "")],
)
def test_times(text: str, coarse: str, exact: str) -> None:
    assert coarse_time(text, exact=False) == coarse
    assert coarse_time(text, exact=True) == exact


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20200228101523.5+0100", "2020022910"),
        ("20200228", "20200229"),
        ("202002", ""),
        ("2020022825", "20200229"),
        ("20200228x", ""),
    ],
)
def test_datetimes(text: str, expected: str) -> None:
    assert shifted_datetime(text, 1, exact=False) == expected


@given(st.integers(0, 130))
def test_bands(years: int) -> None:
    band = age_band(years)
    assert band_of(lower_edge(years)) == band
    assert band_of(f"{years:03d}Y") == band
    if years >= 90:
        assert band == "90+"
    else:
        low, high = band.split("-")
        assert int(low) <= years <= int(high)
        assert int(high) - int(low) == 4


def test_ages() -> None:
    assert years_between(date(1980, 3, 5), date(2020, 3, 4)) == 39
    assert years_between(date(1980, 3, 5), date(2020, 3, 5)) == 40
    assert years_between(date(2021, 1, 1), date(2020, 1, 1)) is None
    assert years_between(date(1800, 1, 1), date(2020, 1, 1)) is None
    assert [years_of(age) for age in ("018M", "042Y", "003D", "104W", "42Y", 42, "")] == [
        1,
        42,
        0,
        1,
        None,
        None,
        None,
    ]


def test_tags() -> None:
    assert tags(["00280010", "19800517", "20200101", "0028001", 5, {}]) == ["00280010"]
