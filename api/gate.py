"""In front of every path: nobody passes unless it is known who they are. Open are only the paths below.

A route that a later hand adds is closed without having to think of it.
"""

from typing import Final

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from api.auth import Identity, remember
from api.problems import HttpProblem

OPEN: Final = frozenset({"/", "/graphiql", "/viewer", "/livez", "/readyz", "/favicon.ico", "/robots.txt"})
OPEN_BELOW: Final = ("/auth/", "/static/", "/assets/", "/graphiql/", "/viewer/", "/demo-issuer/")
"""Pages without data, and the way to sign in."""


class Gate:
    """ASGI middleware. WebSockets pass: they say who they are in their first message (api/websocket.py)."""

    def __init__(self, app: ASGIApp, identity: Identity) -> None:
        self._app, self._identity = app, identity

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not is_open(scope["path"]):
            connection = HTTPConnection(scope)
            try:
                remember(connection, await self._identity.authenticate(connection))
            except HttpProblem as refused:
                await refused.response()(scope, receive, send)
                return
        await self._app(scope, receive, send)


def is_open(path: str) -> bool:
    """Whether anybody may ask for the path."""
    return path in OPEN or path.startswith(OPEN_BELOW)
