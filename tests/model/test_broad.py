"""Which searches may read a whole index, and what is said of them."""

import pytest

from model.attributes import Level, attribute
from model.broad import hints
from model.filters import AllOf, Condition, Not, Op, PathTest, Related, Test
from model.paths import parse_path
from model.text_search import parse_text


@pytest.mark.parametrize(
    ("keyword", "op", "value", "broad"),
    [
        ("StudyDescription", Op.CONTAINS, "t2", True),
        ("StudyDescription", Op.CONTAINS, "t2 a b", True),
        ("StudyDescription", Op.CONTAINS, "", True),
        ("StudyDescription", Op.CONTAINS, "flair", False),
        ("StudyDescription", Op.WILDCARD, "*t2*", True),
        ("StudyDescription", Op.WILDCARD, "t2*", False),
        ("StudyDescription", Op.WILDCARD, "*", True),
        ("StudyDescription", Op.WILDCARD, "*fla*r*", False),
        ("StudyDescription", Op.STARTS_WITH, "t2", False),
        ("StudyDescription", Op.EQ, "t2", False),
        ("PatientName", Op.STARTS_WITH, "Li", True),
        ("PatientName", Op.STARTS_WITH, "Mül", False),
        ("PatientName", Op.WILDCARD, "Li*", True),
        ("PatientName", Op.FUZZY, "Li", True),
    ],
)
def test_patterns_without_three_letters_in_a_row_are_broad(
    keyword: str, op: Op, value: str, broad: bool
) -> None:
    told = hints(Test(attribute(keyword), op, value))
    assert [text.startswith(f"{keyword}.{op}: ") for text in told] == [True] * broad
    assert not value or all(value not in text.split(": ")[1] for text in told)


def test_every_broad_test_of_a_tree_is_named_once() -> None:
    contains: Condition = Test(attribute("SeriesDescription"), Op.CONTAINS, "t2")
    tree = AllOf((Related(Level.SERIES, contains), Not(Related(Level.SERIES, contains)), parse_text("mr")))
    assert len(hints(tree)) == 2
    assert hints(PathTest(parse_path("EchoTime"))) == []
