"""Statements of statistics: totals, facets and histograms of the studies that match, one statement each.

Two groups of archives are asked. `open`: records that the viewer may see. `counted`: records that stay
hidden. Each matching study is in one part: in the open part when an open archive holds it, and then all about
it is as the open archives have it; else in the hidden part. The parts are counted apart, so that nothing of a
hidden record gets into an exact count; access/small_counts.py decides what may be told of the hidden part.

Statistics are of what the asked archives hold: a study's attributes are those of its best-ranked copy there,
its values at deeper levels those of all its copies there.

Where only open archives are asked and a rollup has all that is asked (rollups.py), it is read from there, and few
families are looked at one by one (rolled_up.py). The answer is the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from access.small_counts import Cell, Hidden
from db.params import Compiled
from db.pool import Reader
from db.statistics.attribute_facets import CountedBy, bins, numbers, texts
from db.statistics.cells import AXES, Axis, date_axis
from db.statistics.facets import DateFacet, DateInterval, Dimension, Facet, date_dimension, dimension
from db.statistics.rolled_up import RolledUp
from db.statistics.rollups import Rollup
from db.statistics.stats_statement import SUMMED, Groups, Statement, StatsQuery

MOST_CELLS = 10_000
"""Cells of a facet or cross table that are read: what is protected is chosen among all of them, in memory."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """One cell of a facet (one value) or of a cross table (two)."""

    values: tuple[Any, ...]
    cell: Cell


async def sums(database: Reader, stats_query: StatsQuery) -> Mapping[str, Cell]:
    """The counts of the level (SUMMED) from the question's rollup. Raises ValueError where it has none."""
    statement = RolledUp(stats_query).sums(_rollup_of(stats_query))
    (row,) = await statement.fetch(database, "stats_rollup_sums")
    return {name: Cell(row[name]) for name in SUMMED[stats_query.level]}


async def patients(database: Reader, stats_query: StatsQuery) -> Cell:
    """Patients from a rollup. Raises ValueError with a filter: who has several studies is in several cells."""
    if not stats_query.knows_persons:
        raise ValueError("patients of a filter, or of what lies below studies, are in no rollup")
    _rollup_of(stats_query)
    (row,) = await RolledUp(stats_query).persons().fetch(database, "stats_rollup_patients")
    return Cell(row["patients"])


def _rollup_of(stats_query: StatsQuery) -> Rollup:
    rollup = stats_query.rollup()
    if rollup is None:
        raise ValueError("no rollup has what is asked")
    return rollup


async def totals(database: Reader, stats_query: StatsQuery) -> Mapping[str, Cell]:
    """The counts of the level and those below (SUMMED), and patients, counted one by one; one statement."""
    names = [*SUMMED[stats_query.level], "patients"]
    if not stats_query.groups.asks_any:
        return {name: Cell(0) for name in names}
    found = await Statement(stats_query).totals().fetch(database, "stats_totals")
    rows = {row["hidden"]: row for row in found}
    seen, hidden = rows.get(False), rows.get(True)
    return {
        name: Cell(seen[name] if seen else 0, _hidden(hidden, name) if stats_query.groups.counted else None)
        for name in names
    }


async def facet(
    database: Reader, stats_query: StatsQuery, facets: Sequence[Facet], first: int
) -> list[Bucket]:
    """Buckets of one facet, or cells of several, unordered: at least the `first` largest where all is open, else
    up to MOST_CELLS, because which ones are the largest must not be known before they are protected."""
    axes = [AXES[each] for each in facets]
    dimensions = [dimension(each, stats_query.level) for each in facets]
    return await _buckets(database, stats_query, dimensions, axes, _limit(stats_query, first))


async def date_histogram(
    database: Reader, stats_query: StatsQuery, by: DateFacet, interval: DateInterval
) -> list[Bucket]:
    """Buckets of dates, unordered, undated nodes under None; beyond MOST_CELLS when there are more."""
    axes = [date_axis(by, interval)]
    dimensions = [date_dimension(by, interval, stats_query.level)]
    return await _buckets(database, stats_query, dimensions, axes, MOST_CELLS + 1)


async def attribute_facet(
    database: Reader, stats_query: StatsQuery, of: CountedBy, first: int
) -> list[Bucket]:
    """Buckets of any attribute's values, as in `facet`."""
    if not stats_query.groups.asks_any:
        return []
    axis = texts(of, stats_query.level)
    statement = Statement(stats_query).cells([axis], _limit(stats_query, first))
    return await _read(database, stats_query, "stats_attribute", statement, 1)


async def bounds(database: Reader, stats_query: StatsQuery, of: CountedBy) -> tuple[float, float] | None:
    """The smallest and the largest number that open records have; None where they have none."""
    groups = Groups(stats_query.groups.open)
    if not groups.asks_any:
        return None
    statement = Statement(replace(stats_query, groups=groups)).bounds(numbers(of, stats_query.level))
    (row,) = await statement.fetch(database, "stats_bounds")
    return None if row["low"] is None else (row["low"], row["high"])


async def number_histogram(
    database: Reader, stats_query: StatsQuery, of: CountedBy, edges: tuple[float, float], count: int
) -> list[Bucket]:
    """Buckets of numbers by bin from 1 to `count` between the edges; None is outside, or no number."""
    if not stats_query.groups.asks_any:
        return []
    statement = Statement(stats_query).cells([bins(of, stats_query.level, *edges, count)], count + 1)
    return await _read(database, stats_query, "stats_histogram", statement, 1)


def _limit(stats_query: StatsQuery, first: int) -> int:
    return MOST_CELLS if stats_query.groups.counted else first


async def _buckets(
    database: Reader,
    stats_query: StatsQuery,
    dimensions: Sequence[Dimension],
    axes: Sequence[Axis],
    limit: int,
) -> list[Bucket]:
    if not stats_query.groups.asks_any:
        return []
    if (rollup := stats_query.rollup(axes)) is not None:
        rolled_up = RolledUp(stats_query).cells_and_looks(dimensions, axes, rollup, limit)
        return await _read(database, stats_query, "stats_rollup_cells", rolled_up, len(dimensions))
    statement = Statement(stats_query).cells(dimensions, limit)
    return await _read(database, stats_query, "stats_cells", statement, len(dimensions))


async def _read(
    database: Reader, stats_query: StatsQuery, name: str, statement: Compiled, axes: int
) -> list[Bucket]:
    visible: dict[tuple[Any, ...], int] = {}
    hidden: dict[tuple[Any, ...], Hidden] = {}
    for row in await statement.fetch(database, name):
        values = tuple(row[f"v{n}"] for n in range(axes))
        if row["hidden"]:
            hidden[values] = _hidden(row, "nodes")
        else:
            visible[values] = row["nodes"]
    none = Hidden() if stats_query.groups.counted else None
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
