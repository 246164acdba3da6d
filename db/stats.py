"""Statements of statistics: totals, facets and histograms of the studies that match, one statement each.

Two groups of archives are asked. `open`: records that the viewer may see. `counted`: records that stay
hidden. Each matching study is in one part: in the open part when an open archive holds it, and then all about
it is as the open archives have it; else in the hidden part. The parts are counted apart, so that nothing of a
hidden record gets into an exact count; access/small_counts.py decides what may be told of the hidden part.

Statistics are of what the asked archives hold: a study's attributes are those of its best-ranked copy there,
its values at deeper levels those of all its copies there.

Where only open archives are asked and a rollup has all that is asked (rollups.py), unshared studies are read
from it, and only shared families are looked at one by one. The answer is the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from access.scope import Face
from access.small_counts import Cell, Hidden
from db.facets import DIMENSIONS, DateFacet, DateInterval, Dimension, Facet, date_dimension
from db.pages import is_best
from db.params import Params
from db.pool import Reader
from db.rollups import AXES, Axis, Cells, Rollup, date_axis, rollup_for
from db.where import Where
from model.attributes import Level
from model.filters import EVERYTHING, Condition

MOST_CELLS = 10_000


@dataclass(frozen=True, slots=True)
class Groups:
    """Asked archives by what the viewer may see of them, each in rank order; an ERN's are all in one."""

    open: tuple[int, ...]
    counted: tuple[int, ...] = ()

    @property
    def asks_any(self) -> bool:
        return bool(self.open or self.counted)


@dataclass(frozen=True, slots=True)
class Question:
    """What is counted: studies of these archives that match. `threshold`: hidden cells of fewer patients are
    not read; `seed` keys the record keys, a secret of 64 bits. Where `counted` is not empty, `condition` must
    not look at identifying attributes (access/identifying.py). `scan`: not from rollups, to compare with."""

    groups: Groups
    condition: Condition
    threshold: int = 0
    seed: int = 0
    scan: bool = False

    def rollup(self, axes: Sequence[Axis] = ()) -> Rollup | None:
        """The rollup that has all that is asked; None where the studies have to be looked at."""
        if self.scan or self.groups.counted or not self.groups.open:
            return None
        return rollup_for(self.condition, axes)


@dataclass(frozen=True, slots=True)
class Totals:
    """The four counts of all matching studies."""

    studies: Cell
    series: Cell
    instances: Cell
    patients: Cell


@dataclass(frozen=True, slots=True)
class Bucket:
    """One cell of a facet (one value) or of a cross table (two)."""

    values: tuple[Any, ...]
    cell: Cell


async def sums(database: Reader, question: Question) -> Mapping[str, Cell]:
    """studies, series and instances from the question's rollup. Raises ValueError where it has none."""
    statement = Statement(question, shared_only=True)
    sql = statement.rolled_up_sums(_rollup_of(question))
    (row,) = await database.fetch("stats_rollup_sums", sql, *statement.params.values)
    return {name: Cell(row[name]) for name in ("studies", "series", "instances")}


async def patients(database: Reader, question: Question) -> Cell:
    """Patients from a rollup. Raises ValueError with a filter: who has several studies is in several cells."""
    if question.condition != EVERYTHING:
        raise ValueError("patients of a filter are in no rollup")
    _rollup_of(question)
    statement = Statement(question, shared_only=True)
    sql = statement.rolled_up_persons()
    (row,) = await database.fetch("stats_rollup_patients", sql, *statement.params.values)
    return Cell(row["patients"])


def _rollup_of(question: Question) -> Rollup:
    rollup = question.rollup()
    if rollup is None:
        raise ValueError("no rollup has what is asked")
    return rollup


