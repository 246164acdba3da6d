"""Text that was not decoded by the character set it was written in (PS3.5 6.1), and is rubbish now.

DICOM JSON is UTF-8 without code extensions (PS3.18 F.2), so a server has to decode. Some do not: they send
escape sequences of ISO 2022 as they stand, or what is left of a name when the escape characters are taken out
(Orthanc 1.10.1, of names in ISO 2022 IR 13\\IR 87). Which letters were meant is not guessed here.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

# ESC, the controls between 80 and 9F (Latin-1 taken for it), and what decoders put for what they cannot read.
_RUBBISH: Final = re.compile("[\x1b\x80-\x9f\ufffd]")
_IN_JSON: Final = re.compile("[\x80-\x9f\ufffd]")
# What a name in Latin letters may stand in the other two groups as; two-byte sets come out as more than that.
_LATIN: Final = re.compile(r"[A-Za-z .,'^-]*\Z")
_OTHER_GROUPS: Final = ("Ideographic", "Phonetic")


def suspects(row: Mapping[str, Any], text: str) -> list[str]:
    """Tags of attributes whose text is suspect, in tag order. text: the row as JSON."""
    found = set(_suspect_names(row))
    # nearly every row is ASCII, and to look for one text is much quicker than for a class of characters
    if "\\u001b" in text or (not text.isascii() and _IN_JSON.search(text)):
        found |= {tag for tag, element in row.items() if any(map(_RUBBISH.search, _texts(element)))}
    return sorted(found)


def without_suspect_groups(name: Any) -> Any:
    """A PN value without the groups that are rubbish; a name with a letter that is lost stays."""
    if isinstance(name, Mapping):
        return {group: text for group, text in name.items() if not _is_suspect_group(group, text)}
    if isinstance(name, str):
        return "=".join("" if "\x1b" in group else group for group in name.split("=")).rstrip("=")
    return name


def _is_suspect_group(group: str, text: object) -> bool:
    if not isinstance(text, str):
        return False
    return "\x1b" in text or (group in _OTHER_GROUPS and text.isascii() and not _LATIN.match(text))


def _suspect_names(row: Mapping[str, Any]) -> Iterator[str]:
    for tag, element in row.items():
        # a dict is what JSON has; to ask for Mapping alone costs ten times as much
        if isinstance(element, (dict, Mapping)) and element.get("vr") == "PN":
            names = element.get("Value")
            for name in names if isinstance(names, list) else ():
                if isinstance(name, Mapping) and any(_is_suspect_group(*group) for group in name.items()):
                    yield tag


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for item in value.values():
                yield from _texts(item)
        case list() | tuple():
            for item in value:
                yield from _texts(item)
