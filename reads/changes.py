"""Changes of studies and of archives' health, for who keeps a list up to date: none left out, and none twice."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import partial
from typing import Final

from access.scope import Scope
from db.archives import ArchiveRow
from db.listener import Bell, Topic
from db.lists.changes import Event, Place, events_after, head, patiently
from model.cursors import Position
from model.errors import BadCursor, BadInput, EventsExpired, Forbidden
from model.filters import Condition
from reads.list_query import list_query_of, named_archives
from reads.request import Request

AT_ONCE: Final = 100
_STREAM: Final = "studyChanged"
"""What the cursors of changes are sealed for; they hold numbers of events, and are anybody's."""


class ChangeKind(Enum):
    """What became of a study in somebody's list."""

    ADDED = "ADDED"
    UPDATED = "UPDATED"
    REMOVED = "REMOVED"


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a study; `event.node` is its row as it is now, None when it is not in the list. archive: whose copy
    changed. cursor: for `since`, sealed."""

    kind: ChangeKind
    event: Event
    archive: ArchiveRow
    cursor: str


@dataclass(frozen=True, slots=True)
class Watched:
    """Whose changes are asked for."""

    scopes: tuple[Scope, ...]
    condition: Condition
    asked: frozenset[int]

    @property
    def topics(self) -> list[Topic]:
        return [(scope.projection.value, each) for scope in self.scopes for each in scope.visible_ids]


async def changes_cursor(request: Request) -> str:
    """The place of now, for `since`."""
    return _sealed(
        request, await head(request.database, request.access_scope), tuple(request.access_scope.projections)
    )


async def study_changes(
    request: Request, condition: Condition, archives: Sequence[str] | None, since: str | None
) -> AsyncGenerator[Change, None]:
    """Raises InputError of many kinds (model/errors.py)."""
    watched = _watched(request, condition, archives)
    subscribers = request.services.subscribers
    with subscribers.admitted(request.viewer.subject, watched.topics) as bell:
        stream = _changes(request, watched, bell, since)
        async with aclosing(stream), aclosing(subscribers.in_pace(stream)) as paced:  # type: ignore[type-var]
            async for change in paced:
                yield change


async def health_changes(
    request: Request, archives: Sequence[str] | None
) -> AsyncGenerator[ArchiveRow, None]:
    """Each archive whose health is another than it was last told, from now on."""
    named, subscribers = named_archives(request.access_scope, archives), request.services.subscribers
    asked = [each.archive_id for each in request.access_scope.archives if named is None or each.code in named]
    with subscribers.admitted(request.viewer.subject, [("health", each) for each in asked]) as bell:
        stream = _healths(request, frozenset(asked), bell)
        async with aclosing(stream), aclosing(subscribers.in_pace(stream)) as paced:  # type: ignore[type-var]
            async for archive in paced:
                yield archive


def _watched(request: Request, condition: Condition, archives: Sequence[str] | None) -> Watched:
    list_query = list_query_of(request.access_scope, archives, condition, ())
    codes = {each.archive_id: each.code for each in list_query.asked}
    if archives is not None and (forbidden := list_query.shortfall.forbidden):
        raise Forbidden(f"archives: you may see no records of {_listed(codes, forbidden)}.")
    if archives is not None and (skipped := list_query.shortfall.identifying):
        raise BadInput(
            "filter: it looks at what identifies a person, and records are pseudonymised for you in "
            f"{_listed(codes, skipped)}. Leave these archives or that condition out."
        )
    scopes = tuple(scope for scope in list_query.scopes if scope.asked)
    if not scopes:
        raise Forbidden("There is no archive whose records you may see, or not by this filter.")
    asked = frozenset(each for scope in scopes for each in scope.asked_ids)
    return Watched(scopes, condition, asked)


def _listed(codes: dict[int, str], ids: frozenset[int]) -> str:
    return ", ".join(sorted(codes[each] for each in ids))


async def _changes(
    request: Request, watched: Watched, bell: Bell, since: str | None
) -> AsyncGenerator[Change, None]:
    request.touched.asked(watched.asked)
    now = await patiently(partial(head, request.database, request.access_scope))
    place = now if since is None else _opened(request, since, now)
    while True:
        bell.quiet()
        request.services.subscribers.go_on()
        request.renew()
        events = await patiently(
            partial(events_after, request.database, watched.scopes, watched.condition, place, AT_ONCE)
        )
        shown = [(event, kind) for event in events if (kind := _kind(event, watched)) is not None]
        # All at once, so that one line of the audit trail tells of them, before the first one leaves.
        for event, kind in shown:
            _touch(request, event, kind)
        for event, kind in shown:
            request.renew()
            rows = await patiently(request.archives)
            cursor = _sealed(request, event.place, watched.scopes)
            yield Change(kind, event, rows[event.archive_id], cursor)
            request.services.subscribers.go_on()
        if events:
            place = events[-1].place
        else:
            await request.services.subscribers.news(bell)


def _kind(event: Event, watched: Watched) -> ChangeKind | None:
    """What the event is for this list; None where it is nothing.

    A study that is new and does not match was not in the list before, unless another archive holds it.
    """
    is_new = event.kind == "added" and not event.elsewhere
    if event.node is not None:
        return ChangeKind.ADDED if is_new else ChangeKind.UPDATED
    if is_new or event.archive_id not in watched.asked:
        return None
    return ChangeKind.REMOVED


def _touch(request: Request, event: Event, kind: ChangeKind) -> None:
    if event.node is not None and kind is not ChangeKind.REMOVED:
        request.touched.add([event.node])
    request.touched.removed(event.study_uid, event.archive_id)


def _sealed(request: Request, place: Place, scopes: Sequence[Scope]) -> str:
    at = place.oldest([scope.projection for scope in scopes])
    return request.services.cursors.seal(_STREAM, Position((place.records, place.pseudonyms, at), ""))


def _opened(request: Request, since: str, now: Place) -> Place:
    """Raises BadCursor, EventsExpired."""
    values = request.services.cursors.open(_STREAM, since).values
    match values:
        case (int(records), int(pseudonyms), datetime() as at):
            hours = request.services.subscribers.retention_hours
            if at.astimezone(UTC) < now.records_at - timedelta(hours=hours):
                raise EventsExpired(
                    f"since: changes are kept for {hours} hours, and some after this cursor are gone. "
                    "List again, then subscribe anew."
                )
            return Place(records, pseudonyms, at, at)
        case _:
            raise BadCursor("since: not the cursor of a change.")


async def _healths(request: Request, asked: frozenset[int], bell: Bell) -> AsyncGenerator[ArchiveRow, None]:
    request.touched.asked(asked)
    told = {key: _health(row) for key, row in (await patiently(request.archives)).items() if key in asked}
    while True:
        await request.services.subscribers.news(bell)
        bell.quiet()
        request.renew()
        rows = await patiently(request.archives)
        for key in [key for key, row in rows.items() if key in asked and told.get(key) != _health(row)]:
            told[key] = _health(rows[key])
            request.touched.asked([key])
            yield rows[key]


def _health(row: ArchiveRow) -> tuple[str, str | None]:
    return row.health_state, row.health_error_code
