"""Statistics in the schema: counts, facets, histograms and cross tables of what matches, at each level."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Annotated, TypeVar

import strawberry
from strawberry.types.nodes import SelectedField, Selection

from db.statistics.attribute_facets import named
from db.statistics.facets import DEPTH, OF_ARCHIVES, DateFacet, DateInterval, Facet, level_of_facet
from model.attributes import Level
from model.errors import BadInput
from model.filters import EVERYTHING, Condition, PathTest, Related
from reads.disclosure import Statistics
from reads.reports import is_complete
from reads.statistics import StatisticsAnswer, statistics_of
from resolvers.archives.archive import Count
from resolvers.archives.sources import COMPLETE, SourceReport, source_reports
from resolvers.context import Info
from resolvers.descriptions import argument
from resolvers.filters.inputs import Filter, condition_of
from resolvers.records.codes import meaning_of
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


_FIRST = "How many, the largest first: 1 to 1000."
_ATTRIBUTE = "Keyword, GGGGEEEE, private (creator)GGxxEE, or a dotted path through sequences."
First = Annotated[int | None, argument(_FIRST)]
IncludeEmpty = Annotated[
    bool,
    argument(
        "Whether empty buckets between the first and the last are there, too; where you may only count, they look like "
        "those with few patients."
    ),
]


@strawberry.type(description="Counts of what matches, whatever the level.")
class Aggregates:
    answer: strawberry.Private[StatisticsAnswer]

    @property
    def statistics(self) -> Statistics:
        return self.answer.statistics

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
        self, by: Annotated[Facet, argument("What to count by.")], first: First = 20
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
        self, attribute: Annotated[str, argument(_ATTRIBUTE)], first: First = 20
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
        by: Annotated[DateFacet, argument("Which date.")] = DateFacet.STUDY_DATE,
        interval: Annotated[DateInterval, argument("How wide the buckets are.")] = DateInterval.YEAR,
        include_empty: IncludeEmpty = False,
        include_none: Annotated[
            bool, argument("Whether a last bucket, with `start` null, has what has no date.")
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
        attribute: Annotated[str, argument(f"{_ATTRIBUTE} Its VR is numeric, or AS: ages are in years.")],
        bins: Annotated[int | None, argument("How many: 1 to 1000.")] = 20,
        min: Annotated[float | None, argument("Lower edge; null: the smallest number.")] = None,
        max: Annotated[float | None, argument("Upper edge; null: the largest number.")] = None,
        include_empty: IncludeEmpty = False,
        include_none: Annotated[
            bool,
            argument(
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
        rows: Annotated[Facet, argument("What the rows are.")],
        columns: Annotated[Facet, argument("What the columns are.")],
        first: Annotated[int | None, argument("How many cells, the largest first: 1 to 1000.")] = 20,
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
        by: Annotated[list[Facet], argument("What to count by: one to three facets.")],
        first: Annotated[int | None, argument("How many cells, the largest first: 1 to 1000.")] = 100,
    ) -> list[CubeCell] | None:
        if not 1 <= len(by) <= MAX_AXES:
            raise BadInput(f"by: 1 to {MAX_AXES} facets, got {len(by)}.")
        if not self.statistics.asks_any:
            return None
        told = await self.statistics.facet(by, first)
        return [CubeCell(values=list(each.values), count=count_of(each.count)) for each in told]

    @strawberry.field(description=COMPLETE)
    async def complete(self) -> bool | None:
        return is_complete(await self.answer.reports(), self.answer.asked)

    @strawberry.field(description="One report for each archive that the query asked for.")
    async def sources(self, info: Info) -> list[SourceReport] | None:
        return source_reports(info.context, await self.answer.reports())

    async def _sum(self, name: str) -> Count:
        published = await self.statistics.sum(name)
        if is_too_large(published):
            self.answer.request.warnings["COUNT_TOO_LARGE"] = (
                f"A count of {name} is larger than {MOST:,}, so it is null."
            )
        return count_of(published)


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
    """The statistics of a query. Raises BadInput and NotFound."""
    looked_into = list(_looked_into(info.selected_fields, level))
    answer = await statistics_of(info.context, level, condition_of(given), archives, looked_into)
    return of(answer=answer)


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
