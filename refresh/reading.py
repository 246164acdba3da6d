"""Reading one archive now: what a list is about, as deep as it looks. Writes nothing.

Studies first, then what is below them by lists of UIDs: one request a level where archives take such lists.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from archives.client import Answer, ArchiveClient, Selection, told_apart
from archives.errors import ArchiveError, Incomplete, NotSupported
from db.indexing import stored
from db.pool import Database
from db.writing.keeping import Told
from model.attributes import Key, Level
from model.bounds import Bounds
from model.records import Record, child_counts

MOST_STUDIES: Final = 1000
MOST_SERIES: Final = 200
MOST_PATIENTS: Final = 10
_AT_ONCE: Final = 100  # UIDs a request
_PAIRS_AT_ONCE: Final = 50  # where study and series UIDs go into one
_TOO_WIDE: Final = "narrow by studyDate, patientId or UID"

Search = Callable[[Selection], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to read of an archive: everything within `bounds`, down to `depth`."""

    bounds: Bounds
    depth: Level


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why something is missing: a stable code, and a sentence without patient data."""

    code: str
    message: str


@dataclass(slots=True)
class Reading(Told):
    """What the archive said. shortfalls: why it is not all that was wanted."""

    shortfalls: list[Trouble] = field(default_factory=list)

    @property
    def study_uids(self) -> list[str]:
        return sorted({record.study_uid for record in self.studies})


@dataclass(slots=True)
class ArchiveReader:
    """Reads one archive into `reading`. began: the database's time before the first request.

    unanswered: studies that were asked for by UID and not answered. complete: a search was answered whole.
    """

    database: Database
    client: ArchiveClient
    archive_id: int
    wanted: Wanted
    began: datetime
    reading: Reading = field(default_factory=Reading)
    unanswered: set[str] = field(default_factory=set)
    complete: bool = True
    _series_wanted: set[Key] | None = None  # series that instances are wanted of, None: all

    def lacks(self, code: str, message: str) -> None:
        """Notes that something is missing."""
        self.reading.shortfalls.append(Trouble(code, message))

    # ---- studies ----------------------------------------------------------------------------------------

    async def studies(self) -> None:
        """The studies that are wanted. Raises ArchiveError."""
        bounds = self.wanted.bounds
        if bounds.by_uid:
            await self.studies_by_uid(bounds.study_uids or await self._parents())
            return
        if len(bounds.patient_ids) > MOST_PATIENTS:
            self.complete = False
            self.lacks("TOO_WIDE", f"more than {MOST_PATIENTS} patients at once; ask for fewer, or by UID")
            return
        patients: list[str | None] = [*sorted(bounds.patient_ids)] or [None]
        for patient in patients:
            answer = await self.client.search_studies(
                Selection(
                    patient_id=patient,
                    modality=bounds.modality,
                    study_date=bounds.study_date,
                    undated=bounds.undated and bounds.study_date is None,
                    most=MOST_STUDIES,
                )
            )
            records, _ = self._parsed(Level.STUDY, answer, ())
            if not answer.complete:
                self.complete = False
                self.lacks("TOO_WIDE", f"the archive did not answer everything ({_why(answer)}); {_TOO_WIDE}")
                records = await self._believed(records)
            self.reading.studies += records

    async def _believed(self, records: list[Record]) -> list[Record]:
        """Of what a search brought that did not end whole, that which the index has, of the same patient. The rest
        is believed where the archive answers it by its UID: it may be made up, page after page."""
        rows = Counter(record.study_uid for record in records)
        known = set(await stored.present(self.database, self.archive_id, self.began, rows))
        known -= set(await stored.elsewhere(self.database, self.archive_id, self.began, records))
        known -= {uid for uid, count in rows.items() if count > 1}
        try:
            await self.studies_by_uid(rows.keys() - known)
        except ArchiveError as error:
            self.lacks(error.code, error.message)
        return [record for record in records if record.study_uid in known]

    async def studies_by_uid(self, uids: Collection[str]) -> None:
        """These studies, each whole, or else unanswered. Raises ArchiveError."""

        def take(asked: list[Key], answer: Answer) -> None:
            records, spoilt = self._parsed(Level.STUDY, answer, asked)
            answered = {record.key for record in records}
            self.reading.studies += records
            self.reading.studies_whole |= {uid for (uid,) in answered - spoilt}
            self.unanswered |= {uid for (uid,) in set(asked) - answered - spoilt}

        await self._each(self.client.search_studies, [(uid,) for uid in sorted(uids)], _AT_ONCE, take, {})

    async def _parents(self) -> set[str]:
        """The studies of the series or instances that are asked for: those that the index knows, and those that the
        archive says, which may hold the same UID in another study by now."""
        bounds = self.wanted.bounds
        level, uids = (
            (Level.SERIES, bounds.series_uids) if bounds.series_uids else (Level.INSTANCE, bounds.sop_uids)
        )
        known = await stored.parents(self.database, self.archive_id, level, uids)
        series: set[Key] = {(row["study_uid"], row["series_uid"]) for row in known}
        in_series = level is Level.SERIES
        search = self.client.search_series if in_series else self.client.search_instances
        selection = Selection(series_uids=sorted(uids)) if in_series else Selection(sop_uids=sorted(uids))
        try:
            answer = await search(selection)
        except NotSupported:
            if uids - {row["uid"] for row in known}:
                raise
        else:
            records, _ = self._parsed(level, answer, ())
            series |= {record.key[:2] for record in records}
        self._series_wanted = series
        return {study for study, _ in series}

    # ---- series and instances -----------------------------------------------------------------------------

    async def deeper(self) -> None:
        """Series and instances, as deep as wanted; else series of studies that are not what they were."""
        uids = self.reading.study_uids
        if self.wanted.depth is Level.STUDY:
            shallow = self.client.config.index == "study"
            same = await stored.unchanged(
                self.database, self.archive_id, self.reading.studies, shallow=shallow
            )
            uids = [uid for uid in uids if uid not in same]

        def take(asked: list[Key], answer: Answer) -> None:
            records, spoilt = self._parsed(Level.SERIES, answer, asked)
            self.reading.series += records
            self.reading.series_whole |= {uid for (uid,) in set(asked) - spoilt}

        expected = child_counts(self.reading.studies)
        await self._each(self.client.search_series, [(uid,) for uid in uids], _AT_ONCE, take, expected)
        if self.wanted.depth is Level.INSTANCE:
            await self._instances()

    async def _instances(self) -> None:
        series = {record.key for record in self.reading.series}
        if self._series_wanted is not None:
            series &= self._series_wanted
        if len(series) > MOST_SERIES:
            self.lacks("TOO_WIDE", f"instances of more than {MOST_SERIES} series; {_TOO_WIDE}")
            return

        def take(asked: list[Key], answer: Answer) -> None:
            records, spoilt = self._parsed(Level.INSTANCE, answer, asked)
            self.reading.instances += records
            self.reading.instances_whole |= set(asked) - spoilt

        for keys in told_apart(series):
            expected = child_counts(self.reading.series)
            await self._each(self.client.search_instances, keys, _PAIRS_AT_ONCE, take, expected)

    # ---- answers ------------------------------------------------------------------------------------------

    async def _each(
        self,
        search: Search,
        keys: Sequence[Key],
        size: int,
        take: Callable[[list[Key], Answer], None],
        expected: Mapping[str, int],
    ) -> None:
        """Searches for lists of studies or series; an incomplete answer is asked again in halves, down to one. Raises
        Incomplete where what is below one does not end: all others would say the same."""
        for start in range(0, len(keys), size):
            asked = list(keys[start : start + size])
            of_studies = len(asked[0]) == 1
            selection = Selection.of_studies(asked) if of_studies else Selection.of_series(asked)
            answer = await search(replace(selection, expected=expected))
            if answer.unending and len(asked) == 1:
                raise Incomplete(f"the archive did not answer everything: {_why(answer)}")
            if answer.complete or len(asked) == 1:
                take(asked, answer)
            else:
                await self._each(search, asked, (len(asked) + 1) // 2, take, expected)

    def _parsed(self, level: Level, answer: Answer, asked: Collection[Key]) -> tuple[list[Record], set[Key]]:
        """Records, and what was asked for of which this answer must not count as the whole."""
        records, spoilt = self.reading.parsed(level, answer.all_rows, asked)
        if asked and not answer.complete:
            self.lacks("INCOMPLETE", f"the archive did not answer everything: {_why(answer)}")
            spoilt |= set(asked)
        return records, spoilt


def _why(answer: Answer) -> str:
    return answer.incomplete_because or "the archive does not answer more"
