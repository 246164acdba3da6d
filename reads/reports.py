"""Source reports: for each archive that a list asked, what its part of the answer is worth.

A failed archive is never 0 matches, and one that was never indexed is not an empty one.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from access.scope import AccessLevel
from db.archives import ArchiveRow
from reads.counts import Counts
from reads.list_query import ListQuery, Shortfall
from reads.request import Request
from refresh.live import Outcome
from refresh.reading import Trouble
from refresh.rejected import REJECTED, rejected_records

SENTENCES = {
    "TIMEOUT": "The archive did not answer inside timeoutMs; what comes later is kept in the index.",
    "TOO_WIDE": "Too much to ask the archive for; ask by studyInstanceUid.",
    "KNOWN_ONLY": "Only records that the index already shows were asked for; new ones come with the next run.",
    "BUSY": "This archive is being asked too much at once; try again.",
}

_UNASKED = {
    "FORBIDDEN": "you may see statistics of these archives, not their records",
    "IDENTIFYING_FILTER": "the filter or order is on what may identify a person, and you may not see that there",
    "NOT_IN_COHORT": "the version of the cohort did not ask these archives as you see them",
}
_UNSAID = "This archive has a problem; the code says which kind."


class SourceState(Enum):
    """What an archive's part of an answer is worth."""

    CACHED = "CACHED"
    LIVE = "LIVE"
    STALE = "STALE"
    PARTIAL = "PARTIAL"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    FORBIDDEN = "FORBIDDEN"


@dataclass(frozen=True, slots=True)
class Report:
    """What one archive's part of an answer is worth. as_of: the last completed run; for LIVE when it was asked.

    elapsed_ms: None where it was not asked, or its records are not seen as stored. is_restricted: records of patients
    who did not agree to research are held back.
    """

    archive: ArchiveRow
    state: SourceState
    as_of: datetime | None
    elapsed_ms: float | None
    error: Trouble | None
    is_restricted: bool
    counts: Callable[[], Awaitable[Counts]]

    async def matched(self) -> int | None:
        """Matching nodes from this archive; None when it is not known. A failure is never 0."""
        if self.state in (SourceState.FAILED, SourceState.SKIPPED, SourceState.FORBIDDEN):
            return None
        found = (await self.counts()).matched.get(self.archive.archive_id, 0)
        # Of an archive that answered in part, or not now, none found does not mean none there.
        unsure = self.state in (SourceState.PARTIAL, SourceState.STALE)
        return None if not found and unsure else found


def is_complete(reports: Iterable[Report], list_query: ListQuery) -> bool:
    """True when every archive that was asked answered in full. One whose records the viewer may not see makes it
    false where the query names it, or where no other archive is there to be asked."""
    fine = {SourceState.CACHED, SourceState.LIVE}
    if not list_query.is_named:
        fine.add(SourceState.FORBIDDEN)
    return all(report.state in fine for report in reports)


def warn_of_unasked(request: Request, list_query: ListQuery) -> None:
    """Says in `extensions.warnings` which archives an answer leaves out, whether or not it holds their reports."""
    shortfall = list_query.shortfall
    for code, ids in (
        ("FORBIDDEN", shortfall.forbidden),
        ("IDENTIFYING_FILTER", shortfall.identifying),
        ("NOT_IN_COHORT", shortfall.outside),
    ):
        left_out = {archive.code for archive in list_query.asked if archive.archive_id in ids}
        if left_out:
            known = request.unasked.setdefault(code, set())
            known |= left_out
            request.warnings[code] = f"Not asked: {', '.join(sorted(known))}; {_UNASKED[code]}."


async def reports_of(
    request: Request, list_query: ListQuery, counts: Callable[[], Awaitable[Counts]]
) -> list[Report]:
    """One report for each asked archive, in rank order."""
    rows = await request.archives()
    return [
        _report(request, rows[archive.archive_id], counts, list_query)
        for archive in list_query.asked
        if archive.archive_id in rows
    ]


