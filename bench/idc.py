"""The NCI Imaging Data Commons as an index: 168,507 studies, 1,044,191 series; and a random 10,000 of them.

Tables: what loading takes, the plan of every declared filter, statistics against DuckDB, and what rollups cost
whoever writes. In a throwaway Postgres; IDC_DATA=FOLDER keeps it there. Takes about ten minutes.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from unittest import mock

import duckdb

from bench import _idc_data as idc
from bench import _idc_filters, _idc_stats
from bench._idc_index import Filled, answers, declare, filled, ingested
from db.embedded.postgres import EmbeddedPostgres
from db.pool import Connection
from db.statistics.cells import AXES
from db.statistics.facets import Facet
from db.writing import ingest
from db.writing.rollup_tables import follow_rollups
from model.attributes import Level
from model.filters import EVERYTHING, Condition

SMALL = 10_000
WRITTEN = 1_500
ROUNDS = 3


def main() -> None:
    """Prints the tables."""
    folder = os.environ.get("IDC_DATA")
    with tempfile.TemporaryDirectory() as made, EmbeddedPostgres(Path(folder or made)) as url:
        asyncio.run(_main(url))


async def _main(url: str) -> None:
    duck = idc.prepared()
    print("\nLoading (COPY, then one statement a table, indexes in place)")
    small = await filled(url, "idc_small", duck, SMALL)
    large = await filled(url, "idc_large", duck, None)
    await _statistics(duck, small, large)
    await _filters(small, large, await _idc_filters.filters(large))
    await _attributes(url, small, large)
    await small.scoped.close()
    await large.scoped.close()
    await _writing(url, duck)


async def _statistics(duck: duckdb.DuckDBPyConnection, small: Filled, large: Filled) -> None:
    print(
        f"\nStatistics: ms at {small.studies:,} and {large.studies:,} studies (plan: best of 5; total: median of 7)"
    )
    head = (
        *("question", "cells", "= DuckDB", "rollup", "rows read", "rows read", "scans", "ms", "ms"),
        *("every node: ms", "ms"),
    )
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for name, facets, where, condition in _idc_stats.QUESTIONS:

        def of_studies(index: Filled, facets: list[Facet] = facets, where: str = where) -> _idc_stats.Cells:
            return _idc_stats.duck_cells(duck, index.sample, facets, where)

        await _compared(name, facets, (small, large), Level.STUDY, condition, of_studies)
    for name, facets in _idc_stats.OF_SERIES:

        def of_series(index: Filled, facets: list[Facet] = facets) -> _idc_stats.Cells:
            return _idc_stats.duck_series_cells(duck, index.sample, facets)

        await _compared(name, facets, (small, large), Level.SERIES, EVERYTHING, of_series)
    for name, work in _idc_stats.OTHERS.items():
        times = [await _idc_stats.median_ms(partial(work, index)) for index in (small, large)]
        print(f"| {name} | | | | | | | {times[0]:.2f} | {times[1]:.2f} | | |", flush=True)


async def _compared(
    name: str,
    facets: list[Facet],
    indexes: tuple[Filled, Filled],
    level: Level,
    condition: Condition,
    expected: Callable[[Filled], _idc_stats.Cells],
) -> None:
    """One line: the answer against DuckDB's, and the plans from rollups and by a look at every node."""
    quick, slow, same = [], [], True
    for index in indexes:
        asked = _idc_stats.stats_query(index, condition, level)
        found = await _idc_stats.cells(index, asked, facets)
        looked = await _idc_stats.cells(index, _idc_stats.scanned(asked), facets)
        same = same and found == looked == expected(index)
        quick.append(await _idc_stats.plan(index, asked, facets))
        slow.append(await _idc_stats.plan(index, _idc_stats.scanned(asked), facets))
    rollup = asked.rollup([AXES[each] for each in facets])
    cells = (name, f"{len(found):,}", "yes" if same else "NO", str(rollup.kind) if rollup else "-",
             *(f"{plan.rows:,}" for plan in quick), ", ".join(quick[-1].sequential) or "none",
             *(f"{plan.ms:.1f}" for plan in (*quick, *slow)))  # fmt: skip
    print("| " + " | ".join(cells) + " |", flush=True)


async def _attributes(url: str, small: Filled, large: Filled) -> None:
    print("\nAttributes without a column, declared:", ", ".join(_idc_filters.DECLARED))
    for name in ("idc_small", "idc_large"):
        begun = time.perf_counter()
        await declare(url, name, _idc_filters.DECLARED)
        print(f"  {name}: indexes of declared attributes {time.perf_counter() - begun:8.1f} s", flush=True)
    await _filters(small, large, _idc_filters.by_attribute())


async def _filters(small: Filled, large: Filled, filters: dict[str, Condition]) -> None:
    print(f"\nA page of 20 studies for each declared filter: {small.studies:,} and {large.studies:,} studies")
    head = ("filter", "scans", "rows read", "rows read", "ms", "ms", "growth")
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for name, condition in filters.items():
        few, many = [await _idc_filters.plan(index, condition) for index in (small, large)]
        cells = (name, ", ".join(many.sequential) or "none", f"{few.rows:,}", f"{many.rows:,}", f"{few.ms:.2f}",
                 f"{many.ms:.2f}", f"{many.ms / max(few.ms, 0.05):.1f}")  # fmt: skip
        print("| " + " | ".join(cells) + " |", flush=True)


async def _writing(url: str, duck: duckdb.DuckDBPyConnection) -> None:
    told = answers(duck, WRITTEN)
    print(f"\nWriting {len(told):,} studies in batches of 100, study and series rows a second, alternating")
    spent: list[float] = []

    async def nothing(_: object) -> None:
        pass

    async def timed(connection: Connection) -> None:
        begun = time.perf_counter()
        await follow_rollups(connection)
        spent[-1] += time.perf_counter() - begun

    rates: dict[str, list[float]] = {"without rollups": [], "with rollups": []}
    shares = []
    for number in range(ROUNDS):
        for name, hook in (("without rollups", nothing), ("with rollups", timed)):
            spent.append(0.0)
            with mock.patch.object(ingest, "follow_rollups", hook):
                rows, seconds = await ingested(url, f"written_{number}_{name.split()[0]}", told)
            rates[name].append(rows / seconds)
            shares.append(spent[-1] / seconds)
    for name, found in rates.items():
        print(
            f"  {name:<20} {statistics.median(found):8,.0f} (of {', '.join(f'{rate:,.0f}' for rate in found)})"
        )
    print(f"  time of the writer that is spent on rollups: {statistics.median(shares[1::2]):.0%}")
