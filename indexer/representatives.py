"""Representatives: of each series that is new or changed, the data set of one instance is fetched and kept.

The last step of a run, for a while at most; what is left the next run goes on with. An archive that does not give
whole data sets fails no run: filters that need them say that its series were not searched.
"""

import asyncio
import time
from dataclasses import dataclass

import structlog

from archives.client import ArchiveClient
from archives.errors import ArchiveError, NotSupported
from db.pool import Row
from db.writing import representatives
from indexer.work import Work
from model.representatives import representative_of

SECONDS = 300.0  # the run is not over before
AT_ONCE = 50  # series looked up together
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Fetched:
    """What became of one series. settled: the archive has said what it will say."""

    series_pk: int
    text: str | None
    error: ArchiveError | None = None

    @property
    def settled(self) -> bool:
        return self.error is None or isinstance(self.error, NotSupported)


async def fill_representatives(work: Work, seconds: float = SECONDS) -> None:
    """Fetches what is lacking, in the order of the index, until all is there or the time is over."""
    config = work.client.config
    if not config.representatives or config.index == "study":
        return
    until, after, done = time.monotonic() + seconds, 0, 0
    while time.monotonic() < until:
        series = await representatives.lacking(work.database, work.archive_id, after, AT_ONCE)
        if not series:
            return
        fetched = await _fetch(work.client, series)
        if settled := [each for each in fetched if each.settled]:
            await representatives.store(work.database, [(each.series_pk, each.text) for each in settled])
        after, done = series[-1]["series_pk"], done + sum(each.text is not None for each in fetched)
        work.progress(work.run.code, work.tally.done, work.total, f"{done} representatives")
        errors = [each.error for each in fetched if each.error is not None]
        if len(errors) == len(fetched):  # the archive is in trouble, or gives none
            _log.warning(
                "representatives.none", archive=work.run.code, series=len(errors), error=errors[0].code
            )
            return


async def _fetch(client: ArchiveClient, series: list[Row]) -> list[_Fetched]:
    slots = asyncio.Semaphore(client.config.max_connections)

    async def one(row: Row) -> _Fetched:
        async with slots:
            try:
                found = await client.representative(row["study_uid"], row["series_uid"])
            except ArchiveError as error:
                return _Fetched(row["series_pk"], None, error)
        text = representative_of(row["study_uid"], row["series_uid"], found) if found is not None else None
        return _Fetched(row["series_pk"], text)

    return list(await asyncio.gather(*(one(row) for row in series)))
