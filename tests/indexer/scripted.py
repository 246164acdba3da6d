"""An archive in memory, scripted at the edge: what it holds, where it caps, when it breaks."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from archives.client import Answer, ArchiveChange, ChangePage, Health, Row, Selection, Spooled, StoreResult
from archives.errors import ArchiveError, NotSupported, Unreachable
from archives.standing import Standing
from config.archives_file import ArchiveConfig
from model.dicom_json import first, parse_date
from tests.rows import instance, series, study

STUDY, SERIES, SOP = "0020000D", "0020000E", "00080018"


class ScriptedArchive:
    """Implements ArchiveClient. cap: most studies that one search answers. listed: has a listing of UIDs."""

    def __init__(self, code: str = "eye", *, index: str = "series", **options: Any) -> None:
        self.config = ArchiveConfig(
            code=code,
            ern="ERN-EYE",
            title=code,
            kind="dicomweb",
            index=index,
            sync_every=0.05,
            representatives=options.get("representatives", True),
            data_sets=options.get("data_sets", True),
        )
        self.standing = Standing.of(self.config)
        self.studies: list[Row] = []
        self.serieses: list[Row] = []
        self.instances: list[Row] = []
        self.listed: bool = options.get("listed", True)
        self.feed: bool = options.get("feed", False)
        self.cap: int | None = options.get("cap")
        self.log: list[ArchiveChange] = []
        self.epoch = 1  # of its database
        self.searches: list[tuple[str, Selection]] = []
        self.hidden: set[str] = set()
        self.probed = {"kind": "scripted"}
        # Of representatives: what was asked for, what is told beyond the search, what is raised instead.
        self.represented: list[str] = []
        self.told: Row = {"00180050": {"vr": "DS", "Value": [2.5]}}
        self.refuses: ArchiveError | None = None
        # Of whole data sets: the series that were asked for, what is told beyond the search, what is raised instead.
        self.told_whole: list[str] = []
        self.whole: Row = {"00180050": {"vr": "DS", "Value": [2.5]}}
        self.refused: dict[str, ArchiveError] = {}
        self.while_asked: Callable[[str], Awaitable[None]] = _at_once
        self.before: Callable[[str, Selection], None] = lambda level, selection: None

    def fill(self, uids: Iterable[str], *, parts: int = 2, **values: object) -> None:
        """Adds studies, each with series and one instance a series."""
        for uid in uids:
            self.studies.append(study(uid, **values))
            for number in range(1, parts + 1):
                self.serieses.append(series(uid, f"{uid}.{number}"))
                self.instances.append(instance(uid, f"{uid}.{number}", f"{uid}.{number}.1"))
            self.changed(uid)

    def remove(self, uids: Iterable[str]) -> None:
        gone = set(uids)
        for rows in (self.studies, self.serieses, self.instances):
            rows[:] = [row for row in rows if first(row, STUDY) not in gone]

    def changed(self, uid: str) -> None:
        self.log.append(ArchiveChange(len(self.log) + 1, uid, "changed"))

    async def search_studies(self, selection: Selection) -> Answer:
        rows = self._search("study", self.studies, selection)
        if self.cap is not None and len(rows) > self.cap:
            return Answer(rows[: self.cap], complete=False, incomplete_because=f"capped at {self.cap}")
        return Answer(rows)

    async def search_series(self, selection: Selection) -> Answer:
        return Answer(self._search("series", self.serieses, selection))

    async def search_instances(self, selection: Selection) -> Answer:
        return Answer(self._search("instance", self.instances, selection))

    def _search(self, level: str, rows: Sequence[Row], selection: Selection) -> list[Row]:
        self.searches.append((level, selection))
        self.before(level, selection)
        return [row for row in rows if first(row, STUDY) not in self.hidden and _matches(row, selection)]

    async def metadata(
        self, study_uid: str, series_uid: str | None = None, sop_uid: str | None = None
    ) -> list[Row]:
        """The rows of the search, and `whole`."""
        uid = str(series_uid)
        self.told_whole.append(uid)
        await self.while_asked(uid)
        if (error := self.refused.get(uid)) is not None:
            raise error
        return [row | self.whole for row in self.instances if first(row, SERIES) == series_uid]

    async def representative(self, study_uid: str, series_uid: str) -> Row | None:
        self.represented.append(series_uid)
        if self.refuses is not None:
            raise self.refuses
        found = (row for row in self.instances if first(row, SERIES) == series_uid)
        return next((row | self.told for row in found), None)

    async def list_study_uids(self) -> list[str] | None:
        return [str(first(row, STUDY)) for row in self.studies] if self.listed else None

    async def last_change(self) -> int | None:
        return len(self.log) if self.feed else None

    async def changes(self, since: int, limit: int = 1000) -> ChangePage:
        if not self.feed:
            raise NotSupported("no feed")
        page = self.log[since : since + min(limit, 3)]
        last = page[-1].sequence if page else since
        return ChangePage(page, last, last >= len(self.log))

    async def copies(self) -> dict[str, int]:
        return dict(Counter(await self.list_study_uids() or ()))

    async def feed_marks(self, upto: int) -> dict[int, str]:
        return {
            change.sequence: f"{self.epoch} {change.study_uid}"
            for change in self.log[max(0, upto - 5) : upto]
            if change.study_uid in await self.copies()
        }

    async def totals(self) -> tuple[int, int]:
        return len(self.serieses), len(self.instances) if self.config.index == "instance" else 0

    async def store(self, files: Iterable[bytes | Spooled]) -> StoreResult:
        raise NotSupported("read only")

    async def health(self) -> Health:
        return Health("UP", 1.0)

    async def probe(self) -> dict[str, str]:
        return self.probed

    def needs_probe(self, known: Mapping[str, str]) -> str | None:
        return None

    async def close(self) -> None:
        pass


async def _at_once(series_uid: str) -> None:
    pass


def _matches(row: Row, selection: Selection) -> bool:
    for wanted, tag in ((selection.study_uids, STUDY), (selection.series_uids, SERIES)):
        if wanted and first(row, tag) not in wanted:
            return False
    text = first(row, "00080020")
    dated = parse_date(text) if isinstance(text, str) else None
    if selection.undated:
        return dated is None
    if selection.study_date is None:
        return True
    low, high = selection.study_date
    return dated is not None and (low or date.min) <= dated <= (high or date.max)


def breaks_after(searches: int, error: ArchiveError | None = None) -> Callable[[str, Selection], None]:
    """For `before`: the archive stops answering after so many searches."""
    left = searches

    def before(level: str, selection: Selection) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise error or Unreachable("connection reset")

    return before


def uids(count: int, prefix: str = "1.2") -> list[str]:
    """Study UIDs in their order as text."""
    return [f"{prefix}.{n:04}" for n in range(count)]
