"""A session cookie speaks for our own page only; what it is made of; what is done with a wrong one."""

import time
from typing import Any

import httpx
import pytest
from starlette.responses import Response

from api.identity.sealing import MAX_COOKIE, CookieTooLarge, Sealer
from api.identity.sessions import Sessions
from api.identity.tokens import Checked
from config.identity import Provider
from tests.api.identity.signing import AUDIENCE, ISSUER, FakeProvider, bearer, claims_of, token_of

KEY = Sealer.new_key()
PUBLIC = "https://ernfed.test"
OURS = {"origin": PUBLIC, "sec-fetch-site": "same-origin"}
HELLO = {"query": "{ hello }"}


def cookie_of(fake: FakeProvider, key: bytes = KEY, **changes: Any) -> dict[str, str]:
    """The cookies of a browser whose sign-in worked."""
    response = Response()
    claims = claims_of(**changes)
    Sessions(Sealer(key), fake.provider).begin(response, Checked(claims, claims["exp"]))
    name, _, value = response.headers["set-cookie"].partition(";")[0].partition("=")
    return {name: value}


def signed_in(**changes: Any) -> httpx.AsyncClient:
    fake = FakeProvider(public_url=PUBLIC)
    client = fake.client(fake.identity(sessions=Sessions(Sealer(KEY), fake.provider)))
    client.base_url = httpx.URL(PUBLIC)
    client.cookies.update(changes.get("cookies", cookie_of(fake)))
    return client


def test_what_the_cookie_is() -> None:
    response = Response()
    provider = FakeProvider(public_url=PUBLIC).provider
    Sessions(Sealer(KEY), provider).begin(response, Checked(claims_of(), time.time() + 9))
    header = response.headers["set-cookie"]
    name, value = header.partition(";")[0].split("=", 1)
    assert name == "__Host-ernfed-session"
    attributes = {part.strip() for part in header.split(";")[1:]}
    assert attributes == {"HttpOnly", "Path=/", "SameSite=lax", "Secure"}
    assert "anna" not in value
    here = Response()
    Sessions(Sealer(KEY), FakeProvider().provider).begin(here, Checked(claims_of(), time.time() + 9))
    assert here.headers["set-cookie"].startswith("ernfed-session=")  # no TLS on loopback, hence no Secure
    assert "HttpOnly" in here.headers["set-cookie"]


@pytest.mark.parametrize(
    ("method", "headers", "body", "status"),
    [
        # our own page
        ("POST", OURS, {"json": HELLO}, 200),
        ("POST", {"origin": PUBLIC}, {"json": HELLO}, 200),
        ("POST", {"sec-fetch-site": "same-origin"}, {"json": HELLO}, 200),
        ("POST", {"x-ernfed-csrf": "1"}, {"json": HELLO}, 200),
        ("GET", OURS, {"params": HELLO}, 200),
        ("GET", {"x-ernfed-csrf": "1"}, {"params": HELLO}, 200),
        # a link, an image, a form, a script elsewhere
        ("GET", {}, {"params": HELLO}, 403),
        ("GET", {"sec-fetch-site": "cross-site"}, {"params": HELLO}, 403),
        ("GET", {"sec-fetch-site": "same-site"}, {"params": HELLO}, 403),
        ("GET", {"sec-fetch-site": "none"}, {"params": HELLO}, 403),
        ("GET", {"sec-fetch-site": "cross-site", "x-ernfed-csrf": "1"}, {"params": HELLO}, 403),
        ("POST", {"origin": "https://evil.example"}, {"data": HELLO}, 403),
        ("POST", {"origin": "https://evil.example"}, {"json": HELLO}, 403),
        ("POST", {"origin": "https://evil.example", "x-ernfed-csrf": "1"}, {"json": HELLO}, 403),
        ("POST", {"origin": "null"}, {"json": HELLO}, 403),
        ("POST", {"origin": "http://ernfed.test"}, {"json": HELLO}, 403),
        ("POST", {"origin": f"{PUBLIC}.evil.example"}, {"json": HELLO}, 403),
        ("POST", {"origin": f"{PUBLIC}:8443"}, {"json": HELLO}, 403),
        ("POST", {}, {"json": HELLO}, 403),
        ("POST", OURS, {"data": HELLO}, 403),
        ("POST", {**OURS, "content-type": "text/plain"}, {"content": b"{}"}, 403),
        ("POST", OURS, {"content": b'{"query": "{ hello }"}'}, 403),
        ("POST", {**OURS, "host": "evil.example"}, {"json": HELLO}, 200),  # the public URL decides
        ("POST", {"origin": "https://evil.example", "host": "evil.example"}, {"json": HELLO}, 403),
    ],
)
async def test_whose_page_a_request_is_from(
    method: str, headers: dict[str, str], body: dict[str, Any], status: int
) -> None:
    async with signed_in() as client:
        answer = await client.request(method, "/graphql", headers=headers, **body)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["errors"][0]["extensions"]["code"] == "CROSS_SITE"
    else:
        assert answer.json() == {"data": {"hello": "world"}}


