"""DICOM unique identifiers: what a valid one is. PS3.5 section 9 and 6.2 (VR UI)."""

import re

# Leading zeros in a component are forbidden by the standard and common in real archives: accepted.
_UID = re.compile(r"[0-9]+(?:\.[0-9]+)*\Z")
MAX_LENGTH = 64


def is_uid(value: object) -> bool:
    """True for 1-64 characters of digits and dots, no empty component (PS3.5 section 9.1)."""
    return isinstance(value, str) and 0 < len(value) <= MAX_LENGTH and _UID.match(value) is not None
