"""What a value means by the rules of its VR (PS3.5 6.2): two ways of writing the same thing mean the same.

What a VR forbids means what it is written as, so that a valid value and an invalid one never mean the same.
Values are shown as they were sent; nothing here changes them.
"""

import re
import struct
import unicodedata
from collections.abc import Hashable, Mapping
from decimal import Decimal
from typing import Any, Final

from pydicom.datadict import dictionary_has_tag, dictionary_VR

from model.dicom_json import name_text, parse_date
from model.paths import NUMERIC_VRS
from model.spans import number_of

# Leading spaces of these are part of the value; of all others they are padding, as trailing ones are.
_LEADING_MATTERS: Final = frozenset({"ST", "LT", "UT"})
_TAG: Final = re.compile(r"[0-9A-F]{8}\Z")
_TIME: Final = re.compile(r"(\d{2})(?::?(\d{2})(?::?(\d{2})(?:\.(\d{1,6}))?)?)?\Z", re.ASCII)
_MOMENT: Final = re.compile(r"(\d{4}(?:\d{2}){0,2})(\d{2}[\d.]*)?(?:([+-])(\d{2})(\d{2}))?\Z", re.ASCII)
_DAY_SECONDS: Final = 86400


def meanings(tag: str, element: Mapping[str, Any]) -> tuple[Hashable, ...]:
    """One meaning a value, in order, without empty ones at the end; () where there is no value to compare.

    The VR is that of PS3.6 where it knows the tag, else what the element says. Sequences and bulk data have none.
    """
    values, vr = element.get("Value"), _vr(tag, element)
    if not isinstance(values, list) or vr == "SQ":
        return ()
    found = [_meaning(vr, value) for value in values]
    while found and found[-1] == "":
        found.pop()
    return tuple(found)


def _vr(tag: str, element: Mapping[str, Any]) -> str:
    if _TAG.match(tag) and dictionary_has_tag(tag) and len(known := dictionary_VR(tag)) == 2:
        return known
    told = element.get("vr")
    return told if isinstance(told, str) else "UN"


def _meaning(vr: str, value: Any) -> Hashable:
    if value is None:
        return ""
    if isinstance(value, Mapping) or (vr == "PN" and isinstance(value, str)):
        return _name(value)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    text = str(value).replace("\0", "")  # what pads a UI
    read: Hashable
    match vr:
        case "DA":
            read = parse_date(text.strip())
        case "TM":
            read = _seconds(text.strip())
        case "DT":
            read = _moment(text.strip())
        case _:
            read = _number(vr, text) if is_number or vr in NUMERIC_VRS else None
    return _text(vr, text) if read is None else read


def _text(vr: str, text: str) -> str:
    """Composed (NFC), lines ended alike, without padding; a CS in capitals, as it has no others."""
    composed = unicodedata.normalize("NFC", text).replace("\r\n", "\n")
    stripped = composed.rstrip() if vr in _LEADING_MATTERS else composed.strip()
    return stripped.upper() if vr == "CS" else stripped


def _name(value: Any) -> str:
    """Groups of components, each without padding, and without the empty ones at the end."""
    groups = [
        "^".join(part.strip() for part in group.split("^")).rstrip("^")
        for group in _text("PN", name_text(value) or "").split("=")
    ]
    return "=".join(groups).rstrip("=")


def _number(vr: str, text: str) -> Hashable:
    """By value, however many digits are written; an FL as the 32 bits that it is. None: no number."""
    number = number_of(text)
    if number is None or number == number.to_integral_value():
        return number
    if vr == "FL" and abs(number) < 2**127:
        return float(struct.unpack("f", struct.pack("f", float(number)))[0])
    return float(number)  # who sends a DS as a JSON number has made a double of it


def _seconds(text: str) -> Decimal | None:
    """A TM as seconds of the day; minutes and seconds that are not told are none."""
    found = _TIME.match(text)
    if found is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups()[:3])
    if hours > 23 or minutes > 59 or seconds > 60:
        return None
    return hours * 3600 + minutes * 60 + seconds + Decimal(f"0.{found[4] or 0}")


def _moment(text: str) -> Hashable:
    """A DT: as much of its date as is told; where all of it and a time are, seconds, and whether UTC is known."""
    found = _MOMENT.match(text)
    if found is None:
        return None
    day, clock, sign, hours, minutes = found.groups()
    date = parse_date(day)
    seconds = None if clock is None else _seconds(clock)
    if (len(day) == 8 and date is None) or (clock is not None and (date is None or seconds is None)):
        return None
    east = None if sign is None else int(f"{sign}1") * (int(hours) * 3600 + int(minutes) * 60)
    if date is None or seconds is None:
        return day, east
    return date.toordinal() * _DAY_SECONDS + seconds - (east or 0), east is not None
