"""Person names: groups and components as PS3.5 6.2.1 has them, and as archives send them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.person_names import Components, Name, parse_name


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("Müller^Hans", Name("Müller^Hans", Components("Müller", "Hans", "", "", ""), "", "")),
        ("A^B^C^Dr.^PhD", Name("A^B^C^Dr.^PhD", Components("A", "B", "C", "Dr.", "PhD"), "", "")),
        ("A^^^Dr.", Name("A^^^Dr.", Components("A", "", "", "Dr.", ""), "", "")),
        ("A^B^C^D^E^F", Name("A^B^C^D^E^F", Components("A", "B", "C", "D", "E"), "", "")),
        (
            "Yamada^Tarou=山田^太郎=やまだ^たろう",
            Name("Yamada^Tarou", Components("Yamada", "Tarou", "", "", ""), "山田^太郎", "やまだ^たろう"),
        ),
        ("=山田^太郎", Name("山田^太郎", Components("", "", "", "", ""), "山田^太郎", "")),
        ("==やまだ", Name("やまだ", Components("", "", "", "", ""), "", "やまだ")),
        (" Doe ^ Jane ", Name("Doe ^ Jane", Components("Doe", "Jane", "", "", ""), "", "")),
        ("Doe, Jane", Name("Doe, Jane", Components("Doe, Jane", "", "", "", ""), "", "")),
        ("", Name("", Components("", "", "", "", ""), "", "")),
        ("a=b=c=d", Name("a", Components("a", "", "", "", ""), "b", "c")),
    ],
)
def test_a_name_has_its_parts(value: str, name: Name) -> None:
    assert parse_name(value) == name


@given(st.text())
def test_any_text_is_a_name(value: str) -> None:
    name = parse_name(value)
    assert name.text in value
    assert all(part in value for part in name.components)
