"""What an export asks of the schema for each page, and its nodes as CSV (RFC 4180), lines of JSON or Parquet."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import orjson

from api.parquet import Column, ParquetFile
from model.attributes import BY_KEYWORD, Kind

MEDIA_TYPES: Final[Mapping[str, str]] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
PAGE: Final = 200

# Column → what the schema calls it. Columns have the keywords of PS3.6, which analysts know.
_STUDY: Final = {
    "StudyInstanceUID": "studyInstanceUid",
    "StudyDate": "studyDate",
    "StudyTime": "studyTime",
    "AccessionNumber": "accessionNumber",
    "StudyID": "studyId",
    "StudyDescription": "studyDescription",
    "ReferringPhysicianName": "referringPhysicianName { text }",
    "PatientID": "patientId",
    "IssuerOfPatientID": "issuerOfPatientId",
    "PatientName": "patientName { text }",
    "PatientBirthDate": "patientBirthDate",
    "PatientSex": "patientSex",
    "ModalitiesInStudy": "modalitiesInStudy",
    "NumberOfStudyRelatedSeries": "numberOfStudyRelatedSeries",
    "NumberOfStudyRelatedInstances": "numberOfStudyRelatedInstances",
}
_SERIES: Final = {
    "StudyInstanceUID": "study { studyInstanceUid }",
    "SeriesInstanceUID": "seriesInstanceUid",
    "Modality": "modality",
    "SeriesNumber": "seriesNumber",
    "SeriesDate": "seriesDate",
    "SeriesTime": "seriesTime",
    "SeriesDescription": "seriesDescription",
    "BodyPartExamined": "bodyPartExamined",
    "Laterality": "laterality",
    "ProtocolName": "protocolName",
    "Manufacturer": "manufacturer",
    "ManufacturerModelName": "manufacturerModelName",
    "NumberOfSeriesRelatedInstances": "numberOfSeriesRelatedInstances",
}
_FILTERS: Final = {"studies": "StudyFilter", "series": "SeriesFilter"}
_CONNECTIONS: Final = {"studies": "StudyConnection", "series": "SeriesConnection"}
COLUMNS: Final[Mapping[str, Mapping[str, str]]] = {"studies": _STUDY, "series": _SERIES}
"""What can be exported → its columns; further ones are attributes that the request names."""


@dataclass(frozen=True, slots=True)
class Table:
    """What is exported: `of` studies or series, with these further attributes as columns."""

    of: str
    attributes: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return (*COLUMNS[self.of], *self.attributes, "Archives")

    def document(self) -> str:
        """The operation that reads one page; `$opening` also asks what the whole list is."""
        more = [f"$a{n}: [String!]" for n in range(len(self.attributes))]
        variables = ", ".join(
            [
                f"$filter: {_FILTERS[self.of]}",
                "$archives: [String!]",
                "$after: String",
                "$opening: Boolean!",
                *more,
            ]
        )
        fields = [f"c{n}: {field}" for n, field in enumerate(COLUMNS[self.of].values())]
        fields += [f"a{n}: attributes(keywords: $a{n}) {{ text }}" for n in range(len(self.attributes))]
        listed = f"{self.of}(filter: $filter, archives: $archives, first: {PAGE}, after: $after)"
        opening = "totalCount complete sources { archive { code } state }"
        nodes = f"nodes {{ {' '.join(fields)} locations {{ archive {{ code }} }} }}"
        page = f"pageInfo {{ hasNextPage endCursor }} ...Opening @include(if: $opening) {nodes}"
        connection = _CONNECTIONS[self.of]
        return (
            f"query Export({variables}) {{ page: {listed} {{ {page} }} }}"
            f" fragment Opening on {connection} {{ {opening} }}"
        )

    def variables(self) -> dict[str, Any]:
        """Those that stay the same from page to page."""
        return {f"a{n}": [name] for n, name in enumerate(self.attributes)}

    def rows(self, nodes: Iterable[Mapping[str, Any]]) -> list[list[Any]]:
        """Nodes of an answer as values in the order of `columns`."""
        return [self._row(node) for node in nodes]

    def _row(self, node: Mapping[str, Any]) -> list[Any]:
        own = [_plain(node[f"c{n}"]) for n in range(len(COLUMNS[self.of]))]
        more = [_joined(each["text"] for each in node[f"a{n}"]) for n in range(len(self.attributes))]
        return [*own, *more, _joined(place["archive"]["code"] for place in node["locations"])]


class File(Protocol):
    """A file that is written row by row: pieces of it, in order."""

    def head(self) -> bytes:
        """What stands before the first row."""

    def rows(self, rows: Sequence[Sequence[Any]]) -> bytes:
        """What can leave when these rows have come."""

    def tail(self) -> bytes:
        """What is left when all have come."""


def file_of(table: Table, form: str) -> File:
    """An empty file in one of MEDIA_TYPES."""
    if form == "parquet":
        return ParquetFile([(name, _column(name)) for name in table.columns])
    return _Lines(table, form)


@dataclass(frozen=True, slots=True)
class _Lines:
    """A line a row."""

    table: Table
    form: str

    def head(self) -> bytes:
        return _csv([self.table.columns]) if self.form == "csv" else b""

    def rows(self, rows: Sequence[Sequence[Any]]) -> bytes:
        if self.form == "csv":
            return _csv([[_cell(value) for value in row] for row in rows])
        columns = self.table.columns
        return b"".join(
            orjson.dumps(dict(zip(columns, row, strict=True)), option=orjson.OPT_APPEND_NEWLINE)
            for row in rows
        )

    def tail(self) -> bytes:
        return b""


_KINDS: Final = {Kind.INTEGER: Column.NUMBER, Kind.DATE: Column.DATE, Kind.TIME: Column.TIME}


def _column(name: str) -> Column:
    """Attributes that a request names are texts, as everywhere in an export."""
    known = BY_KEYWORD.get(name) if any(name in columns for columns in COLUMNS.values()) else None
    return _KINDS.get(known.kind, Column.TEXT) if known is not None else Column.TEXT


def _csv(rows: Iterable[Iterable[Any]]) -> bytes:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue().encode("utf-8", "replace")


def _cell(value: Any) -> Any:
    """A spreadsheet runs a text that begins like a formula: an apostrophe in front keeps it a text."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value


def _plain(value: Any) -> Any:
    """A scalar of an answer; of an object its one field; a list as DICOM joins values (PS3.5 6.4)."""
    if isinstance(value, Mapping):
        return next(iter(value.values()))
    return _joined(value) if isinstance(value, list) else value


def _joined(texts: Iterable[str | None]) -> str | None:
    return "\\".join(text for text in texts if text) or None
