"""Orthanc: what its REST API gives beyond DICOMweb: a change feed, a complete listing, transfer syntaxes.

Measured on 1.10.1 with DICOMweb plugin 1.7. Its identifiers are made of DICOM's own
(https://orthanc.uclouvain.be/book/faq/orthanc-ids.html), so rows can be matched without asking.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, TypeGuard

import orjson

from archives.abilities import Abilities
from archives.client import ArchiveChange, ChangePage, Row, Selection
from archives.dicomweb import DicomWebArchive
from archives.errors import ArchiveError, BadAnswer, NotSupported, Rejected
from archives.pager import MAX_PAGES, Found
from archives.probe import is_plain, tell
from archives.queries import SearchQuery, plan, undated
from archives.rows import (
    AVAILABLE_TRANSFER_SYNTAX_UID,
    PATIENT_ID,
    SERIES_INSTANCE_UID,
    SOP_INSTANCE_UID,
    STUDY_INSTANCE_UID,
    Level,
    put,
    text,
    values,
)
from archives.side_by_side import side_by_side
from config.archives_file import ArchiveConfig
from model.declared import Declared
from model.dicom_json import clean

_BATCH: Final = 2000  # resources a bulk request: 0.06 ms and 0.5 kB each
_MARKS: Final = 50  # entries: enough that some are left when their studies are deleted
_SEQUENCES: Final = range(2**63)
_COUNTS: Final = range(2**31)
_NEW_STUDY: Final = "NewStudy"


class OrthancArchive(DicomWebArchive):
    """DICOMweb for searches, REST for the rest. `config.url` is the DICOMweb root, REST is its parent."""

    def __init__(
        self, config: ArchiveConfig, declared: Iterable[Declared] = (), *, max_pages: int = MAX_PAGES
    ) -> None:
        super().__init__(config, declared, max_pages=max_pages)
        self._root = self._transport.url.rsplit("/", 1)[0]
        self._system: str | None = None
        self._gives_transfer_syntax = True
        self._uid_of: dict[str, str] = {}  # StudyInstanceUID by Orthanc ID, of those listed last

    def _nothing_learned(self) -> Abilities:
        # instances: whole data sets come by RetrieveMetadata
        return Abilities(uid_list=True, top_level=True, every={"instances": ()})

    @property
    def server(self) -> str | None:
        """Name and version, as of the last look: this server sends no Server header."""
        return self._system

    async def _look(self, seconds: float) -> None:
        begin = time.monotonic()
        await super()._look(seconds)
        left = max(seconds - (time.monotonic() - begin), 0.1)
        with suppress(ArchiveError):  # it answers searches, which is what health is about
            self._system = await self.system(left)

    async def system(self, seconds: float | None = None) -> str:
        """Its name and version."""
        found = self.mapping(await self.rest("GET", "/system", seconds=seconds))
        return f"{found.get('Name')}: Orthanc {found.get('Version')}"

    async def _find(self, level: Level, selection: Selection) -> Found:
        """A PatientID that a URL must encode goes by /tools/find: Debian's build does not decode queries."""
        patient_id = selection.patient_id
        if patient_id is None or is_plain(patient_id):
            return await super()._find(level, selection)
        studies = await self._study_uids_of(patient_id)
        if selection.study_uids:
            studies = [uid for uid in studies if uid in frozenset(selection.study_uids)]
        if not studies:
            return Found()
        narrowed = replace(selection, study_uids=studies, patient_id=None)
        return await super()._find(level, narrowed)  # the caller re-checks the PatientID of each row

    async def _study_uids_of(self, patient_id: str) -> list[str]:
        if any(c in patient_id for c in "\\*?"):  # a list, a pattern: cannot be asked for as it stands
            raise NotSupported("cannot search for a PatientID with \\, * or ?")
        body = {
            "Level": "Study",
            "Query": {"PatientID": patient_id},
            "Expand": True,
            "CaseSensitive": True,
        }
        return _study_uids(_objects(await self.rest("POST", "/tools/find", body)))

    def _plan(
        self, level: Level, selection: Selection, *, uid_list: bool, top_level: bool
    ) -> list[SearchQuery]:
        queries = plan(level, selection, uid_list=uid_list, top_level=top_level)
        return [undated(query) for query in queries] if selection.undated else queries

    async def _enrich(self, level: Level, rows: list[Row]) -> None:
        """Transfer syntaxes, which this QIDO-RS does not know: one request for thousands of instances."""
        if level != "instances" or not self._gives_transfer_syntax:
            return
        by_id = {_instance_id(row): row for row in rows if not values(row, AVAILABLE_TRANSFER_SYNTAX_UID)}
        if not by_id:
            return
        try:
            resources = await self._bulk(by_id, "Instance", metadata=True)
        except Rejected:
            self._gives_transfer_syntax = False
            return
        except ArchiveError:
            return  # rows without it are still right
        for resource in resources:
            found = resource.get("Metadata")
            syntax = found.get("TransferSyntax") if isinstance(found, dict) else None
            if isinstance(syntax, str) and (row := by_id.get(str(resource.get("ID")))) is not None:
                put(row, AVAILABLE_TRANSFER_SYNTAX_UID, "UI", syntax)

    async def list_study_uids(self) -> list[str] | None:
        return list(await self.copies())

    async def copies(self) -> dict[str, int]:
        """All IDs come in one answer, which is a snapshot; pages of /studies are none. An ID is made of PatientID and
        StudyInstanceUID, so that its UID needs to be asked for once only."""
        ids = await self.rest("GET", "/studies")
        if not isinstance(ids, list):
            raise BadAnswer(f"{self.config.code}: /studies is not a list")
        listed = [str(one) for one in ids]
        known = {one: self._uid_of[one] for one in listed if one in self._uid_of}
        for found in await self._bulk((one for one in listed if one not in known), "Study"):
            if (uid := _study_uid(found)) is not None:
                known[str(found.get("ID"))] = uid
        self._uid_of = known
        return dict(Counter(known.values()))

    async def feed_marks(self, upto: int) -> dict[int, str]:
        page = self.mapping(await self.rest("GET", f"/changes?since={max(0, upto - _MARKS)}&limit={_MARKS}"))
        entries = (entry for entry in _objects(page.get("Changes")) if isinstance(entry.get("Seq"), int))
        return {entry["Seq"]: _digest(entry) for entry in entries if entry["Seq"] <= upto}

    async def totals(self) -> tuple[int, int]:
        counts = self.mapping(await self.rest("GET", "/statistics"))
        series, instances = counts.get("CountSeries"), counts.get("CountInstances")
        if not _is_in(series, _COUNTS) or not _is_in(instances, _COUNTS):
            raise BadAnswer(f"{self.config.code}: /statistics has no counts")
        return series, instances

    async def last_change(self) -> int | None:
        return self._sequence(self.mapping(await self.rest("GET", "/changes?last")))

    async def changes(self, since: int, limit: int = 1000) -> ChangePage:
        """One Change a study and page, newest sequence. Deletions never appear here: reconcile by listing.

        A study that is gone by now has no UID: kind 'deleted' with its Orthanc ID.
        """
        page = self.mapping(await self.rest("GET", f"/changes?since={since}&limit={limit}"))
        entries = [entry for entry in _objects(page.get("Changes")) if entry.get("ResourceType") != "Patient"]
        last = self._sequence(page)
        ids = dict.fromkeys(str(entry.get("ID")) for entry in entries)
        studies = {str(found.get("ID")): found for found in await self._bulk(ids, "Study")}
        newest: dict[str, tuple[int, str]] = {
            study_id: (last, "changed") for study_id in studies if study_id not in ids
        }
        for entry in entries:
            if entry.get("ResourceType") == "Study":
                study_id = str(entry.get("ID"))
                was_new = newest.get(study_id, (0, ""))[1] == "new" or entry.get("ChangeType") == _NEW_STUDY
                kind = "deleted" if study_id not in studies else "new" if was_new else "changed"
                sequence = entry.get("Seq")
                newest[study_id] = (sequence if _is_in(sequence, _SEQUENCES) else last, kind)
        listed = [
            ArchiveChange(sequence, _study_uid(studies.get(study_id)), kind, study_id)
            for study_id, (sequence, kind) in newest.items()
        ]
        return ChangePage(sorted(listed, key=lambda change: change.sequence), last, bool(page.get("Done")))

    async def probe(self) -> dict[str, str]:
        """With the server's version and the size of its index."""
        self._gives_transfer_syntax = True
        answers = await super().probe()
        answers["server"] = await tell(self.system())
        answers["holds"] = await tell(self._holds())
        return answers

    async def _holds(self) -> str:
        counts = self.mapping(await self.rest("GET", "/statistics"))
        names = ("Studies", "Series", "Instances")
        return ", ".join(f"{counts.get(f'Count{name}')} {name.lower()}" for name in names)

    async def rest(self, method: str, path: str, body: object = None, *, seconds: float | None = None) -> Any:
        """One REST call, its JSON. POSTs here are searches: they change nothing and may be tried again."""
        session, url = self._transport.session, self._root + path
        content = None if body is None else orjson.dumps(body)
        reply = await self._transport.ask(
            lambda: session.request(method, url, data=content).json(), seconds=seconds
        )
        return reply.value

    async def _bulk(self, ids: Iterable[str], level: str, *, metadata: bool = False) -> list[dict[str, Any]]:
        """Resources of one level for IDs of any level; those that are gone are left out."""
        known = list(ids)
        chunks = [known[start : start + _BATCH] for start in range(0, len(known), _BATCH)]
        asked = [
            {"Resources": chunk, "Level": level, "Short": True, "Metadata": metadata} for chunk in chunks
        ]
        parts = await side_by_side([self.rest("POST", "/tools/bulk-content", body) for body in asked])
        return [resource for part in parts for resource in _objects(part)]

    def _sequence(self, page: dict[str, Any]) -> int:
        last = page.get("Last", 0)
        if not _is_in(last, _SEQUENCES):
            raise BadAnswer(f"{self.config.code}: the Last of /changes is no sequence")
        return last

    def mapping(self, answer: object) -> dict[str, Any]:
        if not isinstance(answer, dict):
            raise BadAnswer(f"{self.config.code}: the REST API answers something else")
        return answer


