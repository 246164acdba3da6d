"""STOW-RS (PS3.18 10.5): the multipart body that goes out, and what the answer says about each file.

The status says little: Orthanc answers 400 for a good file next to a bad one although the good one is
stored, and names the bad one nowhere. So the sequences of the answer are matched with what was sent.
"""

import asyncio
from collections.abc import Sequence
from io import BytesIO
from typing import Final
from uuid import uuid4

from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from archives.client import Row, StoreResult
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


async def store(transport: Transport, files: Sequence[bytes]) -> StoreResult:
    """Sends Part 10 files, once. Raises ArchiveError where the answer tells nothing of them."""
    if not files:
        return StoreResult([])
    sent = await asyncio.to_thread(lambda: [sop_instance_uid(content) for content in files])
    body, content_type = body_of(files)
    headers = {"Content-Type": content_type, "Accept": "application/dicom+json"}
    reply = await transport.ask(
        lambda: transport.session.post(f"{transport.url}/studies", data=body, headers=headers),
        seconds=transport.timeout + len(body) / 1_000_000,  # a line of 1 MB/s
        idempotent=False,
        any_status=True,
    )
    response = reply.value
    try:
        answer = response.json()
    except BadAnswer:
        answer = None
    return read_answer(transport.code, response.status_code, answer, sent)


def body_of(files: Sequence[bytes]) -> tuple[bytes, str]:
    """The multipart body with the files byte for byte, and its Content-Type."""
    boundary = f"ernfed-{uuid4().hex}"
    parts = []
    for content in files:
        parts += [f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode(), content, b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f'multipart/related; type="application/dicom"; boundary="{boundary}"'


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
    """Stored and failed by the answer's sequences; what it names nowhere was not stored.

    sent: SOPInstanceUID of each file, None for what is no DICOM file.
    """
    stored = [uid for uid, _ in _items(answer, REFERENCED_SOP_SEQUENCE) if uid is not None]
    failed = [(uid, _reason(item)) for uid, item in _items(answer, FAILED_SOP_SEQUENCE)]
    named = {*stored, *(uid for uid, _ in failed)}
    unnamed = [uid for uid in sent if uid is None or uid not in named]
    for uid in unnamed[: max(len(sent) - len(stored) - len(failed), 0)]:
        failed.append((uid, "not a DICOM file" if uid is None else "refused without a reason"))
    return StoreResult(stored, failed)


def _items(answer: Row, sequence: str) -> list[tuple[str | None, Row]]:
    items = [item for item in values(answer, sequence) if isinstance(item, dict)]
    return [(_uid(item), item) for item in items]


def _uid(item: Row) -> str | None:
    found = values(item, _REFERENCED_SOP_INSTANCE_UID)
    return str(found[0]) if found else None


def _reason(item: Row) -> str:
    found = values(item, _FAILURE_REASON)
    code = found[0] if found else None
    if not isinstance(code, int):
        return "refused without a reason"
    name = _REASONS.get(code) or _REASONS.get(code & 0xFF00) or _REASONS.get(code & 0xF000)
    return f"{name} (0x{code:04X})" if name else f"failure 0x{code:04X}"
