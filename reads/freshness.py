"""Asking the archives of a list before the index answers."""

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from access.scope import Projection, Scope
from db.lists import gaps
from model.attributes import Level
from model.bounds import Bounds, bounds_of, depth_of
from model.filters import Condition, Related, apart
from reads.backfill import known_about
from reads.list_query import ListQuery
from reads.request import Request
from refresh.live import Fresh, Outcome
from refresh.reading import Wanted

PAGING: Final = timedelta(seconds=60)
MOST_KNOWN: Final = 200  # copies of pseudonymised studies that one list asks for again


@dataclass(frozen=True, slots=True)
class Refresh:
    """Archives are asked before the index answers, for so many seconds. max_age: those only whose last completed run
    is older; None: all."""

    timeout: float
    max_age: timedelta | None = None


async def refreshed(
    request: Request,
    list_query: ListQuery,
    level: Level,
    condition: Condition,
    refresh: Refresh | None,
    *,
    is_later_page: bool = False,
) -> ListQuery:
    """The list query, with what asking its archives has brought; without `refresh` as it is."""
    if refresh is None:
        return list_query
    begin = time.monotonic()
    timeout = min(refresh.timeout, request.services.settings.request_timeout * 0.9)
    within = timeout - min(0.25, timeout / 10)  # the index has to answer too
    old = await _old_enough(request, refresh)
    wanted: dict[int, Wanted] = {}
    known_only: set[int] = set()
    too_wide: set[int] = set()
    for scope in list_query.scopes:
        if scope.projection is Projection.IDENTIFIED:
            found = Wanted(bounds_of(condition), depth_of(level, condition))
            wanted |= {each.archive_id: found for each in scope.asked if each.archive_id in old}
        elif ids := [each.archive_id for each in scope.asked if each.archive_id in old]:
            known = await _known(request, scope, level, condition)
            if known is None:
                too_wide.update(ids)
            else:
                wanted |= {each: known[each] for each in ids if each in known}
                known_only.update(() if bounds_of(condition).by_uid else ids)
    newer_than = _newer_than(refresh, is_later_page)
    outcomes = await request.services.live.refresh(wanted, begin + within - time.monotonic(), newer_than)
    outcomes |= {each: _limited(outcomes.get(each), "KNOWN_ONLY") for each in known_only}
    outcomes |= {each: _limited(None, "TOO_WIDE") for each in too_wide}
    return replace(list_query, fresh=Fresh(outcomes, begin + within))


def warn_of_failures(request: Request, list_query: ListQuery) -> None:
    """For an answer without `sources`: which archives could not be asked, and why."""
    by_code: dict[str, list[str]] = defaultdict(list)
    for archive in list_query.asked:
        outcome = list_query.fresh.outcomes.get(archive.archive_id) if list_query.fresh else None
        if outcome is not None and outcome.code is not None:
            by_code[outcome.code].append(archive.code)
    for code, archives in by_code.items():
        request.warnings[code] = f"Not asked just now, or not for all of it: {', '.join(archives)}."


def _newer_than(refresh: Refresh, is_later_page: bool) -> datetime | None:
    now = datetime.now(UTC)
    if refresh.max_age is not None:
        return now - refresh.max_age
    return now - PAGING if is_later_page else None


async def _old_enough(request: Request, refresh: Refresh) -> set[int]:
    """The archives that are to be asked: all, or those whose last completed run is too old."""
    rows = (await request.archives()).values()
    if refresh.max_age is None:
        return {row.archive_id for row in rows if row.enabled}
    limit = datetime.now(UTC) - refresh.max_age
    return {
        row.archive_id
        for row in rows
        if row.enabled and (row.last_completed_at is None or row.last_completed_at < limit)
    }


async def _known(
    request: Request, scope: Scope, level: Level, condition: Condition
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
    rows = await gaps.known_studies(request.database, scope, about, MOST_KNOWN + 1)
    if len(rows) > MOST_KNOWN:
        return None
    copies: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        copies[row["archive_id"]].append(row["source_pk"])
    depth, wanted = depth_of(level, condition), {}
    for archive_id, source_pks in copies.items():
        stored = await gaps.stored_keys(request.services.owner, Level.STUDY, source_pks)
        uids = frozenset(uid for (uid,), _ in stored)
        if uids:
            wanted[archive_id] = Wanted(Bounds(study_uids=uids), depth)
    return wanted


def _limited(outcome: Outcome | None, code: str) -> Outcome:
    """An outcome that cannot be all there is."""
    if outcome is None:
        return Outcome(datetime.now(UTC), None, code)
    return outcome if outcome.code is not None else replace(outcome, code=code)
