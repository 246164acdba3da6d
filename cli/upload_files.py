"""What is below paths that somebody wants to send: DICOM files in folders and ZIPs, and why the rest is left out.

Nothing of a ZIP is written under the name that it has there, and no more of it is unpacked than its directory says.
"""

import os
import shutil
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, BinaryIO, Final, cast

from archives.client import Spooled
from archives.errors import BadAnswer
from archives.part_ten import MAX_HEAD, head_of
from cli.commands.running_server import NotAnswered
from model.uids import is_uid

MAX_ENTRIES: Final = 100_000
MAX_UNPACKED: Final = 50 * 1024**3
"""Bytes that all entries of a ZIP have, as its directory says."""
_MAGIC_AT: Final = 128
_FIRST_LOOK: Final = 64 * 1024
_NO_DICOM: Final = "no DICOM file"


@dataclass(frozen=True, slots=True)
class DicomFile:
    """name: as it is shown. open: its content, in a file of this machine."""

    name: str
    size: int
    open: Callable[[], BinaryIO]


@dataclass(slots=True)
class Files:
    """left_out: name → why, of what is no DICOM file. unread: of what may hold some, and could not be looked into."""

    found: list[DicomFile] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)


def files_below(paths: Sequence[Path]) -> Files:
    """Raises NotAnswered for a path that there is not."""
    files = Files()
    for path in paths:
        if not path.exists():
            raise NotAnswered(f"{path} is not there.")
        for each in _walk(path) if path.is_dir() else [path]:
            _look_at(files, each)
    return files


def _walk(folder: Path) -> Iterator[Path]:
    """Links are not followed: they may lead anywhere, and in circles."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            yield Path(parent, name)


def _look_at(files: Files, path: Path) -> None:
    name = shown(str(path))
    try:
        if path.is_symlink() or not path.is_file():
            files.left_out[name] = "a link, or no file at all"
            return
        with path.open("rb") as file:
            is_dicom = _is_dicom(file)
        if is_dicom:
            files.found.append(DicomFile(name, path.stat().st_size, lambda: path.open("rb")))
        elif zipfile.is_zipfile(path):
            _look_into(files, path)
        else:
            files.left_out[name] = _NO_DICOM
    except OSError as error:
        files.unread[name] = f"cannot be read: {error.strerror}"


def _look_into(files: Files, path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [each for each in archive.infolist() if not each.is_dir()]
            if len(entries) > MAX_ENTRIES or sum(each.file_size for each in entries) > MAX_UNPACKED:
                limits = f"{MAX_ENTRIES:,} files or {MAX_UNPACKED // 1024**3} GiB unpacked"
                files.unread[shown(str(path))] = f"a ZIP of more than {limits}"
                return
            for each in entries:
                _look_at_entry(files, path, archive, each)
    except (zipfile.BadZipFile, OSError, ValueError):
        files.unread[shown(str(path))] = "a ZIP that cannot be read"


def _look_at_entry(files: Files, path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    name = shown(f"{path}:{entry.filename}")
    try:
        with archive.open(entry) as content:
            is_dicom = _is_dicom(content)
    except (
        Exception
    ):  # encrypted, broken, or packed in a way that there is no reader for: zlib's and others' errors
        files.unread[name] = "encrypted or broken in its ZIP"
        return
    if is_dicom:
        files.found.append(DicomFile(name, entry.file_size, lambda: _unpacked(path, entry)))
    else:
        files.left_out[name] = _NO_DICOM


def _unpacked(path: Path, entry: zipfile.ZipInfo) -> BinaryIO:
    """In a file without a name. Raises OSError, whatever is wrong with the ZIP."""
    file = cast(BinaryIO, TemporaryFile())  # noqa: SIM115 (whoever sends it closes it)
    try:
        with zipfile.ZipFile(path) as archive, archive.open(entry) as content:
            shutil.copyfileobj(content, file)
        file.flush()
    except Exception as error:
        file.close()
        raise OSError(0, "broken in its ZIP") from error
    return file


def _is_dicom(content: IO[bytes]) -> bool:
    return content.read(_MAGIC_AT + 4)[_MAGIC_AT:] == b"DICM"


def shown(name: str) -> str:
    """Without what a terminal would obey."""
    return "".join(each if each.isprintable() else "\ufffd" for each in name)


def spooled(file: BinaryIO) -> Spooled | None:
    """What it says that it is; None where it is no instance (a DICOMDIR is not). Raises OSError."""
    size = os.fstat(file.fileno()).st_size
    try:
        head = head_of(os.pread(file.fileno(), _FIRST_LOOK, 0))
        head = head or head_of(os.pread(file.fileno(), MAX_HEAD, 0), is_whole=True)
    except BadAnswer:
        return None
    if head is None or not all(is_uid(uid) for uid in head.uids):
        return None
    return Spooled(file, 0, size, cast(tuple[str, str, str], head.uids), head.sop_class)
