"""A served application with the demo's issuer in it, and a browser for it."""

import asyncio
import contextlib
import html
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from joserfc.jwk import ECKey
from starlette.routing import Route

from api.identity.opening import open_identity
from api.identity.sealing import Sealer
from api.server import listen, run_server, url_of
from cli.demo.issuer import DemoIssuer
from cli.demo.people import PEOPLE
from config.access_file import AccessRules
from config.identity import Provider
from tests.api.identity.signing import ERNS, whoami
from tests.api.tiny import tiny_app

KEY = Sealer.new_key()
OURS = {"x-ernfed-csrf": "1"}


@dataclass(frozen=True, slots=True)
class Served:
    url: str
    issuer: DemoIssuer

    def browser(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, timeout=10)


@contextlib.asynccontextmanager
async def serving(
    issuer_type: type[DemoIssuer] = DemoIssuer, provider: Provider | None = None, **changes: Any
) -> AsyncIterator[Served]:
    """provider: another than the demo's issuer."""
    started: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    with listen("127.0.0.1", 0) as sock:
        issuer = issuer_type(url_of(sock), ECKey.generate_key("P-256"), PEOPLE)
        identity, routes = open_identity(lambda: ERNS, provider or issuer.provider(), AccessRules, KEY)
        routes = (*routes, *issuer.routes(), Route("/whoami", whoami))
        app = tiny_app(**{"identity": identity, "routes": routes, **changes})
        server = asyncio.create_task(run_server(app, sock, started=started.set_result))
        try:
            yield Served(await started, issuer)
        finally:
            server.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await server


async def to_callback(browser: httpx.AsyncClient, person: str, return_to: str = "/") -> str:
    """Signs in at the demo's issuer; the URL at which the browser comes back."""
    begun = await browser.get("/auth/login", params={"return_to": return_to})
    assert begun.status_code == 303
    page = await browser.get(begun.headers["location"])
    link = next(found for found in re.findall(r'href="([^"]+)"', page.text) if f"person={person}" in found)
    back = await browser.get(html.unescape(link))
    assert back.status_code == 303
    return str(back.headers["location"])


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))
