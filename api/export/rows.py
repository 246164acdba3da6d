"""The rows of an export as CSV (RFC 4180), lines of JSON or Parquet."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import orjson

from api.export.parquet import Column, Field, ParquetFile
from api.export.table import Row
from api.export.values import text_of, typed

MEDIA_TYPES: Final[Mapping[str, str]] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}


class File(Protocol):
    """A file that is written row by row: pieces of it, in order."""

    def head(self) -> bytes:
        """What stands before the first row."""

    def rows(self, rows: Sequence[Row]) -> bytes:
        """What can leave when these rows have come."""

    def tail(self) -> bytes:
        """What is left when all have come."""


def file_of(columns: Sequence[Field], form: str) -> File:
    """An empty file in one of MEDIA_TYPES."""
    match form:
        case "csv":
            return _Csv(columns)
        case "ndjson":
            return _Lines(columns)
    return _Parquet(columns, ParquetFile(columns))


@dataclass(frozen=True, slots=True)
class _Csv:
    """Values as they stand; several with a backslash between them, as in DICOM (PS3.5 6.4)."""

    columns: Sequence[Field]

    def head(self) -> bytes:
        return _written([[column.name for column in self.columns]])

    def rows(self, rows: Sequence[Row]) -> bytes:
        return _written([[_cell(_joined(values)) for values in row] for row in rows])

    def tail(self) -> bytes:
        return b""


@dataclass(frozen=True, slots=True)
class _Lines:
    """Values of their types; what is not of its column's type is the text that stands there."""

    columns: Sequence[Field]

    def head(self) -> bytes:
        return b""

    def rows(self, rows: Sequence[Row]) -> bytes:
        return b"".join(
            orjson.dumps(
                {c.name: _json(c, values) for c, values in zip(self.columns, row, strict=True)},
                option=orjson.OPT_APPEND_NEWLINE,
            )
            for row in rows
        )

    def tail(self) -> bytes:
        return b""


@dataclass(frozen=True, slots=True)
class _Parquet:
    """The same, without what is not of its column's type."""

    columns: Sequence[Field]
    file: ParquetFile

    def head(self) -> bytes:
        return self.file.head()

    def rows(self, rows: Sequence[Row]) -> bytes:
        return self.file.rows(
            [[_stored(c, values) for c, values in zip(self.columns, row, strict=True)] for row in rows]
        )

    def tail(self) -> bytes:
        return self.file.tail()


def _json(column: Field, values: Sequence[Any]) -> Any:
    if column.many:
        return [_item(column.kind, value) for value in values] or None
    return _item(column.kind, values[0]) if len(values) == 1 else _joined(values)


def _item(kind: Column, value: Any) -> Any:
    if value is None:
        return None
    found = typed(kind, value)
    return text_of(value) if found is None else found


def _stored(column: Field, values: Sequence[Any]) -> Any:
    if column.many:
        return [None if value is None else typed(column.kind, value) for value in values] or None
    if len(values) == 1:
        return None if values[0] is None else typed(column.kind, values[0])
    return _joined(values) if column.kind is Column.TEXT else None


def _joined(values: Sequence[Any]) -> str | None:
    return "\\".join("" if value is None else text_of(value) for value in values) or None


def _written(rows: Iterable[Iterable[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


def _cell(text: str | None) -> str | None:
    """A spreadsheet runs a text that begins like a formula: an apostrophe in front keeps it a text."""
    return f"'{text}" if text is not None and text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
