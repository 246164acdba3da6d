"""Signing in with a browser, from the first click to the last, and what can go wrong in between."""

from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from api.identity.login import challenge_of
from cli.demo.issuer import CLIENT_ID, DemoIssuer, DemoPerson
from tests.api.identity.signing_in import OURS, Served, query_of, serving, to_callback


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving() as found:
        yield found


async def test_in_and_out_again(served: Served) -> None:
    async with served.browser() as browser:
        assert (await browser.get("/whoami", headers=OURS)).status_code == 401
        back = await browser.get(await to_callback(browser, "clinician", "/viewer/?study=1.2&x=%20"))
        assert (back.status_code, back.headers["location"]) == (303, "/viewer/?study=1.2&x=%20")
        assert list(browser.cookies) == ["ernfed-session"]
        answer = (await browser.get("/whoami", headers=OURS)).json()
        assert answer["subject"] == "demo-clinician"
        assert answer["grants"]["ERN-EYE"] == ["FULL", "annotate", "upload"]
        assert answer["grants"]["VASCERN"] == ["COUNTS"]
        asked = await browser.post("/graphql", json={"query": "{ hello }"}, headers={"origin": served.url})
        assert asked.json() == {"data": {"hello": "world"}}
        assert (await browser.post("/auth/logout")).status_code == 403  # a form elsewhere
        assert (await browser.get("/auth/logout")).status_code == 405  # an image elsewhere
        gone = await browser.post("/auth/logout", headers=OURS)
        assert (gone.status_code, gone.json()) == (200, {"endSession": None})
        assert (await browser.get("/whoami", headers=OURS)).status_code == 401


async def test_what_the_provider_is_asked(served: Served) -> None:
    async with served.browser() as browser:
        one, two = [(await browser.get("/auth/login")).headers["location"] for _ in range(2)]
    asked = query_of(one)
    assert one.startswith(f"{served.url}/demo-issuer/authorize?")
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert (asked["client_id"], asked["scope"]) == (CLIENT_ID, "openid profile")
    assert asked["redirect_uri"] == f"{served.url}/auth/callback"
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name]) >= 43
        assert asked[name] != query_of(two)[name]


async def test_localhost_comes_back_to_localhost(served: Served) -> None:
    url = served.url.replace("127.0.0.1", "localhost")
    async with served.browser() as browser:
        location = (await browser.get("/auth/login", headers={"host": url.removeprefix("http://")})).headers[
            "location"
        ]
        assert query_of(location)["redirect_uri"] == f"{url}/auth/callback"
        assert (await browser.get(location)).status_code == 200
        elsewhere = await browser.get("/auth/login", headers={"host": "evil.example"})
    assert elsewhere.status_code == 421


@pytest.mark.parametrize(
    "return_to",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "http:evil.example",
     "javascript:alert(1)", " /", "", "/\t/evil.example", "/\n/evil.example", "/%0d%0aSet-Cookie:x=y\r\n",
     "evil.example", "///evil.example", "/x" * 600, "/é", "?x", "@evil.example"],
)  # fmt: skip
async def test_back_to_this_server_only(served: Served, return_to: str) -> None:
    async with served.browser() as browser:
        answer = await browser.get("/auth/login", params={"return_to": return_to})
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "set-cookie" not in answer.headers
    assert "evil" not in answer.text


async def failed(browser: httpx.AsyncClient, url: str, status: int) -> None:
    answer = await browser.get(url)
    assert answer.status_code == status
    assert "ernfed-session" not in browser.cookies
    assert "evil" not in answer.text


async def test_a_callback_that_this_browser_did_not_begin(served: Served) -> None:
    async with served.browser() as browser, served.browser() as attacker:
        url = await to_callback(attacker, "clinician")
        await failed(browser, url, 400)  # login CSRF: signed in as somebody else
        await browser.get("/auth/login")
        await failed(browser, url, 400)


