"""How often an attribute has a value in each archive, and which values are common: by the rules of statistics."""

from functools import partial

import strawberry

from access.identifying import path_is_identifying
from archives.fields import returned_keywords
from db.statistics.facets import Facet
from model.attributes import Level
from model.filters import EVERYTHING, Condition, PathTest, Related
from model.paths import parse_path
from reads.any_attribute import attribute_test
from reads.disclosure import Statistics
from reads.request import Request
from reads.statistics import statistics_over
from reads.stats_scope import stats_scope
from resolvers.archives.archive import Archive, Count, archive_of
from resolvers.descriptions import described
from resolvers.levels import LevelName
from resolvers.statistics.buckets import count_of

_EVERY_ARCHIVE = 1000


@strawberry.type(
    description="How often an attribute has a value in one archive, as far as the index knows. What several archives "
    "hold counts in each of them as soon as one copy has a value."
)
class AttributeCoverage:
    archive: Archive = described("The archive.")
    level: LevelName = described(
        "What is counted: studies or series; what instances tell is known of series by their representative."
    )
    present: Count = described("How many have a value.")
    total: Count = described("How many there are.")
    searched: Count = described(
        "Of how many the index knows whether they have one: all where the archive's search tells, else those whose "
        "representative has been fetched."
    )


async def coverage_of(request: Request, keyword: str, level: Level) -> list[AttributeCoverage]:
    """One for each archive that you may ask, in rank order; where it may identify, of those with full access.

    level: where DICOM puts the attribute.
    """
    counted = Level.STUDY if level is Level.STUDY else Level.SERIES
    (has_value,) = attribute_test(counted, parse_path(keyword), (), exists=True)
    present = await _by_archive(request, counted, has_value)
    total = await _once(request, "coverage totals", counted, EVERYTHING)
    searched = total if keyword in returned_keywords(counted) else await _represented(request, counted)
    nothing = Count(value=0, at_most=None, suppressed=False)
    skipped = {each.code for each in stats_scope(request.access_scope, None).skipped_for(has_value)}
    return [
        AttributeCoverage(
            archive=archive_of(request, row),
            level=LevelName(counted.value),
            present=present.get(row.code, nothing),
            total=total.get(row.code, nothing),
            searched=searched.get(row.code, nothing),
        )
        for row in (await request.archives()).values()
        if row.code not in skipped
    ]


async def examples_of(request: Request, keyword: str, level: Level, first: int | None) -> list[str]:
    """The most frequent values that facetOf tells; none of what may identify a person. Raises BadInput."""
    counted = Level.STUDY if level is Level.STUDY else Level.SERIES
    statistics = _statistics(request, counted, EVERYTHING)
    if path_is_identifying(parse_path(keyword)):
        return []
    told = await statistics.attribute_facet(keyword, first)
    return [str(each.values[0]) for each in told if each.values[0] is not None]


async def _represented(request: Request, counted: Level) -> dict[str, Count]:
    """Series that have a representative, or studies with such: it has what every instance has, and no series."""
    has_one: Condition = PathTest(parse_path("SOPClassUID"), ())
    if counted is Level.STUDY:
        has_one = Related(Level.SERIES, has_one)
    return await _once(request, "represented", counted, has_one)


async def _once(request: Request, what: str, counted: Level, condition: Condition) -> dict[str, Count]:
    """Counted once a request and level, however many definitions are asked for."""
    return await request.once.shared((what, counted), partial(_by_archive, request, counted, condition))


def _statistics(request: Request, counted: Level, condition: Condition) -> Statistics:
    return statistics_over(request, stats_scope(request.access_scope, None), counted, condition)


async def _by_archive(request: Request, counted: Level, condition: Condition) -> dict[str, Count]:
    """Counts by the archive's code; an archive that holds none may be missing."""
    told = await _statistics(request, counted, condition).facet([Facet.ARCHIVE], _EVERY_ARCHIVE)
    return {each.values[0]: count_of(each.count) for each in told}
