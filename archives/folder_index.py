"""Reads a folder of DICOM files into rows of the three levels, in memory; nothing is written anywhere.

Not dicomweb-client's DICOMfileClient: its tables hold one patient a study, none of the descriptions, and
leave out every file with one odd value. The rows here are those that a DICOMweb server would send.
"""

import os
import stat
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmread
from pydicom.datadict import tag_for_keyword
from pydicom.errors import InvalidDicomError

from archives.client import Row
from archives.errors import Unreachable
from archives.fields import FIELDS
from archives.file_json import json_of
from archives.rows import (
    AVAILABLE_TRANSFER_SYNTAX_UID,
    MODALITIES_IN_STUDY,
    MODALITY,
    PATIENT_ID,
    SERIES_INSTANCE_UID,
    SOP_INSTANCE_UID,
    STUDY_DATE,
    STUDY_INSTANCE_UID,
    Key,
    Level,
    key,
    put,
    text,
    without_bulk,
)
from model.odd_json import like

# pydicom warns about every odd value of every file; what is odd is seen in the rows.
warnings.filterwarnings("ignore", category=UserWarning, module=r"pydicom\.")

_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "SpecificCharacterSet")
_READ = sorted({*_UIDS, *(name for names in FIELDS.values() for name in names)})
_UNREADABLE = (
    InvalidDicomError,
    EOFError,
    ValueError,
    AttributeError,
    KeyError,
    TypeError,
    NotImplementedError,
)

Stamp = tuple[int, int]  # size and time of change


@dataclass(frozen=True, slots=True)
class IndexedFile:
    """One instance: its file and everything that the rows of all levels need."""

    path: Path
    stamp: Stamp
    row: Row


class FolderIndex:
    """Use from one thread at a time. `refresh` reads only files that are new or changed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._entries: dict[Path, IndexedFile | None] = {}  # None: not DICOM, not worth another look
        self._stamps: dict[Path, Stamp] = {}
        self.rows: dict[Level, list[Row]] = {"studies": [], "series": [], "instances": []}

    def refresh(self) -> None:
        """Raises Unreachable when the folder is not there or must not be read."""
        stamps = dict(self._walk())
        if stamps == self._stamps:
            return
        entries: dict[Path, IndexedFile | None] = {}
        for path, stamp in stamps.items():
            known = path in self._stamps and self._stamps[path] == stamp
            entries[path] = self._entries[path] if known else _read(path, stamp)
        self._entries, self._stamps = entries, stamps
        self.rows = _rows([entry for entry in entries.values() if entry is not None])

    def files(self, study_uid: str, series_uid: str | None, sop_uid: str | None) -> list[Path]:
        wanted = (
            (STUDY_INSTANCE_UID, study_uid),
            (SERIES_INSTANCE_UID, series_uid),
            (SOP_INSTANCE_UID, sop_uid),
        )
        return [
            entry.path
            for entry in self._entries.values()
            if entry is not None and all(uid is None or text(entry.row, tag) == uid for tag, uid in wanted)
        ]

    def _walk(self) -> Iterator[tuple[Path, Stamp]]:
        try:
            if not self.root.is_dir():
                raise Unreachable("its folder is not there")
            next(self.root.iterdir(), None)
        except OSError as error:
            raise Unreachable(f"its folder cannot be read ({error.strerror})") from None
        for folder, _, names in os.walk(self.root):
            for name in sorted(names):
                path = Path(folder, name)
                try:
                    state = path.stat()
                except OSError:
                    continue  # gone since it was listed
                if stat.S_ISREG(state.st_mode) and name != "DICOMDIR" and not name.startswith("."):
                    yield path, (state.st_size, state.st_mtime_ns)


def full_data_set(path: Path) -> Row | None:
    """Everything in the file but binary values; None when it cannot be read."""
    try:
        data_set = dcmread(path, stop_before_pixels=True)
    except (OSError, *_UNREADABLE):
        return None
    return without_bulk(json_of(data_set))


def _read(path: Path, stamp: Stamp) -> IndexedFile | None:
    try:
        data_set = dcmread(path, stop_before_pixels=True, specific_tags=list(_READ))
    except (OSError, *_UNREADABLE):
        return None
    row = json_of(data_set)
    if key("instances", row) is None or text(row, STUDY_INSTANCE_UID) is None:
        return None
    row.setdefault(PATIENT_ID, {"vr": "LO"})
    row.setdefault(STUDY_DATE, {"vr": "DA"})
    syntax = data_set.file_meta.get("TransferSyntaxUID")
    if syntax:
        put(row, AVAILABLE_TRANSFER_SYNTAX_UID, "UI", str(syntax))
    return IndexedFile(path, stamp, row)


def _rows(entries: list[IndexedFile]) -> dict[Level, list[Row]]:
    """Rows of each level from the first instance of each; counts and modalities from all."""
    first: dict[Level, dict[Key, Row]] = {"studies": {}, "series": {}, "instances": {}}
    for entry in entries:
        for level, found in first.items():
            if (name := key(level, entry.row)) is not None:
                found.setdefault(name, entry.row)
    rows = {level: {name: _cut(level, row) for name, row in found.items()} for level, found in first.items()}
    _count(first["instances"].values(), rows)
    return {level: list(found.values()) for level, found in rows.items()}


def _cut(level: Level, row: Row) -> Row:
    return like(row, {tag: value for tag, value in row.items() if tag in _TAGS[level]})


def _tags(level: Level, *names: str) -> frozenset[str]:
    named = ("SpecificCharacterSet", "StudyInstanceUID", *names, *FIELDS[level])
    return frozenset(f"{tag_for_keyword(name) or 0:08X}" for name in named)


_TAGS: dict[Level, frozenset[str]] = {
    "studies": _tags("studies"),
    "series": _tags("series", "SeriesInstanceUID"),
    "instances": _tags("instances", *_UIDS),
}


def _count(instances: Iterable[Row], rows: dict[Level, dict[Key, Row]]) -> None:
    """What studies and series say of the instances in them. A study under two patients is counted for each."""
    of_series: Counter[Key | None] = Counter()
    of_study: Counter[Key | None] = Counter()
    series_of: defaultdict[Key | None, dict[Key | None, Row]] = defaultdict(dict)
    for row in instances:
        study, series = key("studies", row), key("series", row)
        of_study[study] += 1
        of_series[series] += 1
        series_of[study].setdefault(series, row)
    for name, row in rows["series"].items():
        put(row, "00201209", "IS", of_series[name])
    for name, row in rows["studies"].items():
        put(row, "00201206", "IS", len(series_of[name]))
        put(row, "00201208", "IS", of_study[name])
        modalities = {
            found for each in series_of[name].values() if (found := text(each, MODALITY)) is not None
        }
        put(row, MODALITIES_IN_STUDY, "CS", *sorted(modalities))
