"""Signing in with a browser: /auth/login, /auth/callback, /auth/logout (authorization code with PKCE).

RFC 9700, sections 2.1 and 4.7: one-time state in the browser that began, S256, nonce, exact redirect URI.
"""

import base64
import hashlib
import hmac
import re
import secrets
import time
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute

from api.identity.auth import ProviderDown
from api.identity.cross_site import origin_of, refuse_cross_site
from api.identity.jwks import KeysUnavailable
from api.identity.provider import Discovered, ProviderError, discover, get_json, post_form
from api.identity.sealing import CookieTooLarge
from api.identity.sessions import SIGN_IN_SECONDS, Sessions
from api.identity.tokens import BadToken, Checked, Tokens
from api.problems import HttpProblem
from api.routes import OpenRoute
from config.identity import Client, Provider, is_safe_url

CALLBACK = "/auth/callback"
_PATH = re.compile(r"/(?![/\\])[A-Za-z0-9\-._~%!$&'()*+,;=:@/?]*", re.ASCII)
_PATH_LENGTH = 1000
_DISCOVERY_SECONDS = 600.0
_log = structlog.stdlib.get_logger("api.login")


class SignIn:
    """The three paths. `provider.client` is there."""

    def __init__(self, provider: Provider, client: Client, tokens: Tokens, sessions: Sessions) -> None:
        self._provider, self._client = provider, client
        self._tokens, self._sessions = tokens, sessions
        self._known: tuple[float, Discovered] | None = None

    def routes(self) -> tuple[BaseRoute, ...]:
        return (
            OpenRoute("/auth/login", self._login),
            OpenRoute(CALLBACK, self._callback),
            OpenRoute("/auth/logout", self._logout, methods=["POST"]),
        )

    async def _login(self, request: Request) -> Response:
        """To the provider, and back to `return_to`: a path of this server."""
        return_to = request.query_params.get("return_to", "/")
        if len(return_to) > _PATH_LENGTH or _PATH.fullmatch(return_to) is None:
            raise HttpProblem(400, "return_to must be a path of this server, such as /.")
        discovered = await self._discovered()
        if discovered.authorization_url is None or discovered.token_url is None:
            _log.error("auth.no_endpoints", reason="discovery names no authorization and token endpoint")
            raise ProviderDown
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        redirect_uri = self._redirect_uri(request)
        asked = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": redirect_uri,
            "scope": self._client.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
            **({"resource": self._client.resource} if self._client.resource else {}),
        }
        response = RedirectResponse(_with_query(discovered.authorization_url, asked), 303)
        kept = {"state": state, "nonce": nonce, "verifier": verifier, "uri": redirect_uri, "to": return_to}
        self._sessions.begin_sign_in(response, kept, time.time() + SIGN_IN_SECONDS)
        return response

    async def _callback(self, request: Request) -> Response:
        """From the provider, with a code or an error. The sign-in is over either way."""
        try:
            kept, access = await self._signed_in(request)
            response: Response = RedirectResponse(kept["to"], 303)
            self._sessions.begin(response, access)
        except CookieTooLarge:
            _log.error("auth.session_too_large", reason="claims of the access token exceed a cookie")
            response = HttpProblem(500, "Your account has more grants than a session can hold.").response()
        except HttpProblem as refused:
            response = refused.response()
        self._sessions.end_sign_in(response)
        return response

    async def _signed_in(self, request: Request) -> tuple[dict[str, Any], Checked]:
        query = request.query_params
        kept = self._sessions.sign_in(request)
        state = query.get("state", "")
        if kept is None or not hmac.compare_digest(state.encode(), kept["state"].encode()):
            raise HttpProblem(400, "This sign-in did not begin in this browser, or too long ago. Try again.")
        if query.get("iss", self._provider.issuer) != self._provider.issuer:
            raise _failed("the answer is another issuer's (RFC 9207)")
        if "error" in query or not query.get("code"):
            raise _failed("the provider refused")
        return kept, await self._exchange(query["code"], kept)

    async def _exchange(self, code: str, kept: dict[str, Any]) -> Checked:
        """The code for tokens, both of which must be good and of the same person."""
        discovered = await self._discovered()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": kept["uri"],
            "code_verifier": kept["verifier"],
            "client_id": self._client.client_id,
            **({"resource": self._client.resource} if self._client.resource else {}),
        }
        basic = None
        if self._client.secret is not None and discovered.basic_auth:
            basic = self._client.client_id, self._client.secret
        elif self._client.secret is not None:
            form["client_secret"] = self._client.secret
        try:
            answer = await post_form(discovered.token_url or "", form, basic)
            identity = await self._tokens.identity(str(answer.get("id_token")), kept["nonce"])
            access = await self._tokens.access(str(answer.get("access_token")))
        except ProviderError as error:
            raise _failed(str(error)) from None
        except BadToken as bad:
            raise _failed(f"a token of the provider is not taken: {bad}") from None
        except KeysUnavailable:
            raise ProviderDown from None
        if identity.claims["sub"] != access.claims["sub"]:
            raise _failed("ID token and access token are of two people")
        return access

    async def _logout(self, request: Request) -> Response:
        """Ends the session here. `endSession`: where the browser may go to end the provider's as well."""
        refuse_cross_site(request, self._provider.public_url)
        url = None
        try:
            url = (await self._discovered()).end_session_url
        except ProviderDown:
            _log.info("auth.logout_without_provider")
        if url is not None:
            back = f"{self._origin(request)}/"
            url = _with_query(url, {"client_id": self._client.client_id, "post_logout_redirect_uri": back})
        response = Response(orjson.dumps({"endSession": url}), media_type="application/json")
        self._sessions.end(response)
        return response

    async def _discovered(self) -> Discovered:
        if self._known is None or time.monotonic() - self._known[0] > _DISCOVERY_SECONDS:
            try:
                self._known = time.monotonic(), await discover(self._provider.issuer, get_json)
            except ProviderError as error:
                _log.warning("auth.not_discovered", reason=str(error))
                raise ProviderDown from None
        return self._known[1]

    def _redirect_uri(self, request: Request) -> str:
        return self._origin(request) + CALLBACK

    def _origin(self, request: Request) -> str:
        """Without ERNFED_PUBLIC_URL the Host header decides, which may then name this machine only."""
        origin = origin_of(request, self._provider.public_url)
        if self._provider.public_url is None and not (origin.startswith("http://") and is_safe_url(origin)):
            raise HttpProblem(421, "Signing in works under 127.0.0.1 or localhost, or ERNFED_PUBLIC_URL.")
        return origin


def challenge_of(verifier: str) -> str:
    """S256 of RFC 7636, section 4.2."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _with_query(url: str, more: dict[str, str]) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query), *more.items()])))


def _failed(reason: str) -> HttpProblem:
    """The reason is for the log: the browser's query string is anybody's word."""
    _log.warning("auth.sign_in_failed", reason=reason)
    return HttpProblem(401, "Signing in did not work. Try again.", code="UNAUTHENTICATED")
