"""A folder of DICOM files that answers like an archive: for the demo, for tests, for a disc from elsewhere.

Read only. Files that come, change or go are seen at the next search. What is in the files is read by
folder_index.py, in one thread of its own.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

from archives.client import Answer, ChangePage, Health, Row, Selection, Spooled, StoreResult
from archives.errors import ArchiveError, BadAnswer, NotSupported, Rejected, TimedOut, Unreachable
from archives.file_frames import frames_of
from archives.folder_index import FolderIndex, full_data_set
from archives.multipart import Begin, Event
from archives.part_ten import checked
from archives.queries import refuse_the_impossible
from archives.recheck import Recheck
from archives.retrieval import WantedObject, in_syntaxes, named
from archives.rows import STUDY_INSTANCE_UID, Level, text
from archives.session import PIECE
from archives.standing import Standing
from config.archives_file import ArchiveConfig
from model.attributes import Key
from model.odd_json import like

T = TypeVar("T")


class FolderArchive:
    """Implements ArchiveClient. Costs no HTTP requests, so its answers say 0."""

    def __init__(self, config: ArchiveConfig) -> None:
        self.config = config
        self.standing = Standing.of(config)
        self._index = FolderIndex(config.path or Path())
        self._thread = ThreadPoolExecutor(1, f"archive-{config.code}")

    async def search_studies(self, selection: Selection) -> Answer:
        return await self._search("studies", selection)

    async def search_series(self, selection: Selection) -> Answer:
        return await self._search("series", selection)

    async def search_instances(self, selection: Selection) -> Answer:
        return await self._search("instances", selection)

    async def _search(self, level: Level, selection: Selection) -> Answer:
        refuse_the_impossible(level, selection)
        check = Recheck(level, selection)

        def rows() -> list[Row]:
            self._index.refresh()
            return [like(row, row) for row in self._index.rows[level] if check.fits(row)]

        found = await self._ask(rows)
        if selection.most is not None and len(found) > selection.most:
            return Answer(found[: selection.most], False, f"more than {selection.most} rows", requests=0)
        return Answer(found, requests=0)

    async def metadata(
        self, study_uid: str, series_uid: str | None = None, sop_uid: str | None = None
    ) -> list[Row]:
        def data_sets() -> list[Row]:
            self._index.refresh()
            found = (full_data_set(path) for path in self._index.files(study_uid, series_uid, sop_uid))
            return [row for row in found if row is not None]

        return await self._ask(data_sets)

    async def retrieve(self, wanted: WantedObject) -> AsyncGenerator[Event, None]:
        events = self._frames(wanted) if wanted.below else checked(self._files(wanted), wanted.uids)
        async with aclosing(in_syntaxes(events, wanted)) as told:
            try:
                async for event in told:
                    yield event
            except (BadAnswer, Rejected) as error:
                raise named(self.config.code, error) from None

    async def described(self, uids: Key) -> list[Row]:
        return await self.metadata(*uids)

    async def _files(self, wanted: WantedObject) -> AsyncGenerator[Event, None]:
        for path in await self._paths(wanted):
            file: BinaryIO = await self._ask(lambda path=path: path.open("rb"))  # type: ignore[misc]
            with file:
                yield Begin("application/dicom", {})
                while piece := await self._ask(lambda file=file: file.read(PIECE)):  # type: ignore[misc]
                    yield piece

    async def _frames(self, wanted: WantedObject) -> AsyncGenerator[Event, None]:
        kind, _, numbers = wanted.below.partition("/")
        if kind != "frames" or "/" in numbers:
            raise NotSupported(f"{self.config.code}: a folder gives instances and frames only")
        path = (await self._paths(wanted))[0]
        for begin, content in await self._ask(lambda: frames_of(path, numbers)):
            yield begin
            yield content

    async def _paths(self, wanted: WantedObject) -> list[Path]:
        study, series, sop = (*wanted.uids, None, None)[:3]

        def paths() -> list[Path]:
            self._index.refresh()
            return self._index.files(cast(str, study), series, sop)

        if not (found := await self._ask(paths)):
            raise Rejected(f"{self.config.code}: no longer has it", 404)
        return found

    async def representative(self, study_uid: str, series_uid: str) -> Row | None:
        def data_set() -> Row | None:
            self._index.refresh()
            files = self._index.files(study_uid, series_uid, None)
            return next((row for path in files if (row := full_data_set(path)) is not None), None)

        return await self._ask(data_set)

    async def list_study_uids(self) -> list[str] | None:
        def uids() -> list[str]:
            self._index.refresh()
            found = (text(row, STUDY_INSTANCE_UID) for row in self._index.rows["studies"])
            return list(dict.fromkeys(uid for uid in found if uid is not None))

        return await self._ask(uids)

    async def last_change(self) -> int | None:
        return None

    async def changes(self, since: int, limit: int = 1000) -> ChangePage:
        raise NotSupported(f"{self.config.code}: a folder has no change feed")

    async def store(self, files: Iterable[bytes | Spooled]) -> StoreResult:
        raise NotSupported(f"{self.config.code}: a folder is only read")

    async def health(self) -> Health:
        begin = time.monotonic()
        try:
            await self._ask(self._index.refresh, trial=True)
        except ArchiveError as error:
            return Health("DOWN", None, error.code, error.message)
        return Health("UP", round((time.monotonic() - begin) * 1000, 1))

    async def probe(self) -> dict[str, str]:
        await self._ask(self._index.refresh)
        counts = ", ".join(f"{len(rows)} {level}" for level, rows in self._index.rows.items())
        yes = dict.fromkeys(("search", "uid_list", "query_decoding", "metadata", "counts"), "yes")
        return {**yes, "change_feed": "no", "store": "no: a folder is only read", "holds": counts}

    def needs_probe(self, known: Mapping[str, str]) -> str | None:
        return None

    async def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _ask(self, work: Callable[[], T], *, trial: bool = False) -> T:
        with self.standing.asking(trial=trial):
            return await self._read(work)

    async def _read(self, work: Callable[[], T]) -> T:
        """In the one thread. A first reading goes on behind the deadline; the next call has it."""
        try:
            running = self._thread.submit(work)
        except RuntimeError:
            raise Unreachable(f"{self.config.code}: its client is closed") from None
        try:
            async with asyncio.timeout(self.config.timeout):
                return await asyncio.wrap_future(running)
        except TimeoutError:
            raise TimedOut(f"{self.config.code}: reading its files takes longer than the deadline") from None
        except Unreachable as error:
            raise Unreachable(f"{self.config.code}: {error.message}") from None
        except Rejected as error:
            raise Rejected(f"{self.config.code}: {error.message}", error.status) from None
        except OSError as error:
            raise Unreachable(f"{self.config.code}: a file cannot be read ({error.strerror})") from None
        except Exception as error:
            raise BadAnswer(f"{self.config.code}: cannot be read ({type(error).__name__})") from None
