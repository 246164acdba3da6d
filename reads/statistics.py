"""The statistics of a query: what of it is counted exactly, what protected, what the answer lacks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from access.identifying import asks_for_identity
from access.scope import Scope
from db.lists import nodes
from db.lists.listing import Listing
from model.attributes import Level
from model.filters import Condition, all_of
from reads.backfill import go_deep_enough
from reads.cohort_scope import opened
from reads.counts import Counts, counted
from reads.disclosure import Statistics
from reads.list_query import ListQuery, Shortfall, outside_of
from reads.pseudonym_counts import PseudonymCounts
from reads.reports import Report, reports_of, warn_of_unasked
from reads.request import Request
from reads.slow import slow_warnings
from reads.stats_scope import StatsScope, stats_scope


@dataclass(frozen=True, slots=True)
class StatisticsAnswer:
    """Statistics, and what each archive's part of them is worth."""

    request: Request
    statistics: Statistics
    shortfall: Shortfall

    @property
    def asked(self) -> ListQuery:
        return ListQuery((), self.statistics.scope.asked, self.shortfall)

    async def reports(self) -> list[Report]:
        rank = {archive_id: n for n, archive_id in enumerate(await self.request.archives())}
        asked = sorted(self.asked.asked, key=lambda each: rank.get(each.archive_id, len(rank)))
        return await reports_of(self.request, replace(self.asked, asked=tuple(asked)), self._matched)

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
        asked = Scope(self.request.access_scope.records.visible, statistics.scope.open)
        listing = Listing((asked,), statistics.level, statistics.condition)
        found = counted(await nodes.counts(self.request.database, listing))
        return Counts(found.total, {**found.matched, **hidden})


async def statistics_of(
    request: Request,
    level: Level,
    condition: Condition,
    archives: Sequence[str] | None,
    looked_into: Sequence[Condition] = (),
) -> StatisticsAnswer:
    """The statistics of what matches; nothing is counted before it is asked for. looked_into: what will be counted by,
    for what the index may lack of it. Raises BadInput and NotFound."""
    condition = await opened(request, condition)
    scope = stats_scope(request.access_scope, archives)
    outside = outside_of(condition, [Scope(request.access_scope.records.visible, scope.open)])
    scope = scope.without(outside)
    # Nothing is fetched for archives whose records stay hidden.
    list_query = ListQuery((Scope(request.access_scope.records.visible, scope.open),), scope.open)
    list_query = await go_deep_enough(request, list_query, level, all_of([condition, *looked_into]))
    await slow_warnings(request, level, condition)
    request.touched.asked(each.archive_id for each in scope.asked)
    pseudonyms = _listed(request, scope, condition)
    listed = pseudonyms.asked_ids if pseudonyms is not None else []
    skipped = {each.archive_id for each in scope.skipped_for(condition)} - set(listed)
    shortfall = replace(list_query.shortfall, outside=outside, identifying=frozenset(skipped))
    counts = PseudonymCounts(request.database, pseudonyms, level, condition) if pseudonyms else None
    answer = StatisticsAnswer(request, statistics_over(request, scope, level, condition, counts), shortfall)
    warn_of_unasked(request, answer.asked)
    return answer


def statistics_over(
    request: Request,
    scope: StatsScope,
    level: Level,
    condition: Condition,
    pseudonyms: PseudonymCounts | None = None,
) -> Statistics:
    """What may be told of these archives."""
    services = request.services
    return Statistics(
        request.database,
        scope,
        condition,
        services.small_counts,
        services.small_counts_secret,
        level,
        pseudonyms,
    )


def _listed(request: Request, scope: StatsScope, condition: Condition) -> Scope | None:
    """What a list with this condition reads behind pseudonyms; None where it may not be asked there."""
    pseudonyms = replace(request.access_scope.pseudonyms, asked=scope.listed)
    outside = outside_of(condition, [pseudonyms])
    asked = tuple(each for each in scope.listed if each.archive_id not in outside)
    # where the other counts are not told, this one would stand alone
    may_be_asked = not asks_for_identity(condition) and not scope.skipped_for(condition)
    return replace(pseudonyms, asked=asked) if asked and may_be_asked else None
