"""Data sets of the DICOM JSON model in the Native DICOM Model (PS3.19 A.1): what `application/dicom+xml` is. No I/O."""

import re
from collections.abc import Mapping
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from pydicom.datadict import keyword_for_tag

_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_GROUPS: Final = ("Alphabetic", "Ideographic", "Phonetic")
_PARTS: Final = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")


def to_xml(data_set: Mapping[str, Any]) -> bytes:
    """One document."""
    body = _attributes(data_set)
    head = '<?xml version="1.0" encoding="UTF-8"?><NativeDicomModel xml:space="preserve">'
    return f"{head}{body}</NativeDicomModel>".encode()


def _attributes(data_set: Mapping[str, Any]) -> str:
    return "".join(_attribute(tag, element, data_set) for tag, element in sorted(data_set.items()))


def _attribute(tag: str, element: Mapping[str, Any], around: Mapping[str, Any]) -> str:
    vr = str(element.get("vr", "UN"))
    named = f" keyword={quoteattr(keyword)}" if (keyword := keyword_for_tag(tag)) else ""
    creator = _creator(tag, around)
    private = f" privateCreator={quoteattr(_text(creator))}" if creator else ""
    head = f'<DicomAttribute tag="{tag}" vr={quoteattr(vr)}{named}{private}>'
    return f"{head}{_content(vr, element)}</DicomAttribute>"


def _content(vr: str, element: Mapping[str, Any]) -> str:
    if isinstance(uri := element.get("BulkDataURI"), str):
        return f"<BulkData uri={quoteattr(_text(uri))}/>"
    if isinstance(inline := element.get("InlineBinary"), str):
        return f"<InlineBinary>{escape(_text(inline))}</InlineBinary>"
    values = element.get("Value")
    if not isinstance(values, list):
        return ""
    return "".join(_value(vr, number, value) for number, value in enumerate(values, 1) if value is not None)


def _value(vr: str, number: int, value: Any) -> str:
    if vr == "SQ":
        inside = _attributes(value) if isinstance(value, Mapping) else ""
        return f'<Item number="{number}">{inside}</Item>'
    if vr == "PN":
        named = value if isinstance(value, Mapping) else {"Alphabetic": value}
        groups = "".join(_group(name, str(named[name])) for name in _GROUPS if named.get(name))
        return f'<PersonName number="{number}">{groups}</PersonName>'
    return f'<Value number="{number}">{escape(_text(value))}</Value>'


def _group(name: str, text: str) -> str:
    parts = zip(_PARTS, text.split("^"), strict=False)
    return f"<{name}>{''.join(f'<{of}>{escape(_text(part))}</{of}>' for of, part in parts if part)}</{name}>"


def _text(value: Any) -> str:
    """What XML 1.0 has no way to write is left out."""
    return _NO_XML.sub("", str(value))


def _creator(tag: str, around: Mapping[str, Any]) -> str | None:
    if int(tag[3], 16) % 2 == 0 or tag[4:6] == "00":
        return None
    values = (around.get(f"{tag[:4]}00{tag[4:6]}") or {}).get("Value")
    return values[0] if isinstance(values, list) and values and isinstance(values[0], str) else None