async def test_a_token_needs_none_of_it_and_comes_first() -> None:
    async with signed_in() as client:
        for headers in ({}, {"origin": "https://elsewhere.example"}):
            answer = await client.get("/whoami", headers={**headers, **bearer(token_of(sub="ben"))})
            assert (answer.status_code, answer.json()["subject"]) == (200, "ben")
        assert (await client.get("/whoami", headers=bearer("x"))).status_code == 401


async def test_who_the_cookie_is() -> None:
    async with signed_in() as client:
        answer = await client.get("/whoami", headers=OURS)
    assert answer.json()["subject"] == "anna"
    assert answer.json()["grants"]["ERN-EYE"] == ["FULL", "annotate"]


def _altered(value: str) -> str:
    middle = len(value) // 2
    return value[:middle] + ("A" if value[middle] != "A" else "B") + value[middle + 1 :]


GOOD = cookie_of(FakeProvider(public_url=PUBLIC))["__Host-ernfed-session"]
OTHER_PROVIDER = FakeProvider(public_url=PUBLIC)
OTHER_PROVIDER.provider = Provider("https://login.example.org/realms/other", AUDIENCE, public_url=PUBLIC)
WRONG = {
    "over": cookie_of(FakeProvider(public_url=PUBLIC), exp=int(time.time()) - 1)["__Host-ernfed-session"],
    "altered": _altered(GOOD),
    "cut": GOOD[:-5],
    "another key": cookie_of(FakeProvider(public_url=PUBLIC), Sealer.new_key())["__Host-ernfed-session"],
    "another provider": cookie_of(OTHER_PROVIDER)["__Host-ernfed-session"],
    "of a sign-in": Sealer(KEY).seal(f"sign-in {ISSUER} {AUDIENCE}", claims_of(), time.time() + 60),
    "a token": token_of(),
    "rubbish": "x",
    "empty": '""',
    "long": "A" * 20_000,
}


@pytest.mark.parametrize("case", WRONG)
async def test_a_wrong_cookie_is_refused_and_taken_away(case: str) -> None:
    async with signed_in(cookies={"__Host-ernfed-session": WRONG[case]}) as client:
        answer = await client.get("/whoami", headers=OURS)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")
    assert answer.headers["set-cookie"].startswith('__Host-ernfed-session=""; ')
    assert "Max-Age=0" in answer.headers["set-cookie"]


async def test_a_cookie_without_the_prefix_is_none_of_ours() -> None:
    """A page on another subdomain can set one, for all of them; it cannot set `__Host-`."""
    async with signed_in(cookies={"ernfed-session": GOOD}) as client:
        answer = await client.get("/whoami", headers=OURS)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_more_than_a_cookie_holds() -> None:
    import secrets

    sealer = Sealer(KEY)
    assert len(sealer.seal("x", {"a": "b" * 20_000}, 1)) < MAX_COOKIE  # it packs well
    with pytest.raises(CookieTooLarge):
        sealer.seal("x", {"a": secrets.token_hex(MAX_COOKIE)}, 1)
