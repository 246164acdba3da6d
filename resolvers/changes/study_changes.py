"""Changes of studies and of archives' health, as a subscriber gets them."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import partial
from typing import Final

import strawberry

from access.scope import Scope
from db.archives import ArchiveRow
from db.listener import Bell, Topic
from db.lists.changes import Event, Place, events_after, head, patiently
from model.cursors import Position
from model.errors import BadCursor, BadInput, EventsExpired, Forbidden
from model.filters import Condition
from reads.ids import to_id
from reads.list_query import list_query_of, named_archives
from resolvers.archives.archive import Archive, archive_of
from resolvers.context import Context
from resolvers.descriptions import described
from resolvers.filters.inputs import StudyFilter, condition_of
from resolvers.records.nodes import Study, study_of
from resolvers.scalars import UID

AT_ONCE: Final = 100
_STREAM: Final = "studyChanged"
"""What the cursors of changes are sealed for; they hold numbers of events, and are anybody's."""


@strawberry.enum(description="What became of a study in your list.")
class ChangeKind(Enum):
    ADDED = strawberry.enum_value("ADDED", description="It is in the list, and is new to the index.")
    UPDATED = strawberry.enum_value(
        "UPDATED", description="It is in the list, as `study` says; it may be new to the list."
    )
    REMOVED = strawberry.enum_value(
        "REMOVED",
        description="It is not in the list: gone, or changed so that it does not match, or not yours to see "
        "any more. Told also of studies that changed and never were in it.",
    )


@strawberry.type(description="A change of a study: apply it to your list by `studyInstanceUid`.")
class StudyChange:
    kind: ChangeKind = described("Put it in (ADDED, UPDATED), or take it out (REMOVED).")
    study: Study | None = described("The study as it is now; null when REMOVED.")
    study_instance_uid: UID = described("StudyInstanceUID (0020,000D).")
    archive: Archive = described("The archive whose copy changed.")
    at: datetime = described("When the index was changed.")
    cursor: str = described("Give it to `since`, and this event and what came before is not sent again.")

    @strawberry.field(description="Global id of the study.")
    def id(self) -> strawberry.ID:
        return strawberry.ID(to_id("Study", (self.study_instance_uid,)))


@dataclass(frozen=True, slots=True)
class Watched:
    """Whose changes are asked for."""

    scopes: tuple[Scope, ...]
    condition: Condition
    asked: frozenset[int]

    @property
    def topics(self) -> list[Topic]:
        return [(scope.projection.value, each) for scope in self.scopes for each in scope.visible_ids]


async def changes_cursor(context: Context) -> str:
    """The place of now, for `since`."""
    return _sealed(
        context, await head(context.database, context.access_scope), tuple(context.access_scope.projections)
    )


async def study_changes(
    context: Context, given: StudyFilter | None, archives: Sequence[str] | None, since: str | None
) -> AsyncGenerator[StudyChange, None]:
    """Raises InputError of many kinds (model/errors.py)."""
    watched = _watched(context, given, archives)
    subscribers = context.services.subscribers
    with subscribers.admitted(context.viewer.subject, watched.topics) as bell:
        stream = _changes(context, watched, bell, since)
        async with aclosing(stream), aclosing(subscribers.in_pace(stream)) as paced:  # type: ignore[type-var]
            async for change in paced:
                yield change


async def health_changes(context: Context, archives: Sequence[str] | None) -> AsyncGenerator[Archive, None]:
    """Each archive whose health is another than it was last told, from now on."""
    named, subscribers = named_archives(context.access_scope, archives), context.services.subscribers
    asked = [each.archive_id for each in context.access_scope.archives if named is None or each.code in named]
    with subscribers.admitted(context.viewer.subject, [("health", each) for each in asked]) as bell:
        stream = _healths(context, frozenset(asked), bell)
        async with aclosing(stream), aclosing(subscribers.in_pace(stream)) as paced:  # type: ignore[type-var]
            async for archive in paced:
                yield archive


def _watched(context: Context, given: StudyFilter | None, archives: Sequence[str] | None) -> Watched:
    condition = condition_of(given)
    list_query = list_query_of(context.access_scope, archives, condition, ())
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
    context: Context, watched: Watched, bell: Bell, since: str | None
) -> AsyncGenerator[StudyChange, None]:
    context.touched.asked(watched.asked)
    now = await patiently(partial(head, context.database, context.access_scope))
    place = now if since is None else _opened(context, since, now)
    while True:
        bell.quiet()
        context.services.subscribers.go_on()
        context.renew()
        events = await patiently(
            partial(events_after, context.database, watched.scopes, watched.condition, place, AT_ONCE)
        )
        shown = [(event, kind) for event in events if (kind := _kind(event, watched)) is not None]
        # All at once, so that one line of the audit trail tells of them, before the first one leaves.
        for event, kind in shown:
            _touch(context, event, kind)
        for event, kind in shown:
            context.renew()
            yield await _change(context, watched, event, kind)
            context.services.subscribers.go_on()
        if events:
            place = events[-1].place
        else:
            await context.services.subscribers.news(bell)


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


def _touch(context: Context, event: Event, kind: ChangeKind) -> None:
    if event.node is not None and kind is not ChangeKind.REMOVED:
        context.touched.add([event.node])
    context.touched.removed(event.study_uid, event.archive_id)


async def _change(context: Context, watched: Watched, event: Event, kind: ChangeKind) -> StudyChange:
    rows = await patiently(context.archives)
    return StudyChange(
        kind=kind,
        study=study_of(event.node) if event.node is not None else None,
        study_instance_uid=UID(event.study_uid),
        archive=archive_of(context, rows[event.archive_id]),
        at=event.at,
        cursor=_sealed(context, event.place, watched.scopes),
    )


def _sealed(context: Context, place: Place, scopes: Sequence[Scope]) -> str:
    at = place.oldest([scope.projection for scope in scopes])
    return context.services.cursors.seal(_STREAM, Position((place.records, place.pseudonyms, at), ""))


def _opened(context: Context, since: str, now: Place) -> Place:
    """Raises BadCursor, EventsExpired."""
    values = context.services.cursors.open(_STREAM, since).values
    match values:
        case (int(records), int(pseudonyms), datetime() as at):
            hours = context.services.subscribers.retention_hours
            if at.astimezone(UTC) < now.records_at - timedelta(hours=hours):
                raise EventsExpired(
                    f"since: changes are kept for {hours} hours, and some after this cursor are gone. "
                    "List again, then subscribe anew."
                )
            return Place(records, pseudonyms, at, at)
        case _:
            raise BadCursor("since: not the cursor of a change.")


async def _healths(context: Context, asked: frozenset[int], bell: Bell) -> AsyncGenerator[Archive, None]:
    context.touched.asked(asked)
    told = {key: _health(row) for key, row in (await patiently(context.archives)).items() if key in asked}
    while True:
        await context.services.subscribers.news(bell)
        bell.quiet()
        context.renew()
        rows = await patiently(context.archives)
        for key in [key for key, row in rows.items() if key in asked and told.get(key) != _health(row)]:
            told[key] = _health(rows[key])
            context.touched.asked([key])
            yield archive_of(context, rows[key])


def _health(row: ArchiveRow) -> tuple[str, str | None]:
    return row.health_state, row.health_error_code
