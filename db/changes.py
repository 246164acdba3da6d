"""Reading change events for a viewer: those after a place, each with the study as the viewer's list has it now.

One statement for a batch, behind the wall. A place is one position in each face's stream (db/events.py); events
of what the viewer may not see neither show nor move it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeVar

from access.scope import Face, Reach, Scope
from db.nodes import Row
from db.pages import Part, node_columns
from db.params import Params
from db.pool import AWAY, Reader
from model.attributes import Level
from model.filters import Condition

T = TypeVar("T")

_PAUSES: Final = (0.05, 0.2, 0.5, 1.0, 2.0)


@dataclass(frozen=True, slots=True)
class Place:
    """How far events are known: the last sequence of each face. at: since when nothing later is (database's time)."""

    records: int
    pseudonyms: int
    records_at: datetime
    pseudonyms_at: datetime

    def of(self, face: Face) -> int:
        return self.records if face is Face.RECORDS else self.pseudonyms

    def moved(self, face: Face, at: datetime, sequence: int | None = None) -> "Place":
        if face is Face.RECORDS:
            return replace(self, records=self.records if sequence is None else sequence, records_at=at)
        return replace(self, pseudonyms=self.pseudonyms if sequence is None else sequence, pseudonyms_at=at)

    def oldest(self, faces: Sequence[Face]) -> datetime:
        """What is older than this is known, whichever of these faces it is in."""
        known = {Face.RECORDS: self.records_at, Face.PSEUDONYMS: self.pseudonyms_at}
        return min(known[face] for face in faces)


@dataclass(frozen=True, slots=True)
class Event:
    """A change of one copy. node: the study as the viewer's filtered list has it now; None: it is not there.

    kind: added, updated or removed, of the copy. elsewhere: another visible archive holds the study.
    """

    face: Face
    archive_id: int
    study_uid: str
    kind: str
    at: datetime
    elsewhere: bool
    node: Row | None
    place: Place


async def head(database: Reader, reach: Reach) -> Place:
    """Where the events that this viewer may know of end now."""
    newest = (
        "coalesce((select max(e.sequence) from unnest({ids}::smallint[]) a (archive_id) cross join lateral"
        " (select sequence from {face}.study_event where archive_id = a.archive_id"
        " order by sequence desc limit 1) e), 0)"
    )
    sql = (
        f"select {newest.format(ids='$1', face=Face.RECORDS)} as records,"
        f" {newest.format(ids='$2', face=Face.PSEUDONYMS)} as pseudonyms, now() as at"
    )
    (row,) = await database.fetch("events_head", sql, reach.full_ids, reach.pseudonymised_ids)
    return Place(row["records"], row["pseudonyms"], row["at"], row["at"])


async def events_after(
    database: Reader, scopes: Sequence[Scope], condition: Condition, place: Place, limit: int
) -> list[Event]:
    """The next events of each face, at most `limit` of each, in its order."""
    params = Params()
    parts = [_Part(params, scope, condition, place, limit) for scope in scopes]
    sql = (
        f"with {', '.join(part.tables for part in parts)} "
        + " union all ".join(part.rows for part in parts)
        + " order by e_face, e_sequence"
    )
    rows = await database.fetch("events", sql, *params.values)
    return _in_places(rows, [scope.face for scope in scopes], place)


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
    """The events of one face: `tables` for WITH, `rows` for the union."""

    def __init__(self, params: Params, scope: Scope, condition: Condition, place: Place, limit: int) -> None:
        part, face = Part(params, scope, Level.STUDY, condition), scope.face
        after, most = params.add(place.of(face), "bigint"), params.add(limit, "integer")
        nodes = " union all ".join(
            f"select {node_columns(Level.STUDY, 's', face, part.visible, shared=shared)} from {part.table} s"
            f" where s.study_uid = any(array(select study_uid from e_{face})) and {part.rows('s', shared=shared)}"
            for shared in (False, True)
        )
        self.tables = (
            f"e_{face} as materialized (select * from {face}.study_event where archive_id = any({part.visible})"
            f" and sequence > {after} order by sequence limit {most}), n_{face} as materialized ({nodes})"
        )
        elsewhere = (
            f"exists (select 1 from {part.table} o where o.study_uid = e.study_uid"
            f" and o.archive_id <> e.archive_id and o.archive_id = any({part.visible}))"
        )
        self.rows = (
            f"select '{face}' as e_face, e.sequence as e_sequence, e.at as e_at, e.archive_id as e_archive_id,"
            f" e.study_uid as e_study_uid, e.kind as e_kind, {elsewhere} as e_elsewhere, now() as e_now, n.*"
            f" from e_{face} e left join n_{face} n on n.uid = e.study_uid"
        )


def _in_places(rows: Sequence[Row], faces: Sequence[Face], place: Place) -> list[Event]:
    """Each with the place that is reached by it. A face that has nothing new is known up to now."""
    events = []
    for face in faces:
        if rows and not any(row["e_face"] == face for row in rows):
            place = place.moved(face, rows[0]["e_now"])
    for row in rows:
        place = place.moved(Face(row["e_face"]), row["e_at"], row["e_sequence"])
        events.append(
            Event(
                Face(row["e_face"]),
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
