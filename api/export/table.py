"""What an export asks of the schema for each page, and its nodes as rows of values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from api.export.parquet import Field
from api.export.values import ARCHIVES, attribute_column, column_of
from model.attributes import BY_KEYWORD
from model.paths import BULK_VRS, parse_path

PAGE: Final = 200
Row = Sequence[Sequence[Any]]
"""The values of each column: none, one, or several."""

# Column → what the schema calls it. Columns have the keywords of PS3.6, which analysts know.
_STUDY: Final[Mapping[str, str]] = {
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
_SERIES: Final[Mapping[str, str]] = {
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
_INSTANCE: Final[Mapping[str, str]] = {
    "StudyInstanceUID": "series { study { studyInstanceUid } }",
    "SeriesInstanceUID": "series { seriesInstanceUid }",
    "SOPInstanceUID": "sopInstanceUid",
    "SOPClassUID": "sopClassUid",
    "InstanceNumber": "instanceNumber",
    "Rows": "rows",
    "Columns": "columns",
    "NumberOfFrames": "numberOfFrames",
    "AvailableTransferSyntaxUID": "transferSyntaxUid",
}
COLUMNS: Final[Mapping[str, Mapping[str, str]]] = {
    "studies": _STUDY,
    "series": _SERIES,
    "instances": _INSTANCE,
}
"""What can be exported → the columns that it has unless a request says which."""
_MORE: Final[Mapping[str, Mapping[str, str]]] = {
    "studies": {},
    "series": {name: f"study {{ {field} }}" for name, field in _STUDY.items()},
    "instances": {name: f"series {{ study {{ {field} }} }}" for name, field in _STUDY.items()}
    | {name: f"series {{ {field} }}" for name, field in _SERIES.items()},
}
"""Further ones that the levels above have."""
_TYPES: Final = {"studies": "Study", "series": "Series", "instances": "Instance"}
_NO_UID: Final = {"studyInstanceUid": {"eq": "0"}}
_NOTHING: Final[Mapping[str, Mapping[str, Any]]] = {
    "studies": _NO_UID,
    "series": {"study": _NO_UID},
    "instances": {"series": {"study": _NO_UID}},
}
"""Filters that find nothing, at no cost."""


@dataclass(frozen=True)
class Table:
    """What is exported: `of` studies, series or instances, with these columns."""

    of: str
    names: tuple[str, ...]

    @cached_property
    def fields(self) -> dict[str, str]:
        """Columns that are fields of the schema."""
        known = {**_MORE[self.of], **COLUMNS[self.of]}
        return {name: known[name] for name in self.names if name in known}

    @cached_property
    def attributes(self) -> tuple[str, ...]:
        """Columns that are read by name."""
        return tuple(name for name in self.names if name not in self.fields and name != ARCHIVES)

    @cached_property
    def columns(self) -> tuple[Field, ...]:
        """Raises BadInput for a name that nothing has."""
        return tuple(
            attribute_column(self.of, name) if name in self.attributes else column_of(name)
            for name in self.names
        )

    def document(self) -> str:
        """The operation that reads one page; `$opening` also asks what the whole list is worth."""
        kind = _TYPES[self.of]
        variables = [f"$filter: {kind}Filter", "$archives: [String!]", "$after: String", "$opening: Boolean!"]
        variables += [f"$a{n}: [String!]" for n in range(len(self.attributes))]
        fields = [f"c{n}: {field}" for n, field in enumerate(self.fields.values())]
        fields += [
            f"a{n}: attributes(keywords: $a{n}, searched: true) {{ value }}"
            for n in range(len(self.attributes))
        ]
        listed = f"{self.of}(filter: $filter, archives: $archives, first: {PAGE}, after: $after)"
        nodes = f"nodes {{ {' '.join(fields)} locations {{ archive {{ code }} }} }}"
        page = f"pageInfo {{ hasNextPage endCursor }} ...Opening @include(if: $opening) {nodes}"
        sources = "complete sources { archive { code } state }"
        held = ""
        if self.attributes:
            variables.append(f"$held: {kind}Filter")
            looked = f"{self.of}(filter: $held, archives: $archives, first: 1)"
            held = f" held: {looked} @include(if: $opening) {{ {sources} }}"
        return (
            f"query Export({', '.join(variables)}) {{ page: {listed} {{ {page} }}{held} }}"
            f" fragment Opening on {kind}Connection {{ totalCount {sources} }}"
        )

    def variables(self) -> dict[str, Any]:
        """Those that stay the same from page to page.

        held: a filter that looks at the attributes that are columns, and finds nothing: the sources of such a list
        say which archives may have more of them than the index holds.
        """
        named: dict[str, Any] = {f"a{n}": [name] for n, name in enumerate(self.attributes)}
        if self.attributes:
            asked = [{"name": name, "exists": True} for name in self.attributes if _may_be_asked(name)]
            named["held"] = {**_NOTHING[self.of], "attribute": asked or None}
        return named

    def rows(self, nodes: Iterable[Mapping[str, Any]]) -> list[Row]:
        """Nodes of an answer as values in the order of the columns."""
        return [self._row(node) for node in nodes]

    def _row(self, node: Mapping[str, Any]) -> Row:
        found: dict[str, Sequence[Any]] = {name: _values(node[f"c{n}"]) for n, name in enumerate(self.fields)}
        for n, name in enumerate(self.attributes):
            found[name] = [value for each in node[f"a{n}"] for value in each["value"] or ()]
        found[ARCHIVES] = [place["archive"]["code"] for place in node["locations"]]
        return [found[name] for name in self.names]


def default_columns(of: str, more: Iterable[str]) -> tuple[str, ...]:
    """The usual columns, and between them and the last these."""
    return (*COLUMNS[of], *(name for name in more if name not in COLUMNS[of] and name != ARCHIVES), ARCHIVES)


def _may_be_asked(name: str) -> bool:
    """A filter takes an attribute that has a column at its own level only (what has one is always in the index), and
    none without values to compare."""
    path = parse_path(name)
    return path.steps[0].keyword not in BY_KEYWORD and path.last.vr not in BULK_VRS | {"SQ"}


def _values(value: Any) -> Sequence[Any]:
    """A scalar of an answer; of an object its one field; a list."""
    while isinstance(value, Mapping):
        value = next(iter(value.values()))
    return value if isinstance(value, list) else [] if value is None else [value]
