"""The operation of the schema that answers a search, and its nodes as DICOM JSON rows (PS3.18 10.6.3)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from api.dicomweb.search_keys import LEVELS, Search
from model.attributes import BY_KEYWORD, Level, attribute
from model.paths import AttributePath

Row = dict[str, Any]

_FIELDS: Final[Mapping[Level, Mapping[str, str]]] = {
    Level.STUDY: {
        "StudyInstanceUID": "studyInstanceUid",
        "ModalitiesInStudy": "modalitiesInStudy",
        "NumberOfStudyRelatedSeries": "numberOfStudyRelatedSeries",
        "NumberOfStudyRelatedInstances": "numberOfStudyRelatedInstances",
    },
    Level.SERIES: {
        "SeriesInstanceUID": "seriesInstanceUid",
        "NumberOfSeriesRelatedInstances": "numberOfSeriesRelatedInstances",
    },
    Level.INSTANCE: {
        "SOPInstanceUID": "sopInstanceUid",
        "SOPClassUID": "sopClassUid",
        "InstanceNumber": "instanceNumber",
        "Rows": "rows",
        "Columns": "columns",
        "NumberOfFrames": "numberOfFrames",
        "AvailableTransferSyntaxUID": "transferSyntaxUid",
    },
}
"""Of the union of all copies; and of instances all, as an attribute that the index lacks is asked of an archive."""
_ALWAYS: Final[Mapping[Level, tuple[str, ...]]] = {
    Level.STUDY: (
        *("StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "PatientName", "PatientID"),
        *("IssuerOfPatientID", "PatientBirthDate", "PatientSex", "StudyID", "StudyDescription"),
    ),
    Level.SERIES: (
        *("Modality", "SeriesDescription", "SeriesNumber", "SeriesDate", "SeriesTime", "BodyPartExamined"),
        *("PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime", "RequestAttributesSequence"),
    ),
    Level.INSTANCE: (),
}
"""Tables 10.6.3-3 to 10.6.3-5, and what lists of studies and series show everywhere."""
_LISTS: Final = {Level.STUDY: "studies", Level.SERIES: "series", Level.INSTANCE: "instances"}
_TYPES: Final = {Level.STUDY: "Study", Level.SERIES: "Series", Level.INSTANCE: "Instance"}
_SEGMENTS: Final = ("studies", "series", "instances")
_CHARACTER_SET, _RETRIEVE_URL, _AVAILABILITY = "00080005", "00081190", "00080056"
# What an archive says of itself: its name on a network, where it has things, how it writes text.
_OF_A_SERVER: Final = frozenset({_CHARACTER_SET, "00080054", _AVAILABILITY, _RETRIEVE_URL})


def document(search: Search) -> str:
    """One page, and what is known of its completeness."""
    variables = [
        f"$filter: {_TYPES[search.level]}Filter",
        "$archives: [String!]",
        "$first: Int",
        "$after: String",
    ]
    variables += [f"${level}: [String!]" for level in _answered(search)]
    page = f"{_LISTS[search.level]}(filter: $filter, archives: $archives, first: $first, after: $after)"
    rest = "complete pageInfo { hasNextPage } sources { archive { code } state }"
    return f"query Search({', '.join(variables)}) {{ page: {page} {{ {rest} nodes {{ {_node(search)} }} }} }}"


def skipping(search: Search) -> str:
    """The end of a page, of which nothing else is read."""
    page = f"{_LISTS[search.level]}(filter: $filter, archives: $archives, first: $first, after: $after)"
    return (
        f"query Skip($filter: {_TYPES[search.level]}Filter, $archives: [String!], $first: Int, $after: String)"
        f" {{ page: {page} {{ pageInfo {{ hasNextPage endCursor }} }} }}"
    )


def variables(search: Search) -> dict[str, Any]:
    """Those that stay the same for all pages."""
    named = {str(level): list(names) for level, names in _answered(search).items()}
    return {"filter": search.filter, **named}


def _answered(search: Search) -> dict[Level, Sequence[str]]:
    """The names that `attributes` is asked for, by level."""
    found: dict[Level, Sequence[str]] = {}
    for level in LEVELS[: LEVELS.index(search.level) + 1]:
        always = _ALWAYS[level] if _is_whole(search, level) else ()
        own = _FIELDS[level]
        names = dict.fromkeys((*always, *(_first(path) for path in search.named_at(level))))
        if asked := [name for name in names if name not in own]:
            found[level] = asked
    return found


def _first(path: AttributePath) -> str:
    """A sequence is answered whole."""
    step = path.steps[0]
    return step.keyword or step.tag or f"({step.creator}){step.group}xx{step.element}"


def _is_whole(search: Search, level: Level) -> bool:
    """Whether the row tells of this level: its own, and those above that the path does not name."""
    return LEVELS.index(level) >= len(search.above)


def _node(search: Search) -> str:
    selected = ""
    for level in LEVELS[: LEVELS.index(search.level) + 1]:
        above = LEVELS[LEVELS.index(level) - 1]
        parent = f" {above} {{ {selected} }}" if selected else ""
        selected = f"{' '.join(_FIELDS[level].values())}{_attributes(search, level)}{parent}"
    return selected


def _attributes(search: Search, level: Level) -> str:
    if search.everything and _is_whole(search, level):
        named = (
            f" more: {_named(level)}" if level is not Level.INSTANCE and level in _answered(search) else ""
        )
        return f" attributes {{ tag vr value }}{named}"
    return f" {_named(level)}" if level in _answered(search) else ""


def _named(level: Level) -> str:
    searched = "" if level is Level.INSTANCE else ", searched: true"
    return f"attributes(keywords: ${level}{searched}) {{ tag vr value }}"


def rows(search: Search, nodes: Sequence[Mapping[str, Any]], root: str) -> list[Row]:
    """root: the URL of this server's DICOMweb."""
    return [_row(search, node, root) for node in nodes]


