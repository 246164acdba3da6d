"""UIDs: what is a key, and which keys conform (PS3.5 9.1, with the leading zeros that archives have)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.uids import conforms, is_plain, is_uid


@pytest.mark.parametrize("value", ["0", "1.2", "1.2.840.10008.1.1", "1.02.3", "9" * 64, "1." * 31 + "12"])
def test_a_uid_that_conforms(value: str) -> None:
    assert is_uid(value)
    assert conforms(value)
    assert is_plain(value)


@pytest.mark.parametrize(
    "value",
    [
        "9" * 65,
        "1." * 33 + "1",
        "9" * 128,
        "1.",
        ".1",
        "1..2",
        "1.a",
        "ABC-123_x~",
        "date:2020-01-01",
        "a/b",
        "a,b",
        "a&b=c#d%e+f;g'h\"i",
        "{0}",
        "../etc",
        "-1",
    ],
)
def test_a_uid_that_breaks_the_rules_is_a_key(value: str) -> None:
    assert is_uid(value)
    assert not conforms(value)
    assert is_plain(value) is not any(c in value for c in ":/,&=#%+;'\"{}")


@pytest.mark.parametrize(
    "value",
    ["", ".", "..", "-", "1.2\n", "1.2\0", " 1.2", "1.2 ", "a b", "a\\b", "a*", "a?", "9" * 129, "1.٣", "é", "１.2",
     "a\x7f", None, 1.2, 5, b"1.2"],
)  # fmt: skip
def test_no_uid(value: object) -> None:
    assert not is_uid(value)


@given(st.lists(st.from_regex(r"[0-9]{1,6}", fullmatch=True), min_size=1, max_size=9).map(".".join))
def test_digits_and_dots_conform(value: str) -> None:
    assert is_uid(value)
    assert conforms(value)


@given(st.text(st.characters(codec="ascii"), min_size=1, max_size=130))
def test_a_key_is_one_word(value: str) -> None:
    expected = len(value) <= 128 and all("!" <= c <= "~" and c not in "\\*?" for c in value)
    assert is_uid(value) is (expected and any(c.isalnum() for c in value))
