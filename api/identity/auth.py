"""Who is asking: an access token (RFC 6750), a browser's session, or whoever is at this machine.

`Identity.authenticate` decides once a request (api/admission/gate.py calls it); everything behind it asks
`viewer_of_request`, which cannot be forgotten: without an answer it refuses.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from starlette.requests import HTTPConnection

from access.grants import viewer_of_claims
from access.scope import Viewer, everyone_here
from api.identity.cross_site import refuse_cross_site
from api.identity.jwks import KeysUnavailable
from api.identity.sessions import BrokenSession, Sessions
from api.identity.tokens import LEEWAY, BadToken, Checked, Tokens
from api.problems import HttpProblem
from config.access_file import AccessRules
from config.identity import Provider

Connection = HTTPConnection
"""What a request and a WebSocket have in common."""

_REALM = 'Bearer realm="ernfed"'
_QUERY_NAMES = ("access_token", "id_token")
_SCOPE = "ernfed.asker"

_SIGN_IN = "Sign in: send an access token as Authorization: Bearer."
_INVALID = "The access token is invalid."
_EXPIRED = "The access token has expired. Get a new one."


class Unauthenticated(HttpProblem):
    """401, or 400 for a token in the wrong place; the header says the same in RFC 6750's words."""

    def __init__(self, message: str = _SIGN_IN, *, status: int = 401, error: str | None = None) -> None:
        challenge = f'{_REALM}, error="{error}", error_description="{message}"' if error else _REALM
        super().__init__(status, message, code="UNAUTHENTICATED", headers={"WWW-Authenticate": challenge})


class ProviderDown(HttpProblem):
    """503: not the caller's fault."""

    def __init__(self) -> None:
        words = "The sign-in provider does not answer, so access tokens cannot be checked. Try again soon."
        super().__init__(503, words, headers={"Retry-After": "10"})


@dataclass(frozen=True, slots=True)
class Asker:
    """Who is asking, and until when that holds (seconds since 1970); None: for good.

    who: what they may see by the rules of now, which may change while a stream lasts.
    by: how that is known; None for whoever is at this machine.
    """

    who: Callable[[], Viewer]
    expires: float | None = None
    by: Literal["token", "session"] | None = None


def viewer_of_request(connection: HTTPConnection) -> Viewer:
    """Who is asking. Raises Unauthenticated."""
    return _asker(connection).who()


def is_signed_in(connection: HTTPConnection) -> bool:
    """Whether a person has shown who they are."""
    asker = connection.scope.get(_SCOPE)
    return isinstance(asker, Asker) and asker.by is not None


def shows_token(connection: HTTPConnection) -> bool:
    """Whether they did so with an access token, which browsers do not send of themselves."""
    asker = connection.scope.get(_SCOPE)
    return isinstance(asker, Asker) and asker.by == "token"


def seconds_left(connection: HTTPConnection) -> float | None:
    """For how long a stream may go on; None: for good. It ends when a new request would be refused."""
    asker = connection.scope.get(_SCOPE)
    if not isinstance(asker, Asker) or asker.expires is None:
        return None
    return max(asker.expires + LEEWAY - time.time(), 0.0)


def remember(connection: HTTPConnection, asker: Asker) -> None:
    """From here on `viewer_of_request` answers for this connection."""
    connection.scope[_SCOPE] = asker


def _asker(connection: HTTPConnection) -> Asker:
    asker = connection.scope.get(_SCOPE)
    if not isinstance(asker, Asker):
        raise Unauthenticated
    return asker


class Identity:
    """How this server learns who is asking.

    erns, rules: the ERNs of the federation and what they let whom see, asked for at each request.
    tokens: None for a server that takes none, which listens on loopback only.
    open_here: whether somebody without a token is everyone_here, which a demo is: for all ERNs, so that the first
    archive of one can be added.
    """

    def __init__(
        self,
        erns: Callable[[], Iterable[str]],
        *,
        rules: Callable[[], AccessRules] = AccessRules,
        provider: Provider | None = None,
        tokens: Tokens | None = None,
        sessions: Sessions | None = None,
        open_here: bool = False,
    ) -> None:
        self._erns, self._rules = erns, rules
        self._provider, self._tokens, self.sessions = provider, tokens, sessions
        self._open_here = open_here or tokens is None

    async def problem(self) -> str | None:
        """Why no token can be checked, as the provider is found now; None when all is well, or none is taken."""
        return None if self._tokens is None else await self._tokens.problem()

    @property
    def public_url(self) -> str | None:
        """Under which browsers reach the server, where that is known."""
        return self._provider.public_url if self._provider else None

    @property
    def can_sign_in(self) -> bool:
        """Whether browsers can: there is a client of the provider for them."""
        return self.sessions is not None

    def leads_to_sign_in(self, connection: HTTPConnection) -> bool:
        """Whether a page of ours is better begun with signing in: a browser that can has no session that holds."""
        if self.sessions is None or self._open_here:
            return False
        try:
            return self.sessions.read(connection) is None
        except BrokenSession:
            return True

    async def authenticate(self, connection: HTTPConnection) -> Asker:
        """The asker of a request. Raises Unauthenticated, ProviderDown, HttpProblem 403."""
        if self._tokens is None:
            return self._everyone()
        if any(name in connection.query_params for name in _QUERY_NAMES):
            words = "An access token in the URL ends in logs: send it as Authorization: Bearer."
            raise Unauthenticated(words, status=400, error="invalid_request")
        given = connection.headers.getlist("authorization")
        if len(given) > 1:
            raise Unauthenticated("Send one Authorization header.", status=400, error="invalid_request")
        if given:
            return await self._bearer(given[0])
        if (session := self._session(connection)) is not None:
            refuse_cross_site(connection, self._provider.public_url if self._provider else None)
            return self._asker(session, "session")
        if self._open_here:
            return self._everyone()
        raise Unauthenticated

    async def authenticate_stream(self, connection: HTTPConnection, payload: Mapping[str, Any]) -> Asker:
        """The asker of a WebSocket: by its connection_init payload, since browsers set no headers there."""
        names = [name for name in payload if name.lower() == "authorization"]
        if self._tokens is None or not names:
            return await self.authenticate(connection)
        given = payload[names[0]]
        if len(names) > 1 or not isinstance(given, str):
            raise Unauthenticated(_INVALID, error="invalid_token")
        return await self._bearer(given)

    def _session(self, connection: HTTPConnection) -> Checked | None:
        if self.sessions is None:
            return None
        try:
            return self.sessions.read(connection)
        except BrokenSession:
            over = Unauthenticated("Your session is over: sign in again.")
            over.headers["Set-Cookie"] = self.sessions.ending_cookie()
            raise over from None

    async def _bearer(self, header: str) -> Asker:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or self._tokens is None:
            raise Unauthenticated
        try:
            return self._asker(await self._tokens.access(token.strip(" ")), "token")
        except BadToken as bad:
            raise Unauthenticated(_EXPIRED if bad.expired else _INVALID, error="invalid_token") from None
        except KeysUnavailable:
            raise ProviderDown from None

    def _asker(self, checked: Checked, by: Literal["token", "session"]) -> Asker:
        groups = self._provider.groups_claim if self._provider else None

        def who() -> Viewer:
            return viewer_of_claims(checked.claims, self._rules(), self._erns(), groups)

        return Asker(who, checked.expires, by)

    def _everyone(self) -> Asker:
        return Asker(lambda: everyone_here(self._rules().networks.titles))
