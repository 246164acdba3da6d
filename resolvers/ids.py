"""Global ids (Relay object identification): a type and its natural key, opaque to clients."""

import base64
import binascii

from model.errors import BadInput
from model.uids import is_uid

_TYPES = ("Study", "Series", "Instance", "Archive")


def to_id(type_name: str, key: str) -> str:
    """The id of an object: base64url of 'Type:key'."""
    return base64.urlsafe_b64encode(f"{type_name}:{key}".encode()).rstrip(b"=").decode()


def from_id(value: str) -> tuple[str, str]:
    """(type, key) of an id. Raises BadInput for what is no id of this schema."""
    try:
        text = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError, ValueError):
        text = ""
    type_name, _, key = text.partition(":")
    if type_name not in _TYPES or not (is_uid(key) or (type_name == "Archive" and 0 < len(key) <= 256)):
        raise BadInput("id: not an id of this schema; take it from an `id` field.")
    return type_name, key
