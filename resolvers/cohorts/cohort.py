"""Cohorts in the schema: saved filters, their versions, and the lists of these."""

from datetime import datetime
from typing import cast
from uuid import UUID

import strawberry

from db.cohorts import cohorts
from db.cohorts.cohorts import Cohort as Saved
from db.cohorts.cohorts import Place, Version
from db.lists.listing import Listing, Window
from model.attributes import Level
from model.cursors import Position
from model.filters import CohortTest, Condition
from reads.cohort_scope import in_version, open_cohort, person_of
from reads.counts import Counts
from reads.ends import Ends
from reads.ids import to_id
from reads.list_query import list_query_of
from reads.lists import ListPage, list_nodes, page_of
from reads.page_arguments import PageArguments
from resolvers.archives.archive import Archive, archive_of
from resolvers.context import Context, Info
from resolvers.descriptions import described
from resolvers.filters.arguments import After, Before, First, Given, Last, page_arguments
from resolvers.node import Node
from resolvers.records.nodes import StudyConnection
from resolvers.records.relay import PageInfo

_ORDER = "cohorts"


async def list_studies(
    info: Info,
    condition: Condition,
    archives: list[str] | None,
    page: Given,
) -> StudyConnection:
    """A page of the studies that match, as `studies` gives it; every cohort in the condition is opened already."""
    arguments = page_arguments(info, *page)
    return StudyConnection(
        listed=await list_nodes(info.context, Level.STUDY, condition, arguments, archives=archives)
    )


async def _list_version(context: Context, test: CohortTest, page: PageArguments) -> ListPage:
    """A page of the studies of a version of a cohort, newest first; versions of a list share their statements."""
    list_query = list_query_of(context.access_scope, None, test, ())
    scopes, version, lists = list_query.scopes, str(test.version), context.version_lists
    order = Listing(scopes, Level.STUDY, test).order
    window = page.window(order, context.cursors)
    rows = await lists.page(scopes, window).load(version)

    async def other_way(edge: Window) -> bool:
        return bool(await lists.page(scopes, edge).load(version))

    async def count() -> Counts:
        return await lists.counts(scopes).load(version)

    return page_of(context, list_query, order, rows, page, window, other_way, count)


@strawberry.type(description="An archive that a version asked.")
class CohortSource:
    archive: Archive = described("The archive.")
    as_of: datetime | None = described("When its index had last been complete at that time; null: not yet.")


