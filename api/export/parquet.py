"""Rows as a Parquet file, a row group at a time: what an export needs of the format, and no more.

Optional columns of texts, numbers, dates and times, and lists of these; PLAIN values in version 1 data pages,
compressed with gzip; metadata in Thrift's compact protocol (thrift.py). Written by hand because the libraries that
write Parquet are several times as large as all else that runs here; tests/api/export/test_parquet.py reads the files
with DuckDB.
"""

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from typing import Any, Final

from api.export.thrift import (
    BINARY,
    FALSE,
    I32,
    STRUCT,
    Value,
    binary,
    int32,
    int64,
    list_of,
    struct_of,
    struct_value,
    text,
    varint,
    zigzag,
)

MAGIC: Final = b"PAR1"
_EPOCH: Final = date(1970, 1, 1).toordinal()
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)
_GZIP, _RLE, _PLAIN, _OPTIONAL, _REPEATED, _LIST_OF = 2, 3, 0, 1, 2, 3


class Column(Enum):
    """(physical type, converted type) of parquet.thrift; values are given as they stand in JSON."""

    TEXT = (6, 0)  # BYTE_ARRAY, UTF8
    NUMBER = (2, None)  # INT64
    DECIMAL = (5, None)  # DOUBLE
    DATE = (1, 6)  # INT32, DATE: YYYY-MM-DD
    TIME = (2, 8)  # INT64, TIME_MICROS: HH:MM:SS[.ffffff]
    MOMENT = (2, -1)  # INT64, TIMESTAMP in microseconds, of no time zone: YYYY-MM-DDTHH:MM:SS[.ffffff]


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a file. many: its values are lists."""

    name: str
    kind: Column
    many: bool = False


@dataclass(slots=True)
class ParquetFile:
    """`rows` are collected until there are enough for a row group, then leave as bytes.

    group: rows of a row group; so many are in memory, and no more.
    """

    columns: Sequence[Field]
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
        schema = [struct_of((4, text("schema")), (5, int32(len(self.columns))))]
        schema += [element for column in self.columns for element in _elements(column)]
        meta = struct_of(
            (1, int32(1)),
            (2, list_of(STRUCT, schema)),
            (3, int64(self._rows)),
            (4, list_of(STRUCT, self._groups)),
            (6, text("ernfed")),
        )
        return last + meta + struct.pack("<I", len(meta)) + MAGIC

    def _flushed(self) -> bytes:
        parts, chunks, plain_size = [], [], 0
        for n, column in enumerate(self.columns):
            count, plain = _page(column, [row[n] for row in self._waiting])
            packer = zlib.compressobj(level=1, wbits=31)
            packed = packer.compress(plain) + packer.flush()
            header = _header(count, len(plain), len(packed))
            path = [column.name, "list", "element"] if column.many else [column.name]
            meta = struct_value(
                (1, int32(column.kind.value[0])),
                (2, list_of(I32, [zigzag(_PLAIN), zigzag(_RLE)])),
                (3, list_of(BINARY, [binary(name) for name in path])),
                (4, int32(_GZIP)),
                (5, int64(count)),
                (6, int64(len(header) + len(plain))),
                (7, int64(len(header) + len(packed))),
                (9, int64(self._offset)),
            )
            chunks.append(struct_of((2, int64(self._offset)), (3, meta)))
            parts += [header, packed]
            plain_size += len(header) + len(plain)
            self._offset += len(header) + len(packed)
        count = len(self._waiting)
        self._groups.append(
            struct_of((1, list_of(STRUCT, chunks)), (2, int64(plain_size)), (3, int64(count)))
        )
        self._rows += count
        self._waiting.clear()
        return b"".join(parts)


def _header(count: int, plain_size: int, packed_size: int) -> bytes:
    """A PageHeader."""
    data = struct_value((1, int32(count)), (2, int32(_PLAIN)), (3, int32(_RLE)), (4, int32(_RLE)))
    return struct_of((1, int32(0)), (2, int32(plain_size)), (3, int32(packed_size)), (5, data))


def _page(column: Field, values: Sequence[Any]) -> tuple[int, bytes]:
    """How many entries there are, and these: which values there are, then those that there are."""
    if not column.many:
        there = [value for value in values if value is not None]
        levels = [int(value is not None) for value in values]
        return len(values), _levels(levels, 1) + b"".join(_plain(column.kind, value) for value in there)
    begins, levels, there = [], [], []
    for items in values:
        if not items:  # null, or a list of nothing
            begins.append(0)
            levels.append(0 if items is None else 1)
            continue
        begins += [0] + [1] * (len(items) - 1)
        levels += [2 if item is None else 3 for item in items]
        there += [item for item in items if item is not None]
    plain = b"".join(_plain(column.kind, value) for value in there)
    return len(levels), _levels(begins, 1) + _levels(levels, 2) + plain


def _levels(levels: Sequence[int], width: int) -> bytes:
    """Numbers of 1 or 2 bits each, in one bit-packed run of the RLE hybrid encoding."""
    groups = (len(levels) + 7) // 8
    packed = bytearray(groups * width)
    for n, level in enumerate(levels):
        packed[n * width // 8] |= level << n * width % 8
    run = varint(groups << 1 | 1) + bytes(packed)
    return struct.pack("<I", len(run)) + run


def _plain(kind: Column, value: Any) -> bytes:
    match kind:
        case Column.NUMBER:
            return struct.pack("<q", value)
        case Column.DECIMAL:
            return struct.pack("<d", value)
        case Column.DATE:
            return struct.pack("<i", date.fromisoformat(value).toordinal() - _EPOCH)
        case Column.TIME:
            at = time.fromisoformat(value)
            return struct.pack(
                "<q", ((at.hour * 60 + at.minute) * 60 + at.second) * 1_000_000 + at.microsecond
            )
        case Column.MOMENT:
            since = datetime.fromisoformat(value).replace(tzinfo=UTC) - _START
            return struct.pack("<q", since // timedelta(microseconds=1))
    encoded = str(value).encode("utf-8", "replace")
    return struct.pack("<I", len(encoded)) + encoded


def _elements(column: Field) -> list[bytes]:
    """The SchemaElements of a column; a list has three levels."""
    physical, converted = column.kind.value
    name = "element" if column.many else column.name
    said = [(1, int32(physical)), (3, int32(_OPTIONAL)), (4, text(name))]
    if column.kind is Column.MOMENT:
        said.append((10, _timestamp()))
    elif converted is not None:
        said.append((6, int32(converted)))
    one = struct_of(*said)
    if not column.many:
        return [one]
    group = ((3, int32(_OPTIONAL)), (4, text(column.name)), (5, int32(1)), (6, int32(_LIST_OF)))
    repeated = ((3, int32(_REPEATED)), (4, text("list")), (5, int32(1)))
    return [struct_of(*group), struct_of(*repeated), one]


def _timestamp() -> Value:
    """LogicalType TIMESTAMP(isAdjustedToUTC = false, MICROS): the older converted type would be one of UTC."""
    micros = struct_value((2, struct_value()))
    return struct_value((8, struct_value((1, FALSE), (2, micros))))
