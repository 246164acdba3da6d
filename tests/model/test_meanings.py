"""What values mean by the rules of their VR: what copies write differently, and what they do not agree on."""

from typing import Any

import pytest

from model.meanings import meanings

NFC, NFD = "M\u00fcller^Eva", "Mu\u0308ller^Eva"
TAGS = {
    "PN": "00100010", "DA": "00100030", "TM": "00080030", "DT": "0008002A", "DS": "00180050", "IS": "00200013",
    "FL": "00089459", "FD": "00189073", "US": "00280010", "CS": "00080060", "LO": "00081030", "SH": "00080050",
    "ST": "00080081", "LT": "00104000", "UT": "0040A160", "UI": "00080016", "AS": "00101010", "UC": "00080119",
}  # fmt: skip


def meaning(vr: str, *values: Any) -> tuple[Any, ...]:
    return meanings(TAGS[vr], {"vr": vr, "Value": list(values)})


@pytest.mark.parametrize(
    ("vr", "one", "other"),
    [
        ("PN", {"Alphabetic": "Doe^Jane"}, {"Alphabetic": "Doe^Jane^^^"}),
        ("PN", {"Alphabetic": "Doe^Jane"}, "Doe^Jane"),
        ("PN", {"Alphabetic": "Doe^Jane"}, {"Alphabetic": "Doe ^ Jane "}),
        ("PN", {"Alphabetic": "Doe^Jane"}, "Doe^Jane=="),
        ("PN", {"Alphabetic": "Doe^Jane", "Ideographic": ""}, {"Alphabetic": "Doe^Jane"}),
        ("PN", {"Alphabetic": NFC}, {"Alphabetic": NFD}),
        ("DA", "20200101", "2020.01.01"),
        ("DA", "20200101", "20200101 "),
        ("TM", "101500", "10:15:00"),
        ("TM", "101500", "1015"),
        ("TM", "101500", "101500.000"),
        ("DT", "20200101101500+0000", "20200101111500.0+0100"),
        ("DS", "70.50", "70.5"),
        ("DS", "70.50", 70.5),
        ("DS", " 7.05e1", 70.5),
        ("DS", "-0", "0.0"),
        ("IS", "007", 7),
        ("IS", "+7 ", "7"),
        ("FL", 0.1, 0.10000000149011612),
        ("FD", 1, 1.0),
        ("US", "512", 512),
        ("CS", "CT", " ct "),
        ("LO", "MR Knie", " MR Knie  "),
        ("LO", NFC, NFD),
        ("LT", "a\r\nb", "a\nb  "),
        ("UI", "1.2.3", "1.2.3\0"),
        ("AS", "034Y", "034Y "),
    ],
)
def test_the_same(vr: str, one: Any, other: Any) -> None:
    assert meaning(vr, one) == meaning(vr, other) != ()


@pytest.mark.parametrize(
    ("vr", "one", "other"),
    [
        ("PN", {"Alphabetic": "Doe^Jane"}, {"Alphabetic": "Doe^^Jane"}),
        ("PN", {"Alphabetic": "Doe^Jane"}, {"Alphabetic": "DOE^JANE"}),
        ("PN", {"Alphabetic": "Doe^Jane"}, {"Alphabetic": "Doe^Jane", "Ideographic": "X"}),
        ("PN", {"Alphabetic": "Müller"}, {"Alphabetic": "Muller"}),
        ("DA", "19700101", "1970"),
        ("DA", "19700101", "unknown"),
        ("DA", "19700101", "19700001"),
        ("DA", "19700001", "19700002"),
        ("TM", "101500", "101501"),
        ("TM", "235960", "235959"),
        ("TM", "101500", "25"),
        ("DT", "20200101101500+0000", "20200101101500+0100"),
        ("DT", "20200101101500", "20200101101500+0000"),
        ("DT", "2020", "20200101"),
        ("DT", "20200101", "20200100"),
        ("DS", "0.625", "0,625"),
        ("DS", "70.5", "70.51"),
        ("IS", "1", "1.5"),
        ("FL", 0.1, 0.1001),
        ("US", 512, 513),
        ("CS", "CT", "MR"),
        ("LO", "MR Knie", "MR  Knie"),
        ("LO", "mr knie", "MR Knie"),
        ("LT", " indented", "indented"),
        ("UI", "1.2.3", "1.2.30"),
        ("AS", "034Y", "34Y"),
    ],
)
def test_not_the_same(vr: str, one: Any, other: Any) -> None:
    assert meaning(vr, one) != meaning(vr, other)
    assert meaning(vr, one)
    assert meaning(vr, other)


def test_several_values_are_compared_in_order() -> None:
    assert meaning("CS", "CT", "MR") == meaning("CS", "CT", "MR", None, "")
    assert meaning("CS", "CT", "MR") != meaning("CS", "MR", "CT")
    assert meaning("CS", None, "MR") != meaning("CS", "MR")


@pytest.mark.parametrize(
    "element", [{}, {"vr": "LO"}, {"Value": []}, {"Value": [None, ""]}, {"Value": "no list"}]
)
def test_no_value_has_no_meaning(element: dict[str, Any]) -> None:
    assert meanings("00081030", element) == ()


def test_the_vr_is_that_of_the_dictionary() -> None:
    """Servers that know no VR say UN; of a private attribute what is told is all there is."""
    assert meanings("00100030", {"vr": "UN", "Value": ["2020.01.01"]}) == meaning("DA", "20200101")
    assert meanings("00091001", {"vr": "DS", "Value": ["1.0"]}) == (1,)
    assert meanings("00280106", {"vr": "SS", "Value": ["-1"]}) == (-1,)
    assert meanings("nonsense", {"Value": ["x "]}) == ("x",)
