"""A small OpenID provider for the demo, on this machine only: no passwords, one chooses who one is.

Discovery, keys, authorization code with PKCE, tokens: enough that the server treats it as any other.
"""

import hmac
import html
import os
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import orjson
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute

from api.identity.login import CALLBACK, challenge_of
from api.problems import HttpProblem
from api.routes import OpenRoute
from config.identity import Client, Provider

PATH = "/demo-issuer"
AUDIENCE = "ernfed-demo"
CLIENT_ID = "ernfed-demo-browser"
TOKEN_SECONDS = 12 * 3600

_CODE_SECONDS = 60  # a browser brings its code back at once
_MOST_CODES = 100  # codes that nobody brings back do not fill the memory
_ALGORITHM = "ES256"
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>ernfed demo: sign in</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<link rel="icon" href="/static/icon.svg" type="image/svg+xml"><link rel="stylesheet" href="/static/index.css"></head>
<body><main><h1>Who do you want to be?</h1>
<p>This page belongs to the demo. A real server sends you to your hospital's or network's sign-in.</p>
<ul class="people">{people}</ul>
<p><a href="/">Back, as nobody in particular</a></p></main></body></html>"""


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody to be. `key`: a word for commands; `grants`: the claim ern_grants."""

    key: str
    subject: str
    name: str
    role: str
    grants: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class _Code:
    person: DemoPerson
    redirect_uri: str
    challenge: str
    nonce: str | None
    expires: float


class DemoIssuer:
    """`base_url`: of the server that mounts `routes`."""

    def __init__(self, base_url: str, key: ECKey, people: Sequence[DemoPerson]) -> None:
        self.issuer = base_url + PATH
        self.people = people
        self._key = key
        self._codes: dict[str, _Code] = {}
        port = urlsplit(base_url).port
        self._redirect_uris = {
            f"http://{host}:{port}{CALLBACK}" for host in ("127.0.0.1", "localhost", "[::1]")
        }

    def provider(self) -> Provider:
        """What a server needs to know to take this issuer's tokens."""
        client = Client(CLIENT_ID, None, "openid profile", None)
        return Provider(issuer=self.issuer, audience=AUDIENCE, client=client)

    def token_for(self, person: DemoPerson) -> str:
        """An access token (RFC 9068)."""
        claims = {"aud": AUDIENCE, "client_id": CLIENT_ID, "ern_grants": dict(person.grants)}
        return self._signed("at+jwt", person, claims)

    def routes(self) -> tuple[BaseRoute, ...]:
        return (
            OpenRoute(f"{PATH}/.well-known/openid-configuration", self._configuration),
            OpenRoute(f"{PATH}/jwks", self._jwks),
            OpenRoute(f"{PATH}/authorize", self._authorize),
            OpenRoute(f"{PATH}/token", self._token, methods=["POST"]),
        )

    async def _configuration(self, _request: Request) -> Response:
        return _json(
            {
                "issuer": self.issuer,
                "jwks_uri": f"{self.issuer}/jwks",
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [_ALGORITHM],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["none"],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    async def _jwks(self, _request: Request) -> Response:
        public = {
            **self._key.as_dict(private=False),
            "use": "sig",
            "alg": _ALGORITHM,
            "kid": self._key.thumbprint(),
        }
        return _json({"keys": [public]})

    async def _authorize(self, request: Request) -> Response:
        """Without `person`, the page to choose one; with it, back to the client with a code."""
        query = request.query_params
        redirect_uri = query.get("redirect_uri", "")
        if query.get("client_id") != CLIENT_ID or redirect_uri not in self._redirect_uris:
            raise HttpProblem(400, "This client or its redirect_uri is unknown.")
        challenge = query.get("code_challenge", "")
        if (
            query.get("response_type") != "code"
            or query.get("code_challenge_method") != "S256"
            or not challenge
        ):
            raise HttpProblem(400, "Expected response_type=code with PKCE (S256).")
        person = next((one for one in self.people if one.key == query.get("person")), None)
        if person is None:
            return HTMLResponse(self._page(dict(query)))
        code = self._new_code(
            _Code(person, redirect_uri, challenge, query.get("nonce"), time.time() + _CODE_SECONDS)
        )
        answer = {"code": code, "state": query.get("state", ""), "iss": self.issuer}
        return RedirectResponse(f"{redirect_uri}?{urlencode(answer)}", 303)

    async def _token(self, request: Request) -> Response:
        form = {
            name: values[0] for name, values in parse_qs((await _body(request)).decode("latin-1")).items()
        }
        code = self._codes.pop(form.get("code", ""), None)
        good = (
            code is not None
            and form.get("grant_type") == "authorization_code"
            and form.get("client_id") == CLIENT_ID
            and form.get("redirect_uri") == code.redirect_uri
            and code.expires > time.time()
            and hmac.compare_digest(_challenge(form.get("code_verifier", "")), code.challenge)
        )
        if code is None or not good:
            return _json({"error": "invalid_grant"}, 400)
        nonce = {"nonce": code.nonce} if code.nonce is not None else {}
        return _json(
            {
                "access_token": self.token_for(code.person),
                "id_token": self._signed("JWT", code.person, {"aud": CLIENT_ID, **nonce}),
                "token_type": "Bearer",
                "expires_in": TOKEN_SECONDS,
            }
        )

    def _signed(self, kind: str, person: DemoPerson, more: Mapping[str, Any]) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "sub": person.subject, "name": person.name, **more}
        claims |= {"iat": now, "exp": now + TOKEN_SECONDS, "jti": secrets.token_urlsafe(12)}
        header = {"alg": _ALGORITHM, "typ": kind, "kid": self._key.thumbprint()}
        return jwt.encode(header, claims, self._key, algorithms=[_ALGORITHM])

    def _new_code(self, code: _Code) -> str:
        while len(self._codes) >= _MOST_CODES:
            self._codes.pop(next(iter(self._codes)))
        word = secrets.token_urlsafe(32)
        self._codes[word] = code
        return word

    def _page(self, query: Mapping[str, str]) -> str:
        def line(person: DemoPerson) -> str:
            link = html.escape(f"{PATH}/authorize?{urlencode({**query, 'person': person.key})}")
            return (
                f'<li><p><a href="{link}">{html.escape(person.name)}</a>: {html.escape(person.role)}</p></li>'
            )

        return _PAGE.format(people="".join(map(line, self.people)))


def key_at(file: Path) -> ECKey:
    """The signing key in `file`, made at the first call, readable by its owner only."""
    try:
        return ECKey.import_key(file.read_bytes())
    except FileNotFoundError:
        file.parent.mkdir(parents=True, exist_ok=True)
    key = ECKey.generate_key("P-256")
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
        opened.write(key.as_pem(private=True))
    new.replace(file)
    return key


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > 16 * 1024:
            raise HttpProblem(413, "The form is too large.")
    return bytes(body)


def _challenge(verifier: str) -> str:
    return challenge_of(verifier) if verifier.isascii() else ""


def _json(content: object, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")
