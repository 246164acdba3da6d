"""Comparing cohorts: what came, went and changed between two versions, or since one."""

from typing import Annotated

import strawberry

from db.cohorts.gone import gone
from model.errors import Forbidden
from model.filters import AllOf, ChangedTest, Condition, Not
from reads.cohort_scope import in_version, open_version
from resolvers.cohorts.cohort import list_studies
from resolvers.context import Info
from resolvers.descriptions import argument
from resolvers.filters.arguments import After, Before, First, Last
from resolvers.filters.inputs import condition_of
from resolvers.filters.saved_filter import filter_of
from resolvers.records.nodes import StudyConnection


@strawberry.type(
    description="Two sets of studies as you may see them now: a version, and another one or what the cohort's "
    "filter finds at present. Changed is a study of which a copy is not what it was: its attributes and numbers in "
    "records as stored; behind pseudonyms modalities and numbers of series and instances alone."
)
class CohortComparison:
    before: strawberry.Private[Condition]
    after: strawberry.Private[Condition]
    since: strawberry.Private[str]
    until: strawberry.Private[str | None]
    named: strawberry.Private[list[str] | None]

    @strawberry.field(description="Studies of the second that are not in the first.")
    async def added(
        self, info: Info, first: First = 20, after: After = None, last: Last = None, before: Before = None
    ) -> StudyConnection | None:
        condition = AllOf((self.after, Not(self.before)))
        return await list_studies(info, condition, self.named, (first, after, last, before))

    @strawberry.field(description="Studies of the first that are not in the second, and still in the index.")
    async def removed(
        self, info: Info, first: First = 20, after: After = None, last: Last = None, before: Before = None
    ) -> StudyConnection | None:
        condition = AllOf((self.before, Not(self.after)))
        return await list_studies(info, condition, self.named, (first, after, last, before))

    @strawberry.field(description="Studies of both that changed from the first to the second.")
    async def changed(
        self, info: Info, first: First = 20, after: After = None, last: Last = None, before: Before = None
    ) -> StudyConnection | None:
        condition = AllOf((self.before, self.after, ChangedTest(self.since, self.until)))
        return await list_studies(info, condition, self.named, (first, after, last, before))

    @strawberry.field(
        description="Studies of the first that no archive holds any more, of the archives that you see in full."
    )
    async def gone(self, info: Info) -> int | None:
        return await gone(info.context.database, info.context.access_scope.records, self.since)


async def compare_cohorts(info: Info, first: str, second: str | None) -> CohortComparison:
    """Raises NotFound; Forbidden for the present of a filter that the viewer may not know."""
    context = info.context
    cohort, version = await open_version(context, first)
    before = in_version(cohort, version)
    since = str(version.version_id)
    if second is not None:
        other, later = await open_version(context, second)
        after: Condition = in_version(other, later)
        return CohortComparison(
            before=before, after=after, since=since, until=str(later.version_id), named=None
        )
    if cohort.identifying and not cohort.mine:
        raise Forbidden(
            "cohort: its filter is its owner's alone, so it cannot be asked anew; compare versions."
        )
    known = {archive.code for archive in context.access_scope.archives}
    named = None if cohort.archives is None else [code for code in cohort.archives if code in known]
    after = condition_of(filter_of(info, cohort.filter))
    return CohortComparison(before=before, after=after, since=since, until=None, named=named)


CohortId = Annotated[
    strawberry.ID, argument("Id of a cohort, which means its newest version, or of a version.")
]
