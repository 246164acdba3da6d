"""Batches: up to a hundred studies with what is below them, fetched together; what is written at once may be several
of them (read_ahead.py)."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TypeVar

from archives.client import Answer, ArchiveClient, Row, Selection, told_apart
from archives.errors import Incomplete
from db.pool import Connection
from db.writing.keeping import Told, keep
from model.attributes import Key, Level
from model.records import Record, child_counts

T = TypeVar("T")

# What Orthanc takes in one URL (17 kB is refused), and about half of that where two lists go into it.
STUDIES_AT_ONCE = 100
SERIES_AT_ONCE = 50
_PATIENCE = 2  # answers that do not end: of one more it is not the study, it is the archive


@dataclass(slots=True)
class Batch(Told):
    """What an archive said of the studies that it was asked for.

    missing: studies that it lists and does not answer. doubtful: studies that its answer may only lack, as it was not
    whole. unending: studies and series below which its answer did not end. shortfalls: why something is not whole.
    """

    asked: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)
    unending: list[Key] = field(default_factory=list)
    shortfalls: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Records in it."""
        return len(self.studies) + len(self.series) + len(self.instances)

    def add(self, other: "Batch") -> None:
        """All that another batch says of other studies."""
        for part in fields(self):
            mine, others = getattr(self, part.name), getattr(other, part.name)
            if isinstance(mine, set):
                mine |= others
            elif isinstance(mine, list):
                mine += others

    def take(self, level: Level, answer: Answer, asked: list[Key]) -> tuple[list[Record], set[Key]]:
        """As `parsed`; an answer that is not complete says of nothing that it is the whole."""
        records, spoilt = self.parsed(level, answer.all_rows, asked)
        if answer.complete:
            return records, spoilt
        why = answer.incomplete_because or "the archive does not answer more"
        self.shortfalls.append(f"not every {level.value} of {len(asked)} UIDs: {why}")
        return records, spoilt | set(asked)


@dataclass(slots=True)
class Written:
    """What writing a batch did."""

    changed: bool
    removed: int
    rejected: int


def chunks(items: Sequence[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    for start in range(0, len(items), size):
        yield list(items[start : start + size])


async def fetch_batch(client: ArchiveClient, study_uids: list[str]) -> Batch:
    """These studies, as deep as the archive is indexed. Raises ArchiveError."""
    batch = Batch(asked=study_uids)
    await _each(batch, client.search_studies, _studies(study_uids), STUDIES_AT_ONCE, _studies_into(batch), {})
    return await deepen(client, batch)


async def batch_of_rows(client: ArchiveClient, study_uids: list[str], rows: Iterable[Row]) -> Batch:
    """Study rows that are at hand already, and what is below them. Raises ArchiveError."""
    batch = Batch(asked=study_uids)
    _studies_into(batch)(_studies(study_uids), Answer(list(rows)))
    return await deepen(client, batch)


async def deepen(client: ArchiveClient, batch: Batch) -> Batch:
    """Adds series and instances of the batch's studies, where the archive is indexed that deep."""
    depth = client.config.index
    study_uids = sorted({record.study_uid for record in batch.studies})
    batch.missing = sorted(set(batch.asked) - set(study_uids))
    if depth in ("series", "instance"):
        expected, take = child_counts(batch.studies), _series_into(batch)
        await _each(batch, client.search_series, _studies(study_uids), STUDIES_AT_ONCE, take, expected)
    if depth == "instance":
        expected, take = child_counts(batch.series), _instances_into(batch)
        for series in told_apart(record.key for record in batch.series):
            await _each(batch, client.search_instances, series, SERIES_AT_ONCE, take, expected)
    return batch


async def write_batch(conn: Connection, archive_id: int, batch: Batch) -> Written:
    """Writes it in the caller's transaction."""
    kept = await keep(conn, archive_id, batch)
    return Written(kept.changed, kept.removed, len(batch.rejected) + len(kept.rejected))


_Take = Callable[[list[Key], Answer], None]


def _studies(study_uids: Iterable[str]) -> list[Key]:
    return [(uid,) for uid in study_uids]


async def _each(
    batch: Batch,
    search: Callable[[Selection], Awaitable[Answer]],
    keys: Sequence[Key],
    size: int,
    take: _Take,
    expected: Mapping[str, int],
) -> None:
    """Searches for lists of studies or series; an incomplete answer is asked again in halves, down to one. Raises
    Incomplete where what is below one does not end, for the third time: all others would say the same."""
    for chunk in chunks(keys, size):
        selection = Selection.of_studies(chunk) if len(chunk[0]) == 1 else Selection.of_series(chunk)
        answer = await search(replace(selection, expected=expected))
        if len(chunk) > 1 and not answer.complete:
            await _each(batch, search, chunk, (len(chunk) + 1) // 2, take, expected)
            continue
        take(chunk, answer)
        batch.unending += chunk if answer.unending else []
        if len(batch.unending) > _PATIENCE:
            raise Incomplete(f"the archive does not answer everything: {answer.incomplete_because}")


def _studies_into(batch: Batch) -> _Take:
    def take(asked: list[Key], answer: Answer) -> None:
        records, spoilt = batch.take(Level.STUDY, answer, asked)
        batch.studies += records
        # A study without a row may be gone or may be hidden from us: the caller decides.
        batch.doubtful += sorted(uid for (uid,) in spoilt)
        batch.studies_whole |= {uid for (uid,) in {record.key for record in records} - spoilt}

    return take


def _series_into(batch: Batch) -> _Take:
    def take(asked: list[Key], answer: Answer) -> None:
        records, spoilt = batch.take(Level.SERIES, answer, asked)
        batch.series += records
        batch.series_whole |= {uid for (uid,) in set(asked) - spoilt}

    return take


def _instances_into(batch: Batch) -> _Take:
    def take(asked: list[Key], answer: Answer) -> None:
        records, spoilt = batch.take(Level.INSTANCE, answer, asked)
        batch.instances += records
        batch.instances_whole |= set(asked) - spoilt

    return take
