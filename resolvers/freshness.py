"""How fresh an answer must be: the argument, and asking the archives that it means before the index answers."""

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Final

import strawberry

from access.scope import Projection, Scope
from db.lists import gaps
from model.attributes import Level
from model.bounds import Bounds, bounds_of, depth_of
from model.errors import BadInput
from model.filters import Condition, Related, apart
from reads.list_query import ListQuery
from refresh.live import Fresh, Outcome
from refresh.reading import Wanted
from resolvers.depth import known_about

if TYPE_CHECKING:
    from resolvers.context import Context

LEAST_MS: Final = 100
MOST_MS: Final = 30_000
PAGING: Final = timedelta(seconds=60)
MOST_KNOWN: Final = 200  # copies of pseudonymised studies that one question asks for again


@strawberry.enum(description="How fresh the answer must be.")
class FreshnessMode(Enum):
    CACHED = strawberry.enum_value("CACHED", description="Answer from the index.")
    LIVE = strawberry.enum_value(
        "LIVE",
        description="Ask the archives now, side by side, update the index, and answer from it. Archives are asked by "
        "UID, patientId, studyDate and modality, where these must hold; the index answers the rest of the filter. "
        "What is too wide to ask for is PARTIAL (TOO_WIDE). A page with a cursor takes what was asked for in the "
        "last 60 seconds.",
    )
    MAX_AGE = strawberry.enum_value(
        "MAX_AGE",
        description="The same, but ask only the archives whose last completed run is older than maxAgeSeconds; what "
        "this server has asked for since then is not asked for again.",
    )


@strawberry.input(description="How fresh the answer must be. Default: CACHED.")
class Freshness:
    mode: FreshnessMode = strawberry.field(
        description="CACHED, LIVE or MAX_AGE.", default=FreshnessMode.CACHED
    )
    max_age_seconds: int | None = strawberry.field(
        description="For MAX_AGE, and needed there: how old the index of an archive may be.", default=None
    )
    timeout_ms: int | None = strawberry.field(
        description="For LIVE and MAX_AGE: when to answer with what there is, 100 to 30000.", default=5000
    )


def checked(freshness: Freshness | None) -> Freshness | None:
    """None where the index may answer as it is. Raises BadInput."""
    if freshness is None:
        return None
    age, timeout, is_age = (
        freshness.max_age_seconds,
        freshness.timeout_ms,
        freshness.mode is FreshnessMode.MAX_AGE,
    )
    if age is not None and not is_age:
        raise BadInput("freshness: maxAgeSeconds goes with the mode MAX_AGE.")
    if is_age and (age is None or age < 0):
        raise BadInput("freshness: MAX_AGE needs maxAgeSeconds, 0 or more.")
    if freshness.mode is FreshnessMode.CACHED:
        return None
    if timeout is None or not LEAST_MS <= timeout <= MOST_MS:
        raise BadInput(f"freshness: timeoutMs: {LEAST_MS} to {MOST_MS}, got {timeout}.")
    return freshness


async def refreshed(
    context: "Context",
    list_query: ListQuery,
    level: Level,
    condition: Condition,
    freshness: Freshness | None,
    *,
    is_later_page: bool = False,
) -> ListQuery:
    """The question, with what asking its archives has brought; without `freshness` as it is."""
    if freshness is None:
        return list_query
    begin, timeout = time.monotonic(), (freshness.timeout_ms or 0) / 1000
    timeout = min(timeout, context.services.settings.request_timeout * 0.9)
    within = timeout - min(0.25, timeout / 10)  # the index has to answer too
    old = await _old_enough(context, freshness)
    wanted: dict[int, Wanted] = {}
    known_only: set[int] = set()
    too_wide: set[int] = set()
    for scope in list_query.scopes:
        if scope.projection is Projection.IDENTIFIED:
            found = Wanted(bounds_of(condition), depth_of(level, condition))
            wanted |= {each.archive_id: found for each in scope.asked if each.archive_id in old}
        elif ids := [each.archive_id for each in scope.asked if each.archive_id in old]:
            known = await _known(context, scope, level, condition)
            if known is None:
                too_wide.update(ids)
            else:
                wanted |= {each: known[each] for each in ids if each in known}
                known_only.update(() if bounds_of(condition).by_uid else ids)
    newer_than = _newer_than(freshness, is_later_page)
    outcomes = await context.services.live.refresh(wanted, begin + within - time.monotonic(), newer_than)
    outcomes |= {each: _limited(outcomes.get(each), "KNOWN_ONLY") for each in known_only}
    outcomes |= {each: _limited(None, "TOO_WIDE") for each in too_wide}
    return replace(list_query, fresh=Fresh(outcomes, begin + within))


def warn_of_failures(context: "Context", list_query: ListQuery) -> None:
    """For an answer without `sources`: which archives could not be asked, and why."""
    by_code: dict[str, list[str]] = defaultdict(list)
    for archive in list_query.asked:
        outcome = list_query.fresh.outcomes.get(archive.archive_id) if list_query.fresh else None
        if outcome is not None and outcome.code is not None:
            by_code[outcome.code].append(archive.code)
    for code, archives in by_code.items():
        context.warnings[code] = f"Not asked just now, or not for all of it: {', '.join(archives)}."


def _newer_than(freshness: Freshness, is_later_page: bool) -> datetime | None:
    now = datetime.now(UTC)
    if freshness.mode is FreshnessMode.MAX_AGE:
        return now - timedelta(seconds=freshness.max_age_seconds or 0)
    return now - PAGING if is_later_page else None


async def _old_enough(context: "Context", freshness: Freshness) -> set[int]:
    """The archives that are to be asked: all, or those whose last completed run is too old."""
    rows = (await context.archives()).values()
    if freshness.mode is FreshnessMode.LIVE:
        return {row.archive_id for row in rows if row.enabled}
    limit = datetime.now(UTC) - timedelta(seconds=freshness.max_age_seconds or 0)
    return {
        row.archive_id
        for row in rows
        if row.enabled and (row.last_completed_at is None or row.last_completed_at < limit)
    }


async def _known(
    context: "Context", scope: Scope, level: Level, condition: Condition
) -> Mapping[int, Wanted] | None:
    """By archive, the studies that this scope shows and the condition may mean; None: too many of them.

    Of pseudonymised records archives are asked for these alone, by UID: how long an archive takes, and what it
    answers, then tells nothing of what is hidden.
    """
    bounds = bounds_of(condition)
    if level is not Level.STUDY and (bounds.series_uids or bounds.sop_uids):
        about: Condition = Related(level, condition)
    else:
        about = apart(known_about(level, condition))
    rows = await gaps.known_studies(context.database, scope, about, MOST_KNOWN + 1)
    if len(rows) > MOST_KNOWN:
        return None
    copies: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        copies[row["archive_id"]].append(row["source_pk"])
    depth, wanted = depth_of(level, condition), {}
    for archive_id, source_pks in copies.items():
        stored = await gaps.stored_keys(context.services.owner, Level.STUDY, source_pks)
        uids = frozenset(uid for (uid,), _ in stored)
        if uids:
            wanted[archive_id] = Wanted(Bounds(study_uids=uids), depth)
    return wanted


def _limited(outcome: Outcome | None, code: str) -> Outcome:
    """An outcome that cannot be all there is."""
    if outcome is None:
        return Outcome(datetime.now(UTC), None, code)
    return outcome if outcome.code is not None else replace(outcome, code=code)
