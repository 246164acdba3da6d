"""Behind a proxy: whose X-Forwarded-… headers are believed, and what follows from them; who may scrape metrics."""

import asyncio
import contextlib
import ipaddress
import json
from collections.abc import MutableMapping
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from api.identity.sealing import Sealer
from api.identity.sessions import Sessions
from api.proxies import Forwarded
from api.server import listen, run_server
from cli.serving import scraped
from tests.api.identity.signing import FakeProvider
from tests.api.identity.test_cross_site import HELLO, KEY, cookie_of
from tests.api.tiny import tiny_app

TRUSTED = [ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("2001:db8::1")]
PROXY, CLIENT = "10.0.0.5", "192.0.2.7"


async def seen(request: Request) -> JSONResponse:
    assert request.client is not None
    return JSONResponse([request.client.host, request.url.scheme, request.headers["host"]])


ECHO = Starlette(routes=[Route("/seen", seen)])


@pytest.mark.parametrize(
    ("peer", "headers", "expected"),
    [
        # of a proxy
        (PROXY, {}, [PROXY, "http", "inside"]),
        (PROXY, {"x-forwarded-for": CLIENT}, [CLIENT, "http", "inside"]),
        (PROXY, {"x-forwarded-proto": "https"}, [PROXY, "https", "inside"]),
        (PROXY, {"x-forwarded-host": "ernfed.example.org"}, [PROXY, "http", "ernfed.example.org"]),
        (PROXY, {"x-forwarded-host": "ernfed.example.org:8443"}, [PROXY, "http", "ernfed.example.org:8443"]),
        ("2001:db8::1", {"x-forwarded-for": "2001:db8::2"}, ["2001:db8::2", "http", "inside"]),
        # what a client wrote before the proxy did
        (PROXY, {"x-forwarded-for": f"127.0.0.1, {CLIENT}"}, [CLIENT, "http", "inside"]),
        (PROXY, {"x-forwarded-for": f"127.0.0.1, {CLIENT}, 10.9.9.9"}, [CLIENT, "http", "inside"]),
        (PROXY, {"x-forwarded-host": "evil.example, ernfed.example.org"}, [PROXY, "http", "ernfed.example.org"]),
        # nonsense
        (PROXY, {"x-forwarded-proto": "gopher"}, [PROXY, "http", "inside"]),
        (PROXY, {"x-forwarded-host": "a b"}, [PROXY, "http", "inside"]),
        (PROXY, {"x-forwarded-for": ""}, [PROXY, "http", "inside"]),
        # of anybody else
        (CLIENT, {"x-forwarded-for": "127.0.0.1"}, [CLIENT, "http", "inside"]),
        (CLIENT, {"x-forwarded-proto": "https"}, [CLIENT, "http", "inside"]),
        (CLIENT, {"x-forwarded-host": "evil.example"}, [CLIENT, "http", "inside"]),
        ("127.0.0.1", {"x-forwarded-for": CLIENT}, ["127.0.0.1", "http", "inside"]),
        ("testclient", {"x-forwarded-for": CLIENT}, ["testclient", "http", "inside"]),
    ],
)  # fmt: skip
async def test_only_proxies_are_believed(peer: str, headers: dict[str, str], expected: list[str]) -> None:
    transport = httpx.ASGITransport(Forwarded(ECHO, TRUSTED), client=(peer, 5))
    async with httpx.AsyncClient(transport=transport, base_url="http://inside") as client:
        assert (await client.get("/seen", headers=headers)).json() == expected