async def test_a_callback_happens_once(served: Served) -> None:
    async with served.browser() as browser:
        url = await to_callback(browser, "clinician")
        kept = dict(browser.cookies)
        assert (await browser.get(url)).status_code == 303
        browser.cookies.clear()
        await failed(browser, url, 400)
        browser.cookies.update(kept)
        await failed(browser, url, 401)  # the code is used up


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"state": "evil"}, 400),
        ({"state": ""}, 400),
        ({"state": "é"}, 400),
        ({"code": "evil"}, 401),
        ({"code": ""}, 401),
        ({"iss": "https://evil.example"}, 401),
        ({"error": "access_denied", "error_description": "evil"}, 401),
    ],
)
async def test_a_callback_that_was_tampered_with(served: Served, change: dict[str, str], status: int) -> None:
    async with served.browser() as browser:
        url = await to_callback(browser, "clinician")
        query = "&".join(f"{name}={quote(value)}" for name, value in {**query_of(url), **change}.items())
        await failed(browser, f"/auth/callback?{query}", status)


class _Altering(DemoIssuer):
    """Its ID tokens have other claims."""

    changes: Mapping[str, Any] = {}

    def _signed(self, kind: str, person: DemoPerson, more: Mapping[str, Any]) -> str:
        return super()._signed(kind, person, {**more, **self.changes} if kind == "JWT" else more)


@pytest.mark.parametrize(
    "changes", [{"nonce": "evil"}, {"aud": "evil"}, {"iss": "evil"}, {"sub": "evil"}, {"azp": "evil"},
                {"aud": [CLIENT_ID, "evil"]}]
)  # fmt: skip
async def test_an_id_token_of_something_else(changes: dict[str, Any]) -> None:
    altering = type("Altering", (_Altering,), {"changes": changes})
    async with serving(altering) as served, served.browser() as browser:
        await failed(browser, await to_callback(browser, "clinician"), 401)


class _Opaque(DemoIssuer):
    def token_for(self, person: DemoPerson) -> str:
        return "an-opaque-token"


async def test_an_access_token_that_is_none_of_ours() -> None:
    async with serving(_Opaque) as served, served.browser() as browser:
        await failed(browser, await to_callback(browser, "clinician"), 401)


async def test_the_demos_issuer_keeps_the_rules(served: Served) -> None:
    verifier = "v" * 43
    asked = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": f"{served.url}/auth/callback",
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
        "person": "officer",
    }
    async with served.browser() as browser:
        for change in (
            {"redirect_uri": "https://evil.example/auth/callback"},
            {"redirect_uri": f"{served.url}/auth/callback/x"},
            {"client_id": "evil"},
            {"code_challenge_method": "plain"},
            {"code_challenge": ""},
            {"response_type": "token"},
        ):
            answer = await browser.get("/demo-issuer/authorize", params={**asked, **change})
            assert (answer.status_code, "location" in answer.headers) == (400, False)

        async def tokens(**change: str) -> httpx.Response:
            back = await browser.get("/demo-issuer/authorize", params=asked)
            form = {
                "grant_type": "authorization_code",
                "code": query_of(back.headers["location"])["code"],
                "client_id": CLIENT_ID,
                "redirect_uri": asked["redirect_uri"],
                "code_verifier": verifier,
            }
            return await browser.post("/demo-issuer/token", data={**form, **change})

        for wrong in (
            {"code_verifier": "w" * 43},
            {"code_verifier": "é"},
            {"redirect_uri": "http://x"},
            {"client_id": "evil"},
            {"grant_type": "password"},
            {"code": "evil"},
        ):
            answer = await tokens(**wrong)
            assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})
        good = (await tokens()).json()
        who = await browser.get("/whoami", headers={"authorization": f"Bearer {good['access_token']}"})
        assert who.json()["grants"]["ERN-EYE"] == ["COUNTS", "admin"]
        id_token = {"authorization": f"Bearer {good['id_token']}"}
        assert (await browser.get("/whoami", headers=id_token)).status_code == 401


async def test_the_page_quotes_what_it_is_given(served: Served) -> None:
    async with served.browser() as browser:
        location = (await browser.get("/auth/login")).headers["location"]
        page = await browser.get(location + "&x=%22%3E%3Cscript%3E")
    assert "<script" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
