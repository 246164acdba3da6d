"""Around every HTTP request: correlation id, security headers, access log, the last net."""

import re
import secrets
import time
from typing import Final
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.admission.leaving import ClientGone
from api.logging import correlation_id, internal_message, log_exception
from api.metrics import Metrics
from api.problems import problem
from db.callers import calling

_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_CLIENT_GONE: Final = 499
"""What logs and metrics call the status of an answer that nobody waited for (nginx's number)."""
_log = structlog.stdlib.get_logger("api.access")

SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",  # answers hold patient data
}


class EveryRequest:
    """The outermost layer of ours: no exception of a route passes it, so none is logged elsewhere."""

    def __init__(self, app: ASGIApp, metrics: Metrics, hosts: frozenset[str] | None) -> None:
        self._app = _OurHostsOnly(app, hosts) if hosts is not None else app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        identity = given if _ID.fullmatch(given) else secrets.token_hex(8)
        token = correlation_id.set(identity)
        try:
            if scope["type"] == "http":
                await self._http(scope, receive, send, identity)
            else:
                await self._websocket(scope, receive, send)
        finally:
            correlation_id.reset(token)

    async def _http(self, scope: Scope, receive: Receive, send: Send, identity: str) -> None:
        started, status = time.perf_counter(), 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = identity
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        with self._metrics.http_in_flight.track_inprogress():
            try:
                with calling():
                    await self._app(scope, receive, send_with_headers)
            except (ClientGone, ClientDisconnect):
                status = _CLIENT_GONE
            except Exception as error:
                log_exception("http.internal", error)
                if (
                    not status
                ):  # else half an answer is out; the server closes the connection, and the client sees that
                    response = problem(
                        500, "INTERNAL", internal_message(), correlationId=correlation_id.get()
                    )
                    await response(scope, receive, send_with_headers)
        self._note(scope, status, started)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            log_exception("websocket.internal", error)
            await send({"type": "websocket.close", "code": 1011})

    def _note(self, scope: Scope, status: int, started: float) -> None:
        """The route instead of the path, and no query string: both can name a patient."""
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = _route(scope)
        self._metrics.http_requests.labels(route, method, str(status)).inc()
        _log.info(
            "http.request",
            method=method,
            route=route,
            status=status,
            ms=round((time.perf_counter() - started) * 1000, 1),
            request_id=correlation_id.get(),
        )


class _OurHostsOnly:
    """Answers only to its own names.

    A page elsewhere whose name is made to point to this machine (DNS rebinding) is same-origin to the
    browser, and would read everything with the rights of whoever opened it. Its Host gives it away.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _host(scope) in self._hosts:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            words = "This server is not known by that name: use 127.0.0.1 or localhost."
            await problem(421, "MISDIRECTED_REQUEST", words)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})


def _host(scope: Scope) -> str | None:
    try:
        return urlsplit("//" + Headers(scope=scope).get("host", "")).hostname
    except ValueError:
        return None


def _route(scope: Scope) -> str:
    route = scope.get("route")
    path = getattr(route, "path", "")
    if not path:
        return "(none)"
    return f"{path}/…" if isinstance(route, Mount) else str(path)
