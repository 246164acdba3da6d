"""Which rollup answers a question of statistics, and the SQL that reads it. How rollups are kept:
rollup_tables.py and migration 0009.

A rollup counts studies, series or instances by holding (what the asked archives make of those that hold a family)
and a few dimensions. It answers when these are all that the condition and the axes look at; families that are in no
cell are then added from the index (rolled_up.py). What a rollup says is exact, so only open archives are asked: the
views show no others.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from access.scope import Projection
from db.lists.where import Leaf, Where
from db.params import Params
from db.statistics.facets import DateFacet, DateInterval, Facet
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


def rollup_for(condition: Condition, axes: Iterable["Axis"], level: Level = Level.STUDY) -> Rollup | None:
    """The rollup of nodes at `level` that answers; None where only the index does."""
    over_cells = cell_condition(condition, level)
    needed = None if over_cells is None else _needs(over_cells, level)
    if needed is None:
        return None
    asked = list(axes)
    for axis in asked:
        needed |= axis.needs
    if level is Level.STUDY and "series_description" in needed.columns:
        alone = condition == AllOf(()) and sum(axis.needs != Needs() for axis in asked) == 1
        return SERIES_DESCRIPTIONS if alone and SERIES_DESCRIPTIONS.answers(needed) else None
    return next((rollup for rollup in ROLLUPS[level] if rollup.answers(needed)), None)


# ---- axes ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Axis:
    """A facet over cells `r` of the holding `h`: its value, what it joins ({f}: the axis's alias), what it needs.
    of_archives: an array of the archives {held}, known for each holding as h.{f}."""

    value: str
    needs: Needs
    join: str = ""
    of_archives: str = ""


def _column(name: str) -> Axis:
    return Axis(f"r.{name}", Needs(frozenset({name})))


def _each_of(name: str) -> Axis:
    return Axis(
        "{f}u.value", Needs(frozenset({name})), f"left join lateral unnest(r.{name}) {{f}}u (value) on true"
    )


def _of_archives(column: str) -> Axis:
    values = f"array(select distinct a.{column} from archive a where a.archive_id = any({{held}}))"
    each = f"case when r.held is null then h.{{f}} else {values.format(held='r.held')} end"
    return Axis("{f}u.value", Needs(), f"cross join lateral unnest({each}) {{f}}u (value)", values)


AXES = {
    Facet.ARCHIVE: _of_archives("code"),
    Facet.ERN: _of_archives("ern"),
    Facet.MODALITY: _each_of("modalities"),
    Facet.BODY_PART: _each_of("body_parts"),
    # A study of two spellings of one code counts once: its cell has both.
    Facet.BODY_PART_CODE: Axis(
        "{f}u.value",
        Needs(frozenset({"body_parts"})),
        "left join lateral (select distinct c.value from unnest(r.body_parts) b (raw)"
        " cross join lateral body_part_code(b.raw) c (value) where c.value is not null) {f}u on true",
    ),
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
_OF_SERIES = {
    "body_part_examined": "body_parts",
    "body_part_code": "body_parts",
    "manufacturer": "manufacturers",
}
# Values of a series as rows with one column; {values}: SQL of the cell's set.
_VALUES = {"body_part_code": "(select body_part_code(b.raw) from unnest({values}) b (raw))"}
# The modalities of a study are more than those of its series; in cells of series they are the series' own.
_SETS = {
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
        case Test(attribute) if attribute.level is level and attribute.column in _SETS[level]:
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
            column = _about_one_value(child)
            return Needs(frozenset({_SETS[level][column]})) if column in _SETS[level] else None
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


def _about_one_value(condition: Condition) -> str | None:
    """The column of a condition that one value of a series passes or not; a series without passes none."""
    match condition:
        case Test(_, Op.IS_NULL, True):
            return None
        case Test(attribute) if attribute.level is not Level.STUDY:
            return attribute.column
        case AllOf(children) | AnyOf(children) if children:
            first, *others = {_about_one_value(child) for child in children}
            return first if not others else None
        case _:
            return None


_ALL_SETS = {column: of for sets in _SETS.values() for column, of in sets.items()}


class _CellWhere(Where):
    """Conditions over cells `r`: a column of the study is the cell's; one of a series is one of a set."""

    def _related(self, child: Condition, alias: str, level: Level, other: Level, leaf: Leaf) -> str:
        column = _about_one_value(child)
        if column is None or column not in _ALL_SETS:
            raise AssertionError("no rollup answers this")
        value = self._alias()
        values = _VALUES.get(column, "unnest({values})").format(values=f"{alias}.{_ALL_SETS[column]}")
        return (
            f"exists (select 1 from {values} {value} ({column})"
            f" where {self._compile(child, value, other, leaf)})"
        )


# ---- statements ------------------------------------------------------------------------------------------


class Cells:
    """Composes what reads the cells of one rollup in the holdings `holding` (rolled_up.py); `asked`: SQL of the
    archives' ids. mixed: also those of families whose copies differ."""

    def __init__(
        self, params: Params, rollup: Rollup, condition: Condition, level: Level, asked: str, *, mixed: bool
    ) -> None:
        over_cells = cell_condition(condition, level)
        if over_cells is None:
            raise AssertionError("no rollup answers this")
        self._params = params
        self._rollup = rollup
        self._condition = over_cells
        self._asked = asked
        self._mixed = mixed

    @cached_property
    def _rows(self) -> str:
        where = _CellWhere(self._params, Projection.COUNTS, self._asked)
        alike = "" if self._mixed else " and not r.mixed"
        return (
            f"h.ranked and r.kind = {self._rollup.kind}{alike}"
            f" and {where.copies(self._condition, 'r', Level.STUDY)}"
        )

    def sums(self) -> str:
        """One row: nodes, number_of_series, number_of_instances."""
        names = ("nodes", "number_of_series", "number_of_instances")
        sums = ", ".join(f"coalesce(sum(r.{name}), 0)::bigint as {name}" for name in names)
        return f"select {sums} from {_CELLS} where {self._rows}"

    def buckets(self, axes: list[Axis]) -> str:
        """Rows (v0, v1, …, nodes)."""
        values, joins = [], []
        for number, axis in enumerate(axes):
            values.append(f"{axis.value} as v{number}".replace("{f}", f"x{number}"))
            joins.append(axis.join.replace("{f}", f"x{number}"))
        groups = ", ".join(f"v{number}" for number in range(len(axes)))
        return (
            f"select {', '.join(values)}, sum(r.nodes) as nodes from {_CELLS} {' '.join(joins)}"
            f" where {self._rows} group by {groups}"
        )


_CELLS = "holding h join counts.rollup_cell r on r.holding_id = h.holding_id"
