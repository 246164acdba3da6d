"""Odd DICOM JSON made right (PS3.18 Annex F), once, where it comes in: no later room meets it.

What means the same is written as the standard does: values in arrays, names as objects, tags in capitals, several
values of one text apart, numbers as numbers and text as text, dates without punctuation. What no value can be (NaN,
an object where a text belongs, a key that is no tag) is left out, and the data set says so. A value that its VR only
forbids stays as it is. Rows without oddities cost one look at each element.
"""

import math
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from pydicom.datadict import dictionary_has_tag, dictionary_VM, dictionary_VR, keyword_dict, tag_for_keyword

from model.paths import BULK_VRS

MAX_DEPTH: Final = 32
"""Sequences in sequences; what lies deeper is left out."""

_TAG: Final = re.compile(r"[0-9A-F]{8}\Z")
_ODD_TAG: Final = re.compile(r"\(?([0-9A-Fa-f]{4}),? ?([0-9A-Fa-f]{4})\)?\Z")
_VR: Final = re.compile(r"[A-Z]{2}\Z")
_WHOLE: Final = re.compile(r"[+-]?\d{1,18}\Z", re.ASCII)
_WIDE: Final = re.compile(r"[+-]?\d{1,20}\Z", re.ASCII)  # of 64 bits, as text (PS3.18 F.2.3.1)
_NUMBER: Final = re.compile(r"[+-]?(\d{1,30}\.?\d{0,30}|\.\d{1,30})([eE][+-]?\d{1,3})?\Z", re.ASCII)
_DATE: Final = re.compile(r"(\d{4})([-.])(\d{2})\2(\d{2})\Z", re.ASCII)
_TIME: Final = re.compile(r"(\d{2}):(\d{2})(?::(\d{2}(?:\.\d{1,6})?))?\Z", re.ASCII)
_MOMENT: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2}(?:\.\d{1,6})?))?(Z|[+-]\d{2}:?\d{2})?\Z", re.ASCII
)

# A backslash separates the values of these (PS3.5 6.2); in LT, ST, UT and UR it is a character.
_SEPARATED: Final = frozenset(
    {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "PN", "SH", "TM", "UC", "UI"}
    | {"FL", "FD", "US", "SS", "UL", "SL", "UV", "SV", "AT"}
)
# JSON numbers; of DS, IS, SV and UV strings are right, too (PS3.18 F.2.3.1).
_INTEGERS: Final = frozenset({"US", "SS", "UL", "SL"})
_FLOATS: Final = frozenset({"FL", "FD"})
_EITHER: Final = frozenset({"DS", "IS", "SV", "UV"})
_NUMBERS: Final = _INTEGERS | _FLOATS | _EITHER
_PUNCTUATED: Final = {"DA": "-.", "TM": ":", "DT": ":"}
_STANDARD: Final = frozenset(f"{tag:08X}" for tag in keyword_dict.values())
_GROUPS: Final = ("Alphabetic", "Ideographic", "Phonetic")
_NOT_A_TAG: Final = "keys that are no tags"


