"""Checking access tokens (RFC 9068) and ID tokens: who signed, for whom, until when. Nothing of HTTP.

A caller learns two things, expired or invalid; which check failed is for the log.
"""

import base64
import json
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from joserfc import jws
from joserfc.errors import ExpiredTokenError, JoseError, SecurityWarning
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry

from api.identity.jwks import ProviderKeys
from config.identity import Provider

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
LEEWAY = 60
"""Seconds that clocks may differ."""
MAX_BYTES = 16 * 1024

_ACCESS_TYPES = ("at+jwt", "application/at+jwt")
_PLAIN_TYPES = ("jwt", "application/jwt", None)
# Where to find a key is our own decision (RFC 8725, 3.10), and we know no extension (RFC 7515, 4.1.11).
_REFUSED_HEADERS = ("jku", "jwk", "x5u", "x5c", "crit", "b64")
_SUBJECT_LENGTH = 255
_log = structlog.stdlib.get_logger("api.tokens")


class BadToken(Exception):
    """A token that is not taken; `expired` when nothing else is wrong with it."""

    def __init__(self, reason: str, *, expired: bool = False) -> None:
        super().__init__(reason)
        self.expired = expired


@dataclass(frozen=True, slots=True)
class Checked:
    """The claims of a token that was found good. `expires` is its `exp`, in seconds since 1970."""

    claims: Mapping[str, Any]
    expires: float


class Tokens:
    """Checks what one provider signs."""

    def __init__(self, provider: Provider, keys: ProviderKeys, now: Callable[[], float] = time.time) -> None:
        self._provider, self._keys, self._now = provider, keys, now

    async def problem(self) -> str | None:
        """Why none can be checked, asked for now; None when they can."""
        return await self._keys.problem()

    async def access(self, token: str) -> Checked:
        """An access token for this server. Raises BadToken, KeysUnavailable."""
        types = _ACCESS_TYPES + _PLAIN_TYPES if self._provider.plain_jwt else _ACCESS_TYPES
        return await self._checked(token, self._provider.audience, types)

    async def identity(self, token: str, nonce: str) -> Checked:
        """An ID token for our client and the sign-in with this nonce. Raises BadToken, KeysUnavailable."""
        client = self._provider.client
        if client is None:
            raise BadToken("no client")
        checked = await self._checked(token, client.client_id, _PLAIN_TYPES)
        claims = checked.claims
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if (
            claims.get("nonce") != nonce
            or claims.get("azp", None if several else client.client_id) != client.client_id
        ):
            raise BadToken("nonce or azp")
        return checked

    async def _checked(self, token: str, audience: str, types: tuple[str | None, ...]) -> Checked:
        try:
            header = _header(token)
            kind = header.get("typ")
            if (kind.lower() if isinstance(kind, str) else kind) not in types:
                raise BadToken("typ")
            claims = self._claims(token, await self._signed_by(header), audience)
        except BadToken as bad:
            _log.info("auth.token_refused", reason=str(bad))
            raise
        return Checked(claims, float(min(claims["exp"], 2**53)))

    async def _signed_by(self, header: Mapping[str, Any]) -> Any:
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in ALGORITHMS:
            raise BadToken("alg")
        if any(name in header for name in _REFUSED_HEADERS):
            raise BadToken("header")
        if kid is not None and not isinstance(kid, str):
            raise BadToken("kid")
        key = await self._keys.find(kid, str(algorithm))
        if key is None:
            raise BadToken("no such key")
        return str(algorithm), key

    def _claims(self, token: str, signer: Any, audience: str) -> dict[str, Any]:
        algorithm, key = signer
        try:
            with warnings.catch_warnings():  # "EdDSA" is the name that providers still write (RFC 9864)
                warnings.simplefilter("ignore", SecurityWarning)
                signed = jws.deserialize_compact(
                    token, key, registry=JWSRegistry(algorithms=[algorithm], strict_check_header=False)
                )
            claims = _json_object(signed.payload)
            self._registry(audience).validate(claims)
        except ExpiredTokenError:
            raise BadToken("exp", expired=True) from None
        except (JoseError, ValueError, TypeError) as error:
            claim = getattr(error, "claim", None)
            raise BadToken(f"{type(error).__name__} {claim or ''}".strip()) from None
        if len(claims["sub"]) > _SUBJECT_LENGTH or not claims["sub"].isprintable():
            raise BadToken("sub")
        return claims

    def _registry(self, audience: str) -> JWTClaimsRegistry:
        return JWTClaimsRegistry(
            now=lambda: int(self._now()),
            leeway=LEEWAY,
            iss={"essential": True, "value": self._provider.issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
        )


def _header(token: str) -> dict[str, Any]:
    """The header as it claims to be. Raises BadToken."""
    if len(token) > MAX_BYTES or not token.isascii() or token.count(".") != 2:
        raise BadToken("size or form")
    text = token.partition(".")[0]
    try:
        return _json_object(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except ValueError:
        raise BadToken("header") from None


def _json_object(text: bytes) -> dict[str, Any]:
    """Raises ValueError also for what parsers read differently: a name twice, NaN, great depth."""
    try:
        found = json.loads(text, object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("too deep") from None
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _no_constant(name: str) -> float:
    raise ValueError(name)
