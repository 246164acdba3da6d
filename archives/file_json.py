"""The data set of a DICOM file as DICOM JSON (PS3.18 Annex F), element by element: a bad value spoils nothing else.

What a value is written as is kept where it is not what its VR wants, and noted; bulk data is left out.
"""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from pydicom import Dataset
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag
from pydicom.valuerep import PersonName

from archives.rows import put
from model.odd_json import DataSet, data_set_of

# What has no place in a list, or would fill it; UN may be anything.
_BULK = ("OB", "OD", "OF", "OL", "OV", "OW", "UN")
_DECIMALS = ("IS", "DS")
# Of these a damaged value has no text that could be shown.
_BINARY = ("US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "AT", "SQ", *_BULK)


def json_of(data_set: Dataset) -> DataSet:
    """DICOM JSON is UTF-8 and says so (PS3.18 F.2)."""
    notes: dict[str, str] = {}
    row = data_set_of(dict(_elements(data_set, "", notes)))
    row.notes |= {tag: why for tag, why in notes.items() if tag not in row.notes}
    put(row, "00080005", "CS", "ISO_IR 192")
    return row


def _elements(data_set: Dataset, path: str, notes: dict[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for tag in sorted(data_set.keys()):
        name = f"{tag:08X}"
        where = f"{path}{name}"
        raw = data_set.get_item(tag)
        vr = _vr(tag, raw)
        try:
            texts = _decimals(raw) if vr in _DECIMALS else None
            if texts is None:
                element = data_set[tag]
                vr = element.VR
                found = [] if vr in _BULK else _values(element, where, notes)
            else:
                found = [_number(vr, text) for text in texts]
        except Exception:  # whatever pydicom makes of a damaged value: the others are still good
            found = _as_written(vr, raw)
            notes[where] = f"no {vr}, kept as written" if found else f"left out: no {vr}"
        if vr not in _BULK:
            yield name, {"vr": vr, "Value": found} if found else {"vr": vr}


def _vr(tag: BaseTag, raw: Any) -> str:
    """As the file says, or PS3.6 where it does not."""
    told = getattr(raw, "VR", None)
    if told in (None, "UN") and dictionary_has_tag(tag):
        told = dictionary_VR(tag)
    return str(told or "UN")


def _decimals(raw: Any) -> list[str] | None:
    """The texts of an IS or DS before anybody makes numbers of them: the same comes out by pydicom's, which takes a
    quarter more of the time of a file and warns of each odd one."""
    if not isinstance(raw, RawDataElement) or not isinstance(raw.value, bytes):
        return None
    text = raw.value.decode("ascii").strip(" \0")
    return [part.strip() for part in text.split("\\")] if text else []


def _number(vr: str, text: str) -> int | float | str | None:
    """The number that a text says; the text where a number would say another one, or it says none."""
    if not text:
        return None
    try:
        exact = Decimal(text)
    except InvalidOperation:
        return text
    if not exact.is_finite() or abs(exact) >= 10**300:
        return text
    if vr == "IS" or exact == exact.to_integral_value():
        is_one = exact == exact.to_integral_value() and len(text) <= 16 and abs(exact) < 2**63
        return int(exact) if is_one else text
    return float(exact) if Decimal(repr(float(exact))) == exact else text


def _values(element: DataElement, path: str, notes: dict[str, str]) -> list[Any]:
    if element.VR == "SQ":
        return [dict(_elements(item, f"{path}.", notes)) for item in element.value or ()]
    if element.is_empty:
        return []
    values = element.value if isinstance(element.value, (MultiValue, list, tuple)) else [element.value]
    return [_value(element.VR, value) for value in values]


def _value(vr: str, value: Any) -> Any:
    if isinstance(value, PersonName):
        groups = zip(("Alphabetic", "Ideographic", "Phonetic"), value.components, strict=False)
        return {group: text for group, text in groups if text}
    if vr == "AT":
        return f"{int(value):08X}"
    if isinstance(value, (int, float)) and vr not in _DECIMALS:
        return value
    if vr in _DECIMALS:
        return _number(vr, str(getattr(value, "original_string", value)))
    return str(value)


def _as_written(vr: str, raw: Any) -> list[str]:
    """Texts; of what is binary nothing can be told."""
    written = getattr(raw, "value", None)
    if vr in _BINARY or not isinstance(written, bytes):
        return []
    return [text for text in written.decode("utf-8", "replace").strip(" \0").split("\\") if text]
