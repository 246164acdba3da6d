"""Source reports: for each archive that a list asked, what its part of the answer is worth.

A failed archive is never 0 matches, and one that was never indexed is not an empty one.
"""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

import strawberry

from access.scope import AccessLevel
from db.archives import ArchiveRow
from reads.list_query import ListQuery, Shortfall
from refresh.live import Outcome
from refresh.rejected import REJECTED, rejected_records
from resolvers.archives.archive import Archive, SourceError, archive_of, source_error
from resolvers.records.loaders import Counts

if TYPE_CHECKING:
    from resolvers.context import Context


SENTENCES = {
    "TIMEOUT": "The archive did not answer inside timeoutMs; what comes later is kept in the index.",
    "TOO_WIDE": "Too much to ask the archive for; ask by studyInstanceUid.",
    "KNOWN_ONLY": "Only records that the index already shows were asked for; new ones come with the next run.",
    "BUSY": "This archive is being asked too much at once; try again.",
}


COMPLETE = (
    "True when every archive that was asked answered in full: its report is CACHED or LIVE. One whose records you may "
    "not see (FORBIDDEN) makes it false where `archives` names it, or where no other archive is there to be asked."
)
_UNASKED = {
    "FORBIDDEN": "you may see statistics of these archives, not their records",
    "IDENTIFYING_FILTER": "the filter or order is on what may identify a person, and you may not see that there",
    "NOT_IN_COHORT": "the version of the cohort did not ask these archives as you see them",
}


def _describe(description: str) -> Any:
    return strawberry.field(description=description)


@strawberry.enum(description="What an archive's part of an answer is worth.")
class SourceState(Enum):
    CACHED = strawberry.enum_value("CACHED", description="From the index, as of asOf.")
    LIVE = strawberry.enum_value("LIVE", description="Asked just now, and all of it came.")
    STALE = strawberry.enum_value(
        "STALE", description="From the index, older than was asked for: the archive could not be asked."
    )
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
    as_of: datetime | None = _describe(
        "What it is as of: the last completed run; for LIVE when the archive was asked."
    )
    elapsed_ms: float | None = _describe(
        "How long the archive took, in milliseconds; null when it was not asked for this answer, or where you do "
        "not see its records as stored."
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
        # Of an archive that answered in part, or not now, none found does not mean none there.
        unsure = self.state in (SourceState.PARTIAL, SourceState.STALE)
        return None if not found and unsure else found


def is_complete(reports: Iterable[SourceReport], list_query: ListQuery) -> bool:
    """What COMPLETE says."""
    fine = {SourceState.CACHED, SourceState.LIVE}
    if not list_query.is_named:
        fine.add(SourceState.FORBIDDEN)
    return all(report.state in fine for report in reports)


def warn_of_unasked(context: "Context", list_query: ListQuery) -> None:
    """Says in `extensions.warnings` which archives an answer leaves out, whether or not it holds their reports."""
    shortfall = list_query.shortfall
    for code, ids in (
        ("FORBIDDEN", shortfall.forbidden),
        ("IDENTIFYING_FILTER", shortfall.identifying),
        ("NOT_IN_COHORT", shortfall.outside),
    ):
        left_out = {archive.code for archive in list_query.asked if archive.archive_id in ids}
        if left_out:
            known = context.unasked.setdefault(code, set())
            known |= left_out
            context.warnings[code] = f"Not asked: {', '.join(sorted(known))}; {_UNASKED[code]}."


async def reports_of(
    context: "Context", list_query: ListQuery, counts: Callable[[], Awaitable[Counts]]
) -> list[SourceReport]:
    """One report for each asked archive, in rank order."""
    rows = await context.archives()
    return [
        _report(context, rows[archive.archive_id], counts, list_query)
        for archive in list_query.asked
        if archive.archive_id in rows
    ]


def _report(
    context: "Context", row: ArchiveRow, counts: Callable[[], Awaitable[Counts]], list_query: ListQuery
) -> SourceReport:
    access = context.viewer.access_to(row.ern)
    outcome = list_query.fresh.outcomes.get(row.archive_id) if list_query.fresh else None
    state, error = _judge(row, access, list_query.shortfall, outcome)
    as_of = outcome.asked_at if outcome and state is SourceState.LIVE else row.last_completed_at
    # How long an archive takes tells how much it holds, also of what is hidden.
    elapsed_ms = outcome.elapsed_ms if outcome and access is AccessLevel.FULL else None
    return SourceReport(
        archive=archive_of(context, row),
        state=state,
        as_of=as_of,
        elapsed_ms=elapsed_ms,
        error=error,
        restriction=_CONSENT if row.archive_id in context.access_scope.consented_ids else None,
        counts=counts,
    )


def _judge(
    row: ArchiveRow, access: AccessLevel, shortfall: Shortfall, outcome: Outcome | None
) -> tuple[SourceState, SourceError | None]:
    if row.archive_id in shortfall.forbidden:
        return SourceState.FORBIDDEN, SourceError(
            code="FORBIDDEN", message="You may see statistics of this archive, not its records."
        )
    if row.archive_id in shortfall.outside:
        return SourceState.SKIPPED, SourceError(
            code="NOT_IN_COHORT",
            message="The version of the cohort did not ask this archive as you see it, so it says nothing of it.",
        )
    if row.archive_id in shortfall.identifying:
        return SourceState.SKIPPED, SourceError(
            code="IDENTIFYING_FILTER",
            message="Its records are pseudonymised for you, and the filter or order is on an identifying "
            "attribute; it matches nothing there.",
        )
    if not row.enabled:
        return SourceState.SKIPPED, SourceError(
            code="DISABLED", message="This archive is switched off; it is not asked."
        )
    if outcome is not None and outcome.code is not None:
        state = _unrefreshed(row) if outcome.failed else SourceState.PARTIAL
        return state, _said(outcome.code, outcome.message, access)
    if (failure := shortfall.failures.get(row.archive_id)) is not None:
        state = SourceState.PARTIAL if outcome is None else _unrefreshed(row)
        return state, _said(failure.code, failure.message, access)
    if outcome is None and row.last_completed_at is None:
        return _never_completed(row)
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
    if outcome is None and row.rejected_studies and access in (AccessLevel.FULL, AccessLevel.PSEUDONYMISED):
        return SourceState.PARTIAL, SourceError(code=REJECTED, message=rejected_records(row.rejected_studies))
    return (SourceState.CACHED if outcome is None else SourceState.LIVE), None


def _never_completed(row: ArchiveRow) -> tuple[SourceState, SourceError]:
    if row.has_studies:
        return SourceState.PARTIAL, SourceError(
            code="INDEXING", message="The first index run of this archive has not ended yet."
        )
    return SourceState.FAILED, SourceError(
        code="NOT_INDEXED", message="This archive has not been indexed yet; run `ernfed index once`."
    )


def _unrefreshed(row: ArchiveRow) -> SourceState:
    """What the index is worth where asking has failed: older than wanted, a part, or nothing."""
    if row.last_completed_at is not None:
        return SourceState.STALE
    return SourceState.PARTIAL if row.has_studies else SourceState.FAILED


def _said(code: str, message: str, access: AccessLevel) -> SourceError | None:
    """The words of an archive are for those who see its records as stored; some of ours are for everybody."""
    if access is not AccessLevel.FULL and code in SENTENCES:
        return SourceError(code=code, message=SENTENCES[code])
    return source_error(code, message, access)
