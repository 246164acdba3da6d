"""The session of a browser: what its access token said, sealed in a cookie; it ends when the token does.

The token itself is not kept: nothing here speaks to others in the person's name.
"""

from collections.abc import Mapping
from typing import Any

from starlette.requests import HTTPConnection
from starlette.responses import Response

from access.grants import CLAIM
from api.identity.sealing import Sealer
from api.identity.tokens import Checked
from config.identity import Provider

_SESSION, _SIGN_IN = "session", "sign-in"
SIGN_IN_SECONDS = 600
_KEPT = ("sub", "name", "preferred_username", CLAIM)


class BrokenSession(Exception):
    """A cookie of ours that is over, or was not written by us."""


class Sessions:
    """Reads and writes the cookies of one server."""

    def __init__(self, sealer: Sealer, provider: Provider) -> None:
        self._sealer, self._provider = sealer, provider
        self._secure = (provider.public_url or "").startswith("https:")

    def name(self, purpose: str) -> str:
        """`__Host-`: set by this very host, for all of it, over TLS; browsers hold to that."""
        return f"{'__Host-' if self._secure else ''}ernfed-{purpose}"

    def read(self, connection: HTTPConnection) -> Checked | None:
        """The session of a request; None without a cookie. Raises BrokenSession."""
        value = connection.cookies.get(self.name(_SESSION))
        if value is None:
            return None
        found = self._sealer.open(self._purpose(_SESSION), value)
        if found is None:
            raise BrokenSession
        return Checked(*found)

    def begin(self, response: Response, access: Checked) -> None:
        """Raises CookieTooLarge."""
        claims = {name: access.claims[name] for name in _KEPT if name in access.claims}
        if (groups := self._provider.groups_claim) is not None:
            top = groups if groups in access.claims else groups.partition(".")[0]
            if top in access.claims:
                claims[top] = access.claims[top]
        self._set(response, _SESSION, claims, access.expires)

    def end(self, response: Response) -> None:
        self._delete(response, _SESSION)

    def ending_cookie(self) -> str:
        """The Set-Cookie header that ends the session."""
        response = Response()
        self.end(response)
        return response.headers["set-cookie"]

    def begin_sign_in(self, response: Response, state: Mapping[str, Any], expires: float) -> None:
        self._set(response, _SIGN_IN, state, expires)

    def sign_in(self, connection: HTTPConnection) -> dict[str, Any] | None:
        """What `begin_sign_in` was given, if this browser began one lately."""
        value = connection.cookies.get(self.name(_SIGN_IN), "")
        found = self._sealer.open(self._purpose(_SIGN_IN), value)
        return found[0] if found else None

    def end_sign_in(self, response: Response) -> None:
        self._delete(response, _SIGN_IN)

    def _purpose(self, purpose: str) -> str:
        """A cookie is for one provider: with another one it is nothing."""
        return f"{purpose} {self._provider.issuer} {self._provider.audience}"

    def _set(self, response: Response, purpose: str, content: Mapping[str, Any], expires: float) -> None:
        response.set_cookie(
            self.name(purpose),
            self._sealer.seal(self._purpose(purpose), content, expires),
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )

    def _delete(self, response: Response, purpose: str) -> None:
        response.delete_cookie(
            self.name(purpose), path="/", secure=self._secure, httponly=True, samesite="lax"
        )
