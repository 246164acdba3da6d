"""Source reports: for each archive that a list asked, what its part of the answer is worth.

A failed archive is never 0 matches, and one that was never indexed is not an empty one.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

import strawberry

from access.scope import AccessLevel
from db.archives import ArchiveRow
from resolvers.archive import Archive, SourceError, archive_of, source_error
from resolvers.loaders import Counts
from resolvers.question import Question, Shortfall

if TYPE_CHECKING:
    from resolvers.context import Context


def _describe(description: str) -> Any:
    return strawberry.field(description=description)


@strawberry.enum(description="What an archive's part of an answer is worth.")
class SourceState(Enum):
    CACHED = strawberry.enum_value("CACHED", description="From the index, as of asOf.")
    LIVE = strawberry.enum_value("LIVE", description="Asked just now.")
    STALE = strawberry.enum_value("STALE", description="From the index, which is older than was asked for.")
    PARTIAL = strawberry.enum_value("PARTIAL", description="Some of it is missing; the error says why.")
    FAILED = strawberry.enum_value("FAILED", description="Nothing is known of it; the error says why.")
    SKIPPED = strawberry.enum_value("SKIPPED", description="It was not asked; the error says why.")
    FORBIDDEN = strawberry.enum_value("FORBIDDEN", description="You may not see its records.")


@strawberry.type(
    description="What of an archive's records you may not see, by policy; the answer is complete without them."
)
class SourceRestriction:
    code: str = _describe("A stable code: CONSENT_TO_RESEARCH.")
    message: str = _describe("A sentence for people.")


_CONSENT = SourceRestriction(
    code="CONSENT_TO_RESEARCH",
    message="You see pseudonymised records of this archive whose patients agreed to research, and no others.",
)


@strawberry.type(description="What one archive's part of an answer is worth.")
class SourceReport:
    archive: Archive = _describe("The archive that was asked.")
    state: SourceState = _describe("What its part is worth.")
    as_of: datetime | None = _describe("What it is as of: the last completed run for CACHED, now for LIVE.")
    elapsed_ms: float | None = _describe(
        "How long the archive took, in milliseconds; null when not asked now."
    )
    error: SourceError | None = _describe("Why something is missing.")
    restriction: SourceRestriction | None = _describe(
        "What you may not see of it, whether or not it holds such; null: nothing is held back from you."
    )
    counts: strawberry.Private[Callable[[], Awaitable[Counts]]]

    @strawberry.field(
        description="Matching nodes from this archive; null when it is not known. A failure is never 0."
    )
    async def matched(self) -> int | None:
        if self.state in (SourceState.FAILED, SourceState.SKIPPED, SourceState.FORBIDDEN):
            return None
        found = (await self.counts()).matched.get(self.archive.row.archive_id, 0)
        # Of an archive that answered in part, none found does not mean none there.
        return None if not found and self.state is SourceState.PARTIAL else found


async def reports_of(
    context: "Context", question: Question, counts: Callable[[], Awaitable[Counts]]
) -> list[SourceReport]:
    """One report for each asked archive, in rank order."""
    rows = await context.archives()
    return [
        _report(context, rows[archive.archive_id], counts, question.shortfall)
        for archive in question.asked
        if archive.archive_id in rows
    ]


def _report(
    context: "Context", row: ArchiveRow, counts: Callable[[], Awaitable[Counts]], shortfall: Shortfall
) -> SourceReport:
    state, error = _judge(row, context.viewer.access_to(row.ern), shortfall)
    return SourceReport(
        archive=archive_of(context, row),
        state=state,
        as_of=row.last_completed_at,
        elapsed_ms=None,
        error=error,
        restriction=_CONSENT if row.archive_id in context.reach.consented_ids else None,
        counts=counts,
    )


def _judge(
    row: ArchiveRow, access: AccessLevel, shortfall: Shortfall
) -> tuple[SourceState, SourceError | None]:
    if row.archive_id in shortfall.forbidden:
        return SourceState.FORBIDDEN, SourceError(
            code="FORBIDDEN", message="You may see statistics of this archive, not its records."
        )
    if row.archive_id in shortfall.identifying:
        return SourceState.SKIPPED, SourceError(
            code="IDENTIFYING_FILTER",
            message="Its records are pseudonymised for you, and the filter or order is on an identifying "
            "attribute; it matches nothing there.",
        )
    if (failure := shortfall.failures.get(row.archive_id)) is not None:
        return SourceState.PARTIAL, source_error(failure.code, failure.message, access)
    if row.last_completed_at is None:
        if row.has_studies:
            return SourceState.PARTIAL, SourceError(
                code="INDEXING", message="The first index run of this archive has not ended yet."
            )
        return SourceState.FAILED, SourceError(
            code="NOT_INDEXED", message="This archive has not been indexed yet; run `ernfed index once`."
        )
    if row.archive_id in shortfall.not_indexed:
        return SourceState.PARTIAL, SourceError(
            code="NOT_INDEXED",
            message="Not all of its records are indexed down to this level; ask by study or series.",
        )
    if row.archive_id in shortfall.unsearched:
        return SourceState.PARTIAL, SourceError(
            code="NOT_INDEXED",
            message="Searches of this archive do not return an attribute that the filter names by path; "
            "records whose whole data set is not in the index were not found by it.",
        )
    return SourceState.CACHED, None
