"""From a selection to the QIDO-RS requests that answer it (PS3.18 10.6). Plans only, asks nobody.

Only keys that real archives answer right are ever sent: UIDs, PatientID, StudyDate, modality.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final
from urllib.parse import quote

from archives.client import Selection
from archives.errors import NotSupported
from archives.rows import Level
from archives.session import ENCODED_COMMA
from model.uids import is_plain

CHUNK_UIDS: Final = 100
CHUNK_CHARACTERS: Final = 12_000  # a URL of 17 kB was refused
OWN_KEYWORD: Final[dict[Level, str]] = {
    "studies": "StudyInstanceUID",
    "series": "SeriesInstanceUID",
    "instances": "SOPInstanceUID",
}
OF_NOBODY: Final = "1.2.826.0.1.3680043.8.498.0"  # a UID that no search has found
_BEFORE_DICOM: Final = "-17000101"  # an open range from the past also returns undated studies (Orthanc)


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """One search, before paging: the route (study_uid and series_uid are in its path) and its keys."""

    level: Level
    study_uid: str | None = None
    series_uid: str | None = None
    filters: dict[str, str] = field(default_factory=dict)

    @property
    def own_uids(self) -> frozenset[str]:
        """Those that it asks for by their own UIDs; none where it does not."""
        listed = self.filters.get(OWN_KEYWORD[self.level])
        uids = [] if listed is None else listed.split(",")
        return frozenset(uid.replace(ENCODED_COMMA, ",") for uid in uids)

    def children(self, counts: Mapping[str, int]) -> dict[str, int | None]:
        """Of whom it asks for all children, and how many these are, where that is said; none where it does not."""
        routed = self.study_uid if self.level == "series" else self.series_uid
        listed = self.filters.get(self._parents, routed)
        if self.level == "studies" or listed is None:
            return {}
        if self.filters.keys() - {self._parents, "StudyInstanceUID"}:
            return {}
        return {uid: counts.get(uid) for uid in listed.split(",")}

    def of_parent(self, uid: str) -> "SearchQuery":
        """The same of only one of those in its list."""
        return replace(self, filters=self.filters | {self._parents: uid})

    @property
    def _parents(self) -> str:
        return "StudyInstanceUID" if self.level == "series" else "SeriesInstanceUID"


def plan(level: Level, selection: Selection, *, uid_list: bool, top_level: bool) -> list[SearchQuery]:
    """The fewest requests for this archive. Raises NotSupported for what cannot be asked at this level."""
    refuse_the_impossible(level, selection)
    filters = _filters(level, selection)
    if top_level or level == "studies":
        return _top_level(level, selection, filters, uid_list)
    return _below_studies(level, selection, filters)


def refuse_the_impossible(level: Level, selection: Selection) -> None:
    if level == "studies" and (selection.series_uids or selection.sop_uids):
        raise NotSupported("studies cannot be searched by series or instance UID")
    if level == "series" and selection.sop_uids:
        raise NotSupported("series cannot be searched by instance UID")


def _filters(level: Level, selection: Selection) -> dict[str, str]:
    filters: dict[str, str] = {}
    if selection.patient_id is not None:
        filters["PatientID"] = selection.patient_id
    if selection.modality is not None:
        filters["ModalitiesInStudy" if level == "studies" else "Modality"] = selection.modality
    if selection.study_date is not None:
        first, last = selection.study_date
        if first is not None or last is not None:
            filters["StudyDate"] = f"{_dicom(first)}-{_dicom(last)}"
    return filters


def undated(query: SearchQuery) -> SearchQuery:
    """Narrowed to dates before DICOM: only for an archive that also sends undated studies then."""
    return SearchQuery(
        query.level, query.study_uid, query.series_uid, query.filters | {"StudyDate": _BEFORE_DICOM}
    )


def _dicom(day: date | None) -> str:
    return "" if day is None else f"{day.year:04d}{day.month:02d}{day.day:02d}"


def _top_level(
    level: Level, selection: Selection, filters: dict[str, str], uid_list: bool
) -> list[SearchQuery]:
    lists = (
        ("SOPInstanceUID", selection.sop_uids),
        ("SeriesInstanceUID", selection.series_uids),
        ("StudyInstanceUID", selection.study_uids),
    )
    own = selection.series_uids or selection.sop_uids
    if level != "studies" and len(selection.study_uids) == 1 and (own and is_plain(selection.study_uids[0])):
        # another study may have children of the same UIDs
        filters = filters | {"StudyInstanceUID": selection.study_uids[0]}
    for name, uids in lists:
        if uids:
            plain = [uid for uid in uids if is_plain(uid)]
            chunks = chunked(plain) if uid_list else ([uid] for uid in dict.fromkeys(plain))
            queries = [SearchQuery(level, filters=filters | {name: ",".join(chunk)}) for chunk in chunks]
            others = [uid for uid in dict.fromkeys(uids) if not is_plain(uid)]
            study = selection.study_uids[0] if len(selection.study_uids) == 1 else None
            return queries + [_alone(level, name, uid, filters, study) for uid in others]
    return [SearchQuery(level, filters=filters)]


def _alone(level: Level, name: str, uid: str, filters: dict[str, str], study: str | None) -> SearchQuery:
    """By a UID that a URL must encode: in the path where that can be, as every server decodes paths. A comma of one
    that stands in the query stays encoded: as it is it would make two of it."""
    above = {key: value for key, value in filters.items() if key != "StudyInstanceUID"}
    if name == "StudyInstanceUID" and level != "studies":
        return SearchQuery(level, uid, filters=above)
    if name == "SeriesInstanceUID" and level == "instances" and study is not None:
        return SearchQuery(level, study, uid, above)
    return SearchQuery(level, filters=filters | {name: uid.replace(",", ENCODED_COMMA)})


def segment(uid: str) -> str:
    """A UID as a segment of a path."""
    return quote(uid, safe="")


def _below_studies(level: Level, selection: Selection, filters: dict[str, str]) -> list[SearchQuery]:
    if not selection.study_uids:
        raise NotSupported(f"has no top-level /{level} route: {level} need their study UIDs")
    studies = list(dict.fromkeys(selection.study_uids))
    if level == "instances":
        series = list(dict.fromkeys(selection.series_uids))
        pairs = [(study, one) for study in studies for one in series]
        return [SearchQuery(level, study, one, filters) for study, one in pairs]
    if len(selection.series_uids) == 1:
        filters = filters | {"SeriesInstanceUID": selection.series_uids[0]}
    return [SearchQuery(level, study, None, filters) for study in studies]


def chunked(uids: Sequence[str]) -> Iterator[list[str]]:
    """Each UID once, in lists that fit one URL."""
    chunk: list[str] = []
    length = 0
    for uid in dict.fromkeys(uids):
        if chunk and (len(chunk) == CHUNK_UIDS or length + len(uid) + 1 > CHUNK_CHARACTERS):
            yield chunk
            chunk, length = [], 0
        chunk.append(uid)
        length += len(uid) + 1
    if chunk:
        yield chunk
