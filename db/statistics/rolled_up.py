"""Statements of statistics with rollups: cells, and a look at the families that are in none of them.

Where a family is shared, the cells of the holding that the asked archives make of it are read. Looked at are
families that are in no cell; those whose copies differ, where a condition is asked of them; and those that were
counted while the asked archives had another order.
"""

from collections.abc import Sequence

from db.params import Compiled
from db.statistics.cells import Axis, Cells
from db.statistics.facets import Dimension
from db.statistics.rollups import Rollup
from db.statistics.stats_statement import SUMMED, Statement, StatsQuery, in_order
from model.filters import EVERYTHING


class RolledUp(Statement):
    """Composes one statement of a question that a rollup answers: all that is asked is open."""

    def __init__(self, stats_query: StatsQuery) -> None:
        super().__init__(stats_query)
        self._whole = stats_query.condition == EVERYTHING

    def sums(self, rollup: Rollup) -> Compiled:
        """One row: the counts of the level (SUMMED)."""
        names = list(SUMMED[self._level])
        cells = self._cells_of(rollup)
        looked = ", ".join(f"coalesce(sum({name}), 0) as {name}" for name in names)
        # the first is what is counted
        of_cells = ["nodes", *(f"number_of_{name}" for name in names[1:])]
        both = ", ".join(
            f"(r.{cell} + m.{name})::bigint as {name}" for cell, name in zip(of_cells, names, strict=True)
        )
        matching = self._matching(SUMMED[self._level], person=False)
        return self._params.compiled(
            f"with {self._holdings([])}, m as ({matching}), looked as (select {looked} from m)"
            f" select {both} from ({cells.sums()}) r cross join looked m"
        )

    def persons(self) -> Compiled:
        """One row: patients. Of everything only: who has several studies is in several cells."""
        matching = self._matching({}, person=True)
        return self._params.compiled(
            f"with {self._holdings([])}, m as ({matching}) select"
            " (select coalesce(sum(p.persons), 0)::bigint from (select distinct s.set_id, s.persons"
            " from counts.rollup_person_set s join holding h using (holding_id) where h.ranked) p)"
            " + (select count(distinct m.person) from m where not exists (select from counts.rollup_person p"
            " join holding h using (holding_id) where h.ranked and p.person = m.person)) as patients"
        )

    def cells_and_looks(
        self, dimensions: Sequence[Dimension], axes: Sequence[Axis], rollup: Rollup, limit: int
    ) -> Compiled:
        """The rows of `cells`, where nothing is hidden."""
        values, matching = self._axes(dimensions)
        listed, most = ", ".join(values), self._params.add(limit, "integer")
        cells = self._cells_of(rollup)
        return self._params.compiled(
            f"with {self._holdings(axes)}, {matching},"
            f" u as (select {listed}, count(*) as nodes from c group by {listed}"
            f" union all {cells.buckets(list(axes))})"
            f" select false as hidden, {listed}, sum(nodes)::bigint as nodes from u group by {listed}"
            f" order by nodes desc, {in_order(values)} limit {most}"
        )

    def _cells_of(self, rollup: Rollup) -> Cells:
        condition = self._stats_query.condition
        asked = self._groups.open
        return Cells(self._params, rollup, condition, self._level, asked, mixed=self._whole)

    def _holdings(self, axes: Sequence[Axis]) -> str:
        """`holding`: what the asked archives make of families, with values of it; `looked_at`: other families."""
        asked = self._open()
        values = "".join(
            f", {axis.of_archives('h.seen')} as x{number}"
            for number, axis in enumerate(axes)
            if axis.of_archives is not None
        )
        in_no_cell = "f.apart" if self._whole else "(f.apart or f.mixed)"
        return (
            "holding as materialized (select h.holding_id, h.seen, (cardinality(h.seen) = 1 or h.seen = array("
            f"select i.id from unnest({asked}) with ordinality i (id, n) where i.id = any(h.seen) order by i.n))"
            f" as ranked{values} from counts.rollup_holding h where h.seen <@ {asked} and not h.elsewhere && {asked}),"
            " looked_at as materialized (select f.study_uid from counts.rollup_family f"
            f" where {in_no_cell} and f.holding_id in (select holding_id from holding)"
            " union select f.study_uid from holding h join counts.rollup_family f using (holding_id)"
            " where not h.ranked)"
        )

    def _families(self, ids: str) -> Sequence[tuple[bool, str]]:
        rows = (
            f"looked_at l cross join lateral (select * from counts.{self._level} where study_uid = l.study_uid"
            f" and archive_id = any({ids}) offset 0)"
        )
        return [(True, rows)]
