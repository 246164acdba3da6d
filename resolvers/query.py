"""The root fields."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated, cast
from uuid import UUID

import strawberry

from db.pool import Row
from model.attributes import Level
from model.errors import BadInput, NotFound
from reads.changes import changes_cursor
from reads.cohort_scope import version_meant
from reads.ids import from_id
from reads.lists import ListPage, list_nodes
from resolvers.archives.administration import ManagedArchive, managed_archives
from resolvers.archives.archive import Archive, archive_of
from resolvers.cohorts.cohort import (
    Cohort,
    CohortConnection,
    cohort_of,
    find_cohort,
    list_cohorts,
    version_of,
)
from resolvers.cohorts.compare import CohortComparison, CohortId, compare_cohorts
from resolvers.context import Context, Info
from resolvers.descriptions import argument
from resolvers.filters.arguments import After, Archives, Before, First, Given, Last, page_arguments
from resolvers.filters.inputs import Filter, InstanceFilter, SeriesFilter, StudyFilter, condition_of
from resolvers.filters.orders import InstanceOrder, Order, SeriesOrder, StudyOrder, sorts_of
from resolvers.freshness import Fresh, Freshness, refresh_of
from resolvers.node import Node
from resolvers.records.lookup import Lookups, find
from resolvers.records.nodes import (
    InstanceConnection,
    SeriesConnection,
    StudyConnection,
    instance_of,
    series_of,
    study_of,
)
from resolvers.statistics.aggregates import InstanceStats, SeriesStats, StudyStats, stats_of
from resolvers.statistics.attribute_definitions import AttributeDefinitionConnection, find_definitions
from resolvers.viewer import Viewer, viewer_of

MAX_IDS = 1000


@strawberry.type(description="What can be asked.")
class Query(Lookups):
    @strawberry.field(description="The object with this id; null when there is none that you may see.")
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, argument("An `id` field's value.")]
    ) -> Node | None:
        return await _node(info.context, id)

    @strawberry.field(description="The objects with these ids (at most 1000), in their order.")
    async def nodes(
        self, info: Info, ids: Annotated[list[strawberry.ID], argument("Values of `id` fields.")]
    ) -> list[Node | None] | None:
        if len(ids) > MAX_IDS:
            raise BadInput(f"ids: at most {MAX_IDS}, got {len(ids)}.")
        # What is raised for one id is the error of its place in the list, and null there alone.
        found = await asyncio.gather(*(_node(info.context, each) for each in ids), return_exceptions=True)
        return cast(list[Node | None], found)

    @strawberry.field(description="Who is asking, and what each ERN lets them see.")
    def viewer(self, info: Info) -> Viewer:
        return viewer_of(info.context.viewer)

    @strawberry.field(description="The archives that you may see, in rank order.")
    async def archives(self, info: Info) -> list[Archive] | None:
        rows = await info.context.archives()
        return [archive_of(info.context, row) for row in rows.values()]

    @strawberry.field(
        description="The archives of the ERNs where you have the verb admin, as they are defined; those that are "
        "switched off too."
    )
    async def managed_archives(self, info: Info) -> list[ManagedArchive] | None:
        return await managed_archives(info.context)

    @strawberry.field(description="One archive; null when there is none that you may see.")
    async def archive(
        self, info: Info, code: Annotated[str, argument("The archive's code.")]
    ) -> Archive | None:
        rows = (await info.context.archives()).values()
        return next((archive_of(info.context, row) for row in rows if row.code == code), None)

    @strawberry.field(
        description="Where the changes stand now, for `since` of `studyChanged`: read it before the list that "
        "you want to keep up to date."
    )
    async def changes_cursor(self, info: Info) -> str | None:
        return await changes_cursor(info.context)

    @strawberry.field(description="One list of studies over all archives.")
    async def studies(
        self,
        info: Info,
        filter: Annotated[StudyFilter | None, argument("Which studies; null: all.")] = None,
        archives: Archives = None,
        order_by: Annotated[
            list[StudyOrder] | None,
            argument("Default: STUDY_DATE DESC, undated last; RELEVANCE DESC with fuzzy or text."),
        ] = None,
        first: First = 20,
        after: After = None,
        last: Last = None,
        before: Before = None,
        freshness: Fresh = None,
    ) -> StudyConnection | None:
        page = (first, after, last, before)
        return StudyConnection(
            listed=await _list(info, Level.STUDY, filter, archives, order_by, page, freshness)
        )

    @strawberry.field(description="One list of series over all archives.")
    async def series(
        self,
        info: Info,
        filter: Annotated[SeriesFilter | None, argument("Which series; null: all.")] = None,
        archives: Archives = None,
        order_by: Annotated[list[SeriesOrder] | None, argument("Default: SERIES_NUMBER ASC.")] = None,
        first: First = 20,
        after: After = None,
        last: Last = None,
        before: Before = None,
        freshness: Fresh = None,
    ) -> SeriesConnection | None:
        page = (first, after, last, before)
        return SeriesConnection(
            listed=await _list(info, Level.SERIES, filter, archives, order_by, page, freshness)
        )

    @strawberry.field(
        description="One list of instances over all archives. Those of up to 200 matching series that the "
        "index does not hold are fetched from their archives, once; beyond that `sources` says PARTIAL."
    )
    async def instances(
        self,
        info: Info,
        filter: Annotated[InstanceFilter | None, argument("Which instances; null: all.")] = None,
        archives: Archives = None,
        order_by: Annotated[list[InstanceOrder] | None, argument("Default: INSTANCE_NUMBER ASC.")] = None,
        first: First = 20,
        after: After = None,
        last: Last = None,
        before: Before = None,
        freshness: Fresh = None,
    ) -> InstanceConnection | None:
        page = (first, after, last, before)
        listed = await _list(info, Level.INSTANCE, filter, archives, order_by, page, freshness)
        return InstanceConnection(listed=listed)

    @strawberry.field(
        description="Counts, facets and histograms over the matching studies, computed in the database."
    )
    async def study_stats(
        self,
        info: Info,
        filter: Annotated[StudyFilter | None, argument("Which studies; null: all.")] = None,
        archives: Archives = None,
    ) -> StudyStats | None:
        return await stats_of(info, StudyStats, Level.STUDY, filter, archives)

    @strawberry.field(description="The same over the matching series.")
    async def series_stats(
        self,
        info: Info,
        filter: Annotated[SeriesFilter | None, argument("Which series; null: all.")] = None,
        archives: Archives = None,
    ) -> SeriesStats | None:
        return await stats_of(info, SeriesStats, Level.SERIES, filter, archives)

    @strawberry.field(description="The same over the matching instances, of those in the index.")
    async def instance_stats(
        self,
        info: Info,
        filter: Annotated[InstanceFilter | None, argument("Which instances; null: all.")] = None,
        archives: Archives = None,
    ) -> InstanceStats | None:
        return await stats_of(info, InstanceStats, Level.INSTANCE, filter, archives)

    @strawberry.field(
        description="The DICOM dictionary as this federation knows it: what exists, what can be searched."
    )
    async def attribute_definitions(
        self,
        info: Info,
        search: Annotated[str | None, argument("Part of a keyword, name or tag.")] = None,
        searchable: Annotated[bool | None, argument("Only what filters can name, or cannot.")] = None,
        first: First = 50,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> AttributeDefinitionConnection | None:
        page = page_arguments(info, first, after, last, before)
        return await find_definitions(info.context, search, searchable, page)

    @strawberry.field(
        description="A cohort that is yours or shared with you, by its id or that of a version; null: there is "
        "none that you may open."
    )
    async def cohort(self, info: Info, id: CohortId) -> Cohort | None:
        try:
            return await find_cohort(info.context, id)
        except NotFound:
            return None

    @strawberry.field(description="Cohorts that are yours or shared with you, newest first.")
    async def cohorts(
        self,
        info: Info,
        mine: Annotated[bool | None, argument("true: yours. false: those of others.")] = None,
        first: First = 50,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> CohortConnection | None:
        return await list_cohorts(info.context, mine, page_arguments(info, first, after, last, before))

    @strawberry.field(description="What came, went and changed from one version of a cohort to another.")
    async def compare_cohorts(
        self,
        info: Info,
        a: CohortId,
        b: Annotated[
            strawberry.ID | None,
            argument("Another version; null: what the cohort's filter finds now."),
        ] = None,
    ) -> CohortComparison | None:
        return await compare_cohorts(info, a, b)


async def _list(
    info: Info,
    level: Level,
    given: Filter | None,
    archives: list[str] | None,
    order_by: Sequence[Order] | None,
    page: Given,
    freshness: Freshness | None,
) -> ListPage:
    arguments, refresh = page_arguments(info, *page), refresh_of(freshness)
    condition, sorts = condition_of(given), sorts_of(order_by)
    return await list_nodes(
        info.context, level, condition, arguments, archives=archives, sorts=sorts, refresh=refresh
    )


async def _node(context: Context, global_id: str) -> Node | None:
    type_name, key = from_id(global_id)
    if type_name == "Archive":
        rows = (await context.archives()).values()
        return next((archive_of(context, row) for row in rows if (row.code,) == key), None)
    if type_name in ("Cohort", "CohortVersion"):
        return await _cohort(context, UUID(key[0]), of_version=type_name == "CohortVersion")
    level, build = _LOOKUPS[type_name]
    row = await find(context, level, key)
    return build(row) if row is not None else None


async def _cohort(context: Context, key: UUID, *, of_version: bool) -> Node | None:
    saved = await context.cohort_by_id.load(key)
    version = version_meant(saved, key) if saved is not None else None
    if saved is None or of_version is (saved.cohort_id == key):
        return None
    return version_of(saved, version) if of_version and version is not None else cohort_of(saved)


_LOOKUPS: dict[str, tuple[Level, Callable[[Row], Node]]] = {
    "Study": (Level.STUDY, study_of),
    "Series": (Level.SERIES, series_of),
    "Instance": (Level.INSTANCE, instance_of),
}
