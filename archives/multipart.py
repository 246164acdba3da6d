"""Reads bodies of several parts (RFC 2046 5.1, RFC 2387) piece by piece. No I/O."""

from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from typing import Final

from archives.errors import BadAnswer

MAX_HEAD: Final = 16 * 1024


@dataclass(frozen=True, slots=True)
class Begin:
    """A part begins; its content follows as bytes. parameters: of the media type, their names in lower case."""

    type: str
    parameters: dict[str, str]


Event = Begin | bytes


def media_type_of(header: str) -> Begin:
    """A Content-Type."""
    message = Message()
    message["content-type"] = header.replace("\r", " ").replace("\n", " ")
    parameters = {name.lower(): str(value) for name, value in message.get_params(failobj=[])[1:]}
    return Begin(message.get_content_type().lower(), parameters)


class Parts:
    """`feed` tells what a piece brings; `end` that nothing more comes. Both raise BadAnswer."""

    def __init__(self, boundary: str) -> None:
        self._delimiter = b"\r\n--" + boundary.encode("latin-1", "replace")
        self._buffer = bytearray(b"\r\n")  # the first delimiter may stand at the very beginning
        self._in_part = False  # else before the first, or behind a delimiter
        self._at_delimiter = False
        self._over = False

    def feed(self, piece: bytes) -> Iterator[Event]:
        self._buffer += piece
        while not self._over:
            if self._at_delimiter:
                begins = self._head()
                if begins is None:
                    return
                if begins.type:
                    yield begins
                continue
            found = self._buffer.find(self._delimiter)
            last = found if found >= 0 else max(len(self._buffer) - len(self._delimiter) + 1, 0)
            if last and self._in_part:
                yield bytes(self._buffer[:last])
            del self._buffer[:last]
            if found < 0:
                return
            del self._buffer[: len(self._delimiter)]
            self._at_delimiter, self._in_part = True, False

    def end(self) -> None:
        if not self._over:
            raise BadAnswer("the last part of the answer is not whole")

    def _head(self) -> Begin | None:
        """What stands behind a delimiter: the end, or the headers of a part. None: not all of it is there. A Begin
        without a type is the end."""
        if self._buffer[:2] == b"--":
            self._over = True
            return Begin("", {})
        at = self._buffer.find(b"\r\n\r\n")
        if at < 0 and len(self._buffer) > MAX_HEAD:
            raise BadAnswer("a part of the answer has no end of its headers")
        if at < 0:
            return None
        headers = bytes(self._buffer[:at]).decode("latin-1").split("\r\n")
        del self._buffer[: at + 4]
        self._at_delimiter, self._in_part = False, True
        named = {
            name.strip().lower(): value.strip() for name, _, value in (h.partition(":") for h in headers)
        }
        return media_type_of(named.get("content-type", "application/octet-stream"))