@strawberry.type(description="What a cohort's filter found once. It shows what you may see of it now.")
class CohortVersion(Node):
    cohort: strawberry.Private[Saved]
    version: strawberry.Private[Version]
    number: int = described("1, 2, 3, … within its cohort.")
    frozen_at: datetime = described("When it was frozen.")

    @strawberry.field(description="Global id; also for `StudyFilter.cohort` and `compareCohorts`.")
    def id(self) -> strawberry.ID:
        return strawberry.ID(to_id("CohortVersion", (str(self.version.version_id),)))

    @strawberry.field(description="The archives that were asked, of those that you may see; in rank order.")
    async def sources(self, info: Info) -> list[CohortSource] | None:
        rows = await info.context.archives()
        return [
            CohortSource(archive=archive_of(info.context, row), as_of=self.version.as_of[archive_id])
            for archive_id, row in rows.items()
            if archive_id in self.version.projections
        ]

    @strawberry.field(description="Its studies that are still there and that you may see, newest first.")
    async def studies(
        self,
        info: Info,
        first: First = 20,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> StudyConnection | None:
        page = page_arguments(info, first, after, last, before)
        listed = await _list_version(info.context, in_version(self.cohort, self.version), page)
        return StudyConnection(listed=listed)


@strawberry.type(description="With whom a cohort is shared.")
class CohortShares:
    people: list[str] = described("Subjects of people (`viewer { subject }`).")
    erns: list[str] = described("Codes of ERNs: everybody who may see anything of one of them.")
    everyone: bool = described("Everybody who can sign in.")


@strawberry.type(description="A saved filter, and the versions of what it found.")
class Cohort(Node):
    saved: strawberry.Private[Saved]
    name: str = described("What its owner calls it.")
    description: str | None = described("What its owner says of it.")
    mine: bool = described("True for who saved it.")
    owner: str | None = described("Name of who saved it, else their subject.")
    identifying: bool = described(
        "True where its filter looks at what may identify a person: the filter is then shown to its owner alone, "
        "and its versions only in archives that are seen as they were when it was frozen."
    )
    created_at: datetime = described("When it was saved.")

    @strawberry.field(description="Global id; nobody can guess it.")
    def id(self) -> strawberry.ID:
        return strawberry.ID(to_id("Cohort", (str(self.saved.cohort_id),)))

    @strawberry.field(
        description="The StudyFilter that was saved, as JSON; null where it is identifying and not yours."
    )
    def filter(self) -> str | None:
        return self.saved.filter if self.mine or not self.identifying else None

    @strawberry.field(description="The archives that it asks, of those that you may see; null: all.")
    async def archives(self, info: Info) -> list[Archive] | None:
        if self.saved.archives is None:
            return None
        rows = (await info.context.archives()).values()
        return [archive_of(info.context, row) for row in rows if row.code in self.saved.archives]

    @strawberry.field(description="Its versions, newest first; at most 20.")
    def versions(self) -> list[CohortVersion]:
        return [version_of(self.saved, each) for each in self.saved.versions]

    @strawberry.field(description="With whom its owner shares it; null for others than the owner.")
    async def shared_with(self, info: Info) -> CohortShares | None:
        if not self.mine:
            return None
        found = await info.context.shares_by_cohort.load(self.saved.cohort_id)
        return CohortShares(
            people=[name for kind, name in found if kind == "person"],
            erns=[name for kind, name in found if kind == "ern"],
            everyone=("everyone", "") in found,
        )


def version_of(cohort: Saved, version: Version) -> CohortVersion:
    """The GraphQL type of a version."""
    return CohortVersion(cohort=cohort, version=version, number=version.number, frozen_at=version.frozen_at)


def cohort_of(saved: Saved) -> Cohort:
    """The GraphQL type of a saved filter that the viewer may open."""
    return Cohort(
        saved=saved,
        name=saved.name,
        description=saved.description,
        mine=saved.mine,
        owner=saved.owner_name or saved.owner,
        identifying=saved.identifying,
        created_at=saved.created_at,
    )


@strawberry.type(description="A cohort in a page, with its cursor.")
class CohortEdge:
    node: Cohort = described("The cohort.")
    cursor: str = described("Where the cohort stands in this list; opaque.")


@strawberry.type(description="A page of cohorts, newest first.")
class CohortConnection:
    ends: strawberry.Private[Ends[Saved]]
    page_info: PageInfo = described("Where this page stands.")

    @strawberry.field(description="The cohorts of this page with their cursors.")
    def edges(self) -> list[CohortEdge]:
        return [CohortEdge(node=cohort_of(each), cursor=self.ends.cursor(each)) for each in self.ends.items]

    @strawberry.field(description="The cohorts of this page.")
    def nodes(self) -> list[Cohort]:
        return [cohort_of(each) for each in self.ends.items]


async def list_cohorts(context: Context, mine: bool | None, asked: PageArguments) -> CohortConnection:
    """Own cohorts and those that are shared with the viewer. Raises BadCursor."""

    async def read(place: Place | None, first: int, *, backward: bool) -> list[Saved]:
        owner, person = context.services.owner, person_of(context.viewer)
        return await cohorts.cohorts(owner, person, mine=mine, beyond=place, first=first, backward=backward)

    place = None
    if asked.cursor is not None:
        position = context.cursors.open(_ORDER, asked.cursor)
        place = (cast(datetime, position.values[0]), UUID(position.uid))
    found = await read(place, asked.size + 1, backward=asked.backward)
    page = found[: asked.size]
    if asked.backward:
        page.reverse()

    async def other_way() -> bool:
        """Whether anything is on the other side: beyond the near end of the page, or of a cursor after which there
        is nothing."""
        if asked.cursor is None:
            return False
        if not page:
            return True  # the one that the cursor is of
        near = page[-1] if asked.backward else page[0]
        return bool(await read((near.created_at, near.cohort_id), 1, backward=not asked.backward))

    def cursor(at: Saved) -> str:
        return context.cursors.seal(_ORDER, Position((at.created_at,), str(at.cohort_id)))

    more = len(found) > asked.size
    ends = Ends(items=page, more=more, backward=asked.backward, other_way=other_way, cursor=cursor)
    return CohortConnection(ends=ends, page_info=PageInfo(ends=ends))


async def find_cohort(context: Context, given: str) -> Cohort:
    """The cohort of an id, of its own or of a version's. Raises NotFound."""
    cohort, _ = await open_cohort(context, given)
    return cohort_of(cohort)
