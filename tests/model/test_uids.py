"""UIDs: PS3.5 section 9.1, with the leading zeros that archives have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.uids import is_uid


@pytest.mark.parametrize("value", ["0", "1.2", "1.2.840.10008.1.1", "1.02.3", "9" * 64, "1." * 31 + "12"])
def test_a_uid(value: str) -> None:
    assert is_uid(value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        ".",
        "1.",
        ".1",
        "1..2",
        "1.a",
        "1.2\n",
        "1.2\0",
        " 1.2",
        "1.2 ",
        "9" * 65,
        "1.٣",
        "１.2",
        "1,2",
        None,
        1.2,
        b"1.2",
    ],
)
def test_no_uid(value: object) -> None:
    assert not is_uid(value)


@given(st.lists(st.from_regex(r"[0-9]{1,6}", fullmatch=True), min_size=1, max_size=9).map(".".join))
def test_digits_and_dots_are_one(value: str) -> None:
    assert is_uid(value)
