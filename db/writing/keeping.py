"""Keeping what an archive said of some studies: all of it in the caller's transaction, each study whole or not at all.

Where the database refuses what comes of one family (a study, its series, their instances), that family stays in the
index as it was and is set aside with the reason; the others are written.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import asyncpg
import orjson

from db.pool import Connection
from db.writing import ingest
from db.writing.upserts import REFUSALS, Stored
from model.attributes import Key, Level
from model.dicom_json import parent_of, parse_row
from model.records import Record, Rejected

Item = TypeVar("Item")

# A complete pass says by itself that all is fresh (last_completed_at), so it need not rewrite each row.
STAMP_AGE = timedelta(hours=1)

_REFUSALS = (*REFUSALS, asyncpg.IntegrityConstraintViolationError, asyncpg.RaiseError)


@dataclass(slots=True)
class Told:
    """What an archive said of some studies, collected answer by answer.

    studies_whole, series_whole, instances_whole: studies, studies and series (study, series) of which it said all
    there is (of themselves, of their series, of their instances). gone: studies that it no longer has. rejected: rows
    that cannot become records. settling: studies whose families are derived even if nothing of them changes.
    full: instances are whole data sets. stamp_older_than: a younger stamp of when something was read stays.
    """

    studies: list[Record] = field(default_factory=list)
    series: list[Record] = field(default_factory=list)
    instances: list[Record] = field(default_factory=list)
    studies_whole: set[str] = field(default_factory=set)
    series_whole: set[str] = field(default_factory=set)
    instances_whole: set[Key] = field(default_factory=set)
    gone: list[str] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    settling: Collection[str] = ()
    full: bool = False
    stamp_older_than: timedelta = STAMP_AGE

    @property
    def families(self) -> set[str]:
        """The studies that it is about."""
        said = {record.study_uid for each in (self.studies, self.series, self.instances) for record in each}
        said |= {study for study, _ in self.instances_whole}
        return said.union(self.studies_whole, self.series_whole, self.gone, self.settling)

    def parsed(
        self, level: Level, rows: Iterable[Any], asked: Collection[Key]
    ) -> tuple[list[Record], set[Key]]:
        """Records of these rows, and which of those that were asked for are not whole by them, as a row of theirs, or
        of nobody known, is rejected."""
        records: list[Record] = []
        spoilt: set[Key] = set()
        for row in rows:
            outcome = parse_row(level, row)
            if isinstance(outcome, Record):
                records.append(outcome)
                continue
            self.rejected.append(outcome)
            parent = parent_of(level, row)
            spoilt |= {parent} if parent is not None else set(asked)
        return records, spoilt

    def of(self, families: Collection[str]) -> "Told":
        """The part that is about these."""
        wanted = frozenset(families)
        if wanted == self.families:
            return self
        return Told(
            studies=[record for record in self.studies if record.study_uid in wanted],
            series=[record for record in self.series if record.study_uid in wanted],
            instances=[record for record in self.instances if record.study_uid in wanted],
            studies_whole=self.studies_whole & wanted,
            series_whole=self.series_whole & wanted,
            instances_whole={key for key in self.instances_whole if key[0] in wanted},
            gone=[uid for uid in self.gone if uid in wanted],
            settling=wanted.intersection(self.settling),
            full=self.full,
            stamp_older_than=self.stamp_older_than,
        )


@dataclass(slots=True)
class KeptAnswers:
    """What keeping did. removed: studies. rejected: records and families that the database refuses."""

    changed: bool = False
    removed: int = 0
    rejected: list[Rejected] = field(default_factory=list)


async def keep(conn: Connection, archive_id: int, told: Told) -> KeptAnswers:
    """Writes it, and derives what follows for its families. What is refused is noted beside the rejected rows."""
    kept = KeptAnswers()

    async def work(families: Sequence[str]) -> None:
        part = await _keep(conn, archive_id, told.of(families))
        kept.changed |= part.changed
        kept.removed += part.removed
        kept.rejected += part.rejected

    await ingest.begin(conn)
    refused = await by_halves(conn, sorted(told.families), work)
    kept.rejected += [_set_aside(uid, told, error) for uid, error in refused]
    await ingest.reject(conn, archive_id, [*told.rejected, *kept.rejected])
    return kept


async def by_halves(
    conn: Connection, items: Sequence[Item], work: Callable[[Sequence[Item]], Awaitable[None]]
) -> list[tuple[Item, Exception]]:
    """Works on all items at once; where the database refuses, on their halves, down to the single items that it
    refuses: these are returned, of all others the work is done."""
    try:
        async with conn.transaction():
            await work(items)
    except _REFUSALS as error:
        if len(items) <= 1:
            return [(item, error) for item in items]
    else:
        return []
    middle = len(items) // 2
    return [*await by_halves(conn, items[:middle], work), *await by_halves(conn, items[middle:], work)]


async def _keep(conn: Connection, archive_id: int, told: Told) -> KeptAnswers:
    """Series go first: their studies are then written once."""
    age = told.stamp_older_than
    series = await ingest.store_series(conn, archive_id, told.series, told.series_whole, stamp_older_than=age)
    studies = await ingest.store_studies(conn, archive_id, told.studies, told.studies_whole)
    instances = Stored()
    if told.instances or told.instances_whole:
        instances = await ingest.store_instances(
            conn, archive_id, told.instances, told.instances_whole, full=told.full, stamp_older_than=age
        )
    gone = await ingest.delete_studies(conn, archive_id, told.gone) if told.gone else 0
    await ingest.derive(conn, told.settling)
    refused = {record.uid for record in studies.refused}
    await ingest.no_longer_rejected(conn, archive_id, {r.uid for r in told.studies} - refused)
    stored = (series, studies, instances)
    return KeptAnswers(
        changed=gone > 0 or any(each.changed or each.removed for each in stored),
        removed=gone + studies.removed,
        rejected=[record for each in stored for record in each.refused],
    )


def _set_aside(uid: str, told: Told, error: Exception) -> Rejected:
    reason = f"the study and what is in it are in the index as before, if at all: {type(error).__name__}"
    data = orjson.dumps({"unreadable": True, "uid": uid}).decode()
    known = next((record.data for record in told.studies if record.study_uid == uid), data)
    return Rejected(Level.STUDY, uid, reason, known)
