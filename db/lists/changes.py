"""Reading change events for a viewer: those after a place, each with the study as the viewer's list has it now.

One statement for a batch, within the session scope. A place is one position in each projection's stream
(db/writing/events.py); events of
what the viewer may not see neither show nor move it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeVar

from access.scope import AccessScope, Projection, Scope
from db.lists.part import Part, node_columns
from db.params import Params
from db.pool import AWAY, Reader, Row
from model.attributes import Level
from model.filters import Condition

T = TypeVar("T")

_PAUSES: Final = (0.05, 0.2, 0.5, 1.0, 2.0)


@dataclass(frozen=True, slots=True)
class Place:
    """How far events are known: the last sequence of each projection. at: since when nothing later is (database's
    time)."""

    records: int
    pseudonyms: int
    records_at: datetime
    pseudonyms_at: datetime

    def of(self, projection: Projection) -> int:
        return self.records if projection is Projection.IDENTIFIED else self.pseudonyms

    def moved(self, projection: Projection, at: datetime, sequence: int | None = None) -> "Place":
        if projection is Projection.IDENTIFIED:
            return replace(self, records=self.records if sequence is None else sequence, records_at=at)
        return replace(self, pseudonyms=self.pseudonyms if sequence is None else sequence, pseudonyms_at=at)

    def oldest(self, projections: Sequence[Projection]) -> datetime:
        """What is older than this is known, whichever of these projections it is in."""
        known = {Projection.IDENTIFIED: self.records_at, Projection.PSEUDONYMISED: self.pseudonyms_at}
        return min(known[projection] for projection in projections)


@dataclass(frozen=True, slots=True)
class Event:
    """A change of one copy. node: the study as the viewer's filtered list has it now; None: it is not there.

    kind: added, updated or removed, of the copy. elsewhere: another visible archive holds the study.
    """

    projection: Projection
    archive_id: int
    study_uid: str
    kind: str
    at: datetime
    elsewhere: bool
    node: Row | None
    place: Place


async def head(database: Reader, access_scope: AccessScope) -> Place:
    """Where the events that this viewer may know of end now."""
    params = Params()

    def newest(scope: Scope) -> str:
        ids = params.add(scope.visible_ids, "smallint[]")
        return (
            f"coalesce((select max(e.sequence) from unnest({ids}) a (archive_id)"
            f" cross join lateral (select sequence from {scope.projection}.study_event"
            " where archive_id = a.archive_id order by sequence desc limit 1) e), 0)"
        )

    records, pseudonyms = (newest(scope) for scope in access_scope.projections)
    head_of_each = params.compiled(f"select {records} as records, {pseudonyms} as pseudonyms, now() as at")
    (row,) = await head_of_each.fetch(database, "events_head")
    return Place(row["records"], row["pseudonyms"], row["at"], row["at"])


async def events_after(
    database: Reader, scopes: Sequence[Scope], condition: Condition, place: Place, limit: int
) -> list[Event]:
    """The next events of each projection, at most `limit` of each, in its order."""
    params = Params()
    parts = [_Part(params, scope, condition, place, limit) for scope in scopes]
    sql = (
        f"with {', '.join(part.tables for part in parts)} "
        + " union all ".join(part.rows for part in parts)
        + " order by e_of, e_sequence"
    )
    rows = await params.compiled(sql).fetch(database, "events")
    return _in_places(rows, [scope.projection for scope in scopes], place)


async def patiently(read: Callable[[], Awaitable[T]]) -> T:
    """What `read` gives, as soon as the database is there."""
    failures = 0
    while True:
        try:
            return await read()
        except AWAY:
            await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES) - 1)])
            failures += 1


class _Part:
    """The events of one projection: `tables` for WITH, `rows` for the union."""

    def __init__(self, params: Params, scope: Scope, condition: Condition, place: Place, limit: int) -> None:
        part, projection = Part(params, scope, Level.STUDY, condition), scope.projection
        after, most = params.add(place.of(projection), "bigint"), params.add(limit, "integer")
        nodes = " union all ".join(
            f"select {node_columns(Level.STUDY, 's', projection, part.visible, shared=shared)} from {part.table} s"
            f" where s.study_uid = any(array(select study_uid from e_{projection})) and {part.rows('s', shared=shared)}"
            for shared in (False, True)
        )
        self.tables = (
            f"e_{projection} as materialized (select * from {projection}.study_event"
            f" where archive_id = any({part.visible})"
            f" and sequence > {after} order by sequence limit {most}), n_{projection} as materialized ({nodes})"
        )
        elsewhere = (
            f"exists (select 1 from {part.table} o where o.study_uid = e.study_uid"
            f" and o.archive_id <> e.archive_id and o.archive_id = any({part.visible}))"
        )
        self.rows = (
            f"select '{projection}' as e_of, e.sequence as e_sequence, e.at as e_at, e.archive_id as e_archive_id,"
            f" e.study_uid as e_study_uid, e.kind as e_kind, {elsewhere} as e_elsewhere, now() as e_now, n.*"
            f" from e_{projection} e left join n_{projection} n on n.uid = e.study_uid"
        )


def _in_places(rows: Sequence[Row], projections: Sequence[Projection], place: Place) -> list[Event]:
    """Each with the place that is reached by it. A projection that has nothing new is known up to now."""
    events = []
    for projection in projections:
        if rows and not any(row["e_of"] == projection for row in rows):
            place = place.moved(projection, rows[0]["e_now"])
    for row in rows:
        place = place.moved(Projection(row["e_of"]), row["e_at"], row["e_sequence"])
        events.append(
            Event(
                Projection(row["e_of"]),
                row["e_archive_id"],
                row["e_study_uid"],
                row["e_kind"],
                row["e_at"],
                row["e_elsewhere"],
                row if row["uid"] is not None else None,
                place,
            )
        )
    return events
