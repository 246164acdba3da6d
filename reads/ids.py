"""Global ids (Relay object identification): a type and its natural key, opaque to clients.

The key of a node is its UIDs from the study down, with the backslash between them that no UID can have.
"""

import base64
import binascii
import re

from model.attributes import KEY_COLUMNS, Key, Level
from model.errors import BadInput
from model.uids import is_uid

_TYPES: dict[str, Level | None] = {
    "Study": Level.STUDY,
    "Series": Level.SERIES,
    "Instance": Level.INSTANCE,
    "Archive": None,
    "Cohort": None,
    "CohortVersion": None,
}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")

_SEPARATOR = "\\"


def to_id(type_name: str, key: Key) -> str:
    """The id of an object: base64url of 'Type:key'."""
    return base64.urlsafe_b64encode(f"{type_name}:{_SEPARATOR.join(key)}".encode()).rstrip(b"=").decode()


def from_id(value: str) -> tuple[str, Key]:
    """(type, key) of an id; the key of an archive is its code. Raises BadInput for what is no id of this schema."""
    try:
        text = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError, ValueError):
        text = ""
    type_name, _, named = text.partition(":")
    key: Key = (named,) if _TYPES.get(type_name) is None else tuple(named.split(_SEPARATOR))
    if type_name not in _TYPES or not _is_key(type_name, key):
        raise BadInput("id: not an id of this schema; take it from an `id` field.")
    return type_name, key


def _is_key(type_name: str, key: Key) -> bool:
    level = _TYPES[type_name]
    if level is None:
        return 0 < len(key[0]) <= 256 if type_name == "Archive" else _UUID.match(key[0]) is not None
    return len(key) == len(KEY_COLUMNS[level]) and all(map(is_uid, key))
