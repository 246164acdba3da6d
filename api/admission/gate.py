"""In front of every path: nobody passes unless it is known who they are. Open are only the paths below.

A route that a later hand adds is closed without having to think of it. Who is refused leaves an audit line.
"""

import hmac
import math
from collections.abc import Callable
from typing import Final

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from api.admission.trail import Trail, asking, asking_of
from api.identity.auth import Identity, remember
from api.problems import HttpProblem

OPEN: Final = frozenset({"/", "/graphiql", "/viewer", "/livez", "/readyz", "/favicon.ico", "/robots.txt"})
OPEN_BELOW: Final = ("/auth/", "/static/", "/assets/", "/graphiql/", "/viewer/", "/demo-issuer/")
"""Pages without data, and the way to sign in."""


Limiter = Callable[[str], float]
"""Person or address → seconds until their next request may go on; 0 for this one."""


def refuse_haste(limiter: Limiter | None, asker: str) -> None:
    """Raises HttpProblem 429 for one who asks too often."""
    if limiter is not None and (wait := limiter(asker)):
        seconds = math.ceil(wait)
        raise HttpProblem(
            429,
            f"Too many requests in a minute. The next one may come in {seconds} s (Retry-After).",
            code="RATE_LIMITED",
            headers={"Retry-After": str(seconds)},
        )


class Gate:
    """ASGI middleware. WebSockets pass: they say who they are in their first message (api/graphql/websocket.py)."""

    def __init__(
        self,
        app: ASGIApp,
        identity: Identity,
        trail: Trail,
        limiter: Limiter | None,
        scraper: str | None = None,
    ) -> None:
        self._app, self._identity, self._trail, self._limiter = app, identity, trail, limiter
        self._scraper = None if scraper is None else f"Bearer {scraper}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not is_open(scope["path"]) and not self._is_scraped(scope):
            connection = HTTPConnection(scope)
            try:
                remember(connection, await self._identity.authenticate(connection))
            except HttpProblem as refused:
                await self._refused(connection, refused).response()(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _is_scraped(self, scope: Scope) -> bool:
        """Whether the scraper of metrics asks for these: it is nobody who could be asked for anything else."""
        if self._scraper is None or scope["path"] != "/metrics":
            return False
        given = HTTPConnection(scope).headers.get("authorization", "")
        return hmac.compare_digest(given.encode("latin-1"), self._scraper)

    def _refused(self, connection: HTTPConnection, refused: HttpProblem) -> HttpProblem:
        """What is answered. An address that is refused too often gets no more lines, or a flood of strangers
        were a flood of lines; who shows a good token from the same address is not held up by it."""
        address = connection.client.host if connection.client else "-"
        try:
            refuse_haste(self._limiter, f"refused {address}")
        except HttpProblem as hasty:
            return hasty
        asking.set(asking_of(connection))
        self._trail.refused(refused.code)
        return refused


def is_open(path: str) -> bool:
    """Whether anybody may ask for the path."""
    return path in OPEN or path.startswith(OPEN_BELOW)
