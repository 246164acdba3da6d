"""An upload's body on its way to the disk: each part is looked at to be a DICOM file that says which instance it is.

The file has no name, so that nothing of it stays, whatever ends the process.
"""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO, Final, cast

from pydicom.uid import UID, DeflatedExplicitVRLittleEndian
from starlette.requests import Request

from access.audit import Patient
from api.admission.leaving import takes_longer
from api.dicomweb.media_types import MULTIPART
from api.problems import HttpProblem
from archives.client import Spooled
from archives.errors import BadAnswer
from archives.multipart import Begin, Event, Parts, media_type_of
from archives.part_ten import MAX_HEAD, Head, head_of
from archives.store_surely import OUT_OF_RESOURCES, PROCESSING_FAILURE
from config.settings import Settings
from model.attributes import Key
from model.uids import is_uid

DICOM: Final = "application/dicom"
CANNOT_UNDERSTAND: Final = 0xC000
OTHER_STUDY: Final = 0xA900
TRANSFER_SYNTAX: Final = 0xC122
_PIECE: Final = 1024 * 1024
_FIRST_LOOK: Final = 64 * 1024


@dataclass(slots=True)
class Spool:
    """instances: what can be sent. failed: what cannot, with FailureReason. others: FailureReason of parts
    of which it is not known what they are."""

    file: BinaryIO
    settings: Settings
    study: str | None
    instances: list[Spooled] = field(default_factory=list)
    failed: list[tuple[Spooled, int]] = field(default_factory=list)
    others: list[int] = field(default_factory=list)
    patients: set[Patient] = field(default_factory=set)
    _of: dict[Key, Spooled] = field(default_factory=dict)
    _start: int | None = None  # of the part that comes in; None where there is none
    _is_dicom: bool = False
    _size: int = 0
    _parts: int = 0

    def take(self, event: Event) -> None:
        """Raises HttpProblem for too many."""
        if isinstance(event, Begin):
            self.end_part()
            self._parts += 1
            if self._parts > self.settings.upload_instances:
                raise HttpProblem(
                    413, f"One upload has at most {self.settings.upload_instances} instances: send several."
                )
            self._start, self._size = self.file.seek(0, 2), 0
            self._is_dicom = event.type == DICOM
            return
        if self._is_dicom:
            self.file.write(event[: max(self.settings.upload_instance_bytes - self._size, 0)])
        self._size += len(event)

    def end_part(self) -> None:
        """What came since the last Begin is one."""
        if self._start is None:
            return
        start, size, self._start = self._start, self._size, None
        if not self._is_dicom:
            self.others.append(CANNOT_UNDERSTAND)
            return
        is_too_large = size > self.settings.upload_instance_bytes
        self.file.seek(start)
        head = _head(self.file.read(min(size, MAX_HEAD)))
        if head is None or not all(is_uid(uid) for uid in head.uids):
            self.others.append(OUT_OF_RESOURCES if is_too_large else CANNOT_UNDERSTAND)
        else:
            uids = cast(tuple[str, str, str], head.uids)
            instance = Spooled(self.file, start, size, uids, head.sop_class)
            self._judge(instance, head.transfer_syntax, head.patient, is_too_large=is_too_large)
        if is_too_large:
            self.file.truncate(start)

    def _judge(self, instance: Spooled, syntax: str, patient: Patient | None, *, is_too_large: bool) -> None:
        if is_too_large:
            self.failed.append((instance, OUT_OF_RESOURCES))
        elif self.study not in (None, instance.uids[0]):
            self.failed.append((instance, OTHER_STUDY))
        elif not (UID(syntax).is_private or UID(syntax).is_transfer_syntax):
            self.failed.append((instance, TRANSFER_SYNTAX))
        elif (other := self._of.get(instance.uids)) is not None:
            if not _same(
                other, instance
            ):  # an archive keeps one of them, and says of both that they are stored
                self.failed.append((instance, PROCESSING_FAILURE))
        else:
            self._of[instance.uids] = instance
            self.instances.append(instance)
            self.patients.update([patient] if patient is not None else [])


def _same(one: Spooled, other: Spooled) -> bool:
    if one.size != other.size:
        return False
    file = one.file.fileno()
    one.file.flush()
    return all(
        os.pread(file, min(_PIECE, one.size - at), one.start + at)
        == os.pread(file, min(_PIECE, one.size - at), other.start + at)
        for at in range(0, one.size, _PIECE)
    )


def _head(content: bytes) -> Head | None:
    """None for what is no DICOM file, or does not say what it is."""
    if len(content) < 132:
        return None
    try:
        head = head_of(content[:_FIRST_LOOK]) or head_of(content, is_whole=True)
    except BadAnswer:
        return None
    # A deflated one says nothing before it is inflated, to whatever size.
    return None if head is None or head.transfer_syntax == DeflatedExplicitVRLittleEndian else head


@contextmanager
def spool(settings: Settings, study: str | None) -> Iterator[Spool]:
    """An empty one, which is gone with the block."""
    with tempfile.TemporaryFile(dir=settings.upload_dir) as file:
        yield Spool(cast(BinaryIO, file), settings, study)


def parts_of(request: Request) -> Parts:
    """Raises HttpProblem 415 for another body than one of DICOM files."""
    kind = media_type_of(request.headers.get("content-type", ""))
    boundary = kind.parameters.get("boundary", "")
    of = kind.parameters.get("type", DICOM).lower()
    if kind.type != MULTIPART or of != DICOM or not 0 < len(boundary) <= 200:
        raise HttpProblem(415, f'Instances are sent as {MULTIPART}; type="{DICOM}"; boundary=….')
    return Parts(boundary)


async def fill(into: Spool, request: Request, parts: Parts) -> None:
    """The whole body. Raises HttpProblem 413 for a larger one, 400 for what is not whole."""
    most = into.settings.upload_bytes
    too_large = HttpProblem(413, f"One upload has at most {most} bytes: send several.")
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length) > most:
        raise too_large
    came = 0
    waiting = bytearray()
    async for piece in request.stream():
        came += len(piece)
        if came > most:
            raise too_large
        waiting += piece
        takes_longer(into.settings.request_timeout)  # what comes too slowly ends at the connection
        if len(waiting) >= _PIECE:
            await asyncio.to_thread(_feed, into, parts, bytes(waiting))
            waiting.clear()
    try:
        await asyncio.to_thread(_feed, into, parts, bytes(waiting))
        parts.end()
    except BadAnswer:
        raise HttpProblem(400, "The body is not whole, or not in parts as its Content-Type says.") from None
    await asyncio.to_thread(into.end_part)
    into.file.flush()


def _feed(into: Spool, parts: Parts, content: bytes) -> None:
    for event in parts.feed(content):
        into.take(event)
