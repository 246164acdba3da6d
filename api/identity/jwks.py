"""The provider's public keys: fetched when needed, kept for a while, looked for again when one is missing.

age < TTL                  as kept
TTL  ≤ age < MAX_STALE     fetched anew; while the provider is down, as kept
MAX_STALE ≤ age            fetched anew, or KeysUnavailable
a kid that is not there    fetched anew, at most once in LOOK_AGAIN, whoever asks
"""

import asyncio
import time
import warnings
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, Key, OKPKey, RSAKey

from api.identity.provider import Fetch, ProviderError

TTL = 600.0
MAX_STALE = 3600.0  # access tokens seldom live longer: keys that old have nothing left to check
LOOK_AGAIN = 60.0
RETRY = 10.0

_MOST_KEYS = 100
_RSA_BITS = 2048
_log = structlog.stdlib.get_logger("api.jwks")


class KeysUnavailable(Exception):
    """No key is at hand and the provider gives none: nobody can be told from anybody."""


class ProviderKeys:
    """The keys of one provider. `url` says where they are; both it and `fetch` may raise ProviderError."""

    def __init__(
        self,
        url: Callable[[], Awaitable[str]],
        fetch: Fetch,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url, self._fetch, self._clock = url, fetch, clock
        self._keys: list[Key] = []
        self._fetched = self._tried = self._looked = float("-inf")
        self._fetching: asyncio.Task[None] | None = None
        self._problem: str | None = None

    async def problem(self) -> str | None:
        """Why there are no keys, asked for now; None when there are."""
        await self._fetch_once()
        return self._problem

    async def find(self, kid: str | None, algorithm: str) -> Key | None:
        """The key that a token names, when it is one for the algorithm. Raises KeysUnavailable.

        A token without a kid is right only when there is one key that it can mean.
        """
        await self._refresh()
        found = self._match(kid, algorithm)
        if found is None and kid is not None and self._clock() - self._looked >= LOOK_AGAIN:
            self._looked = self._clock()
            await self._fetch_once()
            found = self._match(kid, algorithm)
        return found

    async def _refresh(self) -> None:
        is_due = self._age() >= TTL and self._clock() - self._tried >= RETRY
        if is_due or (self._fetching is not None and self._age() >= MAX_STALE):
            await self._fetch_once()
        if self._age() >= MAX_STALE:
            raise KeysUnavailable

    def _age(self) -> float:
        return self._clock() - self._fetched

    async def _fetch_once(self) -> None:
        """Everybody who waits shares one fetch; it goes on when one of them gives up."""
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch_all(), name="keys of the provider")
            self._fetching.add_done_callback(self._fetched_all)
        await asyncio.shield(self._fetching)

    def _fetched_all(self, _task: asyncio.Task[None]) -> None:
        self._fetching = None

    async def _fetch_all(self) -> None:
        self._tried = self._clock()
        try:
            keys = public_keys(await self._fetch(await self._url()))
        except ProviderError as error:
            keys, self._problem = [], str(error)
        else:
            self._problem = None if keys else "the key set holds no key for signatures"
        if self._problem is not None:
            _log.warning("auth.keys_not_fetched", reason=self._problem)
            return
        self._keys, self._fetched = keys, self._clock()

    def _match(self, kid: str | None, algorithm: str) -> Key | None:
        found = [key for key in self._keys if fits(key, algorithm) and kid in (None, key.kid)]
        return found[0] if found and (kid is not None or len(found) == 1) else None


def public_keys(key_set: Mapping[str, Any]) -> list[Key]:
    """The keys of a JWK Set that can check signatures. Shared secrets and whatever is broken are left out."""
    keys = key_set.get("keys")
    return [key for data in keys[:_MOST_KEYS] if (key := _key(data))] if isinstance(keys, list) else []


def _key(data: object) -> Key | None:
    if not isinstance(data, dict) or data.get("kty") not in ("RSA", "EC", "OKP"):
        return None
    operations = data.get("key_ops", ["verify"])
    if data.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)
            key = JWKRegistry.import_key(data)
            too_small = isinstance(key, RSAKey) and key.public_key.key_size < _RSA_BITS
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return None if key.is_private or too_small else key


def fits(key: Key, algorithm: str) -> bool:
    """Whether the key is one for the algorithm, by its type and by what it says itself (RFC 8725, 3.1)."""
    if key.alg not in (None, algorithm):
        return {key.alg, algorithm} == {"EdDSA", "Ed25519"} and isinstance(key, OKPKey)
    match algorithm:
        case "RS256" | "PS256":
            return isinstance(key, RSAKey)
        case "ES256":
            return isinstance(key, ECKey) and key.curve_name == "P-256"
        case "EdDSA" | "Ed25519":
            return isinstance(key, OKPKey) and key.curve_name == "Ed25519"
    return False