async def totals(database: Reader, question: Question) -> Totals:
    """Studies, series, instances and patients, counted one by one; one statement."""
    if not question.groups.asks_any:
        return Totals(Cell(0), Cell(0), Cell(0), Cell(0))
    statement = Statement(question)
    sql = statement.totals()
    rows = {row["hidden"]: row for row in await database.fetch("stats_totals", sql, *statement.params.values)}

    def cell(name: str) -> Cell:
        seen, hidden = rows.get(False), rows.get(True)
        return Cell(
            seen[name] if seen else 0,
            _hidden(hidden, name) if question.groups.counted else None,
        )

    return Totals(cell("studies"), cell("series"), cell("instances"), cell("patients"))


async def facet(database: Reader, question: Question, facets: Sequence[Facet], first: int) -> list[Bucket]:
    """Buckets of one facet, or cells of two, unordered: at least the `first` largest where all is open, else
    up to MOST_CELLS, because which ones are the largest must not be known before they are protected."""
    limit = MOST_CELLS if question.groups.counted else first
    axes = [AXES[each] for each in facets]
    return await _buckets(database, question, [DIMENSIONS[each] for each in facets], axes, limit)


async def date_histogram(
    database: Reader, question: Question, by: DateFacet, interval: DateInterval
) -> list[Bucket]:
    """Buckets of dates, unordered, undated studies under None; beyond MOST_CELLS when there are more."""
    axes = [date_axis(by, interval)]
    return await _buckets(database, question, [date_dimension(by, interval)], axes, MOST_CELLS + 1)


async def _buckets(
    database: Reader, question: Question, dimensions: Sequence[Dimension], axes: Sequence[Axis], limit: int
) -> list[Bucket]:
    if not question.groups.asks_any:
        return []
    if (rollup := question.rollup(axes)) is not None:
        statement = Statement(question, shared_only=True)
        sql, name = statement.rolled_up_cells(dimensions, axes, rollup, limit), "stats_rollup_cells"
    else:
        statement = Statement(question)
        sql, name = statement.cells(dimensions, limit), "stats_cells"
    values_of = [f"v{n}" for n in range(len(dimensions))]
    visible: dict[tuple[Any, ...], int] = {}
    hidden: dict[tuple[Any, ...], Hidden] = {}
    for row in await database.fetch(name, sql, *statement.params.values):
        values = tuple(row[each] for each in values_of)
        if row["hidden"]:
            hidden[values] = _hidden(row, "studies")
        else:
            visible[values] = row["studies"]
    none = Hidden() if question.groups.counted else None
    return [
        Bucket(values, Cell(visible.get(values, 0), hidden.get(values, none)))
        for values in dict.fromkeys([*visible, *hidden])
    ]


def _hidden(row: Any, name: str) -> Hidden:
    if row is None:
        return Hidden()
    if name == "patients":
        return Hidden(row["patients"], row["patients"], row["patients_key"])
    return Hidden(row[name], row["persons"], row["key"], row[f"{name}_largest"])


_SUMMED = {
    name: f"case when s.shared then counts.study_union_{name}(s.study_uid, {{ids}}) else s.number_of_{name} end"
    for name in ("series", "instances")
}
_OF_PART = "case when m.hidden then {counted} else {open} end"


