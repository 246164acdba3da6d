"""How often an attribute has a value in each archive, and which values are common: by the rules of statistics."""

from functools import partial
from typing import TYPE_CHECKING, Any

import strawberry

from access.identifying import path_is_identifying
from archives.fields import returned_keywords
from db.statistics.facets import Facet
from model.attributes import Level
from model.filters import EVERYTHING, Condition, PathTest, Related
from model.paths import parse_path
from refresh.once import Once
from resolvers.archives.archive import Archive, Count, archive_of
from resolvers.disclosure import Statistics, stats_scope
from resolvers.filters.inputs import SeriesFilter, StudyFilter, condition_of
from resolvers.filters.matches import AttributeMatch
from resolvers.levels import Level as LevelName
from resolvers.statistics.buckets import count_of

if TYPE_CHECKING:
    from resolvers.context import Context

_EVERY_ARCHIVE = 1000


def _describe(description: str) -> Any:
    return strawberry.field(description=description)


@strawberry.type(
    description="How often an attribute has a value in one archive, as far as the index knows. What several archives "
    "hold counts in each of them as soon as one copy has a value."
)
class AttributeCoverage:
    archive: Archive = _describe("The archive.")
    level: LevelName = _describe(
        "What is counted: studies or series; what instances tell is known of series by their representative."
    )
    present: Count = _describe("How many have a value.")
    total: Count = _describe("How many there are.")
    searched: Count = _describe(
        "Of how many the index knows whether they have one: all where the archive's search tells, else those whose "
        "representative has been fetched."
    )


async def coverage_of(context: "Context", keyword: str, level: Level) -> list[AttributeCoverage]:
    """One for each archive that you may ask, in rank order; where it may identify, of those with full access.

    level: where DICOM puts the attribute.
    """
    counted = Level.STUDY if level is Level.STUDY else Level.SERIES
    has_value = _has_value(keyword, counted)
    all_there_are = context.totals.setdefault(
        counted, Once(partial(_by_archive, context, counted, EVERYTHING))
    )
    present, total = await _by_archive(context, counted, has_value), await all_there_are()
    searched = total if keyword in returned_keywords(counted) else await _represented(context, counted)
    nothing = Count(value=0, at_most=None, suppressed=False)
    skipped = {each.code for each in stats_scope(context.access_scope, None).skipped_for(has_value)}
    return [
        AttributeCoverage(
            archive=archive_of(context, row),
            level=LevelName(counted.value),
            present=present.get(row.code, nothing),
            total=total.get(row.code, nothing),
            searched=searched.get(row.code, nothing),
        )
        for row in (await context.archives()).values()
        if row.code not in skipped
    ]


async def examples_of(context: "Context", keyword: str, level: Level, first: int | None) -> list[str]:
    """The most frequent values that facetOf tells; none of what may identify a person. Raises BadInput."""
    counted = Level.STUDY if level is Level.STUDY else Level.SERIES
    statistics = _statistics(context, counted, EVERYTHING)
    if path_is_identifying(parse_path(keyword)):
        return []
    told = await statistics.attribute_facet(keyword, first)
    return [str(each.values[0]) for each in told if each.values[0] is not None]


async def _represented(context: "Context", counted: Level) -> dict[str, Count]:
    """Series that have a representative, or studies with such: it has what every instance has, and no series."""
    has_one: Condition = PathTest(parse_path("SOPClassUID"), ())
    if counted is Level.STUDY:
        has_one = Related(Level.SERIES, has_one)
    return await context.represented.setdefault(
        counted, Once(partial(_by_archive, context, counted, has_one))
    )()


def _has_value(keyword: str, counted: Level) -> Condition:
    wanted = [AttributeMatch(name=keyword, exists=True)]
    given = StudyFilter(attribute=wanted) if counted is Level.STUDY else SeriesFilter(attribute=wanted)
    return condition_of(given)


def _statistics(context: "Context", counted: Level, condition: Condition) -> Statistics:
    services = context.services
    return Statistics(
        context.database,
        stats_scope(context.access_scope, None),
        condition,
        services.small_counts,
        services.small_counts_secret,
        counted,
    )


async def _by_archive(context: "Context", counted: Level, condition: Condition) -> dict[str, Count]:
    """Counts by the archive's code; an archive that holds none may be missing."""
    told = await _statistics(context, counted, condition).facet([Facet.ARCHIVE], _EVERY_ARCHIVE)
    return {each.values[0]: count_of(each.count) for each in told}
