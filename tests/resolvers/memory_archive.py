"""An archive in memory, for what a real one does badly on demand: being down, being slow, being counted.

Its rows are those of a generated federation; the meter counts one request for each search.
"""

import asyncio
from collections.abc import Iterable, Mapping

from archives import rows
from archives.client import Answer, ChangePage, Health, Row, Selection, Spooled, StoreResult
from archives.errors import ArchiveError, NotSupported
from archives.meter import count_request
from archives.recheck import Recheck
from archives.standing import Standing
from config.archives_file import ArchiveConfig
from model.attributes import Level
from tests.federation import Federation

_LEVELS: dict[Level, rows.Level] = {
    Level.STUDY: "studies",
    Level.SERIES: "series",
    Level.INSTANCE: "instances",
}


class MemoryArchive:
    """Implements ArchiveClient. `down`: what every request raises; `delay`: seconds before an answer; `down_at`,
    `delay_at`: the same for searches of one level; `down_for`: what every request raises that is about this UID."""

    def __init__(self, config: ArchiveConfig, rows: dict[Level, list[Row]] | None = None) -> None:
        self.config = config
        self.standing = Standing.of(config)
        self.rows = rows or {}
        self.down: ArchiveError | None = None
        self.delay = 0.0
        self.down_at: dict[Level, ArchiveError] = {}
        self.down_for: dict[str, ArchiveError] = {}
        self.delay_at: dict[Level, float] = {}
        self.searches: list[tuple[Level, Selection]] = []

    @classmethod
    def of(cls, config: ArchiveConfig, made: Federation, archive_id: int) -> "MemoryArchive":
        """The archive that holds what a generated federation says of it."""
        return cls(config, {level: made.rows.get((archive_id, level), []) for level in Level})

    async def search_studies(self, selection: Selection) -> Answer:
        return await self._search(Level.STUDY, selection)

    async def search_series(self, selection: Selection) -> Answer:
        return await self._search(Level.SERIES, selection)

    async def search_instances(self, selection: Selection) -> Answer:
        return await self._search(Level.INSTANCE, selection)

    async def metadata(
        self, study_uid: str, series_uid: str | None = None, sop_uid: str | None = None
    ) -> list[Row]:
        """The rows of the search, and one attribute that only whole data sets have."""
        series, sop = ([uid] if uid else [] for uid in (series_uid, sop_uid))
        answer = await self._search(Level.INSTANCE, Selection([study_uid], series, sop))
        return [row | {"00180050": {"vr": "DS", "Value": [2.5]}} for row in answer.rows]

    async def representative(self, study_uid: str, series_uid: str) -> Row | None:
        return next(iter(await self.metadata(study_uid, series_uid)), None)

    async def list_study_uids(self) -> list[str] | None:
        return None

    async def last_change(self) -> int | None:
        return None

    async def changes(self, since: int, limit: int = 1000) -> ChangePage:
        raise NotSupported("no feed")

    async def store(self, files: Iterable[bytes | Spooled]) -> StoreResult:
        raise NotSupported("read only")

    async def health(self) -> Health:
        return Health("DOWN" if self.down else "UP")

    async def probe(self) -> dict[str, str]:
        return {}

    def needs_probe(self, known: Mapping[str, str]) -> str | None:
        return None

    async def close(self) -> None:
        return None

    async def _search(self, level: Level, selection: Selection) -> Answer:
        count_request(self.config.code)
        self.searches.append((level, selection))
        await asyncio.sleep(self.delay_at.get(level, self.delay))
        if (error := self.down_at.get(level, self.down)) is not None:
            raise error
        for uid in (*selection.study_uids, *selection.series_uids):
            if uid in self.down_for:
                raise self.down_for[uid]
        check = Recheck(_LEVELS[level], selection)
        found = [row for row in self.rows.get(level, []) if check.fits(row)]
        most = selection.most
        if most is not None and len(found) > most:
            return Answer(found[: most + 1], False, f"more than {most} rows")
        return Answer(found)