def _row(search: Search, node: Mapping[str, Any], root: str) -> Row:
    levels = LEVELS[: LEVELS.index(search.level) + 1]
    row: Row = {_CHARACTER_SET: {"vr": "CS", "Value": ["ISO_IR 192"]}}  # as JSON and XML are written
    nodes = _from_study_down(node, search.level)
    for level, each in zip(levels, nodes, strict=True):
        row |= row_of_attributes(each.get("more") or ()) | row_of_attributes(each.get("attributes") or ())
        if level is search.level or _is_whole(search, level):
            for keyword in (*_FIELDS[level], *_ALWAYS[level]):
                row.setdefault(attribute_tag(keyword), {"vr": attribute_vr(keyword)})
            fields: Sequence[str] = tuple(_FIELDS[level])
        else:
            named = {_first(path) for path in search.named_at(level)}
            fields = [keyword for keyword in _FIELDS[level] if keyword in named or keyword.endswith("UID")]
        for keyword in fields:
            row[attribute_tag(keyword)] = _element(keyword, each[_FIELDS[level][keyword]])
    row[_AVAILABILITY] = {"vr": "CS", "Value": ["ONLINE"]}
    row[_RETRIEVE_URL] = {"vr": "UR", "Value": [url_of(root, uids_of(nodes))]}
    return dict(sorted(row.items()))


def _from_study_down(node: Mapping[str, Any], level: Level) -> list[Mapping[str, Any]]:
    found = [node]
    for above in reversed(LEVELS[: LEVELS.index(level)]):
        found.insert(0, found[0][str(above)])
    return found


def uids_of(nodes: Sequence[Mapping[str, Any]]) -> list[str]:
    names = ("studyInstanceUid", "seriesInstanceUid", "sopInstanceUid")
    return [str(node[name]) for node, name in zip(nodes, names, strict=False)]


def url_of(root: str, uids: Sequence[str]) -> str:
    """Of a study, series or instance at this server; a UID that breaks the rules may have any character."""
    return root + "".join(
        f"/{name}/{quote(uid, safe='')}" for name, uid in zip(_SEGMENTS, uids, strict=False)
    )


def row_of_attributes(attributes: Sequence[Mapping[str, Any]]) -> Row:
    """What `attributes { tag vr value }` of the schema answers, as DICOM JSON."""
    return dict(pair for each in attributes for pair in _pairs(each))


def _pairs(found: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if found["tag"] not in _OF_A_SERVER:
        value = found["value"]
        yield found["tag"], {"vr": found["vr"], **({"Value": value} if value else {})}


def _element(keyword: str, value: Any) -> dict[str, Any]:
    values = value if isinstance(value, list) else [] if value is None else [value]
    return {"vr": attribute_vr(keyword), **({"Value": values} if values else {})}


def attribute_tag(keyword: str) -> str:
    return attribute(keyword).tag if keyword in BY_KEYWORD else _MORE[keyword][0]


def attribute_vr(keyword: str) -> str:
    return attribute(keyword).vr if keyword in BY_KEYWORD else _MORE[keyword][1]


_MORE: Final = {
    "PerformedProcedureStepStartDate": ("00400244", "DA"),
    "PerformedProcedureStepStartTime": ("00400245", "TM"),
    "RequestAttributesSequence": ("00400275", "SQ"),
}
"""Of `_ALWAYS`, those that have no column."""
