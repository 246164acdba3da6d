"""Which rollup answers a question of statistics. The SQL that reads it: cells.py. How rollups are kept:
db/writing/rollup_tables.py and migration 0009.

A rollup counts studies, series or instances by holding (what the asked archives make of those that hold a family)
and a few dimensions. It answers when these are all that the condition and the axes look at; families that are in no
cell are then added from the index (rolled_up.py). What a rollup says is exact, so only open archives are asked: the
views show no others.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from model.attributes import Level
from model.filters import AllOf, AnyOf, Condition, Not, Op, Related, Test, walk

YEAR, MONTH, DAY = 1, 2, 3
"""How fine StudyDate has to be; 0: it is not looked at."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a question looks at: columns of rollup_cell, and how fine the study's date."""

    columns: frozenset[str] = frozenset()
    day: int = 0

    def __or__(self, other: "Needs") -> "Needs":
        return Needs(self.columns | other.columns, max(self.day, other.day))


@dataclass(frozen=True, slots=True)
class Rollup:
    """One kind of cells (`cells_of` in migration 0009 has the same list)."""

    kind: int
    has: Needs

    def answers(self, needs: Needs) -> bool:
        return needs.columns <= self.has.columns and needs.day <= self.has.day


def _rollup(kind: int, *columns: str, day: int = 0) -> Rollup:
    return Rollup(kind, Needs(frozenset(columns), day))


# The smallest first: the first that answers is taken.
_OF_STUDIES = (
    _rollup(0),
    _rollup(2, "modalities", "body_parts", "manufacturers"),
    _rollup(5, "sop_classes"),
    _rollup(1, "patient_sex", "modalities", "body_parts", day=YEAR),
    _rollup(3, "patient_sex", "age_band", "modalities"),
    _rollup(4, "patient_sex", "modalities", day=MONTH),
    _rollup(6, "study_description"),
    _rollup(7, day=DAY),
    _rollup(8, "patient_birth_date"),
)
# A study is in several of its cells: it answers for the values alone, whatever the archives.
SERIES_DESCRIPTIONS = _rollup(9, "series_description")
# In cells of series and instances, sets hold the one value or are empty.
ROLLUPS = {
    Level.STUDY: _OF_STUDIES,
    Level.SERIES: (
        _rollup(20, "modalities", "body_parts", "manufacturers"),
        _rollup(22, "modalities", "patient_sex", "age_band", day=YEAR),
        _rollup(21, "modalities", "series_description"),
    ),
    Level.INSTANCE: (_rollup(30, "sop_classes"),),
}


def rollup_for(condition: Condition, axes: Iterable[Needs], level: Level = Level.STUDY) -> Rollup | None:
    """The rollup of nodes at `level` that answers, with what each axis looks at; None where only the index does."""
    over_cells = cell_condition(condition, level)
    needed = None if over_cells is None else _needs(over_cells, level)
    if needed is None:
        return None
    asked = list(axes)
    for axis in asked:
        needed |= axis
    if level is Level.STUDY and "series_description" in needed.columns:
        alone = condition == AllOf(()) and sum(axis != Needs() for axis in asked) == 1
        return SERIES_DESCRIPTIONS if alone and SERIES_DESCRIPTIONS.answers(needed) else None
    return next((rollup for rollup in ROLLUPS[level] if rollup.answers(needed)), None)


# ---- conditions ------------------------------------------------------------------------------------------

_OF_STUDY = frozenset({"patient_sex", "study_description", "patient_birth_date", "modalities"})
_OF_SERIES = {
    "body_part_examined": "body_parts",
    "body_part_code": "body_parts",
    "manufacturer": "manufacturers",
}
# The modalities of a study are more than those of its series; in cells of series they are the series' own.
SETS = {
    Level.STUDY: _OF_SERIES,
    Level.SERIES: _OF_SERIES | {"modality": "modalities"},
    Level.INSTANCE: {"sop_class_uid": "sop_classes"},
}


def cell_condition(condition: Condition, level: Level) -> Condition | None:
    """What a condition on nodes at `level` says of cells, as if these were studies: a value of the node is one of
    the cell's set, and its study is the cell. None where cells cannot say it."""
    if level is Level.STUDY:
        return condition
    match condition:
        case AllOf(children) | AnyOf(children):
            parts = [cell_condition(child, level) for child in children]
            known = tuple(part for part in parts if part is not None)
            return type(condition)(known) if len(known) == len(parts) else None
        case Not(child):
            inner = cell_condition(child, level)
            return None if inner is None else Not(inner)
        case Test(attribute, Op.IS_NULL, True) if attribute.level is level:
            some = cell_condition(Test(attribute, Op.IS_NULL, False), level)
            return None if some is None else Not(some)
        case Test(attribute) if attribute.level is level and attribute.column in SETS[level]:
            return Related(Level.SERIES, condition)
        case Test(attribute) if level is Level.SERIES and attribute.column == "series_description":
            return condition
        case Related(Level.STUDY, child) if level is Level.SERIES and not _looks_at_modalities(child):
            return child
        case _:
            return None


def _looks_at_modalities(condition: Condition) -> bool:
    """The study's, which its series' cells do not know; nor what its other series say."""
    return any(
        isinstance(here, Related) or (isinstance(here, Test) and here.attribute.column == "modalities")
        for here in walk(condition)
    )


def _needs(condition: Condition, level: Level) -> Needs | None:
    """Of a condition on cells; None where it looks at something that no rollup has."""
    match condition:
        case AllOf(children) | AnyOf(children):
            found = Needs()
            for child in children:
                if (one := _needs(child, level)) is None:
                    return None
                found |= one
            return found
        case Not(child):
            return _needs(child, level)
        case Test(attribute) if attribute.level is Level.STUDY:
            if attribute.column == "study_date":
                return Needs(day=_fineness(condition))
            return Needs(frozenset({attribute.column})) if attribute.column in _OF_STUDY else None
        case Related(Level.SERIES, child):
            column = about_one_value(child)
            return Needs(frozenset({SETS[level][column]})) if column in SETS[level] else None
        case Test(attribute) if level is Level.SERIES and attribute.column == "series_description":
            return Needs(frozenset({"series_description"}))
        case _:
            return None


def _fineness(test: Test) -> int:
    """How fine dates have to be for this test to hold of a first day as it does of the day itself."""
    if test.op is Op.IS_NULL:
        return YEAR
    if not isinstance(test.value, date) or test.op not in (Op.GTE, Op.LTE) or test.value == date.max:
        return DAY
    first = test.value if test.op is Op.GTE else test.value + timedelta(days=1)
    if first.day > 1:
        return DAY
    return YEAR if first.month == 1 else MONTH


def about_one_value(condition: Condition) -> str | None:
    """The column of a condition that one value of a series passes or not; a series without passes none."""
    match condition:
        case Test(_, Op.IS_NULL, True):
            return None
        case Test(attribute) if attribute.level is not Level.STUDY:
            return attribute.column
        case AllOf(children) | AnyOf(children) if children:
            first, *others = {about_one_value(child) for child in children}
            return first if not others else None
        case _:
            return None
