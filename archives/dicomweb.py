"""A DICOMweb archive of any make: searches, metadata and upload that hold whatever the server does.

What a server can do is found out by asking, and kept in `abilities`. The requests themselves are in qido.py, wado.py
and stow.py, what only Orthanc can do in orthanc.py.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import replace
from functools import partial

from archives import qido, stow, wado
from archives.abilities import Abilities, Fields
from archives.client import Answer, ChangePage, Health, Row, Selection, Spooled, StoreResult
from archives.drift import RELEARN_AFTER, contradiction
from archives.errors import ArchiveError, BadAnswer, NotSupported, Rejected, TimedOut, TooLarge
from archives.every_field import learn_every
from archives.fields import FIELDS, tags_of
from archives.lengths import Lengths, lengths_of
from archives.meter import metered
from archives.multipart import Event
from archives.pager import MAX_PAGES, AskedPages, Found, Page, Pager
from archives.probe import decodes_queries, is_plain, probe_dicomweb, takes_uid_list
from archives.queries import SearchQuery, plan
from archives.recheck import Recheck, childless
from archives.retrieval import WantedObject, from_dicomweb
from archives.rows import SERIES_INSTANCE_UID, SOP_INSTANCE_UID, Level, as_rows, key, text
from archives.settling import settled
from archives.several import all_of
from archives.side_by_side import side_by_side
from archives.standing import Standing
from archives.transport import Transport
from archives.unread import unread_rows
from config.archives_file import ArchiveConfig
from model.attributes import Key
from model.declared import Declared
from model.uids import is_uid

HEALTH_SECONDS = 2.0  # of a look; more than half of it is slow
_NO_SUCH_ROUTE = {400, 404, 405, 501}  # what servers say of a path that they do not have
_BUSY = {429, 503}  # up, and too busy for a look


class DicomWebArchive:
    """QIDO-RS, WADO-RS metadata and STOW-RS over dicomweb-client. Implements ArchiveClient."""

    def __init__(
        self, config: ArchiveConfig, declared: Iterable[Declared] = (), *, max_pages: int = MAX_PAGES
    ) -> None:
        self.config = config
        self._tags = tags_of(declared)
        self.standing = Standing.of(config)
        self.abilities = self._nothing_learned()
        self._transport = Transport(config, self.standing)
        self._max_pages = max_pages
        self.learning = asyncio.Lock()
        self._drift: str | None = None

    async def search_studies(self, selection: Selection) -> Answer:
        return await self._search("studies", selection)

    async def search_series(self, selection: Selection) -> Answer:
        return await self._search("series", selection)

    async def search_instances(self, selection: Selection) -> Answer:
        return await self._search("instances", selection)

    async def _search(self, level: Level, selection: Selection) -> Answer:
        if time.monotonic() - self.abilities.since > RELEARN_AFTER:
            self.abilities = self._nothing_learned()
        with metered() as meter, unread_rows(level) as unread:
            try:
                found = await self._find(level, selection)
            except NotSupported as error:
                raise NotSupported(f"{self.config.code}: {error.message}") from None
            check = Recheck(level, selection)
            if found.unasked and check.is_exact:
                self.abilities.answers_others = True
            rows = [row for row in found.rows if check.fits(row)]
            await self._enrich(level, rows)
        why = found.incomplete_because or childless(level, selection, rows)
        known = {id(row) for row in rows}
        others = [row for row in unread.values() if id(row) not in known and not found.unending]
        return Answer(rows, why is None, why, meter.total, found.unending, found.unasked, others)

    async def _find(self, level: Level, selection: Selection) -> Found:
        await self._must_decode(selection.patient_id)
        if level == "studies" or self.abilities.top_level is not False:
            uid_list = await self._takes_uid_lists(selection)
            try:
                queries = self._plan(level, selection, uid_list=uid_list, top_level=True)
                return await self._run(queries, Recheck(level, selection), selection.most)
            except Rejected as error:
                if level == "studies" or error.status not in _NO_SUCH_ROUTE:
                    raise
                if self.abilities.top_level:
                    self._forget(f"it refuses /{level}, which it did not before")
                if not selection.study_uids and error.status == 400:
                    raise
                found = await self._below_studies(level, selection)
                self.abilities.top_level = False
                return found
        return await self._below_studies(level, selection)

    async def _below_studies(self, level: Level, selection: Selection) -> Found:
        """By /studies/{uid}/series and on: the routes that every server has."""
        is_paired = len(selection.study_uids) == 1 and selection.series_uids
        if level == "instances" and selection.study_uids and not is_paired:
            # Which series belongs to which study is not known, and /studies/{uid}/instances is rare.
            parents = await self._below_studies("series", replace(selection, sop_uids=()))
            wanted = frozenset(selection.series_uids)
            series = [key("series", row) for row in parents.rows]
            pairs = [(study, uid) for uid, study in filter(None, series) if not wanted or uid in wanted]
            queries = [SearchQuery(level, study, uid) for study, uid in pairs]
            found = await self._run(queries, Recheck(level, selection))
            found.incomplete_because = found.incomplete_because or parents.incomplete_because
            return found
        queries = self._plan(level, selection, uid_list=False, top_level=False)
        return await self._run(queries, Recheck(level, selection))

    def _plan(
        self, level: Level, selection: Selection, *, uid_list: bool, top_level: bool
    ) -> list[SearchQuery]:
        return plan(level, selection, uid_list=uid_list, top_level=top_level)

    async def _run(self, queries: list[SearchQuery], check: Recheck, most: int | None = None) -> Found:
        """All queries side by side, no more at once than there are connections."""
        pages = partial(self._pages, check)
        return await all_of(check.level, queries, pages, self.config.max_connections, most)

    async def _pages(self, check: Recheck, query: SearchQuery, most: int | None) -> Found:
        async def fetch(limit: int, offset: int) -> Page:
            return await self.page(query, limit, offset)

        async def is_all(rows: int) -> bool:
            return await settled(self, query, rows)

        asked = AskedPages(
            query.level,
            self.config.page_size if most is None else min(self.config.page_size, most + 1),
            check.fits,
            self.config.max_response,
            most,
            query.own_uids,
            query.children(check.selection.expected),
            self._max_pages,
        )
        lengths = self._lengths(query.level)
        found = await Pager(asked, fetch, is_all, self.abilities.pages, lengths).read()
        if query.level != "studies" and query.study_uid is None:
            self.abilities.top_level = True
        return found

    async def page(self, query: SearchQuery, limit: int, offset: int) -> Page:
        """One page, with every attribute where that can be asked for."""
        if not self.abilities.every.get(query.level):
            page = await self._page_by_name(query, limit, offset)
            if not self.abilities.includefield or not await learn_every(self, query, page, limit, offset):
                return page
        try:
            return await self.qido(query, limit, offset, self.abilities.every[query.level])
        except TooLarge:  # these rows have much besides; others may fit
            return await self._page_by_name(query, limit, offset)
        except TimedOut:
            self.abilities.every[query.level] = ()  # it is too slow for that
            return await self._page_by_name(query, limit, offset)
        except Rejected as error:
            if error.status == 400:
                self._forget("it refuses includefield=all, which it took before")
            raise

    async def _page_by_name(self, query: SearchQuery, limit: int, offset: int) -> Page:
        """With the attributes of fields.py, and those that are declared. Archives that refuse these, or includefield,
        are asked again without, once and for all."""
        if self.abilities.includefield is not False:
            fields = self.named(query.level)
            try:
                page = await self.qido(query, limit, offset, fields)
            except Rejected as error:
                if error.status != 400:
                    raise
                if fields != FIELDS[query.level]:
                    self.abilities.by_tag = False
                    return await self._page_by_name(query, limit, offset)
                if self.abilities.includefield:
                    self._forget("it refuses a search as it took before")
                    raise
            else:
                self.abilities.includefield = True
                return page
        page = await self.qido(query, limit, offset, None)
        self.abilities.includefield = False
        return page

    def named(self, level: Level) -> Fields:
        return FIELDS[level] + (self._tags.get(level, ()) if self.abilities.by_tag else ())

    async def qido(self, query: SearchQuery, limit: int, offset: int, fields: Fields | None) -> Page:
        """One request, whatever was learnt of the archive; how long its page is counts for those after it."""
        page = await qido.search(self._transport, query, limit, offset, fields)
        if len(page.rows) >= limit:
            self._lengths(query.level).came(len(page.rows), limit)
        return page

    def _lengths(self, level: Level) -> Lengths:
        return lengths_of(self.config.code, level, self.abilities.pages.studies)

    async def _enrich(self, level: Level, rows: list[Row]) -> None:
        """Add to the rows what QIDO-RS cannot give."""

    async def _takes_uid_lists(self, selection: Selection) -> bool:
        """Whether `StudyInstanceUID=a,b` finds both; only asked when a list is at hand."""
        if max(len(selection.study_uids), len(selection.series_uids), len(selection.sop_uids)) < 2:
            return False
        async with self.learning:
            if self.abilities.uid_list is None:
                self.abilities.uid_list = await takes_uid_list(self)
        return bool(self.abilities.uid_list)

    async def _must_decode(self, patient_id: str | None) -> None:
        """A PatientID that a URL must encode finds nothing where queries are not decoded: say so instead."""
        if patient_id is None or is_plain(patient_id):
            return
        async with self.learning:
            if self.abilities.query_decoding is None:
                self.abilities.query_decoding = await decodes_queries(self)
        if self.abilities.query_decoding is False:
            raise NotSupported("cannot search for a PatientID with special characters")

    async def metadata(
        self, study_uid: str, series_uid: str | None = None, sop_uid: str | None = None
    ) -> list[Row]:
        """A 404 is not taken for "nothing there": what is there and is not given raises NotSupported."""
        rows = await wado.metadata(self._transport, study_uid, series_uid, sop_uid)
        if rows is not None:
            return rows
        if series_uid is None:  # Orthanc: a study under two PatientIDs is 404, its series are not
            found = await self._below_studies("series", Selection(study_uids=[study_uid]))
            series = {text(row, SERIES_INSTANCE_UID) for row in found.rows}
            parts = [self.metadata(study_uid, uid) for uid in sorted(filter(None, series))]
            return [row for part in await side_by_side(parts) for row in part]
        filters = {} if sop_uid is None else {"SOPInstanceUID": sop_uid}
        page = await self.qido(SearchQuery("instances", study_uid, series_uid, filters), 1, 0, None)
        if any(sop_uid in (None, text(row, SOP_INSTANCE_UID)) for row in page.rows):
            raise NotSupported(f"{self.config.code}: gives no whole data sets (RetrieveMetadata is 404)")
        return []

    def retrieve(self, wanted: WantedObject) -> AsyncGenerator[Event, None]:
        return from_dicomweb(self._transport, wanted)

    async def described(self, uids: Key) -> list[Row]:
        return await wado.described(self._transport, uids) or []

    async def representative(self, study_uid: str, series_uid: str) -> Row | None:
        """The instance that a search for one brings first: two small requests, however large the series."""
        page = await self.qido(SearchQuery("instances", study_uid, series_uid), 1, 0, None)
        here = (row for row in page.rows if text(row, SERIES_INSTANCE_UID) == series_uid)
        sop_uid = next(filter(is_uid, (text(row, SOP_INSTANCE_UID) for row in here)), None)
        if sop_uid is None:
            if page.rows:
                raise BadAnswer(f"{self.config.code}: no instance of the series, or one without its UID")
            return None
        rows = await self.metadata(study_uid, series_uid, sop_uid)
        return next((row for row in rows if text(row, SOP_INSTANCE_UID) == sop_uid), None)

    async def list_study_uids(self) -> list[str] | None:
        return None

    async def last_change(self) -> int | None:
        return None

    async def changes(self, since: int, limit: int = 1000) -> ChangePage:
        raise NotSupported(f"{self.config.code}: has no change feed")

    async def store(self, files: Iterable[bytes | Spooled]) -> StoreResult:
        return await stow.store(self._transport, list(files))

    async def health(self) -> Health:
        seconds = min(HEALTH_SECONDS, self.config.timeout)
        begin = time.monotonic()
        try:
            await self._look(seconds)
        except ArchiveError as error:
            state = "DEGRADED" if error.status in _BUSY else "DOWN"
            return Health(state, None, error.code, error.message)
        latency = time.monotonic() - begin
        return Health("DEGRADED" if latency > seconds / 2 else "UP", round(latency * 1000, 1))

    async def _look(self, seconds: float) -> None:
        web = self._transport.web
        await self._transport.ask(
            lambda: as_rows(web.search_for_studies(limit=1)), seconds=seconds, trial=True
        )

    async def probe(self) -> dict[str, str]:
        others = self.abilities.answers_others  # now and then, which a probe may not meet
        self._forget(None)
        self.abilities.answers_others = others
        return await probe_dicomweb(self)

    @property
    def server(self) -> str | None:
        """What the server says that it is, None while it has not."""
        said = self._transport.server
        return None if said is None else f"it says: {said}"

    def needs_probe(self, known: Mapping[str, str]) -> str | None:
        return self._drift or contradiction(known, self.abilities, self.server)

    def _nothing_learned(self) -> Abilities:
        return Abilities()

    def _forget(self, drift: str | None) -> None:
        """Everything about the archive is found out anew. drift: what it does not do that it did."""
        self.abilities, self._drift = self._nothing_learned(), drift

    async def close(self) -> None:
        await self._transport.close()
