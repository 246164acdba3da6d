"""Condition trees: what ranks them, what they hold, how large they may be."""

from datetime import date

import pytest

from model.attributes import Level, attribute
from model.errors import BadInput
from model.filters import (
    EVERYTHING,
    MAX_TESTS,
    AllOf,
    AnyOf,
    Condition,
    Not,
    Op,
    PathTest,
    Related,
    Test,
    TextTest,
    all_of,
    apart,
    check_size,
    conjunction,
    path_tests,
    ranked_by,
    walk,
)
from model.paths import parse_path

FUZZY = Test(attribute("PatientName"), Op.FUZZY, "muller")
OTHER = Test(attribute("PatientName"), Op.FUZZY, "meier")
PLAIN = Test(attribute("PatientID"), Op.EQ, "P1")
TEXT = TextTest(("thorax",))


@pytest.mark.parametrize(
    ("condition", "ranking"),
    [
        (EVERYTHING, None),
        (PLAIN, None),
        (FUZZY, FUZZY),
        (TEXT, TEXT),
        (AllOf((PLAIN, TEXT, FUZZY)), TEXT),
        (AllOf((PLAIN, AllOf((OTHER, FUZZY)))), OTHER),
        (AnyOf((FUZZY,)), None),
        (AnyOf((FUZZY, PLAIN)), None),
        (Not(FUZZY), None),
        (Related(Level.STUDY, FUZZY), None),
        (AllOf((Not(FUZZY), TEXT)), TEXT),
    ],
)
def test_what_must_hold_ranks(condition: Condition, ranking: Condition | None) -> None:
    assert ranked_by(condition) == ranking


def test_walk_visits_everything_once() -> None:
    tree = AllOf((PLAIN, AnyOf((FUZZY, Not(TEXT))), Related(Level.SERIES, AllOf((OTHER,)))))
    assert len(list(walk(tree))) == 9
    leaves = [here for here in walk(tree) if isinstance(here, Test | TextTest)]
    assert set(leaves) == {PLAIN, FUZZY, TEXT, OTHER}
    assert len(leaves) == 4


def test_walk_needs_no_stack() -> None:
    tree: Condition = PLAIN
    for _ in range(100_000):
        tree = Not(tree)
    assert sum(1 for _ in walk(tree)) == 100_001


def test_a_filter_may_have_500_tests() -> None:
    check_size(AllOf((PLAIN,) * MAX_TESTS))
    check_size(AnyOf((EVERYTHING,) * 10_000))
    for tree in (AllOf((PLAIN,) * (MAX_TESTS + 1)), Not(AnyOf((TEXT,) * MAX_TESTS + (FUZZY,)))):
        with pytest.raises(BadInput, match="501 conditions, at most 500"):
            check_size(tree)


def test_tests_by_path_come_with_their_level() -> None:
    rows = PathTest(parse_path("Rows"))
    assert list(path_tests(PLAIN, Level.STUDY)) == []
    tree = Not(Related(Level.SERIES, AnyOf((rows, PLAIN, Related(Level.INSTANCE, rows)))))
    assert set(path_tests(tree, Level.STUDY)) == {(Level.SERIES, rows), (Level.INSTANCE, rows)}


def test_one_condition_needs_no_wrapper() -> None:
    assert all_of([PLAIN]) is PLAIN
    assert all_of([]) == EVERYTHING
    assert all_of([PLAIN, TEXT]) == AllOf((PLAIN, TEXT))


SINCE = Test(attribute("StudyDate"), Op.GTE, date(2020, 1, 1))
UNTIL = Test(attribute("StudyDate"), Op.LTE, date(2020, 1, 9))
DATED = Test(attribute("StudyDate"), Op.IS_NULL, False)
UNDATED = Test(attribute("StudyDate"), Op.IS_NULL, True)
CT, MR = (Test(attribute("ModalitiesInStudy"), Op.HAS, each) for each in ("CT", "MR"))
MANY = Test(attribute("NumberOfStudyRelatedSeries"), Op.GTE, 3)
FEW = Test(attribute("NumberOfStudyRelatedSeries"), Op.LTE, 9)


@pytest.mark.parametrize(
    ("condition", "groups"),
    [
        (EVERYTHING, []),
        (AllOf((SINCE, UNTIL)), [(SINCE, UNTIL)]),
        (AllOf((SINCE, PLAIN, DATED)), [(SINCE, DATED), (PLAIN,)]),
        (AllOf((SINCE, AllOf((PLAIN, AllOf((UNTIL,)))))), [(SINCE, UNTIL), (PLAIN,)]),
        (AllOf((SINCE, UNDATED)), [(SINCE,), (UNDATED,)]),
        (AllOf((SINCE, Not(UNTIL), AnyOf((UNTIL,)))), [(SINCE,), (Not(UNTIL),), (AnyOf((UNTIL,)),)]),
        (AllOf((CT, MR)), [(CT,), (MR,)]),
        (AllOf((MANY, FEW)), [(MANY,), (FEW,)]),
    ],
)
def test_what_one_value_has_to_pass(condition: AllOf, groups: list[tuple[Condition, ...]]) -> None:
    assert conjunction(condition) == groups


def test_conditions_that_stand_apart_are_met_by_any_copies() -> None:
    assert apart([SINCE]) == SINCE
    assert apart([]) == EVERYTHING
    both = apart([SINCE, AllOf((UNTIL, DATED))])
    assert isinstance(both, AllOf)
    assert [len(group) for group in conjunction(both)] == [1, 1]
