"""What archives are asked for of a condition: never less than what can match."""

from datetime import date

import pytest

from model.attributes import Level, attribute
from model.bounds import Bounds, bounds_of
from model.filters import EVERYTHING, AllOf, AnyOf, Condition, Not, Op, Related, Test


def _day(number: int) -> date:
    return date(2020, 1, number)


def _since(number: int) -> Test:
    return Test(attribute("StudyDate"), Op.GTE, _day(number))


def _until(number: int) -> Test:
    return Test(attribute("StudyDate"), Op.LTE, _day(number))


def _other_way(condition: Condition) -> Condition:
    """The same study, reached by a series: another copy of it may hold."""
    return Related(Level.SERIES, Related(Level.STUDY, condition))


PATIENT = Test(attribute("PatientID"), Op.EQ, "P1")
PATIENTS = Test(attribute("PatientID"), Op.IN, ("P1", "P2"))
UNDATED = Test(attribute("StudyDate"), Op.IS_NULL, True)


@pytest.mark.parametrize(
    ("condition", "bounds"),
    [
        (EVERYTHING, Bounds()),
        (_since(3), Bounds(first=_day(3))),
        (AllOf((_since(3), _until(5))), Bounds(first=_day(3), last=_day(5))),
        (AllOf((_since(1), AllOf((_since(3), _until(5))))), Bounds(first=_day(3), last=_day(5))),
        (
            AllOf((Test(attribute("StudyDate"), Op.EQ, _day(4)), _since(2))),
            Bounds(first=_day(4), last=_day(4)),
        ),
        (Test(attribute("StudyDate"), Op.IN, (_day(7), _day(4))), Bounds(first=_day(4), last=_day(7))),
        # Two copies: one since the third, the other until the fifth.
        (AllOf((_since(3), _other_way(_until(5)))), Bounds(first=_day(3))),
        (
            AllOf((_since(3), _other_way(AllOf((_since(1), _until(2)))))),
            Bounds(first=_day(1), last=_day(2)),
        ),
        (AllOf((AnyOf((_since(3),)), _until(5))), Bounds(first=_day(3))),
        (AllOf((UNDATED, PATIENT)), Bounds(undated=True, patient_ids=frozenset({"P1"}))),
        (AllOf((PATIENTS, PATIENT)), Bounds(patient_ids=frozenset({"P1"}))),
        (AnyOf((PATIENT, _since(3))), Bounds()),
        (Not(PATIENT), Bounds()),
    ],
)
def test_bounds_are_as_narrow_as_one_copy_allows(condition: Condition, bounds: Bounds) -> None:
    assert bounds_of(condition) == bounds
