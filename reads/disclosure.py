"""What may be told of the statistics of a query: asks db/statistics/stats.py and applies access/small_counts.py.

What of it is counted, and over which archives, is in statistics.py.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from access.identifying import path_is_identifying
from access.scope import ScopedArchive
from access.small_counts import Cell, Policies, Published, publish, record_seed
from db.pool import Reader
from db.statistics import stats
from db.statistics.attribute_facets import CountedBy, named, numeric
from db.statistics.facets import OF_ARCHIVES, DateFacet, DateInterval, Facet
from db.statistics.stats import MOST_CELLS
from db.statistics.stats_statement import SUMMED, Groups, StatsQuery
from model.attributes import Level
from model.errors import BadInput
from model.filters import Condition
from reads.bins import check_edges, ends, starts
from reads.pseudonym_counts import PseudonymCounts, value_of
from reads.publishing import Publisher, ToldBucket
from reads.stats_scope import StatsScope
from refresh.single_flight import SingleFlight

MAX_AGGREGATES = 20
AT_ONCE = 4  # statements of one query that run at the same time


UNKNOWN = Published(None)
"""Of what was not asked: no count, and nothing that policy hides."""


@dataclass(slots=True)
class Statistics:
    """Answers of one query; each aggregate is asked once, however many fields want it.

    `secret` may be empty where no archive is only counted.
    """

    database: Reader
    scope: StatsScope
    condition: Condition
    policies: Policies
    secret: bytes = b""
    level: Level = Level.STUDY
    pseudonyms: PseudonymCounts | None = None
    """Of what of the scope's `listed` archives a list with this condition reads; None where it reads none of them."""
    _asked: set[Hashable] = field(default_factory=set)
    _answers: SingleFlight[Hashable, Any] = field(default_factory=lambda: SingleFlight(remembers=True))
    _at_once: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    @property
    def asks_any(self) -> bool:
        """Whether any archive is asked; where none is, nothing is known, which is not 0."""
        return bool(self.scope.open or self._counted or self.pseudonyms)

    async def sum(self, name: str) -> Published:
        """studies, series or instances."""
        if not self.asks_any:
            return UNKNOWN
        if name == next(iter(SUMMED[self.level])) and self.pseudonyms is not None:
            return await self._own((await self.pseudonyms.counts()).total)
        stats_query = self._stats_query()
        if stats_query.rollup() is None:
            return self._publisher.told((await self._totals())[name])
        found = await self._once("sums", lambda: stats.sums(self.database, stats_query))
        return self._publisher.told(found[name])

    async def _own(self, listed: int) -> Published:
        """The nodes of the level where lists have so many of them behind pseudonyms: these, and the others as ever.
        A record and its pseudonym are two, as in lists: that they are one is not told."""
        apart = {each.archive_id for each in self.scope.listed}
        counted = [each for each in self._counted if each.archive_id not in apart]
        stats_query = self._stats_query_of(counted, tuple(apart))
        count = stats.totals if stats_query.rollup() is None else stats.sums
        (cell, *_) = (await self._once("own", lambda: count(self.database, stats_query))).values()
        both = Cell(cell.visible + listed, cell.hidden)
        return publish(both, self._publisher.policy(each.ern for each in counted), self.secret)

    async def patients(self) -> Published:
        """Patients: a study without a PatientID counts as one."""
        if not self.asks_any:
            return UNKNOWN
        stats_query = self._stats_query()
        if not stats_query.knows_persons:
            return self._publisher.told((await self._totals())["patients"])
        return self._publisher.told(
            await self._once("patients", lambda: stats.patients(self.database, stats_query))
        )

    async def _totals(self) -> Mapping[str, Cell]:
        found: Mapping[str, Cell] = await self._once(
            "totals", lambda: stats.totals(self.database, self._stats_query())
        )
        return found

    async def of_open_archives(self) -> tuple[int, dict[int, int]] | None:
        """Nodes of the open archives, in all and by archive_id, from a rollup; None where none answers."""
        stats_query = replace(
            self._stats_query(), groups=Groups(tuple(each.archive_id for each in self.scope.open))
        )
        if stats_query.rollup() is None:
            return None
        key = "open sums" if self._counted else "sums"
        total = await self._once(key, lambda: stats.sums(self.database, stats_query))
        buckets = await self._once(
            "archives", lambda: stats.facet(self.database, stats_query, [Facet.ARCHIVE], 1000)
        )
        found = {bucket.values[0]: bucket.cell.visible for bucket in buckets}
        by_archive = {each.archive_id: found.get(each.code, 0) for each in self.scope.open}
        (nodes, *_) = total.values()
        return nodes.visible, by_archive

    async def facet(self, facets: Sequence[Facet], first: int | None) -> list[ToldBucket]:
        """The `first` largest buckets of one facet, or cells of two. Raises BadInput."""
        if first is None or not 1 <= first <= 1000:
            raise BadInput(f"first: 1 to 1000, got {first}.")
        key = ("facet", *facets, first)
        buckets = await self._once(
            key, lambda: stats.facet(self.database, self._stats_query(), facets, first)
        )
        if len(facets) == 1 and facets[0] in OF_ARCHIVES:
            buckets = self._publisher.with_hidden_archives(buckets, facets[0])
            told = self._publisher.largest(buckets, facets, MOST_CELLS)
            return (await self._with_known_archives(told, facets[0]))[:first]
        return self._publisher.largest(buckets, facets, first)

    async def attribute_facet(self, name: str, first: int | None) -> list[ToldBucket]:
        """The `first` largest buckets of any attribute's values. Raises BadInput."""
        if first is None or not 1 <= first <= 1000:
            raise BadInput(f"first: 1 to 1000, got {first}.")
        attribute = named(name, self.level)
        self._check_identity(attribute)
        stats_query = self._stats_query()
        buckets = await self._once(
            ("facet", attribute.path, first),
            lambda: stats.attribute_facet(self.database, stats_query, attribute, first),
        )
        return self._publisher.largest(buckets, (), first)

    async def number_histogram(
        self,
        name: str,
        count: int | None,
        low: float | None,
        high: float | None,
        *,
        empty: bool = False,
        none: bool = False,
    ) -> list[ToldBucket]:
        """(lower edge, upper edge) of each bin, lowest first. Raises BadInput.

        empty: also of empty bins. none: (None, None) last, for what is in no bin.
        """
        if count is None or not 1 <= count <= 1000:
            raise BadInput(f"bins: 1 to 1000, got {count}.")
        attribute, stats_query = numeric(name, self.level), self._stats_query()
        self._check_identity(attribute)
        edges = await self._edges(attribute, low, high)
        if edges is None:
            return []
        count = 1 if edges[0] == edges[1] else count
        buckets = await self._once(
            ("numbers", attribute.path, edges, count),
            lambda: stats.number_histogram(self.database, stats_query, attribute, edges, count),
        )
        told = self._publisher.in_order(buckets, range(1, count + 1) if empty else (), none=none)
        return [
            ToldBucket((None, None) if n is None else ends(edges, count, n), published)
            for n, published in told
        ]

    async def _edges(
        self, attribute: CountedBy, low: float | None, high: float | None
    ) -> tuple[float, float] | None:
        """The lowest and highest number are somebody's: those of records that stay hidden are not looked at."""
        check_edges(low, high)
        if low is None or high is None:
            if not self.scope.open:
                raise BadInput(
                    "min and max: needed where you may only count, because the smallest and the largest number "
                    "are somebody's."
                )
            stats_query = self._stats_query()
            found = await self._once(
                ("bounds", attribute.path), lambda: stats.bounds(self.database, stats_query, attribute)
            )
            if found is None and self._counted:
                raise BadInput(
                    "min and max: needed, because no record that you may see has such a number; others may have."
                )
            if found is None:
                return None
            low, high = found[0] if low is None else low, found[1] if high is None else high
            return (low, high) if low <= high else None
        return low, high

    def _check_identity(self, attribute: CountedBy) -> None:
        """What may identify a person is not counted over records that stay hidden."""
        if self._counted and path_is_identifying(attribute.path):
            codes = ", ".join(sorted(each.code for each in self._counted))
            raise BadInput(
                f"attribute {attribute.path.name}: it may identify a person, and you may only count the records of "
                f"{codes}; name the other archives in `archives`."
            )

    async def histogram(
        self, by: DateFacet, interval: DateInterval, *, empty: bool = False, none: bool = False
    ) -> list[ToldBucket]:
        """Buckets from the earliest date on. Raises BadInput for too many.

        empty: also of empty intervals between the first and the last. none: None last, for what has no date.
        """
        buckets = await self._once(
            ("histogram", by, interval),
            lambda: stats.date_histogram(self.database, self._stats_query(), by, interval),
        )
        if len(buckets) > MOST_CELLS:
            raise BadInput(
                f"interval: more than {MOST_CELLS} buckets; take a wider one or a narrower filter."
            )
        told = self._publisher.in_order(buckets, (), none=none)
        dated = [start for start, _ in told if start is not None]
        if empty and dated:
            between = list(islice(starts(dated[0], dated[-1], interval), MOST_CELLS + 1))
            if len(between) > MOST_CELLS:
                raise BadInput(
                    f"interval: more than {MOST_CELLS} buckets with the empty ones; take a wider one."
                )
            told = self._publisher.in_order(buckets, between, none=none)
        return [ToldBucket((start,), count) for start, count in told]

    async def _with_known_archives(self, told: list[ToldBucket], facet: Facet) -> list[ToldBucket]:
        """The same, with what lists tell exactly, and null for archives that were not asked: those come last."""
        exact = await self.pseudonyms.by_value(facet) if self.pseudonyms is not None else {}
        asked = {value_of(each, facet) for each in (*self.scope.open, *self._counted)} | exact.keys()
        unknown = {value_of(each, facet) for each in self.scope.asked} - asked
        if not exact and not unknown:
            return told
        kept = [each for each in told if each.values[0] not in exact]
        kept += [ToldBucket((value,), Published(count)) for value, count in exact.items()]
        kept.sort(key=lambda each: (-(each.count.value or 0), each.values[0]))
        return [*kept, *(ToldBucket((value,), UNKNOWN) for value in sorted(unknown))]

    # ---- asking ------------------------------------------------------------------------------------------

    @property
    def _counted(self) -> tuple[ScopedArchive, ...]:
        return () if self.scope.skipped_for(self.condition) else self.scope.counted

    @property
    def _publisher(self) -> Publisher:
        return Publisher(self._counted, self.policies, self.secret)

    def _stats_query(self) -> StatsQuery:
        return self._stats_query_of(self._counted)

    def _stats_query_of(
        self, counted: Sequence[ScopedArchive], elsewhere: tuple[int, ...] = ()
    ) -> StatsQuery:
        open_ids = tuple(each.archive_id for each in self.scope.open)
        groups = Groups(open_ids, tuple(each.archive_id for each in counted), elsewhere)
        if not groups.counted:
            return StatsQuery(groups, self.condition, level=self.level)
        least = min(self._publisher.policy([each.ern]).threshold for each in counted)
        return StatsQuery(groups, self.condition, least, record_seed(self.secret), self.level)

    async def _once(self, key: Hashable, ask: Callable[[], Awaitable[Any]]) -> Any:
        if key not in self._asked and len(self._asked) >= MAX_AGGREGATES:
            raise BadInput(f"statistics: at most {MAX_AGGREGATES} aggregates; ask in several requests.")
        self._asked.add(key)

        async def limited() -> Any:
            async with self._at_once:
                return await ask()

        return await self._answers.shared(key, limited)
