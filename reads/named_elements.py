"""Attributes of data sets by name: what `keywords` finds in one, and where copies of one disagree."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydicom.datadict import dictionary_has_tag, dictionary_keyword, keyword_for_tag

from model.dicom_json import elements, first, name_text, values_of
from model.errors import BadInput
from model.meanings import meanings
from model.paths import AttributePath, Step, parse_path, private_name

MAX_KEYWORDS = 200


@dataclass(frozen=True, slots=True)
class NamedElement:
    """One attribute of a data set. tag: GGGGEEEE; of a path, its tags joined by dots. name: what parse_path takes.
    value: the Value array; None for bulk data. text: for people."""

    tag: str
    keyword: str | None
    name: str
    vr: str
    value: list[Any] | None
    text: str | None


def attributes_of(row: Mapping[str, Any], keywords: Sequence[str] | None) -> list[NamedElement]:
    """The attributes of a data set that have a value: all, or those named, in the order named."""
    if keywords is None:
        return [_attribute(tag, element, _name(row, tag)) for tag, element in elements(row)]
    return [found for name in keywords for found in _at_path(row, parse_path(name))]


def has_all(row: Mapping[str, Any], keywords: Sequence[str]) -> bool:
    """True when the data set holds the first step of every name."""
    return all(any(True for _ in _elements_of(row, parse_path(name).steps[0])) for name in keywords)


def _at_path(row: Mapping[str, Any], path: AttributePath) -> Iterator[NamedElement]:
    """The attribute at a path; the values of all items of its sequences are one Value array."""
    items: list[Mapping[str, Any]] = [row]
    for step in path.steps[:-1]:
        items = [
            item for parent in items for _, element in _elements_of(parent, step) for item in _items(element)
        ]
    found = [pair for item in items for pair in _elements_of(item, path.last)]
    if not found:
        return
    tags = [step.tag or step.element or "" for step in path.steps[:-1]]
    values = [value for _, element in found for value in element.get("Value", [])]
    merged = {"vr": found[0][1].get("vr", "UN"), **({"Value": values} if values else {})}
    yield _attribute(".".join([*tags, found[0][0]]), merged, ".".join(map(_step_name, path.steps)))


def _elements_of(item: Mapping[str, Any], step: Step) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if step.tag is not None:
        element = item.get(step.tag)
        if isinstance(element, Mapping):
            yield step.tag, element
        return
    for block, _ in elements(item):
        # PS3.5 7.8.1: element 00bb of a private group reserves block bb for its creator.
        if block.startswith(f"{step.group}00") and values_of(item, block) and block[4:6] == "00":
            creator = values_of(item, block)[0]
            tag = f"{step.group}{block[6:]}{step.element}"
            if isinstance(creator, str) and creator.strip() == step.creator and tag in item:
                yield tag, item[tag]


def _items(element: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return (item for item in element.get("Value", []) if isinstance(item, Mapping))


def _attribute(tag: str, element: Mapping[str, Any], name: str) -> NamedElement:
    value = element.get("Value")
    return NamedElement(
        tag=tag,
        keyword=_keyword(tag.rpartition(".")[2]),
        name=name,
        vr=str(element.get("vr", "UN")),
        value=value if isinstance(value, list) else None,
        text=text_of(element),
    )


def _keyword(tag: str) -> str | None:
    try:
        return (dictionary_keyword(tag) or None) if dictionary_has_tag(tag) else None
    except ValueError:
        return None


def _name(row: Mapping[str, Any], tag: str) -> str:
    """What parse_path takes; of a private attribute whose creator is not there, its tag."""
    if (keyword := _keyword(tag)) is not None:
        return keyword
    creator = first(row, f"{tag[:4]}00{tag[4:6]}") if tag[4:6] >= "10" else None
    return (private_name(creator, tag) if isinstance(creator, str) else None) or tag


def _step_name(step: Step) -> str:
    return step.keyword or step.tag or f"({step.creator}){step.group}xx{step.element}"


def text_of(element: Mapping[str, Any]) -> str | None:
    """The values of an element for people; None for none and for sequences."""
    value = element.get("Value")
    if not isinstance(value, list) or element.get("vr") == "SQ":
        return None
    texts = [
        name_text(item) if isinstance(item, Mapping) else _plain(item) for item in value if item is not None
    ]
    return "\\".join(text for text in texts if text) or None


def _plain(item: Any) -> str:
    """Some archives send 5.0 where others send 5."""
    return str(int(item)) if isinstance(item, float) and abs(item) < 1e15 and item.is_integer() else str(item)


# What a server says of itself and of its copy, not of the study: copies differ there by nature.
_OF_THE_COPY = frozenset(
    {
        "00080005",  # SpecificCharacterSet
        "00080054",  # RetrieveAETitle
        "00080056",  # InstanceAvailability
        "00080061",  # ModalitiesInStudy
        "00080062",  # SOPClassesInStudy
        "00080201",  # TimezoneOffsetFromUTC
        "00081190",  # RetrieveURL
        "00083002",  # AvailableTransferSyntaxUID
        "00201200",  # NumberOfPatientRelatedStudies
        "00201202",  # NumberOfPatientRelatedSeries
        "00201204",  # NumberOfPatientRelatedInstances
        "00201206",  # NumberOfStudyRelatedSeries
        "00201208",  # NumberOfStudyRelatedInstances
        "00201209",  # NumberOfSeriesRelatedInstances
    }
)


def disagreements(copies: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str | None]]]:
    """(keyword, text of each copy) of every attribute of which copies have values that mean different things.

    A copy without a value disagrees with nobody: servers differ in what a search returns.
    """
    told = [_compared(copy) for copy in copies]
    tags = {name: tag for each in reversed(told) for name, (tag, _) in each.items()}
    found = []
    for name, tag in sorted(tags.items(), key=lambda pair: pair[1]):
        values = [each[name][1] if name in each else {} for each in told]
        if len({meant for element in values if (meant := meanings(tag, element))}) > 1:
            found.append((keyword_for_tag(tag) or name, [text_of(element) for element in values]))
    return found


def _compared(copy: Mapping[str, Any]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """(tag, element) by what makes it the same attribute elsewhere: a private one stands in any block, and which
    block its creator has says nothing."""
    return {
        _name(copy, tag) if _is_private(tag) else tag: (tag, element)
        for tag, element in elements(copy)
        if tag not in _OF_THE_COPY and not (_is_private(tag) and tag[4:6] == "00")
    }


def _is_private(tag: str) -> bool:
    """PS3.5 7.8: of an odd group."""
    return tag[3:4] in "13579BDF"


def keywords_of(names: Sequence[str] | None) -> Sequence[str] | None:
    """The names of a `keywords` argument, each checked. Raises BadInput for an unknown one."""
    if names is None:
        return None
    if len(names) > MAX_KEYWORDS:
        raise BadInput(f"keywords: at most {MAX_KEYWORDS}, got {len(names)}.")
    for name in names:
        parse_path(name)
    return names
