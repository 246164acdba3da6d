"""Rows as a Parquet file, a row group at a time: what an export needs of the format, and no more.

Flat optional columns of texts, whole numbers, dates and times of the day; PLAIN values in version 1 data pages,
compressed with gzip; metadata in Thrift's compact protocol. Written by hand because the libraries that write Parquet
are several times as large as all else that runs here; tests/api/test_parquet.py reads the files with DuckDB.
"""

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from enum import Enum
from typing import Any, Final

MAGIC: Final = b"PAR1"
_EPOCH: Final = date(1970, 1, 1).toordinal()
_GZIP, _RLE, _PLAIN, _OPTIONAL = 2, 3, 0, 1


class Column(Enum):
    """(physical type, converted type) of parquet.thrift; values are given as they stand in JSON."""

    TEXT = (6, 0)  # BYTE_ARRAY, UTF8
    NUMBER = (2, None)  # INT64
    DATE = (1, 6)  # INT32, DATE: YYYY-MM-DD
    TIME = (2, 8)  # INT64, TIME_MICROS: HH:MM:SS[.ffffff]


@dataclass(slots=True)
class ParquetFile:
    """columns: (name, kind). `rows` are collected until there are enough for a row group, then leave as bytes.

    group: rows of a row group; so many are in memory, and no more.
    """

    columns: Sequence[tuple[str, Column]]
    group: int = 5_000
    _waiting: list[Sequence[Any]] = field(default_factory=list)
    _groups: list[bytes] = field(default_factory=list)
    _rows: int = 0
    _offset: int = len(MAGIC)

    def head(self) -> bytes:
        """What the file begins with."""
        return MAGIC

    def rows(self, rows: Iterable[Sequence[Any]]) -> bytes:
        """Takes rows; what can leave now, which may be nothing."""
        self._waiting.extend(rows)
        return self._flushed() if len(self._waiting) >= self.group else b""

    def tail(self) -> bytes:
        """The last row group and the metadata: without them nobody can read the file."""
        last = self._flushed() if self._waiting else b""
        names = [_struct((4, _text("schema")), (5, _int(len(self.columns))))]
        names += [_element(name, kind) for name, kind in self.columns]
        meta = _struct(
            (1, _int(1)),
            (2, _list(_STRUCT, names)),
            (3, _long(self._rows)),
            (4, _list(_STRUCT, self._groups)),
            (6, _text("ernfed")),
        )
        return last + meta + struct.pack("<I", len(meta)) + MAGIC

    def _flushed(self) -> bytes:
        parts, chunks, plain_size = [], [], 0
        for n, (name, kind) in enumerate(self.columns):
            values = [row[n] for row in self._waiting]
            plain = _page(kind, values)
            packer = zlib.compressobj(level=1, wbits=31)
            packed = packer.compress(plain) + packer.flush()
            header = _struct(
                (1, _int(0)),
                (2, _int(len(plain))),
                (3, _int(len(packed))),
                (
                    5,
                    (
                        _STRUCT,
                        _struct(*((n, _int(v)) for n, v in enumerate((len(values), _PLAIN, _RLE, _RLE), 1))),
                    ),
                ),
            )
            meta = _struct(
                (1, _int(kind.value[0])),
                (2, _list(_I32, [_zigzag(_PLAIN), _zigzag(_RLE)])),
                (3, _list(_BINARY, [_bytes(name)])),
                (4, _int(_GZIP)),
                (5, _long(len(values))),
                (6, _long(len(header) + len(plain))),
                (7, _long(len(header) + len(packed))),
                (9, _long(self._offset)),
            )
            chunks.append(_struct((2, _long(self._offset)), (3, (_STRUCT, meta))))
            parts += [header, packed]
            plain_size += len(header) + len(plain)
            self._offset += len(header) + len(packed)
        count = len(self._waiting)
        self._groups.append(_struct((1, _list(_STRUCT, chunks)), (2, _long(plain_size)), (3, _long(count))))
        self._rows += count
        self._waiting.clear()
        return b"".join(parts)


def _page(kind: Column, values: Sequence[Any]) -> bytes:
    """Which values there are, a bit each (one bit-packed run), then those that there are."""
    bits = bytearray((len(values) + 7) // 8)
    for n, value in enumerate(values):
        bits[n // 8] |= (value is not None) << n % 8
    levels = _varint(len(bits) << 1 | 1) + bytes(bits)
    there = (_plain(kind, value) for value in values if value is not None)
    return struct.pack("<I", len(levels)) + levels + b"".join(there)


def _plain(kind: Column, value: Any) -> bytes:
    match kind:
        case Column.NUMBER:
            return struct.pack("<q", value)
        case Column.DATE:
            return struct.pack("<i", date.fromisoformat(value).toordinal() - _EPOCH)
        case Column.TIME:
            at = time.fromisoformat(value)
            return struct.pack(
                "<q", ((at.hour * 60 + at.minute) * 60 + at.second) * 1_000_000 + at.microsecond
            )
    text = str(value).encode("utf-8", "replace")
    return struct.pack("<I", len(text)) + text


def _element(name: str, kind: Column) -> bytes:
    """A SchemaElement."""
    physical, converted = kind.value
    said = [(1, _int(physical)), (3, _int(_OPTIONAL)), (4, _text(name))]
    return _struct(*said, *([(6, _int(converted))] if converted is not None else []))


# ---- Thrift, compact protocol ----------------------------------------------------------------------------

_I32, _I64, _BINARY, _LIST, _STRUCT = 5, 6, 8, 9, 12
Value = tuple[int, bytes]
"""A type and what stands for the value."""


def _struct(*fields: tuple[int, Value]) -> bytes:
    """Fields by number, in ascending order and less than 16 apart."""
    written, before = bytearray(), 0
    for number, (kind, value) in fields:
        written.append((number - before) << 4 | kind)
        written += value
        before = number
    return bytes(written) + b"\0"


def _list(kind: int, items: Sequence[bytes]) -> Value:
    count = len(items)
    head = bytes([count << 4 | kind]) if count < 15 else bytes([0xF0 | kind]) + _varint(count)
    return _LIST, head + b"".join(items)


def _int(value: int) -> Value:
    return _I32, _zigzag(value)


def _long(value: int) -> Value:
    return _I64, _zigzag(value)


def _text(value: str) -> Value:
    return _BINARY, _bytes(value)


def _bytes(value: str) -> bytes:
    text = value.encode("utf-8", "replace")
    return _varint(len(text)) + text


def _zigzag(value: int) -> bytes:
    return _varint(value << 1 ^ value >> 63)


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)
