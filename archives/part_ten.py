"""What the beginning of a DICOM file (PS3.10) says that it is: which instance, in which transfer syntax. No I/O."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from pydicom import Dataset
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag
from pydicom.uid import DeflatedExplicitVRLittleEndian

from archives.errors import BadAnswer
from archives.multipart import Begin, Event
from model.attributes import Key

MAX_HEAD: Final = 8 * 1024**2
"""Bytes before the UIDs of study and series: of real files some kilobytes, of private blocks perhaps more."""
_FIRST_LOOK: Final = 16 * 1024
_LAST_UID: Final = 0x0020000E
_DICOM: Final = "application/dicom"


class WrongContent(BadAnswer):
    """An archive sent something else than it was asked for."""


@dataclass(frozen=True, slots=True)
class Head:
    """uids: of study, series and instance; None where it does not say. patient: PatientID and its issuer."""

    uids: tuple[str | None, str | None, str | None]
    transfer_syntax: str
    sop_class: str | None = None
    patient: tuple[str, str | None] | None = None


def head_of(content: bytes, *, is_whole: bool = False) -> Head | None:
    """None: more of it is needed. Raises WrongContent for what is no DICOM file."""
    if len(content) >= 132 and content[128:132] != b"DICM":
        raise WrongContent("sent something that is no DICOM file")
    passed = is_whole

    def stop_when(tag: BaseTag, _vr: str | None, _length: int) -> bool:
        nonlocal passed
        is_beyond = int(tag) > _LAST_UID
        passed = passed or is_beyond
        return is_beyond

    try:
        meta: Any = read_partial(BytesIO(content), lambda tag, _vr, _length: tag.group > 2).file_meta
        syntax = str(meta.TransferSyntaxUID)
        if syntax == DeflatedExplicitVRLittleEndian:  # can be read as a whole only
            return Head((None, None, _text(meta, "MediaStorageSOPInstanceUID")), syntax)
        data_set = read_partial(BytesIO(content), stop_when)
    except Exception:  # pydicom has many, and what is cut short raises any of them
        return None
    if not passed:
        return None
    sop = _text(data_set, "SOPInstanceUID") or _text(meta, "MediaStorageSOPInstanceUID")
    uids = (_text(data_set, "StudyInstanceUID"), _text(data_set, "SeriesInstanceUID"), sop)
    patient = _text(data_set, "PatientID")
    known = None if patient is None else (patient, _text(data_set, "IssuerOfPatientID"))
    return Head(uids, syntax, _text(data_set, "SOPClassUID"), known)


def _text(data_set: Dataset, keyword: str) -> str | None:
    value = data_set.get(keyword)
    return str(value).strip(" \0") or None if value is not None else None


async def checked(events: AsyncGenerator[Event, None], asked: Key) -> AsyncGenerator[Event, None]:
    """The same parts, each with the transfer syntax that it really has, and none that was not asked for. Raises
    WrongContent, and BadAnswer where there is no part at all."""
    looking: _Looking | None = None
    found = False
    async with aclosing(events):
        async for event in events:
            told: tuple[Event, ...] = (event,)
            if isinstance(event, Begin):
                told, looking, found = looking.end() if looking else (), _Looking(asked), True
            elif looking is not None and (told := looking.take(event)):
                looking = None
            for each in told:
                yield each
    for each in looking.end() if looking else ():
        yield each
    if not found:
        raise BadAnswer("sent an answer without any part")


class _Looking:
    """At the beginning of one part, until it is known what it is."""

    def __init__(self, asked: Key) -> None:
        self._asked, self._head, self._next = asked, bytearray(), _FIRST_LOOK

    def take(self, piece: bytes) -> tuple[Event, ...]:
        """What there is to tell; nothing yet, where more is needed."""
        self._head += piece
        if len(self._head) < self._next:
            return ()
        self._next *= 2  # looked at a few times only, however it comes in
        if (told := self._told(is_whole=False)) or len(self._head) <= MAX_HEAD:
            return told
        raise WrongContent("sent a file that does not say what it is")

    def end(self) -> tuple[Event, ...]:
        if told := self._told(is_whole=True):
            return told
        raise WrongContent("sent something that is no DICOM file")

    def _told(self, *, is_whole: bool) -> tuple[Event, ...]:
        """Raises WrongContent for another one than was asked for."""
        content = bytes(self._head)
        head = head_of(content, is_whole=is_whole)
        if head is None:
            return ()
        for said, wanted in zip(head.uids, self._asked, strict=False):
            if said is not None and said != wanted:
                raise WrongContent("sent another instance than was asked for")
        if len(self._asked) == 3 and head.uids[2] is None:
            raise WrongContent("sent a file that does not say which instance it is")
        return Begin(_DICOM, {"transfer-syntax": head.transfer_syntax}), content
