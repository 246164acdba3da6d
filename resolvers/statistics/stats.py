"""Statistics in the schema: counts, facets, histograms and cross tables of what matches, at each level."""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import strawberry
from strawberry.types.nodes import SelectedField, Selection

from access.identifying import asks_for_identity
from access.scope import Scope
from db.lists import nodes
from db.lists.listing import Listing
from db.statistics.attribute_facets import named
from db.statistics.facets import DEPTH, OF_ARCHIVES, DateFacet, DateInterval, Facet, level_of_facet
from model.attributes import Level
from model.errors import BadInput
from model.filters import EVERYTHING, Condition, PathTest, Related, all_of
from reads.list_query import ListQuery, Shortfall, outside_of
from resolvers.archives.archive import Count
from resolvers.archives.sources import COMPLETE, SourceReport, is_complete, reports_of, warn_of_unasked
from resolvers.cohort_scope import opened
from resolvers.depth import go_deep_enough
from resolvers.disclosure import Statistics, StatsScope, stats_scope
from resolvers.filters.inputs import Filter, condition_of
from resolvers.info import Info
from resolvers.pseudonym_counts import PseudonymCounts
from resolvers.records.codes import meaning_of
from resolvers.records.loaders import Counts, counted
from resolvers.slow import slow_warnings
from resolvers.statistics.buckets import (
    MOST,
    CrossTabCell,
    CubeCell,
    DateBucket,
    FacetBucket,
    NumberBucket,
    count_of,
    is_too_large,
)

MAX_AXES = 3

if TYPE_CHECKING:
    from resolvers.context import Context


def _argument(description: str) -> Any:
    return strawberry.argument(description=description)


_FIRST = "How many, the largest first: 1 to 1000."
_ATTRIBUTE = "Keyword, GGGGEEEE, private (creator)GGxxEE, or a dotted path through sequences."
First = Annotated[int | None, _argument(_FIRST)]
IncludeEmpty = Annotated[
    bool,
    _argument(
        "Whether empty buckets between the first and the last are there, too; where you may only count, they look like "
        "those with few patients."
    ),
]


