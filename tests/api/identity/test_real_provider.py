"""Tokens of a certified OpenID provider (npm's oidc-provider), got over HTTP. CI must run this."""

import asyncio
import contextlib
import json
import re
import secrets
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from config.identity import Client, Provider
from tests.api.identity.signing_in import OURS, Served, serving
from tests.npm import NODE, installed, names_no_registry

FOLDER = Path(__file__).parent / "oidc_provider"
AUDIENCE = "https://ernfed.example.org"
SECRET = secrets.token_hex(16)
GRANTS = {"ERN-EYE": ["full", "annotate"], "ERN-RND": ["pseudonymised"]}
SEEN = {"ERN-EYE": ["FULL", "annotate"], "ERN-RND": ["PSEUDONYMISED"], "VASCERN": ["COUNTS"]}


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The locked packages, installed outside of the repository."""
    return installed(FOLDER, tmp_path_factory.mktemp("provider"))


@contextlib.asynccontextmanager
async def provided(folder: Path, resource: str | None = AUDIENCE) -> AsyncIterator[tuple[str, Served]]:
    """The issuer's URL, and a server that takes its tokens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    issuer = f"http://127.0.0.1:{port}"
    known = Provider(issuer, AUDIENCE, client=Client("explorer", None, "openid profile", resource))
    async with serving(provider=known) as served:
        told = {
            "port": port,
            "audience": AUDIENCE,
            "redirectUri": f"{served.url}/auth/callback",
            "secret": SECRET,
            "grants": GRANTS,
        }
        process = await asyncio.create_subprocess_exec(
            NODE,
            "provider.js",
            json.dumps(told),
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            assert process.stdout is not None
            async with asyncio.timeout(30):
                while (line := await process.stdout.readline()) != b"ready\n":
                    assert line, "the provider did not start"
            yield issuer, served
        finally:
            process.kill()
            await process.wait()


async def token_for_a_service(client: httpx.AsyncClient, issuer: str, audience: str) -> str:
    """By client credentials, as a program gets one."""
    form = {"grant_type": "client_credentials", "resource": audience}
    answer = await client.post(f"{issuer}/token", data=form, auth=("service", SECRET))
    token: str = answer.raise_for_status().json()["access_token"]
    return token


async def test_a_token_from_a_real_provider(provider: Path) -> None:
    async with provided(provider) as (issuer, served), served.browser() as client:
        token = await token_for_a_service(client, issuer, AUDIENCE)
        headers = {"authorization": f"Bearer {token}"}
        who = await client.get("/whoami", headers=headers)
        assert (who.status_code, who.json()["grants"]) == (200, SEEN)
        assert who.json()["subject"] == "service"
        asked = await client.post("/graphql", json={"query": "{ hello }"}, headers=headers)
        assert asked.json() == {"data": {"hello": "world"}}
        head, claims, signature = token.split(".")
        for forged in (f"{head}.{claims}.{signature[::-1]}", f"{head}.{claims}.", token[:-8]):
            refused = await client.get("/whoami", headers={"authorization": f"Bearer {forged}"})
            assert refused.status_code == 401


async def signed_in_at_provider(browser: httpx.AsyncClient) -> httpx.Response:
    """Through every page of the provider, until the browser is back."""
    answer = await browser.get("/auth/login", params={"return_to": "/viewer/"})
    for _ in range(20):
        if answer.is_redirect:
            url = urljoin(str(answer.url), answer.headers["location"])
            if "/auth/callback" in url:
                return await browser.get(url)
            answer = await browser.get(url)
            continue
        form = re.search(r'<form[^>]* action="([^"]+)" method="post">(.*?)</form>', answer.text, re.DOTALL)
        assert form is not None, answer.text
        prompt = re.search(r'name="prompt" value="(\w+)"', form[2])
        assert prompt is not None
        filled = {"prompt": prompt[1], "login": "anna", "password": "x"}
        answer = await browser.post(urljoin(str(answer.url), form[1]), data=filled)
    raise AssertionError("the provider goes round in circles")


async def test_a_browser_signs_in_at_a_real_provider(provider: Path) -> None:
    async with provided(provider) as (issuer, served), served.browser() as browser:
        back = await signed_in_at_provider(browser)
        assert (back.status_code, back.headers["location"]) == (303, "/viewer/")
        who = (await browser.get("/whoami", headers=OURS)).json()
        assert (who["subject"], who["grants"]) == ("anna", SEEN)
        gone = (await browser.post("/auth/logout", headers=OURS)).json()
        assert gone["endSession"].startswith(f"{issuer}/session/end?client_id=explorer&")
        assert (await browser.get("/whoami", headers=OURS)).status_code == 401


async def test_an_opaque_token_signs_nobody_in(provider: Path) -> None:
    async with provided(provider, resource=None) as (_, served), served.browser() as browser:
        back = await signed_in_at_provider(browser)
        assert back.status_code == 401
        assert (await browser.get("/whoami", headers=OURS)).status_code == 401


def test_the_lock_file_names_no_registry() -> None:
    assert names_no_registry(FOLDER)
