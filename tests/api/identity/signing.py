"""A provider in this process: its keys, what it signs, and an application that takes its tokens."""

import time
from collections.abc import Mapping
from typing import Any

import httpx
import orjson
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.identity.auth import Identity, viewer_of_request
from api.identity.jwks import ProviderKeys
from api.identity.provider import ProviderError, discover
from api.identity.tokens import Tokens
from config.access_file import AccessRules
from config.identity import Provider
from tests.api.tiny import tiny_app

ISSUER = "https://login.example.org/realms/ern"
AUDIENCE = "https://ernfed.example.org"
ERNS = ("ERN-EYE", "ERN-RND", "VASCERN")
GRANTS = {"ERN-EYE": ["full", "annotate"], "ERN-RND": ["pseudonymised"]}

RSA = RSAKey.generate_key(2048, {"kid": "rsa-1"})
EC = ECKey.generate_key("P-256", {"kid": "ec-1"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed-1"})
STRANGER = RSAKey.generate_key(2048, {"kid": "rsa-1"})
ALGORITHMS = {"RSA": "RS256", "EC": "ES256", "OKP": "Ed25519"}


class FakeProvider:
    """`fetch` answers for it; `asked` are the URLs; `down` makes it fail; `keys` are what it publishes."""

    def __init__(self, *keys: Key, **settings: Any) -> None:
        self.keys: list[Any] = list(keys or (RSA, EC, ED))
        self.asked: list[str] = []
        self.down = False
        self.time = 1000.0
        self.provider = Provider(ISSUER, AUDIENCE, **settings)
        self.document = {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}

    async def fetch(self, url: str) -> dict[str, Any]:
        self.asked.append(url)
        if self.down:
            raise ProviderError("down")
        if url.endswith("/.well-known/openid-configuration"):
            return dict(self.document)
        return {
            "keys": [key if isinstance(key, dict | str) else key.as_dict(private=False) for key in self.keys]
        }

    @property
    def fetches(self) -> int:
        """How often the keys were asked for."""
        return self.asked.count(f"{ISSUER}/keys")

    def provider_keys(self) -> ProviderKeys:
        async def url() -> str:
            return (await discover(ISSUER, self.fetch)).jwks_url

        return ProviderKeys(url, self.fetch, lambda: self.time)

    def identity(self, **changes: Any) -> Identity:
        tokens = Tokens(self.provider, self.provider_keys())
        return Identity(
            lambda: ERNS, **{"provider": self.provider, "tokens": tokens, "rules": AccessRules, **changes}
        )

    def client(self, identity: Identity | None = None) -> httpx.AsyncClient:
        """Speaks to the application; /whoami says who one is."""
        app = tiny_app(
            identity=identity or self.identity(), routes=(Route("/whoami", whoami, methods=["GET", "POST"]),)
        )
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ernfed.test")


async def whoami(request: Request) -> Response:
    viewer = viewer_of_request(request)
    grants = {grant.ern: [grant.access, *grant.verbs] for grant in viewer.grants}
    return Response(orjson.dumps({"subject": viewer.subject, "name": viewer.name, "grants": grants}))


def claims_of(**changes: Any) -> dict[str, Any]:
    """Good claims; a change to ... leaves the claim out."""
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "anna",
        "name": "Anna Ek",
        "client_id": "explorer",
        "iat": now,
        "exp": now + 36_000,  # many are made when tests are collected, long before they run
        "jti": "1",
        "ern_grants": GRANTS,
    } | changes
    return {name: value for name, value in claims.items() if value is not ...}


def token_of(key: Key = RSA, header: Mapping[str, Any] | None = None, **changes: Any) -> str:
    """An access token, good unless told otherwise."""
    algorithm = (header or {}).get("alg", ALGORITHMS[key.key_type])
    full = {"typ": "at+jwt", "alg": algorithm, "kid": key.kid, **(header or {})}
    full = {name: value for name, value in full.items() if value is not ...}
    registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    return jwt.encode(full, claims_of(**changes), key, registry=registry)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