async def test_websockets_as_well() -> None:
    async def told(websocket: WebSocket) -> None:
        await websocket.accept()
        assert websocket.client is not None
        await websocket.send_json([websocket.client.host, websocket.url.scheme, websocket.headers["host"]])
        await websocket.close()

    app = Forwarded(Starlette(routes=[WebSocketRoute("/seen", told)]), TRUSTED)
    headers = {
        "host": "inside",
        "x-forwarded-for": CLIENT,
        "x-forwarded-proto": "https",
        "x-forwarded-host": "ernfed.example.org",
    }
    scope = {
        "type": "websocket", "path": "/seen", "scheme": "ws", "query_string": b"", "subprotocols": [],
        "client": (PROXY, 5), "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    assert [each["type"] for each in sent] == ["websocket.accept", "websocket.send", "websocket.close"]
    assert json.loads(sent[1]["text"]) == [CLIENT, "wss", "ernfed.example.org"]


async def test_without_the_setting_not_even_this_machine_is_believed() -> None:
    """The server's own default would be another one."""
    started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    with listen("127.0.0.1", 0) as sock:
        task = asyncio.create_task(run_server(ECHO, sock, started=started.set_result))
        async with httpx.AsyncClient(base_url=await started) as client:
            headers = {
                "x-forwarded-for": CLIENT,
                "x-forwarded-proto": "https",
                "x-forwarded-host": "evil.example",
            }
            host, scheme, name = (await client.get("/seen", headers=headers)).json()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert (host, scheme, name.partition(":")[0]) == ("127.0.0.1", "http", "127.0.0.1")


@pytest.mark.parametrize(("peer", "status"), [(PROXY, 200), (CLIENT, 403)])
async def test_an_origin_is_compared_with_what_the_proxy_was_asked(peer: str, status: int) -> None:
    fake = FakeProvider()
    identity = fake.identity(sessions=Sessions(Sealer(KEY), fake.provider))
    transport = httpx.ASGITransport(tiny_app(identity=identity, proxies=TRUSTED), client=(peer, 5))
    headers = {
        "origin": "https://ernfed.example.org",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "ernfed.example.org",
    }
    async with httpx.AsyncClient(
        transport=transport, base_url="http://inside", cookies=cookie_of(fake)
    ) as client:
        assert (await client.post("/graphql", json=HELLO, headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("peer", "counted"), [(PROXY, CLIENT), (CLIENT, CLIENT), ("198.51.100.1", "198.51.100.1")]
)
async def test_strangers_are_counted_by_their_own_address(peer: str, counted: str) -> None:
    asked: list[str] = []

    def limiter(who: str, weight: float) -> float:
        asked.append(who)
        return 0.0

    app = tiny_app(identity=FakeProvider().identity(), proxies=TRUSTED, limiter=limiter)
    transport = httpx.ASGITransport(app, client=(peer, 5))
    async with httpx.AsyncClient(transport=transport, base_url="http://inside") as client:
        answer = await client.post("/graphql", json=HELLO, headers={"x-forwarded-for": CLIENT})
    assert (answer.status_code, asked) == (401, [f"refused {counted}"])


TOKEN = "0123456789abcdef"  # noqa: S105


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/metrics", {}, 401),
        ("/metrics", {"authorization": f"Bearer {TOKEN}"}, 200),
        ("/metrics", {"authorization": f"Bearer {TOKEN}x"}, 401),
        ("/metrics", {"authorization": TOKEN}, 401),
        ("/metrics", {"authorization": "Bearer é"}, 401),
        ("/graphql", {"authorization": f"Bearer {TOKEN}"}, 401),
        ("/schema.graphql", {"authorization": f"Bearer {TOKEN}"}, 401),
    ],
)
async def test_a_scraper_opens_the_metrics_and_nothing_else(
    path: str, headers: dict[str, Any], status: int
) -> None:
    app = tiny_app(identity=FakeProvider().identity(), scraper=TOKEN)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://inside") as client:
        given = {name: value.encode("latin-1") for name, value in headers.items()}
        assert (await client.get(path, headers=given)).status_code == status
        without = tiny_app(identity=FakeProvider().identity())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(without), base_url="http://inside") as client:
        assert (await client.get(path, headers=given)).status_code == 401


async def test_metrics_have_an_address_of_their_own() -> None:
    app = tiny_app(identity=FakeProvider().identity())
    with listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    async with (
        scraped(app.state.scraped, ("127.0.0.1", port)),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        assert "ernfed_http_requests_in_flight" in (await client.get("/metrics")).text
        for path in ("/graphql", "/", "/schema.graphql", "/export/studies.csv"):
            assert (await client.get(path)).status_code == 404
