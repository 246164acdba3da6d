"""Which rollup answers a question of statistics, and the SQL that reads it. How rollups are kept:
rollup_tables.py and migration 0009.

A rollup counts unshared studies by archive and a few dimensions. It answers when these are all that the
condition and the axes look at; studies of shared families are then added from the index (stats.py). What a
rollup says is exact, so only open archives are asked: the view behind shows no others.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from access.scope import Face
from db.facets import DateFacet, DateInterval, Facet
from db.params import Params
from db.where import Leaf, Where
from model.attributes import Level
from model.filters import AllOf, AnyOf, Condition, Not, Op, Related, Test

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
ROLLUPS = (
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


def rollup_for(condition: Condition, axes: Iterable["Axis"]) -> Rollup | None:
    """The rollup that answers; None where only the index does."""
    needed = _needs(condition)
    if needed is None:
        return None
    asked = list(axes)
    for axis in asked:
        needed |= axis.needs
    if "series_description" in needed.columns:
        alone = condition == AllOf(()) and sum(axis.needs != Needs() for axis in asked) == 1
        return SERIES_DESCRIPTIONS if alone and SERIES_DESCRIPTIONS.answers(needed) else None
    return next((rollup for rollup in ROLLUPS if rollup.answers(needed)), None)


# ---- axes ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Axis:
    """A facet over cells `r`: its value, what it joins ({f}: the axis's alias), what it needs."""

    value: str
    needs: Needs
    join: str = ""


def _column(name: str) -> Axis:
    return Axis(f"r.{name}", Needs(frozenset({name})))


def _each_of(name: str) -> Axis:
    return Axis(
        "{f}u.value", Needs(frozenset({name})), f"left join lateral unnest(r.{name}) {{f}}u (value) on true"
    )


_ARCHIVE = "join archive {f}a on {f}a.archive_id = r.archive_id"
AXES = {
    Facet.ARCHIVE: Axis("{f}a.code", Needs(), _ARCHIVE),
    Facet.ERN: Axis("{f}a.ern", Needs(), _ARCHIVE),
    Facet.MODALITY: _each_of("modalities"),
    Facet.BODY_PART: _each_of("body_parts"),
    Facet.MANUFACTURER: _each_of("manufacturers"),
    Facet.PATIENT_SEX: _column("patient_sex"),
    Facet.AGE_BAND: _column("age_band"),
    Facet.STUDY_YEAR: Axis("extract(year from r.study_date)::integer::text", Needs(day=YEAR)),
    Facet.STUDY_DESCRIPTION: _column("study_description"),
    Facet.SERIES_DESCRIPTION: _column("series_description"),
    Facet.SOP_CLASS: _each_of("sop_classes"),
}
_FINE = {
    DateInterval.YEAR: YEAR,
    DateInterval.QUARTER: MONTH,
    DateInterval.MONTH: MONTH,
    DateInterval.DAY: DAY,
}


def date_axis(by: DateFacet, interval: DateInterval) -> Axis:
    """First days of the intervals; null for no date."""
    value = f"date_trunc('{interval.lower()}', r.{by.lower()}::timestamp)::date"
    if by is DateFacet.STUDY_DATE:
        return Axis(value, Needs(day=_FINE[interval]))
    return Axis(value, Needs(frozenset({by.lower()})))


# ---- conditions ------------------------------------------------------------------------------------------

_OF_STUDY = frozenset({"patient_sex", "study_description", "patient_birth_date", "modalities"})
_OF_SERIES = {"body_part_examined": "body_parts", "manufacturer": "manufacturers"}


def _needs(condition: Condition) -> Needs | None:
    """None where it looks at something that no rollup has."""
    match condition:
        case AllOf(children) | AnyOf(children):
            found = Needs()
            for child in children:
                if (one := _needs(child)) is None:
                    return None
                found |= one
            return found
        case Not(child):
            return _needs(child)
        case Test(attribute) if attribute.level is Level.STUDY:
            if attribute.column == "study_date":
                return Needs(day=_fineness(condition))
            return Needs(frozenset({attribute.column})) if attribute.column in _OF_STUDY else None
        case Related(Level.SERIES, child):
            column = _about_one_value(child)
            return Needs(frozenset({_OF_SERIES[column]})) if column in _OF_SERIES else None
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


def _about_one_value(condition: Condition) -> str | None:
    """The column of a condition that one value of a series passes or not; a series without passes none."""
    match condition:
        case Test(_, Op.IS_NULL, True):
            return None
        case Test(attribute) if attribute.level is Level.SERIES:
            return attribute.column
        case AllOf(children) | AnyOf(children) if children:
            first, *others = {_about_one_value(child) for child in children}
            return first if not others else None
        case _:
            return None


class _CellWhere(Where):
    """Conditions over cells `r`: a column of the study is the cell's; one of a series is one of a set."""

    def _related(self, child: Condition, alias: str, level: Level, other: Level, leaf: Leaf) -> str:
        column = _about_one_value(child)
        if column is None or column not in _OF_SERIES:
            raise AssertionError("no rollup answers this")
        value = self._alias()
        return (
            f"exists (select 1 from unnest({alias}.{_OF_SERIES[column]}) {value} ({column})"
            f" where {self._compile(child, value, other, leaf)})"
        )


# ---- statements ------------------------------------------------------------------------------------------


class Cells:
    """Composes what reads the cells of one rollup in open archives; `asked`: SQL of their ids."""

    def __init__(self, params: Params, rollup: Rollup, condition: Condition, asked: str) -> None:
        self._params = params
        self._rollup = rollup
        self._condition = condition
        self._asked = asked

    @cached_property
    def _rows(self) -> str:
        where = _CellWhere(self._params, Face.COUNTS, self._asked)
        return (
            f"r.kind = {self._rollup.kind} and r.archive_id = any({self._asked})"
            f" and {where.copies(self._condition, 'r', Level.STUDY)}"
        )

    def sums(self) -> str:
        """One row: studies, series, instances."""
        names = ("studies", "number_of_series", "number_of_instances")
        sums = ", ".join(f"coalesce(sum(r.{name}), 0)::bigint as {name}" for name in names)
        return f"select {sums} from counts.rollup_cell r where {self._rows}"

    def buckets(self, axes: list[Axis]) -> str:
        """Rows (v0, v1, …, nodes)."""
        values, joins = [], []
        for number, axis in enumerate(axes):
            values.append(f"{axis.value} as v{number}".replace("{f}", f"x{number}"))
            joins.append(axis.join.replace("{f}", f"x{number}"))
        groups = ", ".join(f"v{number}" for number in range(len(axes)))
        return (
            f"select {', '.join(values)}, sum(r.studies) as nodes from counts.rollup_cell r {' '.join(joins)}"
            f" where {self._rows} group by {groups}"
        )
