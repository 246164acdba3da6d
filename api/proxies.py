"""Behind a proxy: whose word is taken for who is asking, by which scheme and under which name.

Anybody can write X-Forwarded-For. Only of a connection that comes from a trusted proxy it is believed: from there on
`client`, `scheme` and the header Host of a request are what the proxy saw.
"""

import ipaddress
import re
from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from config.surroundings import Network

_HOST = re.compile(rb"[A-Za-z0-9._-]{1,253}(:\d{1,5})?\Z|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?\Z")


class Forwarded:
    """ASGI middleware, the outermost. Without trusted proxies it changes nothing."""

    def __init__(self, app: ASGIApp, trusted: Sequence[Network]) -> None:
        self._app, self._trusted = app, trusted
        # The address that stands farthest right and is no trusted proxy's is the client's; likewise the scheme.
        self._rewritten = ProxyHeadersMiddleware(app, [str(network) for network in trusted])  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or not self._trusts(scope):
            await self._app(scope, receive, send)
            return
        scope["headers"] = _with_host(scope["headers"])
        await self._rewritten(scope, receive, send)  # type: ignore[arg-type]

    def _trusts(self, scope: Scope) -> bool:
        try:
            address = ipaddress.ip_address(scope["client"][0])
        except (TypeError, ValueError):  # no client, or none that has an address
            return False
        return any(address in network for network in self._trusted)


def _with_host(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Host as the nearest proxy was asked by, where it says so: what stands before that a client may have written."""
    said = [value for name, value in headers if name == b"x-forwarded-host"]
    host = said[-1].rpartition(b",")[2].strip() if said else b""
    if not _HOST.match(host):
        return list(headers)
    return [(b"host", host), *(pair for pair in headers if pair[0] != b"host")]
