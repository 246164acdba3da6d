"""Every study of an archive that has no complete listing: one search, or slices of StudyDate.

A slice that the archive caps is halved, down to a day; studies without a date are a pass of their own. An archive that
is never whole is given up, which is no end of the pass: what it does not answer is said.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from archives.client import Answer, ArchiveClient, Row, Selection

Range = tuple[date | None, date | None]

_FIRST = date(1900, 1, 1)
_BY_YEAR_SINCE = 1990  # before that archives hold little, and one search brings decades
_DAY = timedelta(days=1)
UNDATED = date.max
# Searches one after the other that do not end: from eighty years down to a day it is halved fifteen times.
_MOST_UNENDING = 20
# Searches that were not answered whole: of so many days, say, an archive gives fewer studies than it has.
_MOST_CUT = 2_000


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows of one search. until: its last StudyDate, UNDATED after all dates, None: all studies at once."""

    rows: list[Row]
    until: date | None
    incomplete_because: str | None
    unending: bool = False

    @property
    def is_blind(self) -> bool:
        """Capped, and nothing of its time among the rows: the archive does not look at StudyDate."""
        return self.incomplete_because is not None and not self.rows and not self.unending


@dataclass(slots=True)
class _Patience:
    """How often an archive has not answered whole. unending: the last times, one after the other."""

    cut: int = 0
    unending: int = 0

    def is_over(self, answer: Answer) -> bool:
        self.cut += not answer.complete
        self.unending = self.unending + 1 if answer.unending else 0
        return self.unending >= _MOST_UNENDING or self.cut >= _MOST_CUT


@dataclass(slots=True)
class _Pass:
    """All dates of one archive. given_up: why not all of them were asked for."""

    client: ArchiveClient
    patience: _Patience = field(default_factory=_Patience)
    given_up: str | None = None

    async def search(self, piece: Range) -> AsyncIterator[Slice]:
        """A range, in halves where it is not answered whole; nothing more once it is given up."""
        if self.given_up is not None:
            return
        answer = await self.client.search_studies(Selection(study_date=piece))
        first, last = piece
        what = f"studies of {first or '…'} to {last or '…'}"
        if self.patience.is_over(answer):
            self.given_up = (
                f"{self.patience.cut:,} searches by StudyDate were not answered whole, the last for {what} "
                f"({_why(answer)}): it is not asked for the rest"
            )
        is_told = answer.complete or self.given_up or not (answer.rows or answer.unending)
        if is_told or first is None or last is None or first == last:
            yield _slice(answer, last or UNDATED, what)
            return
        middle = first + (last - first) // 2
        for half in ((first, middle), (middle + _DAY, last)):
            async for part in self.search(half):
                yield part


async def slices(client: ArchiveClient, after: date | None = None) -> AsyncIterator[Slice]:
    """All studies, in one slice where the archive answers so much, else by date; `after` skips what ends
    by then. Raises ArchiveError."""
    everything = await client.search_studies(Selection())
    if everything.complete:
        yield Slice(everything.all_rows, None, None)
        return
    by_date = _Pass(client)
    for piece in pieces(datetime.now(UTC).date() + _DAY):
        if after is None or piece[1] is None or piece[1] > after:
            async for part in by_date.search(piece):
                if part.is_blind:  # every other slice would say the same
                    yield _slice(everything, UNDATED, "all studies, as it does not look at StudyDate")
                    return
                yield part
        if by_date.given_up is not None:
            yield Slice([], UNDATED, by_date.given_up)
            return
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


def _slice(answer: Answer, until: date, what: str) -> Slice:
    why = None if answer.complete else f"{what}: {_why(answer)}"
    return Slice(answer.all_rows, until, why, answer.unending)


def _why(answer: Answer) -> str:
    return answer.incomplete_because or "the archive does not answer more"
