"""Source reports in the schema: for each archive that a list asked, what its part of the answer is worth."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from reads.reports import Report, SourceState
from reads.request import Request
from resolvers.archives.archive import Archive, SourceError, archive_of, error_of
from resolvers.descriptions import described
from resolvers.engine import enum_of

COMPLETE = (
    "True when every archive that was asked answered in full: its report is CACHED or LIVE. One whose records you may "
    "not see (FORBIDDEN) makes it false where `archives` names it, or where no other archive is there to be asked."
)


enum_of(
    SourceState,
    "What an archive's part of an answer is worth.",
    {
        SourceState.CACHED: "From the index, as of asOf.",
        SourceState.LIVE: "Asked just now, and all of it came.",
        SourceState.STALE: "From the index, older than was asked for: the archive could not be asked.",
        SourceState.PARTIAL: "Some of it is missing; the error says why.",
        SourceState.FAILED: "Nothing is known of it; the error says why.",
        SourceState.SKIPPED: "It was not asked; the error says why.",
        SourceState.FORBIDDEN: "You may not see its records.",
    },
)


@strawberry.type(
    description="What of an archive's records you may not see, by policy; the answer is complete without them."
)
class SourceRestriction:
    code: str = described("A stable code: CONSENT_TO_RESEARCH.")
    message: str = described("A sentence for people.")


_CONSENT = SourceRestriction(
    code="CONSENT_TO_RESEARCH",
    message="You see pseudonymised records of this archive whose patients agreed to research, and no others.",
)


@strawberry.type(description="What one archive's part of an answer is worth.")
class SourceReport:
    archive: Archive = described("The archive that was asked.")
    state: SourceState = described("What its part is worth.")
    as_of: datetime | None = described(
        "What it is as of: the last completed run; for LIVE when the archive was asked."
    )
    elapsed_ms: float | None = described(
        "How long the archive took, in milliseconds; null when it was not asked for this answer, or where you do "
        "not see its records as stored."
    )
    error: SourceError | None = described("Why something is missing.")
    restriction: SourceRestriction | None = described(
        "What you may not see of it, whether or not it holds such; null: nothing is held back from you."
    )
    report: strawberry.Private[Report]

    @strawberry.field(
        description="Matching nodes from this archive; null when it is not known. A failure is never 0."
    )
    async def matched(self) -> int | None:
        return await self.report.matched()


def source_reports(request: Request, reports: Sequence[Report]) -> list[SourceReport]:
    """The GraphQL types of these."""
    return [
        SourceReport(
            archive=archive_of(request, report.archive),
            state=report.state,
            as_of=report.as_of,
            elapsed_ms=report.elapsed_ms,
            error=error_of(report.error),
            restriction=_CONSENT if report.is_restricted else None,
            report=report,
        )
        for report in reports
    ]
