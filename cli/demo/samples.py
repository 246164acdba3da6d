"""Which sample data lie in which archive: DICOM files that our packages carry, and made-up studies.

The packages' files are real output of many makers, with character sets of half the world and with faults
that archives really hold. They are found by looking, never downloaded.
"""

import contextlib
import hashlib
import importlib.util
import logging
import shutil
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom
from pydicom.errors import InvalidDicomError

from cli.demo.made_studies import (
    DISAGREEING,
    EURACAN,
    EYE,
    RND,
    SHARED_SERIES_UID,
    SPLIT_STUDY_UID,
    VASCERN,
    made_studies,
)
from model.uids import is_uid

__all__ = [
    "ARCHIVES",
    "DISAGREEING",
    "SHARED_SERIES_UID",
    "SPLIT_STUDY_UID",
    "SampleArchive",
    "build_samples",
    "find_package_files",
]


@dataclass(frozen=True, slots=True)
class SampleArchive:
    """What archives.toml says of it."""

    code: str
    ern: str
    title: str


ARCHIVES = (
    SampleArchive(RND, "ERN-RND", "ERN-RND archive, Tübingen"),
    SampleArchive(VASCERN, "VASCERN", "VASCERN archive, Paris"),
    SampleArchive(EYE, "ERN-EYE", "ERN-EYE archive, Strasbourg"),
    SampleArchive(EURACAN, "ERN-EURACAN", "ERN EURACAN archive, Lyon"),
)

# CT has no row: it goes to VASCERN or EURACAN, by study.
_BY_MODALITY = {
    **dict.fromkeys(("MR", "EEG"), RND),
    **dict.fromkeys(("US", "NM", "ECG", "XA"), VASCERN),
    **dict.fromkeys(("OT", "OP", "OPT", "SC"), EYE),
    **dict.fromkeys(("CR", "DX", "PT", "SEG", "SR", "SM"), EURACAN),
    **dict.fromkeys(("RTDOSE", "RTIMAGE", "RTPLAN", "RTSTRUCT"), EURACAN),
}
_FOLDERS = (("pydicom", "data"), ("data_store", "data"), ("pynetdicom", "tests"))
_NOT_DICOM = {".py", ".pyc", ".json", ".txt", ".md", ".pem", ".key", ".crt", ".zip"}
_FAULTS = ("bad", "truncated", "too_short", "missing")  # in names of files; a sound copy goes first


@dataclass(frozen=True, slots=True)
class PackageFile:
    """One file with the archive it goes to."""

    path: Path
    archive: str


@dataclass(slots=True)
class PackageFiles:
    """What was taken, and what was left out: reason → number of files."""

    taken: list[PackageFile] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Faults in the packages' files are there on purpose: pydicom says nothing of them."""
    reading = logging.getLogger("pydicom")
    level = reading.level
    reading.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        reading.setLevel(level)


def build_samples(target: Path) -> dict[str, list[Path]]:
    """Writes target/<archive code>/*.dcm, 40 MB, the same at every run. Returns archive code → its files."""
    written: dict[str, list[Path]] = {archive.code: [] for archive in ARCHIVES}
    for code in written:
        shutil.rmtree(target / code, ignore_errors=True)
        (target / code).mkdir(parents=True)
    for number, file in enumerate(find_package_files().taken):
        path = target / file.archive / f"{number:03}-{file.path.stem}.dcm"
        shutil.copyfile(file.path, path)
        written[file.archive].append(path)
    for number, (code, made) in enumerate(made_studies()):
        path = target / code / f"made-{number:03}-{made.Modality.lower()}.dcm"
        made.save_as(path, enforce_file_format=True)
        written[code].append(path)
    return written


@_quiet()
def find_package_files() -> PackageFiles:
    """The packages' files, each SOP instance once.

    A second copy is taken only when it has another character set: it goes to another archive, so that
    two archives hold the same instance in two encodings.
    """
    found = PackageFiles()
    character_sets: dict[str, set[str]] = {}
    for path in _candidates():
        header = _header(path)
        if header is None:
            found.left_out["not a DICOM file"] += 1
            continue
        uids = [header.get(name) for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")]
        if not all(is_uid(value) for value in uids) or not header.get("SOPClassUID"):
            found.left_out["no valid UIDs"] += 1
            continue
        archive, character_set = _archive_for(header), str(header.get("SpecificCharacterSet"))
        known = character_sets.setdefault(header.SOPInstanceUID, set())
        if character_set in known:
            found.left_out["another copy of an instance"] += 1
            continue
        if known:
            archive = EYE if archive != EYE else RND
        known.add(character_set)
        found.taken.append(PackageFile(path, archive))
    return found


def _candidates() -> Iterator[Path]:
    """Every file that may be DICOM, sound ones before those that are named after a fault."""
    paths: list[Path] = []
    for package, folder in _FOLDERS:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            continue
        root = Path(spec.origin).parent / folder
        paths += (
            path
            for path in sorted(root.rglob("*"))
            if path.is_file() and path.suffix not in _NOT_DICOM and path.name != "DICOMDIR"
        )
    return iter(sorted(paths, key=lambda path: any(fault in path.name for fault in _FAULTS)))


def _header(path: Path) -> Any:
    """The data set without pixels, or None."""
    try:
        return pydicom.dcmread(path, stop_before_pixels=True)
    except (InvalidDicomError, OSError, ValueError, EOFError):
        return None


def _archive_for(header: Any) -> str:
    modality = str(header.get("Modality") or "OT")
    if modality in _BY_MODALITY:
        return _BY_MODALITY[modality]
    odd = hashlib.sha256(str(header.StudyInstanceUID).encode()).digest()[0] % 2
    return EURACAN if odd else VASCERN
