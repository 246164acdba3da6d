"""Every study of an archive that has no complete listing: one search, or slices of StudyDate.

A slice that the archive caps is halved, down to a day; studies without a date are a pass of their own.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from archives.client import Answer, ArchiveClient, Row, Selection

Range = tuple[date | None, date | None]

_FIRST = date(1900, 1, 1)
_BY_YEAR_SINCE = 1990
_DAY = timedelta(days=1)
UNDATED = date.max


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows of one search. until: its last StudyDate, UNDATED after all dates, None: all studies at once."""

    rows: list[Row]
    until: date | None
    incomplete_because: str | None

    @property
    def is_blind(self) -> bool:
        """Capped, and nothing of its time among the rows: the archive does not look at StudyDate."""
        return self.incomplete_because is not None and not self.rows


async def slices(client: ArchiveClient, after: date | None = None) -> AsyncIterator[Slice]:
    """All studies, in one slice where the archive answers so much, else by date; `after` skips what ends
    by then. Raises ArchiveError."""
    everything = await client.search_studies(Selection())
    if everything.complete:
        yield Slice(everything.all_rows, None, None)
        return
    for piece in pieces(datetime.now(UTC).date() + _DAY):
        if after is None or piece[1] is None or piece[1] > after:
            async for part in _search(client, piece):
                if part.is_blind:  # every other slice would say the same
                    yield _slice(everything, UNDATED, "all studies, as it does not look at StudyDate")
                    return
                yield part
    answer = await client.search_studies(Selection(undated=True))
    yield _slice(answer, UNDATED, "studies without a date")


def pieces(tomorrow: date) -> Iterator[Range]:
    """Ranges that cover all dates, in order: the ends open, the recent ones a year each."""
    yield None, _FIRST - _DAY
    yield _FIRST, date(1979, 12, 31)
    yield date(1980, 1, 1), date(_BY_YEAR_SINCE - 1, 12, 31)
    for year in range(_BY_YEAR_SINCE, tomorrow.year):
        yield date(year, 1, 1), date(year, 12, 31)
    yield date(tomorrow.year, 1, 1), tomorrow
    yield tomorrow + _DAY, None


async def _search(client: ArchiveClient, piece: Range) -> AsyncIterator[Slice]:
    answer = await client.search_studies(Selection(study_date=piece))
    first, last = piece
    is_empty = not answer.rows and not answer.unending
    if answer.complete or is_empty or first is None or last is None or first == last:
        yield _slice(answer, last or UNDATED, f"studies of {first or '…'} to {last or '…'}")
        return
    middle = first + (last - first) // 2
    for half in ((first, middle), (middle + _DAY, last)):
        async for part in _search(client, half):
            yield part


def _slice(answer: Answer, until: date, what: str) -> Slice:
    if answer.complete:
        return Slice(answer.all_rows, until, None)
    why = answer.incomplete_because or "the archive does not answer more"
    return Slice(answer.all_rows, until, f"{what}: {why}")
