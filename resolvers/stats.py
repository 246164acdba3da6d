"""Statistics in the schema: counts, facets, histograms and cross tables of the studies that match."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, cast

import strawberry
from strawberry.types.enum import WithStrawberryEnumDefinition
from strawberry.types.nodes import SelectedField, Selection

from access.scope import Scope
from access.small_counts import Published
from db import nodes
from db.facets import DateFacet, DateInterval, Facet
from db.pages import Listing
from model.attributes import Level
from model.errors import BadInput
from model.filters import EVERYTHING, Condition, Related, all_of
from resolvers.archive import Count, SourceError
from resolvers.depth import go_deep_enough
from resolvers.disclosure import Statistics, stats_scope
from resolvers.filters import StudyFilter, condition_of
from resolvers.info import Info
from resolvers.loaders import Counts, counted
from resolvers.question import Question, Shortfall
from resolvers.sources import SourceReport, SourceState, reports_of

MAX_AXES = 3

if TYPE_CHECKING:
    from resolvers.context import Context


def _describe(description: str) -> Any:
    return strawberry.field(description=description)


def _argument(description: str) -> Any:
    return strawberry.argument(description=description)


_FACETS = {
    Facet.ARCHIVE: "Code of an archive that holds the study.",
    Facet.ERN: "Code of a European Reference Network whose archives hold the study.",
    Facet.MODALITY: "ModalitiesInStudy (0008,0061).",
    Facet.BODY_PART: "BodyPartExamined (0018,0015) of a series.",
    Facet.MANUFACTURER: "Manufacturer (0008,0070) of a series.",
    Facet.PATIENT_SEX: "PatientSex (0010,0040).",
    Facet.AGE_BAND: "Completed years at the StudyDate, by PatientBirthDate: 0-4, 5-9, …, 90+.",
    Facet.STUDY_YEAR: "Year of the StudyDate (0008,0020).",
    Facet.STUDY_DESCRIPTION: "StudyDescription (0008,1030).",
    Facet.SERIES_DESCRIPTION: "SeriesDescription (0008,103E) of a series.",
    Facet.SOP_CLASS: "SOPClassUID (0008,0016) of an instance, of those in the index.",
}
_DATE_FACETS = {
    DateFacet.STUDY_DATE: "StudyDate (0008,0020).",
    DateFacet.PATIENT_BIRTH_DATE: "PatientBirthDate (0010,0030).",
}
_INTERVALS = {
    DateInterval.YEAR: "From 1 January.",
    DateInterval.QUARTER: "From the first day of January, April, July and October.",
    DateInterval.MONTH: "From the first day of the month.",
    DateInterval.DAY: "Each day.",
}
strawberry.enum(Facet, description="What studies are counted by.")
strawberry.enum(DateFacet, description="Which date studies are counted by.")
strawberry.enum(DateInterval, description="How wide a bucket of a histogram is.")
for _words in (_FACETS, _DATE_FACETS, _INTERVALS):
    for _value in cast(
        WithStrawberryEnumDefinition, type(next(iter(_words)))
    ).__strawberry_definition__.values:
        _value.description = {name.value: words for name, words in _words.items()}[_value.value]


@strawberry.type(description="How many studies have a value.")
class FacetBucket:
    value: str | None = _describe("The value; null for studies that have none.")
    count: Count = _describe("Studies.")


@strawberry.type(description="How many studies are of an interval.")
class DateBucket:
    start: date = _describe("First day of the interval.")
    count: Count = _describe("Studies.")


@strawberry.type(description="How many studies have a pair of values.")
class CrossTabCell:
    row: str | None = _describe("Value of the rows' facet; null for studies that have none.")
    column: str | None = _describe("Value of the columns' facet; null for studies that have none.")
    count: Count = _describe("Studies.")


@strawberry.type(description="How many studies have a combination of values.")
class CubeCell:
    values: list[str | None] = _describe("One value for each facet, in order; null for studies without one.")
    count: Count = _describe("Studies.")


_FIRST = "How many, the largest first: 1 to 1000."


@strawberry.type(
    description="Counts, facets and histograms over the matching studies. Where you may only count an "
    "archive's records, counts that they may be in are perturbed, small ones hidden, and values that only "
    "few of its patients have are left out; totals and buckets then need not add up."
)
class StudyStats:
    statistics: strawberry.Private[Statistics]
    context: strawberry.Private["Context"]
    shortfall: strawberry.Private[Shortfall]

    @strawberry.field(description="Studies; one that several archives hold counts once.")
    async def studies(self) -> Count:
        return _count(await self.statistics.sum("studies"))

    @strawberry.field(description="Series of these studies.")
    async def series(self) -> Count:
        return _count(await self.statistics.sum("series"))

    @strawberry.field(description="Instances of these studies, as far as their number is known.")
    async def instances(self) -> Count:
        return _count(await self.statistics.sum("instances"))

    @strawberry.field(
        description="Patients: different PatientIDs with their issuers; a study without one counts as one."
    )
    async def patients(self) -> Count:
        return _count(await self.statistics.patients())

    @strawberry.field(
        description="Studies by value, most first. A study with several values is in each bucket; a shared "
        "study counts once, but in each of its archives for ARCHIVE and ERN."
    )
    async def facet(
        self,
        by: Annotated[Facet, _argument("What to count by.")],
        first: Annotated[int | None, _argument(_FIRST)] = 20,
    ) -> list[FacetBucket]:
        told = await self.statistics.facet([by], first)
        return [FacetBucket(value=each.values[0], count=_count(each.count)) for each in told]

    @strawberry.field(
        description="Studies by date, earliest first; empty intervals and undated studies left out."
    )
    async def date_histogram(
        self,
        by: Annotated[DateFacet, _argument("Which date.")] = DateFacet.STUDY_DATE,
        interval: Annotated[DateInterval, _argument("How wide the buckets are.")] = DateInterval.YEAR,
    ) -> list[DateBucket]:
        told = await self.statistics.histogram(by, interval)
        return [DateBucket(start=each.values[0], count=_count(each.count)) for each in told]

    @strawberry.field(description="Studies by pairs of values, most first; pairs without studies left out.")
    async def cross_tab(
        self,
        rows: Annotated[Facet, _argument("What the rows are.")],
        columns: Annotated[Facet, _argument("What the columns are.")],
        first: Annotated[int | None, _argument("How many cells, the largest first: 1 to 1000.")] = 20,
    ) -> list[CrossTabCell]:
        told = await self.statistics.facet([rows, columns], first)
        return [
            CrossTabCell(row=each.values[0], column=each.values[1], count=_count(each.count)) for each in told
        ]

    @strawberry.field(
        description="Studies by combinations of values, most first; those without studies left out."
    )
    async def cube(
        self,
        by: Annotated[list[Facet], _argument("What to count by: one to three facets.")],
        first: Annotated[int | None, _argument("How many cells, the largest first: 1 to 1000.")] = 100,
    ) -> list[CubeCell]:
        if not 1 <= len(by) <= MAX_AXES:
            raise BadInput(f"by: 1 to {MAX_AXES} facets, got {len(by)}.")
        told = await self.statistics.facet(by, first)
        return [CubeCell(values=list(each.values), count=_count(each.count)) for each in told]

    @strawberry.field(
        description="False as soon as one archive that the query asked for is missing or answered in part."
    )
    async def complete(self) -> bool:
        return all(report.state is SourceState.CACHED for report in await self._reports())

    @strawberry.field(description="One report for each archive that the query asked for.")
    async def sources(self) -> list[SourceReport]:
        return await self._reports()

    async def _reports(self) -> list[SourceReport]:
        scope = self.statistics.scope
        skipped = {each.archive_id for each in scope.skipped_for(self.statistics.condition)}
        rank = {archive_id: n for n, archive_id in enumerate(await self.context.archives())}
        asked = sorted(scope.asked, key=lambda each: rank.get(each.archive_id, len(rank)))
        question = Question((), tuple(asked), self.shortfall)
        reports = await reports_of(self.context, question, self._matched)
        for report in reports:
            if report.archive.row.archive_id in skipped:
                report.state, report.error = SourceState.SKIPPED, _IDENTIFYING_FILTER
        return reports

    async def _matched(self) -> Counts:
        """Studies in each open archive; of the others no exact number may be told."""
        statistics = self.statistics
        hidden = {each.archive_id: None for each in statistics.scope.counted}
        if (rolled_up := await statistics.of_open_archives()) is not None:
            total, matched = rolled_up
            return Counts(total, {**matched, **hidden})
        asked = Scope(self.context.reach.records.visible, statistics.scope.open)
        listing = Listing(asked, Level.STUDY, statistics.condition)
        found = counted(await nodes.counts(self.context.database, listing))
        return Counts(found.total, {**found.matched, **hidden})


_IDENTIFYING_FILTER = SourceError(
    code="IDENTIFYING_FILTER",
    message="You may only count this archive's records, and the filter looks at what may identify a person.",
)


async def study_stats(info: Info, given: StudyFilter | None, archives: list[str] | None) -> StudyStats:
    """The statistics of a query; nothing is counted before a field asks. Raises BadInput and NotFound."""
    context = info.context
    condition = condition_of(given)
    scope = stats_scope(context.reach, archives)
    looked_into: list[Condition] = [
        Related(level, EVERYTHING) for level in sorted(_levels(info.selected_fields))
    ]
    # Nothing is fetched for archives whose records stay hidden.
    question = Question((Scope(context.reach.records.visible, scope.open),), scope.open)
    question = await go_deep_enough(context, question, Level.STUDY, all_of([condition, *looked_into]))
    context.touched.asked(each.archive_id for each in scope.asked)
    services = context.services
    statistics = Statistics(
        context.database, scope, condition, services.small_counts, services.small_counts_secret
    )
    shortfall = question.shortfall
    return StudyStats(statistics=statistics, context=context, shortfall=shortfall)


_FACET_LEVELS = {
    Facet.BODY_PART: Level.SERIES,
    Facet.MANUFACTURER: Level.SERIES,
    Facet.SERIES_DESCRIPTION: Level.SERIES,
    Facet.SOP_CLASS: Level.INSTANCE,
}


def _levels(selections: Iterable[Selection]) -> set[Level]:
    """The levels below the study that the selected facets look into."""
    given = [value for each in _fields(selections) for value in each.arguments.values()]
    named = {str(one) for value in given for one in (value if isinstance(value, list) else [value])}
    return {level for facet, level in _FACET_LEVELS.items() if facet.value in named}


def _fields(selections: Iterable[Selection]) -> Iterator[SelectedField]:
    for each in selections:
        if isinstance(each, SelectedField):
            yield each
        yield from _fields(each.selections)


def _count(published: Published) -> Count:
    return Count(value=published.value, at_most=published.at_most, suppressed=published.suppressed)
