"""Cookies that only this server can write and read: AES-256-GCM, with a time after which they are nothing."""

import base64
import binascii
import json
import os
import time
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
MAX_COOKIE = 3800
"""Browsers keep 4096 bytes, with name and attributes."""

_NONCE_BYTES = 12
_MAX_CONTENT = 64 * 1024


class TooLarge(Exception):
    """More than a cookie can hold."""


class Sealer:
    """`key`: shared by all processes of one service, such as db.secrets.shared_secret gives."""

    def __init__(self, key: bytes, now: Callable[[], float] = time.time) -> None:
        self._cipher, self._now = AESGCM(key), now

    @staticmethod
    def new_key() -> bytes:
        return AESGCM.generate_key(KEY_BYTES * 8)

    def seal(self, purpose: str, content: Mapping[str, Any], expires: float) -> str:
        """The value of a cookie; `purpose` keeps one kind from passing for another. Raises TooLarge."""
        text = json.dumps([expires, content], separators=(",", ":")).encode()
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, zlib.compress(text), purpose.encode())
        value = base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()
        if len(value) > MAX_COOKIE:
            raise TooLarge
        return value

    def open(self, purpose: str, value: str) -> tuple[dict[str, Any], float] | None:
        """What was sealed for this purpose, and until when; None for anything else, and afterwards."""
        try:
            raw = base64.urlsafe_b64decode(value[:MAX_COOKIE].encode("ascii") + b"==")
            nonce, sealed = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
            text = zlib.decompressobj().decompress(
                self._cipher.decrypt(nonce, sealed, purpose.encode()), _MAX_CONTENT
            )
            expires, content = json.loads(text)
        except (binascii.Error, UnicodeEncodeError, InvalidTag, zlib.error, ValueError):
            return None
        return (content, float(expires)) if expires > self._now() else None
