"""Small value types: person names, attributes in the DICOM JSON model."""

from collections.abc import Iterable

import strawberry

from model.person_names import parse_name
from reads.named_elements import NamedElement
from resolvers.descriptions import described
from resolvers.scalars import DicomJson


@strawberry.type(description="A DICOM person name (PS3.5 6.2.1): components and the groups of other scripts.")
class PersonName:
    text: str = described("The first group that is not empty, as stored (Family^Given^Middle^Prefix^Suffix).")
    family: str | None = described("Family name complex.")
    given: str | None = described("Given name complex.")
    middle: str | None = described("Middle name.")
    prefix: str | None = described("Name prefix.")
    suffix: str | None = described("Name suffix.")
    ideographic: str | None = described("The ideographic group, as stored.")
    phonetic: str | None = described("The phonetic group, as stored.")


def person_name(value: str | None) -> PersonName | None:
    """The GraphQL type of a PN as the index keeps it."""
    if value is None:
        return None
    name = parse_name(value)
    return PersonName(
        text=name.text,
        **{field: part or None for field, part in name.components._asdict().items()},
        ideographic=name.ideographic or None,
        phonetic=name.phonetic or None,
    )


@strawberry.type(description="One attribute of a data set.")
class Attribute:
    tag: str = described("GGGGEEEE; of a path, its tags joined by dots.")
    keyword: str | None = described("The keyword of PS3.6; null for private and unknown attributes.")
    name: str = described(
        "What filters and `keywords` call it: its keyword, (CREATOR)ggggxxee of a private attribute, else GGGGEEEE; "
        "of a path, its steps joined by dots."
    )
    vr: str = described("Value representation (PS3.5 6.2).")
    value: DicomJson | None = described("The Value array in the DICOM JSON model; null for bulk data.")
    text: str | None = described("The values for people, joined by a backslash.")


def attributes(found: Iterable[NamedElement]) -> list[Attribute]:
    """The GraphQL types of attributes of a data set."""
    return [
        Attribute(
            tag=each.tag,
            keyword=each.keyword,
            name=each.name,
            vr=each.vr,
            value=None if each.value is None else DicomJson(each.value),
            text=each.text,
        )
        for each in found
    ]
