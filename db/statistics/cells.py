"""Cells of rollups as SQL: the axes and the conditions over them, and what reads them. Which rollup: rollups.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from access.scope import Projection
from db.lists.where import Leaf, Where
from db.params import Params
from db.statistics.facets import DateFacet, DateInterval, Facet, RowSql
from db.statistics.rollups import DAY, MONTH, SETS, YEAR, Needs, Rollup, about_one_value, cell_condition
from model.attributes import Level
from model.filters import Condition


@dataclass(frozen=True, slots=True)
class Axis:
    """A facet over cells `r` of the holding `h`: what it needs; its value and what it joins, given the axis's alias.
    of_archives: an array of these archives, known for each holding as a column of the alias's name."""

    needs: Needs
    value: RowSql
    join: RowSql | None = None
    of_archives: RowSql | None = None


def _column(name: str) -> Axis:
    return Axis(Needs(frozenset({name})), lambda _: f"r.{name}")


def _joined(f: str) -> str:
    return f"{f}u.value"


def _each_of(name: str) -> Axis:
    return Axis(
        Needs(frozenset({name})),
        _joined,
        lambda f: f"left join lateral unnest(r.{name}) {f}u (value) on true",
    )


def _of_archives(column: str) -> Axis:
    def values(held: str) -> str:
        return f"array(select distinct a.{column} from archive a where a.archive_id = any({held}))"

    def each(f: str) -> str:
        of_cell = f"case when r.held is null then h.{f} else {values('r.held')} end"
        return f"cross join lateral unnest({of_cell}) {f}u (value)"

    return Axis(Needs(), _joined, each, values)


AXES = {
    Facet.ARCHIVE: _of_archives("code"),
    Facet.ERN: _of_archives("ern"),
    Facet.MODALITY: _each_of("modalities"),
    Facet.BODY_PART: _each_of("body_parts"),
    # A study of two spellings of one code counts once: its cell has both.
    Facet.BODY_PART_CODE: Axis(
        Needs(frozenset({"body_parts"})),
        _joined,
        lambda f: (
            "left join lateral (select distinct c.value from unnest(r.body_parts) b (raw)"
            f" cross join lateral body_part_code(b.raw) c (value) where c.value is not null) {f}u on true"
        ),
    ),
    Facet.MANUFACTURER: _each_of("manufacturers"),
    Facet.PATIENT_SEX: _column("patient_sex"),
    Facet.AGE_BAND: _column("age_band"),
    Facet.STUDY_YEAR: Axis(Needs(day=YEAR), lambda _: "extract(year from r.study_date)::integer::text"),
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
    of_study = by is DateFacet.STUDY_DATE
    needs = Needs(day=_FINE[interval]) if of_study else Needs(frozenset({by.lower()}))
    return Axis(needs, lambda _: f"date_trunc('{interval.lower()}', r.{by.lower()}::timestamp)::date")


_ALL_SETS = {column: of for sets in SETS.values() for column, of in sets.items()}


class _CellWhere(Where):
    """Conditions over cells `r`: a column of the study is the cell's; one of a series is one of a set."""

    def _related(self, child: Condition, alias: str, level: Level, other: Level, leaf: Leaf) -> str:
        column = about_one_value(child)
        if column is None or column not in _ALL_SETS:
            raise AssertionError("no rollup answers this")
        value = self._alias()
        values = f"unnest({alias}.{_ALL_SETS[column]})"
        if column == "body_part_code":
            values = f"(select body_part_code(b.raw) from {values} b (raw))"
        return (
            f"exists (select 1 from {values} {value} ({column})"
            f" where {self._compile(child, value, other, leaf)})"
        )


class Cells:
    """Composes what reads the cells of one rollup in the holdings `holding` (rolled_up.py). mixed: also those of
    families whose copies differ."""

    def __init__(
        self,
        params: Params,
        rollup: Rollup,
        condition: Condition,
        level: Level,
        asked_ids: Sequence[int],
        *,
        mixed: bool,
    ) -> None:
        over_cells = cell_condition(condition, level)
        if over_cells is None:
            raise AssertionError("no rollup answers this")
        self._params = params
        self._rollup = rollup
        self._condition = over_cells
        self._asked_ids = asked_ids
        self._mixed = mixed

    @cached_property
    def _rows(self) -> str:
        where = _CellWhere(self._params, Projection.COUNTS, self._asked_ids)
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
            values.append(f"{axis.value(f'x{number}')} as v{number}")
            joins.append(axis.join(f"x{number}") if axis.join is not None else "")
        groups = ", ".join(f"v{number}" for number in range(len(axes)))
        return (
            f"select {', '.join(values)}, sum(r.nodes) as nodes from {_CELLS} {' '.join(joins)}"
            f" where {self._rows} group by {groups}"
        )


_CELLS = "holding h join counts.rollup_cell r on r.holding_id = h.holding_id"
