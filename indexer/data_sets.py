"""Whole data sets of instances, of archives that are indexed down to them: what no search brings, private attributes
and all that lists do not show.

They come after the runs and beside them, series by series (RetrieveMetadata), for a while at most; what is left is
gone on with. Nothing waits for them, and what they lack a query says.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import structlog

from archives.client import ArchiveClient
from archives.errors import ArchiveError, CircuitOpen, Unreachable
from config.archives_file import ArchiveConfig
from db.pool import Connection, Database, Row
from db.writing import data_sets, ingest
from indexer.progress import Progress, silent
from model.attributes import Level
from model.dicom_json import parse
from model.records import Record, Rejected

SECONDS = 300.0  # after a run of a command, which is waited for; a worker gives its own time
AT_ONCE = 50  # series looked up together
# A series is read whole; two at a time leave connections for those who wait for an answer.
SIDE_BY_SIDE = 2
BYTES_AT_ONCE = 8 * 1024**2  # of JSON in one transaction, for which other writers wait
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Fetched:
    """What came of some series. error: of one that gave none."""

    series: list[Row] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    error: ArchiveError | None = None

    @property
    def size(self) -> int:
        return sum(len(record.data) for record in self.records)

    def add(self, other: "_Fetched") -> None:
        self.series += other.series
        self.records += other.records
        self.rejected += other.rejected


def are_wanted(config: ArchiveConfig) -> bool:
    """Of an archive that is indexed down to instances, unless its operator does not want them."""
    return config.index == "instance" and config.data_sets


async def after_run(database: Database, client: ArchiveClient, archive_id: int, progress: Progress) -> None:
    """After a run without a worker. It has ended well, whatever becomes of this."""
    try:
        await fill_data_sets(database, client, archive_id, progress)
    except Exception:  # a bug, or the database: the next run goes on from there
        _log.exception("data_sets.failed", archive=client.config.code)


async def fill_data_sets(
    database: Database,
    client: ArchiveClient,
    archive_id: int,
    progress: Progress = silent,
    seconds: float = SECONDS,
) -> bool:
    """Fetches what is lacking until all is there or the time is over. False where the archive is in trouble: later."""
    if not are_wanted(client.config) or not await data_sets.are_given(database, archive_id):
        return True
    until, done = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        series = await data_sets.lacking(database, archive_id, AT_ONCE)
        if not series:
            return True
        async for batch in _batches(client, series):
            await _keep(database, archive_id, batch)
            done += len(batch.records)
            progress(client.config.code, done, None, f"{done} data sets")
            if batch.error is not None:
                _log.warning("data_sets.stopped", archive=client.config.code, error=batch.error.code)
                return False
            if time.monotonic() >= until:
                break
    return True


async def _batches(client: ArchiveClient, series: list[Row]) -> AsyncIterator[_Fetched]:
    """What is written at once: of as many series as come to some megabytes, or of one that is larger. The last one
    has the error that makes it the last."""
    batch = _Fetched()
    for start in range(0, len(series), SIDE_BY_SIDE):
        some = series[start : start + SIDE_BY_SIDE]
        for fetched in await asyncio.gather(*(_fetch(client, row) for row in some)):
            if isinstance(fetched.error, (Unreachable, CircuitOpen)):  # of the archive, not of this series
                batch.error = fetched.error
                continue
            if fetched.error is not None:
                _log.warning("data_sets.refused", archive=client.config.code, error=fetched.error.code)
            batch.add(fetched)
        if batch.error is not None or batch.size >= BYTES_AT_ONCE:
            yield batch
            if batch.error is not None:
                return
            batch = _Fetched()
    yield batch


async def _fetch(client: ArchiveClient, series: Row) -> _Fetched:
    """The data sets of one series; none of what the archive sends besides."""
    fetched = _Fetched([series])
    if series["instances"] == 0:  # none is there: noted as asked for all the same
        return fetched
    try:
        rows = await client.metadata(series["study_uid"], series["series_uid"])
    except ArchiveError as error:
        fetched.error = error
        return fetched
    records, fetched.rejected = parse(Level.INSTANCE, rows)
    here = (series["study_uid"], series["series_uid"])
    fetched.records = [record for record in records if (record.study_uid, record.series_uid) == here]
    return fetched


async def _keep(database: Database, archive_id: int, batch: _Fetched) -> None:
    """In one transaction, with the note of what was asked for."""

    async def work(conn: Connection) -> None:
        await data_sets.keep_whole(conn, archive_id, batch.series, batch.records)
        await ingest.reject(conn, archive_id, batch.rejected)

    if batch.series:
        await ingest.write(database, "keep_data_sets", work)
