"""STOW-RS (PS3.18 10.5): the multipart body that goes out, and what the answer says about each file.

The status says little: Orthanc answers 400 for a good file next to a bad one although the good one is
stored, and names the bad one nowhere. So the sequences of the answer are matched with what was sent.
"""

import asyncio
import os
from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Final
from uuid import uuid4

from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from archives.client import Row, Spooled, StoreResult
from archives.errors import BadAnswer, Rejected, ServerFailed
from archives.rows import values
from archives.transport import Transport

REFERENCED_SOP_SEQUENCE: Final = "00081199"
FAILED_SOP_SEQUENCE: Final = "00081198"
_REFERENCED_SOP_INSTANCE_UID: Final = "00081155"
_FAILURE_REASON: Final = "00081197"

# PS3.18 table 10.5.3-2 and PS3.4 annex B.2.3.
_REASONS: Final = {
    0x0110: "processing failure",
    0x0122: "SOP class not supported",
    0x0124: "not authorised",
    0xA700: "out of resources",
    0xA900: "data set does not match its SOP class",
    0xC000: "cannot understand",
    0xC122: "transfer syntax not supported",
}


async def store(transport: Transport, files: Sequence[bytes | Spooled]) -> StoreResult:
    """Sends Part 10 files, once. Raises ArchiveError where the answer tells nothing of them."""
    if not files:
        return StoreResult([])
    sent = await asyncio.to_thread(lambda: [_uid_of(content) for content in files])
    body = Body(files)
    headers = {"Content-Type": body.content_type, "Accept": "application/dicom+json"}

    def work() -> StoreResult:
        """Judged here, so that the breaker learns of it."""
        response = transport.session.post(f"{transport.url}/studies", data=body, headers=headers)
        try:
            answer = response.json()
        except BadAnswer:
            answer = None
        return read_answer(transport.code, response.status_code, answer, sent)

    seconds = seconds_for(transport.timeout, len(body))
    reply = await transport.ask(work, seconds=seconds, idempotent=False, any_status=True)
    return reply.value


def seconds_for(timeout: float, size: int) -> float:
    """In which so many bytes must have been taken and answered: on a line of 1 MB/s."""
    return timeout + size / 1_000_000


class Body:
    """What http.client sends piece by piece, with its length: spooled files are never in memory as a whole."""

    def __init__(self, files: Iterable[bytes | Spooled]) -> None:
        boundary = f"ernfed-{uuid4().hex}"
        self.content_type = f'multipart/related; type="application/dicom"; boundary="{boundary}"'
        self._pieces: list[bytes | Spooled] = []
        for content in files:
            head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
            self._pieces += [head, content, b"\r\n"]
        self._pieces.append(f"--{boundary}--\r\n".encode())
        self._length = sum(len(each) if isinstance(each, bytes) else each.size for each in self._pieces)
        self._at = self._within = 0

    def __len__(self) -> int:
        return self._length

    def read(self, size: int = -1) -> bytes:
        """Up to so many bytes; more at a time than http.client asks for would be a copy of a copy."""
        wanted = self._length if size is None or size < 0 else size
        read = bytearray()
        while len(read) < wanted and self._at < len(self._pieces):
            piece = _slice(self._pieces[self._at], self._within, wanted - len(read))
            read += piece
            self._within += len(piece)
            if not piece:
                self._at, self._within = self._at + 1, 0
        return bytes(read)


def _slice(content: bytes | Spooled, start: int, size: int) -> bytes:
    if isinstance(content, bytes):
        return content[start : start + size]
    size = min(size, content.size - start)
    return os.pread(content.file.fileno(), size, content.start + start) if size > 0 else b""


def _uid_of(content: bytes | Spooled) -> str | None:
    return sop_instance_uid(content) if isinstance(content, bytes) else content.uids[-1]


def body_of(files: Sequence[bytes]) -> tuple[bytes, str]:
    """The multipart body with the files byte for byte, and its Content-Type."""
    body = Body(files)
    return body.read(), body.content_type


def sop_instance_uid(content: bytes) -> str | None:
    """SOPInstanceUID of a Part 10 file, None where it is no DICOM file."""
    try:
        data_set = dcmread(BytesIO(content), specific_tags=["SOPInstanceUID"], stop_before_pixels=True)
        return str(data_set.get("SOPInstanceUID") or "") or None
    except (
        InvalidDicomError,
        EOFError,
        ValueError,
        AttributeError,
        KeyError,
        TypeError,
        NotImplementedError,
    ):
        return None


def read_answer(archive: str, status: int, answer: object, sent: Sequence[str | None]) -> StoreResult:
    """The result, when the answer tells one; else an ArchiveError by its status. `answer` is parsed JSON."""
    judged = (REFERENCED_SOP_SEQUENCE, FAILED_SOP_SEQUENCE)
    if isinstance(answer, dict) and any(tag in answer for tag in judged):
        return judge(answer, sent)
    if status >= 500:
        raise ServerFailed(f"{archive}: answered {status}", status)
    if status >= 400:
        raise Rejected(f"{archive}: answered {status}", status)
    raise BadAnswer(f"{archive}: does not tell which files it stored", status)


def judge(answer: Row, sent: Sequence[str | None]) -> StoreResult:
    """Stored and failed by the answer's sequences; what it names nowhere counts as failed, without a code.

    sent: SOPInstanceUID of each file, None for what is no DICOM file.
    """
    stored = [uid for uid, _ in _items(answer, REFERENCED_SOP_SEQUENCE) if uid is not None]
    failed = [(uid, _reason(item)) for uid, item in _items(answer, FAILED_SOP_SEQUENCE)]
    named = {*stored, *(uid for uid, _ in failed)}
    unnamed = [uid for uid in sent if uid is None or uid not in named]
    for uid in unnamed[: max(len(sent) - len(stored) - len(failed), 0)]:
        failed.append((uid, "not a DICOM file" if uid is None else "refused without a reason"))
    codes = {uid: _code(item) for uid, item in _items(answer, FAILED_SOP_SEQUENCE) if uid is not None}
    return StoreResult(stored, failed, codes)


def _items(answer: Row, sequence: str) -> list[tuple[str | None, Row]]:
    items = [item for item in values(answer, sequence) if isinstance(item, dict)]
    return [(_uid(item), item) for item in items]


def _uid(item: Row) -> str | None:
    found = values(item, _REFERENCED_SOP_INSTANCE_UID)
    return str(found[0]) if found else None


def _code(item: Row) -> int | None:
    found = values(item, _FAILURE_REASON)
    return found[0] if found and isinstance(found[0], int) and 0 < found[0] < 0x10000 else None


def _reason(item: Row) -> str:
    if (code := _code(item)) is None:
        return "refused without a reason"
    name = _REASONS.get(code) or _REASONS.get(code & 0xFF00) or _REASONS.get(code & 0xF000)
    return f"{name} (0x{code:04X})" if name else f"failure 0x{code:04X}"
