"""Cookies that only this server can write and read: JWE, AES-256-GCM, with a time after which they are nothing."""

import os
import time
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwe import JWERegistry
from joserfc.jwk import OctKey

KEY_BYTES: Final = 32
MAX_COOKIE: Final = 3800
"""Browsers keep 4096 bytes, with name and attributes."""

_HEADER: Final = {"alg": "dir", "enc": "A256GCM", "zip": "DEF"}
_REGISTRY: Final = JWERegistry(algorithms=list(_HEADER.values()))


class CookieTooLarge(Exception):
    """More than a cookie can hold."""


class Sealer:
    """`key`: shared by all processes of one service, such as db.secrets.shared_secret gives."""

    def __init__(self, key: bytes, now: Callable[[], float] = time.time) -> None:
        self._key, self._now = OctKey.import_key(key), now

    @staticmethod
    def new_key() -> bytes:
        return os.urandom(KEY_BYTES)

    def seal(self, purpose: str, content: Mapping[str, Any], expires: float) -> str:
        """The value of a cookie; `purpose` keeps one kind from passing for another. Raises CookieTooLarge."""
        claims = {"aud": purpose, "exp": expires, "content": content}
        value = jwt.encode(_HEADER, claims, self._key, registry=_REGISTRY, default_type=None)
        if len(value) > MAX_COOKIE:
            raise CookieTooLarge
        return value

    def open(self, purpose: str, value: str) -> tuple[dict[str, Any], float] | None:
        """What was sealed for this purpose, and until when; None for anything else, and afterwards."""
        if len(value) > MAX_COOKIE:
            return None
        try:
            claims = jwt.decode(value, self._key, registry=_REGISTRY).claims
        except (JoseError, ValueError, zlib.error):
            return None
        if claims["aud"] != purpose or claims["exp"] <= self._now():
            return None
        return claims["content"], float(claims["exp"])
