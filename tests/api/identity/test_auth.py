"""Where a token may stand, what is open without one, and what each kind of server does with nobody."""

import pytest

from api.identity.auth import Identity
from tests.api.identity.signing import ERNS, FakeProvider, bearer, token_of
from tests.api.identity.signing_in import serving
from tests.api.tiny import tiny_app

HELLO = {"query": "{ hello }"}


@pytest.mark.parametrize("path", ["/", "/livez", "/readyz", "/static/index.js", "/auth/login"])
async def test_what_anybody_may_ask_for(path: str) -> None:
    async with serving() as served, served.browser() as browser:
        assert (await browser.get(path)).status_code != 401


@pytest.mark.parametrize(
    "path",
    ["/graphql", "/metrics", "/schema.graphql", "/whoami", "/dicom-web/studies", "/export/x", "/nothing",
     "/archives/a/dicom-web/studies", "//graphql", "/authx", "/static", "/livez/x"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
async def test_everything_else_asks_who_you_are(path: str, method: str) -> None:
    async with FakeProvider().client() as client:
        answer = await client.request(method, f"http://ernfed.test{path}")
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
    assert answer.headers["www-authenticate"] == 'Bearer realm="ernfed"'
    assert answer.headers["x-request-id"]
    assert answer.headers["cache-control"] == "no-store"


async def test_graphql_with_a_token() -> None:
    async with FakeProvider().client() as client:
        answer = await client.post("/graphql", json=HELLO, headers=bearer(token_of()))
    assert answer.json() == {"data": {"hello": "world"}}


@pytest.mark.parametrize("name", ["access_token", "id_token"])
async def test_a_token_in_the_url_is_refused_even_beside_a_good_one(name: str) -> None:
    async with FakeProvider().client() as client:
        for headers in ({}, bearer(token_of())):
            answer = await client.get("/whoami", params={name: token_of()}, headers=headers)
            assert answer.status_code == 400
            assert 'error="invalid_request"' in answer.headers["www-authenticate"]
            assert "Authorization: Bearer" in answer.json()["errors"][0]["message"]


async def test_a_token_in_a_form_is_none() -> None:
    async with FakeProvider().client() as client:
        assert (await client.post("/whoami", data={"access_token": token_of()})).status_code == 401


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "", "Token x", "Bearerx y", "Negotiate x"])
async def test_other_schemes(header: str) -> None:
    async with FakeProvider().client() as client:
        assert (await client.get("/whoami", headers={"authorization": header})).status_code == 401


async def test_two_headers_are_one_too_many() -> None:
    good, bad = bearer(token_of())["Authorization"], "Bearer x"
    async with FakeProvider().client() as client:
        for pair in ((good, bad), (bad, good), (good, good)):
            answer = await client.get("/whoami", headers=[("authorization", value) for value in pair])
            assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (
                400,
                "UNAUTHENTICATED",
            )


async def test_the_scheme_in_any_case() -> None:
    async with FakeProvider().client() as client:
        answer = await client.get("/whoami", headers={"authorization": f"bEARER {token_of()}"})
    assert answer.status_code == 200


async def test_a_server_without_an_issuer_takes_everybody_here() -> None:
    provider = FakeProvider()
    async with provider.client(Identity(lambda: ERNS)) as client:
        for headers in ({}, bearer("anything")):
            answer = (await client.get("/whoami", headers=headers)).json()
            assert answer["subject"] == "local"
            assert {words[0] for words in answer["grants"].values()} == {"FULL"}


async def test_a_demo_honours_tokens_and_needs_none() -> None:
    provider = FakeProvider()
    async with provider.client(provider.identity(open_here=True)) as client:
        assert (await client.get("/whoami")).json()["subject"] == "local"
        assert (await client.get("/whoami", headers=bearer(token_of()))).json()["subject"] == "anna"
        assert (
            await client.get("/whoami", headers=bearer("x"))
        ).status_code == 401  # never more than asked for


async def test_without_an_answer_to_who_nobody_is_anybody() -> None:
    """A route behind no gate: viewer_of_request refuses by itself."""
    import httpx
    from starlette.routing import Route

    from tests.api.identity.signing import whoami

    app = tiny_app(routes=(Route("/whoami", whoami),))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ernfed.test") as client:
        answer = await client.get("/whoami")
    assert answer.status_code == 401
    assert "Bearer" in answer.headers["www-authenticate"]


async def test_an_unreachable_provider_is_not_the_callers_fault() -> None:
    provider = FakeProvider()
    provider.down = True
    async with provider.client() as client:
        answer = await client.get("/whoami", headers=bearer(token_of()))
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (503, "UNAVAILABLE")
    assert answer.headers["retry-after"] == "10"
