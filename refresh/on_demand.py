"""Fetching what the index lacks: children of copies that a run did not go down to, once, and kept.

Concurrent askers of the same copy share one fetch; requests are batched by archive, never by row.
A failing archive is reported to those who asked and leaves the index as it was. A copy for which the archive fails
costs the others of its batch nothing: they are asked for without it.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final, Protocol

from archives.client import Answer, ArchiveClient, Row, Selection, told_apart
from archives.errors import ArchiveError, BadAnswer, Incomplete, ServerFailed, TimedOut, TooLarge
from archives.errors import Rejected as Refused
from archives.side_by_side import side_by_side
from db import pool
from db.lists import gaps, nodes
from db.pool import Connection, Database, StatementTimeout
from db.writing import data_sets, ingest
from db.writing.keeping import KeptAnswers, Told, keep
from model.attributes import Key, Level
from model.dicom_json import parent_of, parse, parse_row
from model.records import Record, Rejected
from refresh.rejected import REJECTED, rejected_records
from refresh.single_flight import SingleFlight

Failures = dict[Key, dict[int, ArchiveError]]
_Flight = tuple[str, "Missing"]
LATE = TimedOut("no complete answer inside timeoutMs; what comes later is kept in the index")
_SLOW = TimedOut("no complete answer inside the archive's timeout; what comes later is kept in the index")
LONGEST: Final = 60.0  # seconds that fetching may take, however long somebody waits for it


class RejectedRecords(ArchiveError):
    """Some of the rows cannot become records. of: keys (source_pk) of the copies that lack them."""

    code = REJECTED

    def __init__(self, count: int, of: frozenset[int]) -> None:
        super().__init__(rejected_records(count))
        self.of = of


@dataclass(frozen=True, slots=True)
class Missing:
    """A copy whose children are not indexed: a study's series, or a series' instances.

    `source_pk` is the stored row's key, `key` what the asker calls the node (with pseudonyms, maybe).
    """

    archive_id: int
    source_pk: int
    key: Key

    @classmethod
    def of(cls, row: pool.Row, level: Level) -> "Missing":
        """From a row (archive_id, source_pk, UIDs) of db.lists.nodes, of a study or a series."""
        return cls(row["archive_id"], row["source_pk"], nodes.key_of(row, level))


Failed = Mapping[Missing, ArchiveError]
"""What could not be fetched, and why; what is not in it was."""


class _Fetch(Protocol):
    """Raises ArchiveError where all of it failed."""

    __name__: str

    def __call__(self, archive_id: int, copies: list[Missing]) -> Coroutine[Any, Any, Failed | None]: ...


_OF_ONE = (Refused, ServerFailed, BadAnswer, TooLarge, Incomplete)
"""Failures of a batch that may be one copy's alone. An archive that is away, silent or busy is so for all of them."""