@strawberry.type(description="Counts of what matches, whatever the level.")
class Aggregates:
    statistics: strawberry.Private[Statistics]
    context: strawberry.Private["Context"]
    shortfall: strawberry.Private[Shortfall]

    @strawberry.field(
        description="Patients: different PatientIDs with their issuers; a study without one counts as one."
    )
    async def patients(self) -> Count | None:
        return count_of(await self.statistics.patients())

    @strawberry.field(
        description="By value, most first. What has several values is in each bucket; what several archives "
        "hold counts once, but in each of its archives for ARCHIVE and ERN."
    )
    async def facet(
        self, by: Annotated[Facet, _argument("What to count by.")], first: First = 20
    ) -> list[FacetBucket] | None:
        if not self.statistics.asks_any and by not in OF_ARCHIVES:
            return None
        told = await self.statistics.facet([by], first)
        return [
            FacetBucket(value=value, meaning=meaning_of(by, value), count=count_of(each.count))
            for each in told
            for value in each.values
        ]

    @strawberry.field(
        description="By the values of any attribute, most first, as in `facet`; values are cut after 400 "
        "characters. One that may identify a person only of archives with full access."
    )
    async def facet_of(
        self, attribute: Annotated[str, _argument(_ATTRIBUTE)], first: First = 20
    ) -> list[FacetBucket] | None:
        if not self.statistics.asks_any:
            return None
        told = await self.statistics.attribute_facet(attribute, first)
        return [FacetBucket(value=each.values[0], meaning=None, count=count_of(each.count)) for each in told]

    @strawberry.field(
        description="By date, earliest first; empty intervals and what has no date left out, unless you ask for them."
    )
    async def date_histogram(
        self,
        by: Annotated[DateFacet, _argument("Which date.")] = DateFacet.STUDY_DATE,
        interval: Annotated[DateInterval, _argument("How wide the buckets are.")] = DateInterval.YEAR,
        include_empty: IncludeEmpty = False,
        include_none: Annotated[
            bool, _argument("Whether a last bucket, with `start` null, has what has no date.")
        ] = False,
    ) -> list[DateBucket] | None:
        if not self.statistics.asks_any:
            return None
        told = await self.statistics.histogram(by, interval, empty=include_empty, none=include_none)
        return [DateBucket(start=each.values[0], count=count_of(each.count)) for each in told]

    @strawberry.field(
        description="By the numbers of an attribute in bins of equal width, lowest first; empty bins, and what "
        "has no number between the edges, left out, unless you ask for them. An attribute that may identify a person "
        "only of archives with full access."
    )
    async def histogram(
        self,
        attribute: Annotated[str, _argument(f"{_ATTRIBUTE} Its VR is numeric, or AS: ages are in years.")],
        bins: Annotated[int | None, _argument("How many: 1 to 1000.")] = 20,
        min: Annotated[float | None, _argument("Lower edge; null: the smallest number.")] = None,
        max: Annotated[float | None, _argument("Upper edge; null: the largest number.")] = None,
        include_empty: IncludeEmpty = False,
        include_none: Annotated[
            bool,
            _argument(
                "Whether a last bucket, with null edges, has what has no number, or one beyond the edges."
            ),
        ] = False,
    ) -> list[NumberBucket] | None:
        if not self.statistics.asks_any:
            return None
        told = await self.statistics.number_histogram(
            attribute, bins, min, max, empty=include_empty, none=include_none
        )
        return [
            NumberBucket(from_=each.values[0], to=each.values[1], count=count_of(each.count)) for each in told
        ]

    @strawberry.field(description="By pairs of values, most first; pairs that nothing has left out.")
    async def cross_tab(
        self,
        rows: Annotated[Facet, _argument("What the rows are.")],
        columns: Annotated[Facet, _argument("What the columns are.")],
        first: Annotated[int | None, _argument("How many cells, the largest first: 1 to 1000.")] = 20,
    ) -> list[CrossTabCell] | None:
        if not self.statistics.asks_any:
            return None
        told = await self.statistics.facet([rows, columns], first)
        return [
            CrossTabCell(row=each.values[0], column=each.values[1], count=count_of(each.count))
            for each in told
        ]

    @strawberry.field(
        description="By combinations of values, most first; combinations that nothing has left out."
    )
    async def cube(
        self,
        by: Annotated[list[Facet], _argument("What to count by: one to three facets.")],
        first: Annotated[int | None, _argument("How many cells, the largest first: 1 to 1000.")] = 100,
    ) -> list[CubeCell] | None:
        if not 1 <= len(by) <= MAX_AXES:
            raise BadInput(f"by: 1 to {MAX_AXES} facets, got {len(by)}.")
        if not self.statistics.asks_any:
            return None
        told = await self.statistics.facet(by, first)
        return [CubeCell(values=list(each.values), count=count_of(each.count)) for each in told]

    @strawberry.field(description=COMPLETE)
    async def complete(self) -> bool | None:
        return is_complete(await self._reports(), self._asked())

    @strawberry.field(description="One report for each archive that the query asked for.")
    async def sources(self) -> list[SourceReport] | None:
        return await self._reports()

    async def _sum(self, name: str) -> Count:
        published = await self.statistics.sum(name)
        if is_too_large(published):
            self.context.warnings["COUNT_TOO_LARGE"] = (
                f"A count of {name} is larger than {MOST:,}, so it is null."
            )
        return count_of(published)

    async def _reports(self) -> list[SourceReport]:
        rank = {archive_id: n for n, archive_id in enumerate(await self.context.archives())}
        list_query = self._asked()
        asked = sorted(list_query.asked, key=lambda each: rank.get(each.archive_id, len(rank)))
        return await reports_of(self.context, replace(list_query, asked=tuple(asked)), self._matched)

    def _asked(self) -> ListQuery:
        return ListQuery((), self.statistics.scope.asked, self.shortfall)

    async def _matched(self) -> Counts:
        """Nodes in each open archive; of the others no exact number may be told."""
        statistics = self.statistics
        hidden: dict[int, int | None] = {each.archive_id: None for each in statistics.scope.counted}
        if statistics.pseudonyms is not None:
            listed, there = await statistics.pseudonyms.counts(), statistics.pseudonyms.scope.asked
            hidden |= {each.archive_id: listed.matched.get(each.archive_id, 0) for each in there}
        if (rolled_up := await statistics.of_open_archives()) is not None:
            total, matched = rolled_up
            return Counts(total, {**matched, **hidden})
        asked = Scope(self.context.access_scope.records.visible, statistics.scope.open)
        listing = Listing((asked,), statistics.level, statistics.condition)
        found = counted(await nodes.counts(self.context.database, listing))
        return Counts(found.total, {**found.matched, **hidden})


_PROTECTED = (
    " Where you may only count an archive's records, counts that they may be in are perturbed, small ones "
    "hidden, and values that only few of its patients have are left out; totals and buckets then need not add up."
)


