"""Names of attributes as people write them: keyword, GGGGEEEE, (creator)GGxxEE, dotted sequence paths.

Resolved against PS3.6 (pydicom's dictionary); values are found in DICOM JSON (PS3.18 Annex F).
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from pydicom.datadict import (
    dictionary_has_tag,
    dictionary_keyword,
    dictionary_VM,
    dictionary_VR,
    private_dictionary_VM,
    private_dictionary_VR,
    tag_for_keyword,
)

from model.errors import BadInput
from model.near_names import near_names

_TAG = re.compile(r"[0-9A-Fa-f]{8}\Z")
_PRIVATE = re.compile(
    r"\((?P<creator>[^()]{1,64})\)(?P<group>[0-9A-Fa-f]{4})[xX]{2}(?P<element>[0-9A-Fa-f]{2})\Z"
)
_WITH_COMMA = re.compile(r"\(?([0-9A-Fa-f]{4}), ?([0-9A-Fa-f]{4})\)?\Z")
_WHOLE_PRIVATE = re.compile(r"(\([^()]{1,64}\)[0-9A-Fa-f]{4})[0-9A-Fa-f]{2}([0-9A-Fa-f]{2})\Z")
MAX_STEPS = 8

NUMERIC_VRS = frozenset({"DS", "IS", "FL", "FD", "US", "UL", "SS", "SL", "UV", "SV"})
TEMPORAL_VRS = frozenset({"DA", "TM", "DT"})
BULK_VRS = frozenset(
    {"OB", "OW", "OF", "OD", "OL", "OV", "UN", "OB or OW", "US or OW", "US or SS or OW", "NONE"}
)


@dataclass(frozen=True, slots=True)
class Step:
    """One attribute of a path: its tag, or for a private one creator, group and element byte."""

    tag: str | None
    vr: str | None
    keyword: str | None
    creator: str | None = None
    group: str | None = None
    element: str | None = None

    @property
    def code(self) -> str:
        """As the index knows it: GGGGEEEE or (creator)GGGGEE."""
        return self.tag or f"({self.creator}){self.group}{self.element}"


@dataclass(frozen=True, slots=True)
class AttributePath:
    """A resolved name, cut to what a message may repeat; all but the last step are sequences."""

    name: str
    steps: tuple[Step, ...]

    @property
    def last(self) -> Step:
        return self.steps[-1]

    @property
    def codes(self) -> tuple[str, ...]:
        """The steps as the index knows them: the same for all names of one path."""
        return tuple(step.code for step in self.steps)


@lru_cache(maxsize=4096)
def parse_path(name: str) -> AttributePath:
    """The path that `name` means. Raises BadInput with near names for an unknown one."""
    if not name or len(name) > 512:
        raise BadInput(
            "attribute name: expected a keyword, GGGGEEEE, (creator)GGxxEE or a dotted path of these."
        )
    parts = _split(name)
    if ".".join(parts) != name:
        raise BadInput(f"attribute name: {name[:64]!r} has parentheses or dots that do not belong there.")
    if len(parts) > MAX_STEPS:
        raise BadInput(f"attribute name: at most {MAX_STEPS} steps in a path, got {len(parts)}.")
    steps = tuple(_step(part) for part in parts)
    for step in steps[:-1]:
        if step.vr not in ("SQ", None):
            raise BadInput(
                f"attribute name: {step.keyword or step.tag} is not a sequence, so nothing follows it."
            )
    return AttributePath(name[:64], steps)


_PLAIN_CODE = re.compile(r"[0-9A-F]{8}\Z|\([A-Za-z0-9 ._:/-]{1,64}\)[0-9A-F]{6}\Z")


def is_plain(path: AttributePath) -> bool:
    """True when its codes hold nothing that means anything in SQL or elsewhere: such a path can be declared."""
    return all(_PLAIN_CODE.match(code) for code in path.codes)


def private_name(creator: str, tag: str) -> str | None:
    """(creator)GGxxEE of a private attribute GGbbEE; None where its creator cannot stand in a name."""
    name = f"({creator}){tag[:4]}xx{tag[6:]}"
    return name if _PRIVATE.match(name) and int(tag[:4], 16) % 2 else None


def has_one_value(path: AttributePath) -> bool:
    """Whether DICOM allows one value at the path and no more, as far as its dictionary knows."""
    step = path.last
    if len(path.steps) > 1:
        return False  # a sequence may have several items
    try:
        if step.tag is not None:
            return bool(dictionary_VM(step.tag) == "1")
        return bool(
            private_dictionary_VM(int(f"{step.group}10{step.element}", 16), step.creator or "") == "1"
        )
    except KeyError:
        return False


def _split(name: str) -> list[str]:
    """Splits at dots outside parentheses: a private creator may hold dots."""
    return re.findall(r"(?:\([^()]*\)|[^.()])+", name) if "(" in name else name.split(".")


def _step(part: str) -> Step:
    if private := _PRIVATE.match(part):
        group = private["group"].upper()
        if int(group, 16) % 2 == 0:
            raise BadInput(f"attribute name: private groups are odd, {group} is even.")
        element = private["element"].upper()
        return Step(
            None, _private_vr(private["creator"], group, element), None, private["creator"], group, element
        )
    if _TAG.match(part):
        tag = part.upper()
        known = dictionary_has_tag(tag)
        return Step(tag, dictionary_VR(tag) if known else None, dictionary_keyword(tag) if known else None)
    number = tag_for_keyword(part) if part else None  # PS3.6 has a tag whose keyword is empty
    if number is None:
        raise BadInput(f"attribute name: {part[:64]!r} is not in the DICOM dictionary.{_suggestion(part)}")
    return Step(f"{number:08X}", dictionary_VR(number), part)


def _private_vr(creator: str, group: str, element: str) -> str | None:
    """As pydicom's dictionary of private attributes has it; None where it does not say what to compare."""
    try:
        vr = private_dictionary_VR(int(f"{group}10{element}", 16), creator)
    except KeyError:
        return None
    return None if vr in BULK_VRS else vr


def _suggestion(part: str) -> str:
    if pair := _WITH_COMMA.match(part):
        return f" Did you mean {pair[1]}{pair[2]}?"
    if whole := _WHOLE_PRIVATE.match(part):
        return (
            f" Did you mean {whole[1]}xx{whole[2]}? The block of a private creator differs from file to file."
        )
    near = near_names(part[:64])
    return f" Did you mean {', '.join(near)}?" if near else ""
