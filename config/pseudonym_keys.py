"""The secret keys of pseudonyms: from ERNFED_PSEUDONYM_KEYS_FILE, or derived from the database's master key.

The file names one key or more for every ERN that grants PSEUDONYMISED access, as JSON or as TOML (.toml):

    {"ERN-EYE": [{"id": "2026-1", "key": "<32 bytes or more in base64>", "since": "2026-01-01"}]}

The key that began last writes; older ones stay while rows made with them are left. What a key does to a value
stands in access/keyed_pseudonyms.py, how to rotate in docs/pseudonymisation.md.
"""

import base64
import binascii
import hmac
import json
import os
import re
import stat
import tomllib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from model.erns import ERNS_ALONE, Networks
from model.errors import OperatorError

VARIABLE = "ERNFED_PSEUDONYM_KEYS_FILE"
MIN_KEY_BYTES = 32
DERIVED_ID = "db-1"
_ID = re.compile(r"[A-Za-z0-9._-]{1,16}")
_FIELDS = {"id", "key", "since"}


class PseudonymKeysError(OperatorError):
    """The keys cannot be used; one line for each mistake, none of which holds key material."""


@dataclass(frozen=True, slots=True)
class PseudonymKey:
    """One key of one ERN. `key_id` is stored with the rows that were made with it."""

    ern: str
    key_id: str
    since: date
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PseudonymKeys:
    """All keys of the file, of each ERN the oldest first."""

    keys: tuple[PseudonymKey, ...]

    def writing(self, ern: str, today: date) -> PseudonymKey:
        """The newest key that has begun. Raises PseudonymKeysError when the ERN has none."""
        begun = [key for key in self.keys if key.ern == ern and key.since <= today]
        if not begun:
            raise PseudonymKeysError(f"{VARIABLE}: no key of {ern} that has begun by {today}; add one")
        return begun[-1]

    def of(self, ern: str, key_id: str) -> PseudonymKey | None:
        """The key that a row was made with, if the file still has it."""
        return next((key for key in self.keys if (key.ern, key.key_id) == (ern, key_id)), None)


def derived_key(master: bytes, ern: str) -> PseudonymKey:
    """Without a file: HKDF-SHA-256 (RFC 5869) of the master key that the database keeps."""
    if len(master) < MIN_KEY_BYTES:
        raise PseudonymKeysError(f"the master key has {len(master)} bytes, expected {MIN_KEY_BYTES} or more")
    extracted = hmac.digest(b"ernfed pseudonym keys", master, "sha256")
    key = hmac.digest(extracted, ern.encode() + b"\x01", "sha256")
    return PseudonymKey(ern, DERIVED_ID, date.min, key)


def load_pseudonym_keys(path: Path, networks: Networks = ERNS_ALONE) -> PseudonymKeys:
    """The file, checked. networks: that there may be keys of. Raises PseudonymKeysError."""
    told = _parsed(path, _private_text(path))
    mistakes: list[str] = []
    keys = [key for ern, entries in told.items() for key in _keys(ern, entries, mistakes, networks)]
    mistakes += _clashes(keys)
    if not keys and not mistakes:
        mistakes.append("no key in it")
    if mistakes:
        raise PseudonymKeysError("\n".join(f"{path}: {mistake}" for mistake in mistakes))
    return PseudonymKeys(tuple(sorted(keys, key=lambda key: (key.ern, key.since))))


def _private_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise PseudonymKeysError(f"{VARIABLE}: {path} is no file")
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise PseudonymKeysError(
                    f"{VARIABLE}: others than its owner may use {path} (mode {stat.S_IMODE(mode):04o}); "
                    f"chmod 600 {path}"
                )
            return file.read().decode()
    except OSError as error:
        raise PseudonymKeysError(f"{VARIABLE}: cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise PseudonymKeysError(f"{VARIABLE}: {path} is not UTF-8 text") from None


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        told = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except json.JSONDecodeError as error:
        raise PseudonymKeysError(f"{path}:{error.lineno}: not JSON: {error.msg}") from None
    except ValueError as error:
        raise PseudonymKeysError(f"{path}: not TOML: {error}") from None
    if not isinstance(told, dict):
        raise PseudonymKeysError(f"{path}: expected an object of ERNs, got {type(told).__name__}")
    return told


def _keys(ern: str, entries: Any, mistakes: list[str], networks: Networks) -> list[PseudonymKey]:
    if ern not in networks:
        mistakes.append(f"{ern[:64]!r} is no ERN code; expected one of {', '.join(networks.titles)}")
        return []
    if not isinstance(entries, list) or not entries:
        mistakes.append(f"{ern}: expected a list of {{id, key, since}}")
        return []
    made = (_key(ern, number, entry, mistakes) for number, entry in enumerate(entries, start=1))
    return [key for key in made if key is not None]


def _key(ern: str, number: int, entry: Any, mistakes: list[str]) -> PseudonymKey | None:
    here = f"{ern}, key {number}"
    if not isinstance(entry, dict) or set(entry) != _FIELDS:
        mistakes.append(f"{here}: expected exactly id, key and since")
        return None
    key_id, since, key = entry["id"], _date(entry["since"]), _bytes(entry["key"])
    problems = []
    if not isinstance(key_id, str) or _ID.fullmatch(key_id) is None:
        problems.append("id: expected 1 to 16 letters, digits, dots, dashes or underscores")
    if since is None:
        problems.append("since: expected a date YYYY-MM-DD")
    if key is None or len(key) < MIN_KEY_BYTES:
        problems.append(
            f"key: expected {MIN_KEY_BYTES} random bytes or more in base64 (openssl rand -base64 32)"
        )
    mistakes += [f"{here}: {problem}" for problem in problems]
    if problems or since is None or key is None:
        return None
    return PseudonymKey(ern, str(key_id), since, key)


def _date(value: Any) -> date | None:
    if type(value) is date:
        return value
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _bytes(value: Any) -> bytes | None:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else None
    except (binascii.Error, ValueError):
        return None


def _clashes(keys: list[PseudonymKey]) -> list[str]:
    found: list[str] = []
    for index, key in enumerate(keys):
        for other in keys[:index]:
            same_ern = key.ern == other.ern
            if key.key == other.key:
                found.append(f"{other.ern} {other.key_id} and {key.ern} {key.key_id} are the same key")
            elif same_ern and key.key_id == other.key_id:
                found.append(f"{key.ern}: two keys with the id {key.key_id}")
            elif same_ern and key.since == other.since:
                found.append(f"{key.ern}: {other.key_id} and {key.key_id} begin on the same day")
    return found
