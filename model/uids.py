"""DICOM unique identifiers: what is taken for one, and which of these conform (PS3.5 section 9 and 6.2, VR UI).

A UID is a key to us. Real archives have UIDs that are too long or have letters in them: what can stand as one word in
a URL, a list and a DICOM value is taken as it is, and said to break the rules.
"""

import re

MAX_LENGTH = 128
CONFORMANT_LENGTH = 64

# Leading zeros in a component are forbidden by the standard and common in real archives: not worth a word.
_CONFORMANT = re.compile(r"[0-9]+(?:\.[0-9]+)*\Z")
# Printable ASCII without space, backslash, * and ?; not of punctuation alone: '..' is no name in a path.
_KEY = re.compile(r"(?=.*[0-9A-Za-z])[!-)+->@-\[\]-~]+\Z")
_PLAIN = re.compile(r"[0-9A-Za-z._~-]+\Z")


def is_uid(value: object) -> bool:
    """True for 1-128 printable ASCII characters without spaces, backslashes and wildcards."""
    return isinstance(value, str) and (
        conforms(value) or (len(value) <= MAX_LENGTH and bool(_KEY.match(value)))
    )


def conforms(uid: str) -> bool:
    """True for 1-64 characters of digits and dots, no empty component (PS3.5 section 9.1)."""
    return len(uid) <= CONFORMANT_LENGTH and _CONFORMANT.match(uid) is not None


def is_plain(uid: str) -> bool:
    """True for a UID that stands in any URL, and in a list with commas, as it is."""
    return _PLAIN.match(uid) is not None
