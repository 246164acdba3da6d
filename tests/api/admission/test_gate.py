"""Every route of the application is closed, or says of itself that it is not; what is open is listed here."""

from collections.abc import AsyncIterator

import httpx
import pytest
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import Message
from starlette.websockets import WebSocket

from api.identity.opening import open_identity
from api.identity.sealing import Sealer
from api.routes import AskingRoute, OpenRoute, ScrapedRoute
from cli.demo.issuer import DemoIssuer
from cli.demo.people import PEOPLE
from config.access_file import AccessRules
from tests.api.identity.signing import ERNS
from tests.api.tiny import tiny_app

OPEN = {
    *("/", "/livez", "/readyz"),
    *("/static/index.js", "/static/index.css", "/static/icon.svg", "/static/examples.graphql"),
    *("/auth/login", "/auth/callback", "/auth/logout"),
    *("/viewer", "/viewer/{path:path}"),
    *("/demo-issuer/.well-known/openid-configuration", "/demo-issuer/jwks"),
    *("/demo-issuer/authorize", "/demo-issuer/token"),
}


async def reached(_request: Request) -> Response:
    return PlainTextResponse("reached")


async def connected(socket: WebSocket) -> None:
    await socket.accept()
    await socket.close()


@pytest.fixture
def app() -> Starlette:
    """With everything that there can be, and what a later hand may add."""
    issuer = DemoIssuer("http://127.0.0.1:1", ECKey.generate_key("P-256"), PEOPLE)
    identity, routes = open_identity(lambda: ERNS, issuer.provider(), AccessRules, Sealer.new_key())
    later: list[BaseRoute] = [Route("/later", reached), Route("/later/{uid}", reached, methods=["PUT"])]
    later += [Mount("/mounted", routes=[Route("/inside", reached)]), WebSocketRoute("/later", connected)]
    return tiny_app(identity=identity, routes=(*routes, *issuer.routes(), *later), scraper="s" * 32)


@pytest.fixture
async def stranger(app: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://ernfed.test") as client:
        yield client


def paths(app: Starlette, kind: type[BaseRoute]) -> set[str]:
    return {route.path for route in app.routes if isinstance(route, kind)}  # type: ignore[attr-defined]


async def test_what_is_open(app: Starlette, stranger: httpx.AsyncClient) -> None:
    assert paths(app, OpenRoute) == OPEN
    assert paths(app, AskingRoute) == {"/graphql"}
    assert paths(app, ScrapedRoute) == {"/metrics"}
    for path in OPEN - {"/auth/login"}:  # which asks the issuer
        assert (await stranger.get(path)).status_code != 401, path


async def test_everything_else_is_closed(app: Starlette, stranger: httpx.AsyncClient) -> None:
    closed = [route for route in app.routes if isinstance(route, Route | Mount)]
    for path in [route.path for route in closed if not isinstance(route, OpenRoute)] + ["/nothing"]:
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "BREW"):
            for below in ("", "/inside", "/1.2.3"):
                answer = await stranger.request(method, path.replace("{uid}", "1.2") + below)
                assert answer.status_code == 401, (method, path, below)


async def test_a_socket_that_asks_nobody_is_closed(app: Starlette) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    opening = {"type": "websocket", "path": "/later", "scheme": "ws", "query_string": b"", "headers": []}
    await app({**opening, "client": ("192.0.2.1", 1), "subprotocols": []}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]


@pytest.mark.parametrize("path", ["/graphql", "/schema.graphql", "/export/studies.csv", "/later", "/nothing"])
async def test_the_scraper_reads_metrics_only(stranger: httpx.AsyncClient, path: str) -> None:
    headers = {"authorization": "Bearer " + "s" * 32}
    assert (await stranger.get("/metrics", headers=headers)).status_code == 200
    assert (await stranger.get(path, headers=headers)).status_code == 401
