"""The OpenID provider as HTTP shows it: JSON over TLS, and its discovery document. No token is read here."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from config.identity import is_safe_url

Fetch = Callable[[str], Awaitable[dict[str, Any]]]
"""GET of a JSON object. Raises ProviderError."""

MAX_BYTES = 256 * 1024
_TIMEOUT = aiohttp.ClientTimeout(total=5)
_WELL_KNOWN = "/.well-known/openid-configuration"


class ProviderError(Exception):
    """The provider does not answer, or not as OpenID says. The message is for the log: it names no token."""


@dataclass(frozen=True, slots=True)
class Discovered:
    """What a provider says of itself (OpenID Connect Discovery 1.0, section 3)."""

    jwks_url: str
    authorization_url: str | None
    token_url: str | None
    end_session_url: str | None
    basic_auth: bool


async def get_json(url: str) -> dict[str, Any]:
    """Raises ProviderError."""
    return await _json("GET", url)


async def post_form(
    url: str, form: Mapping[str, str], basic: tuple[str, str] | None = None
) -> dict[str, Any]:
    """`basic`: client id and secret for the Authorization header. Raises ProviderError."""
    auth = aiohttp.BasicAuth(*basic, encoding="utf-8") if basic else None
    return await _json("POST", url, data=dict(form), auth=auth)


async def discover(issuer: str, fetch: Fetch) -> Discovered:
    """Reads the discovery document, which must be the issuer's own. Raises ProviderError."""
    document = await fetch(issuer.rstrip("/") + _WELL_KNOWN)
    if document.get("issuer") != issuer:
        raise ProviderError(
            "the discovery document names another issuer than ERNFED_AUTH_ISSUER, letter by letter"
        )
    jwks_url = _endpoint(document, "jwks_uri")
    if jwks_url is None:
        raise ProviderError("the discovery document has no jwks_uri")
    methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Discovered(
        jwks_url,
        _endpoint(document, "authorization_endpoint"),
        _endpoint(document, "token_endpoint"),
        _endpoint(document, "end_session_endpoint"),
        isinstance(methods, list) and "client_secret_basic" in methods,
    )


def _endpoint(document: Mapping[str, Any], name: str) -> str | None:
    url = document.get(name)
    if url is None:
        return None
    if not isinstance(url, str) or not is_safe_url(url):
        raise ProviderError(f"{name} of the discovery document is not an https:// URL")
    return url


async def _json(method: str, url: str, **options: Any) -> dict[str, Any]:
    if not is_safe_url(url):
        raise ProviderError(f"{_place(url)}: only https:// is asked")
    try:
        # A proxy of the environment is for the world outside, not for this machine.
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=url.startswith("https:")) as session,
            session.request(
                method, url, allow_redirects=False, headers={"Accept": "application/json"}, **options
            ) as answer,
        ):
            if answer.status != 200:
                raise ProviderError(f"{_place(url)} answers with {answer.status}")
            body = await answer.content.read(MAX_BYTES + 1)
            while len(body) <= MAX_BYTES and (more := await answer.content.read(MAX_BYTES)):
                body += more
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise ProviderError(f"{_place(url)} does not answer: {type(error).__name__}") from None
    return _object(body, url)


def _object(body: bytes, url: str) -> dict[str, Any]:
    if len(body) > MAX_BYTES:
        raise ProviderError(f"{_place(url)} answers with more than {MAX_BYTES} bytes")
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise ProviderError(f"{_place(url)} does not answer with JSON") from None
    if not isinstance(found, dict):
        raise ProviderError(f"{_place(url)} does not answer with a JSON object")
    return found


def _place(url: str) -> str:
    """Without query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"