class DataSet(dict[str, Any]):
    """DICOM JSON that is as the standard writes it. notes: of what could not be kept, or is not
    what its VR wants, where it is (tags, joined by dots) and what of it."""

    __slots__ = ("notes",)

    def __init__(
        self, elements: Mapping[str, Any] | None = None, notes: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(elements or {})
        self.notes: dict[str, str] = dict(notes or {})


class _Nothing:
    """No value."""


_NOTHING: Final = _Nothing()


def data_set_of(row: Mapping[str, Any]) -> DataSet:
    """The row as the standard writes it; the same object if it is known to be."""
    return row if isinstance(row, DataSet) else _Normaliser().data_set(row)


def like(row: Mapping[str, Any], elements: Mapping[str, Any]) -> dict[str, Any]:
    """Some of the elements of a row: as right as it is known to be."""
    return DataSet(elements, row.notes) if isinstance(row, DataSet) else dict(elements)


def has_a_tag(row: Mapping[Any, Any]) -> bool:
    """Whether this is a data set at all, however odd."""
    return not row or any(_tag_of(key) is not None for key in row)


def told_of(notes: Mapping[str, str]) -> str:
    """What is noted, as one text: tags and reasons, without any value."""
    return ", ".join(f"{tag} {why}" if tag else why for tag, why in sorted(notes.items()))


@lru_cache(maxsize=20_000)
def _tag_of(key: Any) -> str | None:
    """GGGGEEEE of a key that is a tag in any writing, or a keyword; None for what is none."""
    if not isinstance(key, str):
        return None
    if _TAG.match(key):
        return key
    if found := _ODD_TAG.match(key.strip()):
        return (found[1] + found[2]).upper()
    number = tag_for_keyword(key)
    # keywords of group 0000 (Status, ErrorComment) are words that error messages have as well
    return None if number is None or number < 0x00020000 else f"{number:08X}"


@lru_cache(maxsize=20_000)
def _known(tag: str) -> tuple[str | None, bool]:
    """(VR, whether there may be several values) of PS3.6; (None, True) of what it does not know."""
    if not dictionary_has_tag(tag):
        return ("LO", False) if tag[4:6] == "00" and int(tag[:4], 16) % 2 else (None, True)
    vr = dictionary_VR(tag)
    return (vr if _VR.match(vr) else None), dictionary_VM(tag) != "1"


class _Normaliser:
    """One row: the tags on the way down, and what is left out."""

    def __init__(self) -> None:
        self._path: list[str] = []
        self._notes: dict[str, str] = {}

    def data_set(self, row: Mapping[str, Any]) -> DataSet:
        made = self._items(row)
        made.notes = self._notes
        return made

    def _items(self, row: Mapping[str, Any]) -> DataSet:
        made = DataSet()
        odd: dict[str, Any] = {}
        for key, element in row.items():
            if key in _STANDARD or _tag_of(key) == key:
                made[key] = element if _is_clean(element) else self._element(key, element)
            else:
                odd[key] = element
        for key, element in odd.items():
            tag = _tag_of(key)
            if tag is None:
                self._leave_out(_NOT_A_TAG)
            elif tag in made:
                self._path.append(tag)
                self._leave_out("told twice")
                self._path.pop()
            else:
                made[tag] = self._element(tag, element)
        return made

    def _leave_out(self, why: str) -> _Nothing:
        name = ".".join(self._path)
        self._notes.setdefault(name, f"left out: {why}")
        return _NOTHING

    def _element(self, tag: str, element: Any) -> dict[str, Any]:
        self._path.append(tag)
        try:
            return self._made(tag, element)
        finally:
            self._path.pop()

    def _made(self, tag: str, element: Any) -> dict[str, Any]:
        told: Mapping[str, Any] = element if isinstance(element, Mapping) else {"Value": element}
        known, several = _known(tag)
        vr = _vr_of(told, known)
        made: dict[str, Any] = {"vr": vr} if vr else {}
        made |= {key: told[key] for key in ("BulkDataURI", "InlineBinary") if key in told}
        values = told["Value"] if "Value" in told else told.get("value")
        listed = values if isinstance(values, list) else [] if values is None else [values]
        found = self._values(vr or "UN", listed, several=several)
        if found:
            made["Value"] = found
        return made

    def _values(self, vr: str, listed: list[Any], *, several: bool) -> list[Any]:
        """Nulls stay where they keep the place of a value among several."""
        if several and vr in _SEPARATED:
            listed = [part for value in listed for part in _apart(value)]
        keeps_places = several and vr != "SQ"
        made: list[Any] = []
        for value in listed:
            one = None if value is None else self._value(vr, value)
            if one is None or one is _NOTHING:
                if keeps_places:
                    made.append(None)
            else:
                made.append(one)
        while made and made[-1] is None:
            made.pop()
        return made

    def _value(self, vr: str, value: Any) -> Any:
        if vr == "SQ":
            return self._item(value)
        if isinstance(value, float) and not math.isfinite(value):
            return self._leave_out("no number that there is")
        if vr == "PN":
            return self._name(value)
        if isinstance(value, Mapping):
            return self._object(vr, value)
        if isinstance(value, list):
            return self._leave_out("an array in an array")
        if vr == "UN":
            return value
        if vr in _NUMBERS:
            return self._number(vr, value)
        return self._text(vr, value)

    def _object(self, vr: str, value: Mapping[str, Any]) -> Any:
        """Servers that know no VR send names and data sets all the same."""
        if vr == "UN" and has_a_tag(value):
            return self._item(value)
        if vr == "UI":  # what is no name of a person becomes no name of a study either
            return self._leave_out("an object instead of a UID")
        name = self._name(value)
        if vr in _NUMBERS and isinstance(name, dict):
            return self._leave_out("an object instead of a number")
        if not isinstance(name, dict):
            return name
        return "=".join(name.get(group, "") for group in _GROUPS).rstrip("=")

    def _item(self, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return self._leave_out("no data set, in a sequence")
        if len(self._path) >= MAX_DEPTH:
            return self._leave_out("too deep")
        return dict(self._items(value))

    def _number(self, vr: str, value: Any) -> Any:
        if isinstance(value, bool):
            return self._leave_out("true or false instead of a number")
        if not isinstance(value, str):
            return value if vr != "IS" or value == int(value) else self._keep(vr, value)
        text = value.strip(" \0")
        if vr in _INTEGERS and _WHOLE.match(text):
            return int(text)
        if vr in _FLOATS and _NUMBER.match(text):
            number = float(text)
            return number if math.isfinite(number) else self._keep(vr, value)
        return value if not text or _is_either(vr, text) else self._keep(vr, value)

    def _keep(self, vr: str, value: Any) -> Any:
        self._notes.setdefault(".".join(self._path), f"no {vr}, kept as written")
        return value

    def _text(self, vr: str, value: Any) -> Any:
        if isinstance(value, str):
            return _punctuated(vr, value)
        if isinstance(value, bool):
            return self._leave_out("no UID") if vr == "UI" else "true" if value else "false"
        if vr == "UI":  # 1.20 and 1.2 are one number and two UIDs
            return value
        if isinstance(value, float):
            if not value.is_integer():
                return repr(value)
            # more digits than it can hold: which they were is lost
            return str(int(value)) if abs(value) < 2**53 else self._leave_out("a number of too many digits")
        return str(value) if isinstance(value, int) else self._leave_out("no text")

    def _name(self, value: Any) -> Any:
        """Groups as text; escape sequences are for decoding.py, as they came."""
        if isinstance(value, str):
            if "\x1b" in value:
                return value
            parts = dict(zip(_GROUPS, value.split("=", 2), strict=False))
            return {group: text for group, text in parts.items() if text} or _NOTHING
        if isinstance(value, Mapping):
            told = {str(key).capitalize(): text for key, text in value.items() if text is not None}
            made = {
                group: text if isinstance(text := told[group], str) else str(text)
                for group in _GROUPS
                if group in told and isinstance(told[group], (str, int, float)) and told[group] != ""
            }
            return made or (_NOTHING if not told else self._leave_out("no name"))
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return {"Alphabetic": str(value)}
        return self._leave_out("no name")


def _vr_of(told: Mapping[str, Any], known: str | None) -> str | None:
    """As told; that of PS3.6 where it is not told, or unknown to the server."""
    vr = told.get("vr", told.get("VR"))
    vr = vr.strip().upper() if isinstance(vr, str) else None
    if vr is None or not (_VR.match(vr) or vr in BULK_VRS) or (vr == "UN" and "Value" in told):
        return known or (vr if vr == "UN" else None)
    return vr


def _apart(value: Any) -> list[Any]:
    """Several values in one text; escape sequences may hold the code of a backslash."""
    if not isinstance(value, str) or "\\" not in value or "\x1b" in value:
        return [value]
    return [part or None for part in value.split("\\")]


def _punctuated(vr: str, text: str) -> str:
    """Dates and times of other standards, and of older editions, as this one writes them."""
    marks = _PUNCTUATED.get(vr)
    if marks is None or not any(mark in text for mark in marks):
        return text
    stripped = text.strip(" \0")
    if vr == "DA" and (found := _DATE.match(stripped)):
        return found[1] + found[3] + found[4]
    if vr == "TM" and (found := _TIME.match(stripped)):
        return found[1] + found[2] + (found[3] or "")
    if vr == "DT" and (found := _MOMENT.match(stripped)):
        offset = (found[7] or "").replace(":", "").replace("Z", "+0000")
        return "".join(found[part] for part in range(1, 6)) + (found[6] or "") + offset
    return text


# ---- what is clean is told at a glance ----------------------------------------------------------------------


def _is_text(value: Any) -> bool:
    return type(value) is str


def _is_one_text(value: Any) -> bool:
    return type(value) is str and "\\" not in value


def _is_integer(value: Any) -> bool:
    return type(value) is int


def _is_float(value: Any) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _is_decimal(value: Any) -> bool:
    return _is_float(value) or (type(value) is str and _NUMBER.match(value.strip()) is not None)


def _is_whole(value: Any) -> bool:
    return type(value) is int or (type(value) is str and _WHOLE.match(value.strip()) is not None)


def _is_wide(value: Any) -> bool:
    return type(value) is int or (type(value) is str and _WIDE.match(value.strip()) is not None)


def _is_either(vr: str, text: str) -> bool:
    return vr in _EITHER and _CLEAN[vr](text)


def _is_name(value: Any) -> bool:
    return (
        type(value) is dict
        and len(value) > 0
        and all(type(text) is str and group in _GROUPS for group, text in value.items())
    )


def _has_no_marks(marks: str) -> Callable[[Any], bool]:
    first, last = marks[0], marks[-1]
    return lambda value: type(value) is str and "\\" not in value and first not in value and last not in value


_CLEAN: Final[dict[str, Callable[[Any], bool]]] = {
    **dict.fromkeys(("LT", "ST", "UT", "UR"), _is_text),
    **dict.fromkeys(("AE", "AS", "CS", "LO", "SH", "UC", "UI", "AT"), _is_one_text),
    **dict.fromkeys(_INTEGERS, _is_integer),
    **dict.fromkeys(_FLOATS, _is_float),
    "DS": _is_decimal,
    "IS": _is_whole,
    **dict.fromkeys(("SV", "UV"), _is_wide),
    **{vr: _has_no_marks(marks) for vr, marks in _PUNCTUATED.items()},
    "PN": _is_name,
}


def _is_clean(element: Any) -> bool:
    """Whether nothing is odd about it. What is not sure is no."""
    if type(element) is not dict:
        return False
    values, vr = element.get("Value"), element.get("vr")
    is_clean = _CLEAN.get(vr) if type(vr) is str else None
    if values is None:
        return len(element) == 1 and is_clean is not None
    if is_clean is None or type(values) is not list or not values:
        return False
    return is_clean(values[0]) if len(values) == 1 else all(is_clean(value) for value in values)