class OnDemand:
    """One for a process: it remembers what is on its way."""

    def __init__(self, database: Database, client_of: Callable[[int], ArchiveClient]) -> None:
        self._database = database
        self._client_of = client_of
        self._flights: SingleFlight[_Flight, Failed] = SingleFlight()

    # within: seconds after which what has not come is a failure (TimedOut), None: the archive's timeout. It goes on and
    # is kept.

    async def series(self, missing: Sequence[Missing], within: float | None = None) -> Failures:
        """Indexes the series of study copies. Failures by study and archive."""
        return await self._fetch(missing, self._fetch_series, within)

    async def instances(self, missing: Sequence[Missing], within: float | None = None) -> Failures:
        """Indexes the instances of series copies. Failures by series and archive."""
        return await self._fetch(missing, self._fetch_instances, within)

    async def data_sets(self, missing: Sequence[Missing]) -> Failures:
        """Replaces what a search said of series' instances by their whole data sets."""
        return await self._fetch(missing, self._fetch_data_sets, LONGEST)

    async def close(self) -> None:
        """Lets what is on its way finish: what was fetched is kept."""
        await self._flights.close()

    async def _fetch(self, missing: Sequence[Missing], fetch: "_Fetch", within: float | None) -> Failures:
        by_archive: dict[int, list[Missing]] = defaultdict(list)
        for copy in missing:
            if (fetch.__name__, copy) not in self._flights:
                by_archive[copy.archive_id].append(copy)
        for archive_id, copies in by_archive.items():
            keys = [(fetch.__name__, copy) for copy in copies]
            self._flights.start(keys, _attempt(fetch, archive_id, copies))
        late = LATE if within is not None else _SLOW
        if within is None:
            within = self._patience({copy.archive_id for copy in missing})
        outcomes = await self._flights.results([(fetch.__name__, copy) for copy in missing], within)
        failures: Failures = defaultdict(dict)
        for copy in missing:
            outcome = outcomes.get((fetch.__name__, copy))
            if (error := late if outcome is None else outcome.get(copy)) is not None:
                failures[copy.key][copy.archive_id] = error
        return dict(failures)

    def _patience(self, archive_ids: set[int]) -> float:
        """The longest timeout of these archives. One that is gone just now fails at once, in its own fetch."""
        timeouts: list[float] = []
        for archive_id in archive_ids:
            with suppress(ArchiveError):
                timeouts.append(self._client_of(archive_id).config.timeout)
        return max(timeouts, default=LONGEST)

    async def _fetch_series(self, archive_id: int, copies: list[Missing]) -> None:
        studies, expected = await self._stored(Level.STUDY, copies)
        study_uids = [uid for (uid,) in studies]
        selection = Selection(study_uids=study_uids, expected=expected)
        answer = await self._client_of(archive_id).search_series(selection)
        if answer.unending:
            _must_be_whole(answer)
        read = _Read.of(Level.SERIES, answer.all_rows, [(uid,) for uid in study_uids])
        spoilt = {uid for (uid,) in read.spoilt}

        async def work(connection: Connection) -> KeptAnswers:
            told = Told(
                series=read.records,
                series_whole=set(study_uids) - spoilt if answer.complete else set(),
                rejected=read.rejected,
                settling=study_uids,
                stamp_older_than=timedelta(0),
            )
            return await keep(connection, archive_id, told)

        kept = await ingest.write(self._database, "keep_series", work)
        _must_be_whole(answer)
        _must_be_read(copies, [(uid,) for uid in study_uids], read, kept)

    async def _fetch_instances(self, archive_id: int, copies: list[Missing]) -> None:
        client, (series, expected) = self._client_of(archive_id), await self._stored(Level.SERIES, copies)
        asked = told_apart(series)
        selections = [replace(Selection.of_series(each), expected=expected) for each in asked]
        answers = await side_by_side([client.search_instances(selection) for selection in selections])
        for answer in answers:
            if answer.unending:
                _must_be_whole(answer)
        complete = [
            key for keys, answer in zip(asked, answers, strict=True) if answer.complete for key in keys
        ]
        read = _Read.of(Level.INSTANCE, [row for answer in answers for row in answer.all_rows], series)

        async def work(connection: Connection) -> KeptAnswers:
            told = Told(
                instances=read.records,
                instances_whole=set(complete) - read.spoilt,
                rejected=read.rejected,
                settling={study for study, _ in series},
                stamp_older_than=timedelta(0),
            )
            return await keep(connection, archive_id, told)

        kept = await ingest.write(self._database, "keep_instances", work)
        for answer in answers:
            _must_be_whole(answer)
        _must_be_read(copies, series, read, kept)

    async def _fetch_data_sets(self, archive_id: int, copies: list[Missing]) -> Failed:
        """Whole data sets come series by series: DICOMweb has no request for several (PS3.18 10.4.1)."""
        client = self._client_of(archive_id)
        series = await gaps.stored_series(self._database, [copy.source_pk for copy in copies])
        answers = await asyncio.gather(
            *(client.metadata(each["study_uid"], each["series_uid"]) for each in series),
            return_exceptions=True,
        )
        of = {copy.source_pk: copy for copy in copies}
        came: list[pool.Row] = []
        rows: list[Row] = []
        failed: dict[Missing, ArchiveError] = {}
        for each, answer in zip(series, answers, strict=True):
            if isinstance(answer, ArchiveError):
                failed[of[each["source_pk"]]] = answer
            elif isinstance(answer, BaseException):
                raise answer
            else:
                came.append(each)
                rows += answer
        records, rejected = parse(Level.INSTANCE, rows)

        async def work(connection: Connection) -> None:
            await data_sets.keep_whole(connection, archive_id, came, records)
            await ingest.reject(connection, archive_id, rejected)

        await ingest.write(self._database, "keep_data_sets", work)
        return failed

    async def _stored(self, level: Level, copies: list[Missing]) -> tuple[list[Key], dict[str, int]]:
        """The UIDs of these copies as their archive calls them; and how many children it says that they have."""
        stored = await gaps.stored_keys(self._database, level, [copy.source_pk for copy in copies])
        said: dict[str, list[str]] = defaultdict(list)
        for key, children in stored:
            said[key[-1]].append(children or "")
        expected = {uid: sum(map(int, counts)) for uid, counts in said.items() if all(map(_is_count, counts))}
        return [key for key, _ in stored], expected


