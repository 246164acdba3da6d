"""Person names (VR PN, PS3.5 6.2.1): groups and components. Matching and folding are the index's work."""

from typing import NamedTuple


class Components(NamedTuple):
    """The five components of a group; '' where one is not given."""

    family: str
    given: str
    middle: str
    prefix: str
    suffix: str


class Name(NamedTuple):
    """A PN: its alphabetic components and the other two groups as written."""

    text: str
    components: Components
    ideographic: str
    phonetic: str


def parse_name(value: str) -> Name:
    """'Yamada^Tarou=山田^太郎=やまだ^たろう' → its parts. `text` is the first group that is not empty."""
    groups = [group.strip() for group in value.split("=")]
    alphabetic, ideographic, phonetic = [*groups, "", "", ""][:3]
    parts = [part.strip() for part in alphabetic.split("^")]
    components = Components(*[*parts, "", "", "", "", ""][:5])
    return Name(alphabetic or ideographic or phonetic, components, ideographic, phonetic)
