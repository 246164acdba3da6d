"""One statement of statistics as SQL: from facets.py, the attribute table and bound parameters.

`m` is what matches, each node (study, series or instance) once; `c` gives each of these its values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from access.scope import Projection
from db.lists.part import is_best
from db.lists.where import Where, same_node
from db.params import Compiled, Params
from db.statistics.cells import Axis
from db.statistics.facets import ABOVE, At, Dimension, Sql
from db.statistics.rollups import Rollup, rollup_for
from model.attributes import KEY_COLUMNS, Level
from model.filters import EVERYTHING, Condition


@dataclass(frozen=True, slots=True)
class Groups:
    """Asked archives by what the viewer may see of them, each in rank order; an ERN's are all in one.

    elsewhere: archives whose studies are counted in another way, and so are not in the hidden part."""

    open: tuple[int, ...]
    counted: tuple[int, ...] = ()
    elsewhere: tuple[int, ...] = ()

    @property
    def asks_any(self) -> bool:
        return bool(self.open or self.counted)


@dataclass(frozen=True, slots=True)
class StatsQuery:
    """What is counted: nodes at `level` of these archives that match. `threshold`: hidden cells of fewer
    patients are not read; `seed` keys the record keys, a secret of 64 bits. Where `counted` is not empty,
    `condition` must not look at identifying attributes (access/identifying.py). `scan`: not from rollups, to
    compare with."""

    groups: Groups
    condition: Condition
    threshold: int = 0
    seed: int = 0
    level: Level = Level.STUDY
    scan: bool = False

    def rollup(self, axes: Sequence[Axis] = ()) -> Rollup | None:
        """The rollup that has all that is asked; None where the nodes have to be looked at."""
        if self.scan or self.groups.counted or not self.groups.open:
            return None
        return rollup_for(self.condition, [axis.needs for axis in axes], self.level)

    @property
    def knows_persons(self) -> bool:
        """Whether a rollup has the patients: of all studies."""
        return self.level is Level.STUDY and self.condition == EVERYTHING and self.rollup() is not None


# The unions of counts.study_union_* and series_union_*: as subqueries ten times as fast as a call for each row.


def _series_of_study(at: At) -> str:
    union = (
        "greatest((select count(distinct x.series_uid) from counts.series x where x.study_uid = s.study_uid"
        f" and x.archive_id = any({at.ids})), (select max(u.number_of_series) from counts.study u"
        f" where u.study_uid = s.study_uid and u.archive_id = any({at.ids})))"
    )
    return f"case when s.shared then {union} else s.number_of_series end"


def _instances_of_study(at: At) -> str:
    union = (
        "count_value(greatest((select sum(l.n) from (select max(x.number_of_instances) as n from counts.series x"
        f" where x.study_uid = s.study_uid and x.archive_id = any({at.ids}) group by x.series_uid) l),"
        " (select max(u.number_of_instances) from counts.study u"
        f" where u.study_uid = s.study_uid and u.archive_id = any({at.ids}))))"
    )
    return f"case when s.shared then {union} else s.number_of_instances end"


def _instances_of_series(at: At) -> str:
    union = (
        "(select max(x.number_of_instances) from counts.series x where x.study_uid = s.study_uid"
        f" and x.series_uid = s.series_uid and x.archive_id = any({at.ids}))"
    )
    return f"case when s.shared then {union} else s.number_of_instances end"


def _one(_: At) -> str:
    return "1"


SUMMED: Mapping[Level, Mapping[str, Sql]] = {
    Level.STUDY: {"studies": _one, "series": _series_of_study, "instances": _instances_of_study},
    Level.SERIES: {"series": _one, "instances": _instances_of_series},
    Level.INSTANCE: {"instances": _one},
}
"""What a node adds to the counts of its level and those below; how many patients that is is counted apart."""


class Statement:
    """Composes one statement of statistics: from db/statistics/facets.py, the attribute table and bound parameters.
    At least one archive is asked."""

    def __init__(self, stats_query: StatsQuery) -> None:
        self._params = Params()
        self._stats_query = stats_query
        self._level = stats_query.level
        self._key = KEY_COLUMNS[stats_query.level]
        self._groups = stats_query.groups
        self._hides = bool(stats_query.groups.counted)

    # A parameter that a statement does not mention is an error: each is added where it is needed.

    def _open(self) -> str:
        return self._params.add(list(self._groups.open), "smallint[]")

    def _counted(self) -> str:
        return self._params.add(list(self._groups.counted), "smallint[]")

    def _of_part(self) -> str:
        """SQL of the archives of the part that a node `m` is in."""
        if self._groups.open and self._groups.counted:
            return f"case when m.hidden then {self._counted()} else {self._open()} end"
        return self._counted() if self._hides else self._open()

    def _of_all(self) -> str:
        """SQL of all archives that are asked."""
        if self._groups.open and self._groups.counted:
            return f"({self._open()} || {self._counted()})"
        return self._counted() if self._hides else self._open()

    def totals(self) -> Compiled:
        """One row a part: hidden, the counts of the level (SUMMED) and patients, and what protects them."""
        names = list(SUMMED[self._level])
        key = "min(m.record_key)" if self._hides else "null::bigint"
        sums = "".join(f", coalesce(sum(m.{name}), 0) as {name}" for name in names)
        told = "".join(
            f" sum(p.{name})::bigint as {name}, max(p.{name})::bigint as {name}_largest," for name in names
        )
        # Someone of whom another node is visible is a visible patient.
        counts = "not p.hidden or p.person not in (select o.person from p o where not o.hidden)"
        return self._params.compiled(
            f"with m as ({self._matching(SUMMED[self._level], person=True)}),"
            f" p as materialized (select m.hidden, m.person{sums}, {key} as key from m group by m.hidden, m.person)"
            f" select p.hidden, count(*) as persons, min(p.key) as key,{told}"
            f" count(*) filter (where {counts}) as patients,"
            f" min(p.key) filter (where {counts}) as patients_key from p group by p.hidden"
        )

    def cells(self, dimensions: Sequence[Dimension], limit: int) -> Compiled:
        """Rows (hidden, v0, v1, …, nodes) of the largest cells; hidden ones with what protects them."""
        values, matching = self._axes(dimensions)
        listed, most = ", ".join(values), self._params.add(limit, "integer")
        seen = (
            f"select false as hidden, {listed}, count(*) as nodes, null::bigint as persons,"
            " null::bigint as key, null::bigint as nodes_largest"
            f" from c where not c.hidden group by {listed} order by nodes desc, {in_order(values)} limit {most}"
        )
        sql = f"with {matching} ({seen})"
        if not self._hides:
            return self._params.compiled(sql)
        threshold = self._params.add(self._stats_query.threshold, "bigint")
        return self._params.compiled(
            f"{sql} union all (select true, {listed}, sum(n)::bigint, count(*), min(key), max(n) from"
            f" (select {listed}, person, count(*) as n, min(record_key) as key from c where c.hidden"
            f" group by {listed}, person) p group by {listed} having count(*) >= {threshold}"
            f" order by sum(n) desc limit {most})"
        )

    def bounds(self, dimension: Dimension) -> Compiled:
        """One row: the lowest and the highest value of an axis."""
        _, matching = self._axes([dimension])
        return self._params.compiled(f"with {matching} select min(v0) as low, max(v0) as high from c")

    # ---- parts ------------------------------------------------------------------------------------------

    def _axes(self, dimensions: Sequence[Dimension]) -> tuple[list[str], str]:
        """The names of the values, and the tables of the statement: `m`, the nodes, and `c`, their values."""
        axes = [(f"f{n}", axis) for n, axis in enumerate(dimensions)]
        columns = {alias: axis.column for alias, axis in axes if axis.column is not None}
        values = [f"v{n}" for n in range(len(dimensions))]
        above = frozenset(axis.above for axis in dimensions if axis.above is not None)
        matching = self._matching(columns, person=self._hides, above=above)
        return values, f"m as ({matching}), c as ({self._values(axes)})"

    def _values(self, axes: list[tuple[str, Dimension]]) -> str:
        """A row for each node and combination of values; a bucket of a hidden archive is hidden as a whole."""
        hidden = ["m.hidden"]
        if self._hides:
            hidden += [
                f"{alias}a.archive_id = any({self._counted()})" for alias, axis in axes if axis.by_archive
            ]
        placed = [(At(self._params, alias, self._of_part, self._of_all), axis) for alias, axis in axes]
        listed = ", ".join(f"{axis.value(at)} as v{n}" for n, (at, axis) in enumerate(placed))
        joins = " ".join(axis.join(at) for at, axis in placed if axis.join is not None)
        keys = ", m.person, m.record_key" if self._hides else ""
        distinct = "distinct " if any(axis.repeats for _, axis in axes) else ""
        key = ", ".join(f"m.{column}" for column in self._key)
        return f"select {distinct}{key}{keys}, {' or '.join(hidden)} as hidden, {listed} from m {joins}"

    def _matching(
        self, columns: Mapping[str, Sql], *, person: bool, above: frozenset[Level] = frozenset()
    ) -> str:
        """Each matching node once: its UIDs, hidden, the columns; person and record_key where asked for. Columns
        may be of the copy's own rows `above`."""
        if person and self._level is not Level.STUDY:
            above |= {Level.STUDY}
        parents = "".join(f" cross join lateral ({ABOVE[level]}) {level}_above" for level in sorted(above))
        branches = []
        for hidden in (False, True):
            if not (self._groups.counted if hidden else self._groups.open):
                continue
            asked = self._counted if hidden else self._open
            ids = asked()
            where = Where(
                self._params, Projection.COUNTS, self._groups.counted if hidden else self._groups.open
            )
            named = "".join(
                f", {sql(At(self._params, name, asked, self._of_all))} as {name}"
                for name, sql in columns.items()
            )
            keys = self._person() if person else ""
            key = ", ".join(f"s.{column}" for column in self._key)
            selected = f"select {key}, {str(hidden).lower()} as hidden{keys}{named}"
            branches += [
                f"{selected} from {rows} s{parents} where {self._rows(where, ids, hidden=hidden, shared=shared)}"
                for shared, rows in self._families(ids)
            ]
        return " union all ".join(branches)

    def _families(self, ids: str) -> Sequence[tuple[bool, str]]:
        """Whether families are shared, and the copies to look at."""
        return [(shared, f"counts.{self._level}") for shared in (False, True)]

    def _person(self) -> str:
        """The patient, or the study where it has no PatientID; and the record key, of hidden parts only.

        The key is the study's at every level: the same set of series, asked for as series or as the series
        of studies, has one answer.
        """
        of = "s" if self._level is Level.STUDY else f"{Level.STUDY}_above"
        person = rf", case when {of}.patient_id is null then '\\' || s.study_uid else {of}.patient_key end as person"
        if not self._hides:
            return person
        seed = self._params.add(self._stats_query.seed, "bigint")
        return f"{person}, hashtextextended(s.study_uid, {seed}) as record_key"

    def _rows(self, where: Where, ids: str, *, hidden: bool, shared: bool) -> str:
        condition, level = self._stats_query.condition, self._level
        if not shared:
            return f"not s.shared and s.archive_id = any({ids}) and {where.copies(condition, 's', level)}"
        counted_before = (*self._groups.open, *self._groups.elsewhere)
        elsewhere = (
            f" and not exists (select 1 from counts.{level} e where {same_node(level, 'e', 's')}"
            f" and e.archive_id = any({self._params.add(list(counted_before), 'smallint[]')}))"
            if hidden and counted_before
            else ""
        )
        return (
            # no `= any`, as in db/lists/pages.py
            f"s.shared and array_position({ids}, s.archive_id) is not null"
            f" and {is_best(level, 's', Projection.COUNTS, ids)}{elsewhere} and {where.nodes(condition, 's', level)}"
        )


def in_order(values: Sequence[str]) -> str:
    """Values as the keys of an order that does not depend on their types."""
    return ", ".join(f'{value}::text collate "C"' for value in values)