def _report(
    request: Request, row: ArchiveRow, counts: Callable[[], Awaitable[Counts]], list_query: ListQuery
) -> Report:
    access = request.viewer.access_to(row.ern)
    outcome = list_query.fresh.outcomes.get(row.archive_id) if list_query.fresh else None
    state, error = _judge(row, access, list_query.shortfall, outcome)
    as_of = outcome.asked_at if outcome and state is SourceState.LIVE else row.last_completed_at
    # How long an archive takes tells how much it holds, also of what is hidden.
    elapsed_ms = outcome.elapsed_ms if outcome and access is AccessLevel.FULL else None
    is_restricted = row.archive_id in request.access_scope.consented_ids
    return Report(row, state, as_of, elapsed_ms, error, is_restricted, counts)


def _judge(
    row: ArchiveRow, access: AccessLevel, shortfall: Shortfall, outcome: Outcome | None
) -> tuple[SourceState, Trouble | None]:
    if (left_out := _left_out(row.archive_id, shortfall)) is not None:
        return left_out
    if not row.enabled:
        return SourceState.SKIPPED, Trouble("DISABLED", "This archive is switched off; it is not asked.")
    if outcome is not None and outcome.code is not None:
        state = _unrefreshed(row) if outcome.failed else SourceState.PARTIAL
        return state, _said(outcome.code, outcome.message, access)
    if (failure := shortfall.failures.get(row.archive_id)) is not None:
        state = SourceState.PARTIAL if outcome is None else _unrefreshed(row)
        return state, _said(failure.code, failure.message, access)
    if outcome is None and row.last_completed_at is None:
        return _never_completed(row)
    if row.archive_id in shortfall.not_indexed:
        return SourceState.PARTIAL, Trouble(
            "NOT_INDEXED",
            "Not all of its records are indexed down to this level; ask by study or series.",
        )
    if row.archive_id in shortfall.unsearched:
        return SourceState.PARTIAL, Trouble(
            "NOT_INDEXED",
            "Searches of this archive do not return an attribute that the filter names by path; "
            "records whose whole data set is not in the index were not found by it.",
        )
    if outcome is None and row.rejected_studies and access in (AccessLevel.FULL, AccessLevel.PSEUDONYMISED):
        return SourceState.PARTIAL, Trouble(REJECTED, rejected_records(row.rejected_studies))
    return (SourceState.CACHED if outcome is None else SourceState.LIVE), None


def _left_out(archive_id: int, shortfall: Shortfall) -> tuple[SourceState, Trouble] | None:
    """Of an archive that is not asked, whatever it holds."""
    if archive_id in shortfall.forbidden:
        return SourceState.FORBIDDEN, Trouble(
            "FORBIDDEN", "You may see statistics of this archive, not its records."
        )
    if archive_id in shortfall.outside:
        return SourceState.SKIPPED, Trouble(
            "NOT_IN_COHORT",
            "The version of the cohort did not ask this archive as you see it, so it says nothing of it.",
        )
    if archive_id in shortfall.identifying:
        return SourceState.SKIPPED, Trouble(
            "IDENTIFYING_FILTER",
            "Its records are pseudonymised for you, and the filter or order is on an identifying "
            "attribute; it matches nothing there.",
        )
    return None


def _never_completed(row: ArchiveRow) -> tuple[SourceState, Trouble]:
    if row.has_studies:
        return SourceState.PARTIAL, Trouble(
            "INDEXING", "The first index run of this archive has not ended yet."
        )
    return SourceState.FAILED, Trouble(
        "NOT_INDEXED", "This archive has not been indexed yet; run `ernfed index once`."
    )


def _unrefreshed(row: ArchiveRow) -> SourceState:
    """What the index is worth where asking has failed: older than wanted, a part, or nothing."""
    if row.last_completed_at is not None:
        return SourceState.STALE
    return SourceState.PARTIAL if row.has_studies else SourceState.FAILED


def _said(code: str, message: str, access: AccessLevel) -> Trouble:
    """The words of an archive are for those who see its records as stored; some of ours are for everybody."""
    if access is not AccessLevel.FULL and code in SENTENCES:
        return Trouble(code, SENTENCES[code])
    return trouble(code, message, access)


def trouble(code: str, message: str | None, access: AccessLevel) -> Trouble:
    """An error that is kept as two columns. Its words come from talking about records; who may not see these as they
    are gets the code alone."""
    return Trouble(code, (message if access is AccessLevel.FULL else _UNSAID) or code)