@strawberry.type(description=f"Counts, facets and histograms over the matching instances.{_PROTECTED}")
class InstanceStats(Aggregates):
    @strawberry.field(description="Instances in the index; one that several archives hold counts once.")
    async def instances(self) -> Count | None:
        return await self._sum("instances")


@strawberry.type(description=f"Counts, facets and histograms over the matching series.{_PROTECTED}")
class SeriesStats(Aggregates):
    @strawberry.field(description="Series; one that several archives hold counts once.")
    async def series(self) -> Count | None:
        return await self._sum("series")

    @strawberry.field(description="Instances of these series, as far as their number is known.")
    async def instances(self) -> Count | None:
        return await self._sum("instances")


@strawberry.type(description=f"Counts, facets and histograms over the matching studies.{_PROTECTED}")
class StudyStats(Aggregates):
    @strawberry.field(description="Studies; one that several archives hold counts once.")
    async def studies(self) -> Count | None:
        return await self._sum("studies")

    @strawberry.field(description="Series of these studies.")
    async def series(self) -> Count | None:
        return await self._sum("series")

    @strawberry.field(description="Instances of these studies, as far as their number is known.")
    async def instances(self) -> Count | None:
        return await self._sum("instances")


Stats = TypeVar("Stats", bound=Aggregates)


async def stats_of(
    info: Info, of: type[Stats], level: Level, given: Filter | None, archives: list[str] | None
) -> Stats:
    """The statistics of a query; nothing is counted before a field asks. Raises BadInput and NotFound."""
    context = info.context
    condition = await opened(context, condition_of(given))
    scope = stats_scope(context.access_scope, archives)
    outside = outside_of(condition, [Scope(context.access_scope.records.visible, scope.open)])
    scope = scope.without(outside)
    looked_into = list(_looked_into(info.selected_fields, level))
    # Nothing is fetched for archives whose records stay hidden.
    list_query = ListQuery((Scope(context.access_scope.records.visible, scope.open),), scope.open)
    list_query = await go_deep_enough(context, list_query, level, all_of([condition, *looked_into]))
    await slow_warnings(context, level, condition)
    context.touched.asked(each.archive_id for each in scope.asked)
    pseudonyms = _listed(context, scope, condition)
    listed = pseudonyms.asked_ids if pseudonyms is not None else []
    skipped = {each.archive_id for each in scope.skipped_for(condition)} - set(listed)
    shortfall = replace(list_query.shortfall, outside=outside, identifying=frozenset(skipped))
    warn_of_unasked(context, ListQuery((), scope.asked, shortfall))
    services = context.services
    statistics = Statistics(
        context.database,
        scope,
        condition,
        services.small_counts,
        services.small_counts_secret,
        level,
        PseudonymCounts(context.database, pseudonyms, level, condition) if pseudonyms is not None else None,
    )
    return of(statistics=statistics, context=context, shortfall=shortfall)


def _listed(context: "Context", scope: StatsScope, condition: Condition) -> Scope | None:
    """What a list with this condition reads behind pseudonyms; None where it may not be asked there."""
    pseudonyms = replace(context.access_scope.pseudonyms, asked=scope.listed)
    outside = outside_of(condition, [pseudonyms])
    asked = tuple(each for each in scope.listed if each.archive_id not in outside)
    # where the other counts are not told, this one would stand alone
    may_be_asked = not asks_for_identity(condition) and not scope.skipped_for(condition)
    return replace(pseudonyms, asked=asked) if asked and may_be_asked else None


def _looked_into(selections: Iterable[Selection], level: Level) -> Iterator[Condition]:
    """What the selected facets and attributes look into, as conditions: for what the index may lack of it."""
    for each in _fields(selections):
        for name, value in each.arguments.items():
            if name == "attribute":
                with contextlib.suppress(BadInput):  # the field itself says so
                    of = named(str(value), level)
                    here: Condition = EVERYTHING if of.column else PathTest(of.path)
                    yield Related(of.home, here) if DEPTH[of.home] > DEPTH[level] else here
            elif name != "first":
                asked = value if isinstance(value, list) else [value]
                facets = [Facet(one) for one in asked if isinstance(one, str) and one in Facet.__members__]
                homes = {level_of_facet(each) for each in facets}
                yield from (Related(home, EVERYTHING) for home in homes if DEPTH[home] > DEPTH[level])


def _fields(selections: Iterable[Selection]) -> Iterator[SelectedField]:
    for each in selections:
        if isinstance(each, SelectedField):
            yield each
        yield from _fields(each.selections)