class Statement:
    """Composes one statement of statistics: from db/facets.py, the attribute table and bound parameters.
    At least one archive is asked. shared_only: unshared studies come from a rollup."""

    def __init__(self, question: Question, *, shared_only: bool = False) -> None:
        self.params = Params()
        self._question = question
        self._families = (True,) if shared_only else (False, True)
        self._groups = question.groups
        self._hides = bool(question.groups.counted)

    # A parameter that a statement does not mention is an error: each is added when it is first needed.

    @cached_property
    def _open(self) -> str:
        return self.params.add(list(self._groups.open), "smallint[]")

    @cached_property
    def _counted(self) -> str:
        return self.params.add(list(self._groups.counted), "smallint[]")

    @cached_property
    def _held(self) -> str:
        return self._by_part("({open} || {counted})")

    @cached_property
    def _seed(self) -> str:
        return self.params.add(self._question.seed, "bigint")

    def totals(self) -> str:
        """One row a part: hidden, the four counts, and what protects them."""
        key = "min(m.record_key)" if self._hides else "null::bigint"
        # Someone whose other studies are visible is a visible patient.
        counts = "not p.hidden or p.person not in (select o.person from p o where not o.hidden)"
        return (
            f"with m as ({self._matching(_SUMMED, person=True)}),"
            " p as materialized (select m.hidden, m.person, count(*) as studies,"
            " coalesce(sum(m.series), 0) as series, coalesce(sum(m.instances), 0) as instances,"
            f" {key} as key from m group by m.hidden, m.person)"
            " select p.hidden, count(*) as persons, min(p.key) as key,"
            + "".join(
                f" sum(p.{name})::bigint as {name}, max(p.{name})::bigint as {name}_largest,"
                for name in ("studies", "series", "instances")
            )
            + f" count(*) filter (where {counts}) as patients,"
            f" min(p.key) filter (where {counts}) as patients_key"
            " from p group by p.hidden"
        )

    def cells(self, dimensions: Sequence[Dimension], limit: int) -> str:
        """Rows (hidden, v0, v1, studies) of the largest cells; hidden ones with what protects them."""
        values, matching = self._axes(dimensions)
        listed, most = ", ".join(values), self.params.add(limit, "integer")
        seen = (
            f"select false as hidden, {listed}, count(*) as studies, null::bigint as persons,"
            " null::bigint as key, null::bigint as studies_largest"
            f" from c where not c.hidden group by {listed} order by studies desc, {_in_order(values)} limit {most}"
        )
        sql = f"{matching} ({seen})"
        if not self._hides:
            return sql
        threshold = self.params.add(self._question.threshold, "bigint")
        return (
            f"{sql} union all (select true, {listed}, sum(n)::bigint, count(*), min(key), max(n) from"
            f" (select {listed}, person, count(*) as n, min(record_key) as key from c where c.hidden"
            f" group by {listed}, person) p group by {listed} having count(*) >= {threshold}"
            f" order by sum(n) desc limit {most})"
        )

    # ---- with rollups: unshared studies of open archives are in cells, the others are looked at -----------

    def rolled_up_sums(self, rollup: Rollup) -> str:
        """One row: studies, series, instances."""
        cells = Cells(self.params, rollup, self._question.condition, self._open)
        return (
            f"with m as ({self._matching(_SUMMED, person=False)}),"
            " shared as (select count(*) as studies, coalesce(sum(series), 0) as series,"
            " coalesce(sum(instances), 0) as instances from m)"
            " select r.studies + m.studies as studies, (r.number_of_series + m.series)::bigint as series,"
            f" (r.number_of_instances + m.instances)::bigint as instances from ({cells.sums()}) r cross join shared m"
        )

    def rolled_up_persons(self) -> str:
        """One row: patients. Of everything only: who has several studies is in several cells."""
        columns = {"patient_id": "s.patient_id"}
        return (
            f"with m as ({self._matching(columns, person=True)}) select"
            " (select coalesce(sum(r.persons), 0)::bigint from counts.rollup_person_set r"
            f" where r.archives && {self._open})"
            " + (select count(distinct m.person) from m where not exists (select from counts.study n"
            " where not n.shared and n.patient_id = m.patient_id and n.patient_key = m.person"
            f" and n.archive_id = any({self._open}))) as patients"
        )

    def rolled_up_cells(
        self, dimensions: Sequence[Dimension], axes: Sequence[Axis], rollup: Rollup, limit: int
    ) -> str:
        """The rows of `cells`, where nothing is hidden."""
        values, matching = self._axes(dimensions)
        listed, most = ", ".join(values), self.params.add(limit, "integer")
        cells = Cells(self.params, rollup, self._question.condition, self._open)
        return (
            f"{matching}, u as (select {listed}, count(*) as studies from c group by {listed}"
            f" union all {cells.buckets(list(axes))})"
            f" select false as hidden, {listed}, sum(studies)::bigint as studies from u group by {listed}"
            f" order by studies desc, {_in_order(values)} limit {most}"
        )

    # ---- parts ------------------------------------------------------------------------------------------

    def _axes(self, dimensions: Sequence[Dimension]) -> tuple[list[str], str]:
        """The names of the values, and the statement's beginning: `m`, the studies, and `c`, their values."""
        axes = [(f"f{n}", axis) for n, axis in enumerate(dimensions)]
        columns = {alias: axis.column for alias, axis in axes if axis.column is not None}
        values = [f"v{n}" for n in range(len(dimensions))]
        matching = self._matching(columns, person=self._hides)
        return values, f"with m as ({matching}), c as ({self._values(axes)})"

    def _values(self, axes: list[tuple[str, Dimension]]) -> str:
        """A row for each study and pair of values; a bucket of a hidden archive is hidden as a whole."""

        def of(template: str, alias: str) -> str:
            named = template.replace("{f}", alias)
            return named.replace("{ids}", self._by_part(_OF_PART)) if "{ids}" in named else named

        hidden = ["m.hidden"]
        if self._hides:
            hidden += [
                f"{alias}a.archive_id = any({self._counted})" for alias, axis in axes if axis.by_archive
            ]
        listed = ", ".join(f"{of(axis.value, alias)} as v{n}" for n, (alias, axis) in enumerate(axes))
        joins = " ".join(of(axis.join, alias) for alias, axis in axes)
        keys = ", m.person, m.record_key" if self._hides else ""
        distinct = "distinct " if any(axis.repeats for _, axis in axes) else ""
        return f"select {distinct}m.study_uid{keys}, {' or '.join(hidden)} as hidden, {listed} from m {joins}"

    def _by_part(self, both: str) -> str:
        """SQL of archive ids: `both` where both groups are asked, else the ids of the one that is."""
        if self._groups.open and self._groups.counted:
            return both.format(open=self._open, counted=self._counted)
        return self._counted if self._hides else self._open

    def _matching(self, columns: dict[str, str], *, person: bool) -> str:
        """Each matching study once: study_uid, hidden, the columns; person and record_key where asked for."""
        branches = []
        for hidden in (False, True):
            if not (self._groups.counted if hidden else self._groups.open):
                continue
            ids = self._counted if hidden else self._open
            where = Where(self.params, Face.COUNTS, ids)
            named = "".join(f", {self._column(sql, ids)} as {name}" for name, sql in columns.items())
            selected = f"select s.study_uid, {str(hidden).lower()} as hidden{self._person(person)}{named}"
            branches += [
                f"{selected} from {Face.COUNTS}.study s where {self._rows(where, ids, hidden=hidden, shared=shared)}"
                for shared in self._families
            ]
        return " union all ".join(branches)

    def _column(self, sql: str, ids: str) -> str:
        return sql.replace("{ids}", ids).replace("{held}", self._held if "{held}" in sql else "")

    def _person(self, wanted: bool) -> str:
        """The patient, or the study where it has no PatientID; and the record key, of hidden parts only."""
        if not wanted:
            return ""
        person = r"case when s.patient_id is null then '\\' || s.study_uid else s.patient_key end as person"
        if not self._hides:
            return f", {person}"
        return f", {person}, hashtextextended(s.study_uid, {self._seed}) as record_key"

    def _rows(self, where: Where, ids: str, *, hidden: bool, shared: bool) -> str:
        condition = self._question.condition
        if not shared:
            matches = where.copies(condition, "s", Level.STUDY)
            return f"not s.shared and s.archive_id = any({ids}) and {matches}"
        elsewhere = (
            " and not exists (select 1 from counts.study e where e.study_uid = s.study_uid"
            f" and e.archive_id = any({self._open}))"
            if hidden and self._groups.open
            else ""
        )
        return (
            f"s.shared and s.archive_id = any({ids}) and {is_best(Level.STUDY, 's', Face.COUNTS, ('study_uid',), ids)}"
            f"{elsewhere} and {where.nodes(condition, 's', Level.STUDY)}"
        )


def _in_order(values: list[str]) -> str:
    return ", ".join(f'{value}::text collate "C"' for value in values)
