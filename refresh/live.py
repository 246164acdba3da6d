"""Asking archives now: each in a task of its own, shared by all who ask the same, waited for until a deadline.

What comes is written to the index as an indexing run writes it; whoever asked then reads the index. What comes
after the deadline is written too.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import structlog

from archives.client import ArchiveClient
from archives.errors import ArchiveError
from db.indexing import stored
from db.pool import Connection, Database, StatementTimeout
from db.writing import ingest
from db.writing.keeping import keep
from model.attributes import Level
from model.bounds import Bounds
from refresh.missing import ask_for_missing
from refresh.on_demand import LATE
from refresh.reading import ArchiveReader, Reading, Wanted
from refresh.rejected import REJECTED, rejected_records
from refresh.single_flight import SingleFlight

LONGEST: Final = 60.0  # seconds that one reading may take, however long somebody waits for it
MOST_AT_ONCE: Final = 16  # readings of one archive
_REMEMBERED: Final = 200

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What asking an archive brought. code: None when all came, else why not; came: something did.

    asked_at: what it is as of. elapsed_ms: None where nobody was asked for this answer.
    """

    asked_at: datetime
    elapsed_ms: float | None = None
    code: str | None = None
    message: str = ""
    came: bool = True

    @property
    def failed(self) -> bool:
        """Nothing is known that the index did not know before."""
        return self.code is not None and not self.came


@dataclass(frozen=True, slots=True, eq=False)
class Fresh:
    """What asking now has brought for a list (archive_id → outcome), and until when what is below its nodes may
    be asked for (time.monotonic). An archive that is not in `outcomes` was not to be asked."""

    outcomes: Mapping[int, Outcome]
    until: float

    @property
    def within(self) -> float:
        """Seconds that are left."""
        return max(self.until - time.monotonic(), 0.0)

    @property
    def reachable(self) -> list[int]:
        """Archives that answered, and may be asked for more."""
        return [archive_id for archive_id, outcome in self.outcomes.items() if not outcome.failed]


Flight = tuple[int, Wanted]


class Live:
    """One for a process: it remembers what is on its way, and when what was last read whole."""

    def __init__(self, database: Database, client_of: Callable[[int], ArchiveClient]) -> None:
        self._database = database
        self._client_of = client_of
        self._flights: SingleFlight[Flight, Outcome] = SingleFlight()
        self._whole: OrderedDict[Flight, Outcome] = OrderedDict()

    async def refresh(
        self, wanted: Mapping[int, Wanted], within: float, newer_than: datetime | None = None
    ) -> dict[int, Outcome]:
        """Reads each archive (archive_id → what) and answers after `within` seconds at the latest.

        newer_than: what was read whole since then by this process is not read again.
        """
        asked_at, begin = datetime.now(UTC), time.monotonic()
        known = {
            flight: replace(outcome, elapsed_ms=None)
            for flight in wanted.items()
            if newer_than and (outcome := self._whole.get(flight)) and outcome.asked_at >= newer_than
        }
        outcomes = known | {
            flight: _failed("BUSY", "this archive is being asked too much at once; try again", asked_at)
            for flight in wanted.items()
            if flight not in known and not self._set_out(flight)
        }
        waiting = [flight for flight in wanted.items() if flight not in outcomes]
        outcomes |= await self._flights.results(waiting, within)
        elapsed_ms = round((time.monotonic() - begin) * 1000, 1)
        late = replace(_failed(LATE.code, LATE.message, asked_at), elapsed_ms=elapsed_ms)
        return {flight[0]: outcomes.get(flight, late) for flight in wanted.items()}

    async def reread(self, archive_id: int, wanted: Wanted, within: float) -> Outcome:
        """The same of one archive that has just changed: what is on its way already may not have seen that."""
        flight, until = (archive_id, wanted), time.monotonic() + within
        if flight in self._flights:
            await self._flights.results([flight], within)
        outcomes = await self.refresh({archive_id: wanted}, max(until - time.monotonic(), 0.0))
        return outcomes[archive_id]

    async def close(self) -> None:
        """Lets what is on its way finish, for a while."""
        await self._flights.close()

    def _set_out(self, flight: Flight) -> bool:
        if flight in self._flights:
            return True
        if sum(archive_id == flight[0] for archive_id, _ in self._flights) >= MOST_AT_ONCE:
            return False
        self._flights.start([flight], self._attempt(flight))
        return True

    async def _attempt(self, flight: Flight) -> Outcome:
        """One archive, read and written. Whatever goes wrong is an outcome: others must get their answers."""
        asked_at, begin = datetime.now(UTC), time.monotonic()
        try:
            async with asyncio.timeout(LONGEST):
                began = await stored.moment(self._database)
                reading = await self._read(flight, began)
            outcome = Outcome(asked_at)
            if reading.shortfalls:
                why = reading.shortfalls[0]
                outcome = replace(outcome, code=why.code, message=why.message)
            lost = await ingest.write(
                self._database, "keep_live", lambda conn: _keep(conn, flight, reading, began)
            )
            if lost and outcome.code is None:
                outcome = replace(outcome, code=REJECTED, message=rejected_records(lost))
        except ArchiveError as error:
            outcome = _failed(error.code, error.message, asked_at)
        except (TimeoutError, StatementTimeout):  # or others write meanwhile
            outcome = _failed(LATE.code, LATE.message, asked_at)
        except Exception as error:  # of the database or our own: its message may quote values of records
            _log.error("live.failed", error=type(error).__name__)
            outcome = _failed("INTERNAL", "a fault of the server; its log says more", asked_at)
        outcome = replace(outcome, elapsed_ms=round((time.monotonic() - begin) * 1000, 1))
        if outcome.code is None:
            self._remember(flight, outcome)
        return outcome

    async def _read(self, flight: Flight, began: datetime) -> Reading:
        """Raises ArchiveError where nothing came; what fails further down is a shortfall."""
        reader = ArchiveReader(self._database, self._client_of(flight[0]), *flight, began)
        await reader.studies()
        try:
            await ask_for_missing(reader)
            await reader.deeper()
        except ArchiveError as error:
            reader.lacks(error.code, error.message)
        return reader.reading

    def _remember(self, flight: Flight, outcome: Outcome) -> None:
        self._whole[flight] = outcome
        self._whole.move_to_end(flight)
        if len(self._whole) > _REMEMBERED:
            self._whole.popitem(last=False)


def _failed(code: str, message: str, asked_at: datetime) -> Outcome:
    return Outcome(asked_at, None, code, message, came=False)


async def _keep(conn: Connection, flight: Flight, reading: Reading, began: datetime) -> int:
    """Writes what an archive said, in the caller's transaction; how many records the index cannot hold."""
    archive_id, wanted = flight
    kept = await keep(conn, archive_id, reading)
    if wanted.bounds == Bounds() and not reading.shortfalls:
        await ingest.forget_rejected(conn, archive_id, [Level.STUDY], began)
    if kept.changed:
        await stored.changed(conn, archive_id)
    return len(reading.rejected) + len(kept.rejected)