@dataclass(frozen=True, slots=True)
class _Read:
    """An answer about some parents. spoilt: those of which it is not the whole, as a row cannot become a record."""

    records: list[Record]
    rejected: list[Rejected]
    spoilt: set[Key]

    @classmethod
    def of(cls, level: Level, rows: Sequence[Row], parents: Sequence[Key]) -> "_Read":
        read = cls([], [], set())
        for row in rows:
            outcome = parse_row(level, row)
            if isinstance(outcome, Record):
                read.records.append(outcome)
            else:
                read.rejected.append(outcome)
                parent = parent_of(level, row)
                read.spoilt.update([parent] if parent is not None and parent in parents else parents)
        return read


async def _attempt(fetch: _Fetch, archive_id: int, copies: list[Missing]) -> Failed:
    """What of these copies failed, or has not come after LONGEST."""
    try:
        async with asyncio.timeout(LONGEST):
            return await _apart(fetch, archive_id, copies)
    except TimeoutError:
        return dict.fromkeys(copies, _SLOW)


async def _apart(fetch: _Fetch, archive_id: int, copies: list[Missing]) -> Failed:
    """What of these copies failed. A batch that fails by what may be one copy's is asked for in halves, so that
    each of a hundred has its own outcome after some seven requests for one that fails."""
    try:
        return await fetch(archive_id, copies) or {}
    except RejectedRecords as error:
        return {copy: error for copy in copies if copy.source_pk in error.of}
    except _OF_ONE as error:
        if len(copies) == 1 or error.is_busy:
            return dict.fromkeys(copies, error)
    except ArchiveError as error:
        return dict.fromkeys(copies, error)
    except StatementTimeout:  # others write meanwhile: not a fault of this archive, nor of ours
        return dict.fromkeys(copies, _SLOW)
    half = len(copies) // 2
    first = await _apart(fetch, archive_id, copies[:half])
    return {**first, **await _apart(fetch, archive_id, copies[half:])}


def _is_count(said: str) -> bool:
    return said.isascii() and said.isdigit() and len(said) < 10


def _must_be_whole(answer: Answer) -> None:
    if not answer.complete:
        why = answer.incomplete_because or "the archive does not answer more"
        raise Incomplete(f"the archive did not answer everything: {why}")


def _must_be_read(copies: Sequence[Missing], keys: Sequence[Key], read: _Read, kept: KeptAnswers) -> None:
    """keys: of the copies, side by side; the first of each is its study, which may be set aside as a whole."""
    rejected, aside = len(read.rejected) + len(kept.rejected), {record.uid for record in kept.rejected}
    if rejected:
        lacking = (
            copy.source_pk
            for copy, key in zip(copies, keys, strict=True)
            if key in read.spoilt or key[0] in aside
        )
        raise RejectedRecords(rejected, frozenset(lacking))
