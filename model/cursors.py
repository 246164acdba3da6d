"""Page cursors: a sealed position (sort values and UID) in one order of one level.

Sealed with AES-SIV (RFC 5297): sort values are patient data, and a client can neither read nor forge them.
The order is authenticated with it, so that a cursor of another list is refused, not misread; and so is the person:
else somebody who sees pseudonyms could put a cursor of real records among their own and see where it stands.
"""

import base64
import binascii
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from model.errors import BadCursor

_VERSION = b"1"
KEY_BYTES = 64
MAX_LENGTH = 65_536  # an order of eight names, each as long as an index row can be, is half of it

SortValue = str | int | float | date | datetime | None


class _Sealed(msgspec.Struct, array_like=True):
    issued_hour: int
    kinds: str
    values: list[Any]
    uid: str
    above: list[str]


@dataclass(frozen=True, slots=True)
class Position:
    """Where a row stands: its sort values in the order's sequence, its UID, then those that it is within."""

    values: tuple[SortValue, ...]
    uid: str
    above: tuple[str, ...] = ()


class Cursors:
    """Seals and opens cursors with one key, which every API process of a federation shares.

    person: the subject of whom they are given to, who alone can use them; empty: anybody.
    """

    def __init__(self, key: bytes, lifetime_hours: int, person: str = "") -> None:
        self._key, self._cipher = key, AESSIV(key)
        self._lifetime = lifetime_hours
        self._person = person.encode("utf-8", "surrogatepass")
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(_Sealed)

    @staticmethod
    def new_key() -> bytes:
        return AESSIV.generate_key(KEY_BYTES * 8)

    def of(self, person: str) -> "Cursors":
        """Those that are one person's."""
        return Cursors(self._key, self._lifetime, person)

    def _bound(self, order: str) -> list[bytes]:
        return [_VERSION, order.encode(), *([self._person] if self._person else [])]

    def seal(self, order: str, position: Position) -> str:
        """The opaque text of a position in `order` (the order's signature, the same at opening)."""
        kinds, values = _pack(position.values)
        sealed = _Sealed(_this_hour(), kinds, values, position.uid, list(position.above))
        box = self._cipher.encrypt(self._encoder.encode(sealed), self._bound(order))
        return base64.urlsafe_b64encode(box).rstrip(b"=").decode()

    def open(self, order: str, cursor: str) -> Position:
        """The position in a cursor. Raises BadCursor when it is broken, foreign or expired."""
        if not cursor or len(cursor) > MAX_LENGTH or not cursor.isascii():
            raise BadCursor("cursor: not one that this server gave out; start again without it.")
        try:
            box = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            sealed = self._decoder.decode(self._cipher.decrypt(box, self._bound(order)))
            values = _unpack(sealed.kinds, sealed.values)
        except (binascii.Error, InvalidTag, ValueError, msgspec.MsgspecError):
            raise BadCursor(
                "cursor: broken, or taken from somebody else's list or one with another order; start again without it."
            ) from None
        # One hour ahead: the clock of another process, at the turn of the hour.
        if not -1 <= _this_hour() - sealed.issued_hour <= self._lifetime:
            raise BadCursor(f"cursor: older than {self._lifetime} hours; start again without it.")
        return Position(values, sealed.uid, tuple(sealed.above))


def _this_hour() -> int:
    return int(time.time() // 3600)


def _pack(values: Sequence[SortValue]) -> tuple[str, list[Any]]:
    kinds, packed = "", []
    for value in values:
        match value:
            case datetime():
                kinds, value = kinds + "t", value.isoformat()
            case date():
                kinds, value = kinds + "d", value.isoformat()
            case _:
                kinds += "-"
        packed.append(value)
    return kinds, packed


def _unpack(kinds: str, packed: list[Any]) -> tuple[SortValue, ...]:
    read = {"t": datetime.fromisoformat, "d": date.fromisoformat}
    return tuple(
        read[kind](value) if kind in read else value for kind, value in zip(kinds, packed, strict=True)
    )