def _objects(answer: object) -> list[dict[str, Any]]:
    return [one for one in answer if isinstance(one, dict)] if isinstance(answer, list) else []


def _is_in(value: object, numbers: range) -> TypeGuard[int]:
    return isinstance(value, int) and value in numbers


def _study_uid(resource: dict[str, Any] | None) -> str | None:
    tags = (resource or {}).get("MainDicomTags")
    if not isinstance(tags, dict):
        return None
    uid = tags.get("0020,000d") or tags.get("StudyInstanceUID")
    return clean(uid) or None if isinstance(uid, str) else None  # as in rows: a NUL is nowhere kept


def _study_uids(resources: Sequence[dict[str, Any]]) -> list[str]:
    """Each once: a StudyInstanceUID may stand under two patients."""
    return list(dict.fromkeys(uid for resource in resources if (uid := _study_uid(resource)) is not None))


def _digest(entry: dict[str, Any]) -> str:
    """Of a change: two servers may have the same sequences, not the same things at the same times."""
    written = "|".join(str(entry.get(name)) for name in ("ChangeType", "Date", "ID"))
    return hashlib.sha256(written.encode()).hexdigest()[:16]


def _instance_id(row: Row) -> str:
    parts = (PATIENT_ID, STUDY_INSTANCE_UID, SERIES_INSTANCE_UID, SOP_INSTANCE_UID)
    written = "|".join(text(row, tag) or "" for tag in parts)
    digest = hashlib.sha1(written.encode(), usedforsecurity=False).hexdigest()
    return "-".join(digest[start : start + 8] for start in range(0, 40, 8))
