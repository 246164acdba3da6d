"""Streams: who is asking is asked at their beginning and holds until the token expires."""

import asyncio
import json
import time
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from api.identity.auth import viewer_of_request
from api.identity.tokens import LEEWAY
from tests.api.identity.signing_in import KEY, Served, serving

PROTOCOL = Subprotocol("graphql-transport-ws")
SLEEPS = "{ sleeps(seconds: 20) }"


def token(served: Served, seconds: float = 600) -> str:
    """A clinician's token that is over in so many seconds, for good (leeway included)."""
    issuer, person = served.issuer, served.issuer.people[0]
    expires = {"exp": int(time.time() + seconds) - LEEWAY + 1} if seconds < LEEWAY else {}
    claims = {"aud": "ernfed-demo", "ern_grants": dict(person.grants), **expires}
    from joserfc import jwt

    now = int(time.time())
    claims = {"iss": issuer.issuer, "sub": person.subject, "iat": now, "exp": now + 600, **claims}
    header = {"alg": "ES256", "typ": "at+jwt", "kid": issuer._key.thumbprint()}
    return jwt.encode(header, claims, issuer._key, algorithms=["ES256"])


async def test_server_sent_events_end_when_the_token_does() -> None:
    async with serving() as served, served.browser() as browser:
        headers = {"accept": "text/event-stream", "authorization": f"Bearer {token(served, 1)}"}
        started = time.monotonic()
        answer = await browser.post("/graphql", json={"query": SLEEPS}, headers=headers)
        assert time.monotonic() - started < 6
        assert answer.status_code == 200
        *_, last, complete = answer.text.replace("\r\n", "\n").strip().split("\n\n")
        [error] = json.loads(last.split("data: ")[1])["errors"]
        assert error["extensions"]["code"] == "UNAUTHENTICATED"
        assert complete.startswith("event: complete")
        again = await browser.post("/graphql", json={"query": SLEEPS}, headers=headers)
        assert again.status_code in (200, 401)
        assert (await browser.post("/graphql", json={"query": SLEEPS})).status_code == 401


async def test_a_stream_that_ends_before_is_whole() -> None:
    async with serving() as served, served.browser() as browser:
        headers = {"accept": "text/event-stream", "authorization": f"Bearer {token(served)}"}
        asked = {"query": "subscription { ticks(count: 3) }"}
        answer = await browser.post("/graphql", json=asked, headers=headers)
    assert answer.text.count("event: next") == 3
    assert "UNAUTHENTICATED" not in answer.text


def opened(served: Served, **more: Any) -> connect:
    """A WebSocket to it."""
    url = served.url.replace("http", "ws", 1) + "/graphql"
    return connect(url, subprotocols=[PROTOCOL], **more)


@pytest.mark.parametrize("name", ["authorization", "Authorization"])
async def test_a_websocket_says_who_it_is_in_its_first_message(name: str) -> None:
    seen: list[str] = []

    async def context(request: Any) -> dict[str, Any]:
        seen.append(viewer_of_request(request).subject)
        return {}

    async with serving(context_factory=context) as served, opened(served) as socket:
        init = {"type": "connection_init", "payload": {name: f"Bearer {token(served)}"}}
        await socket.send(json.dumps(init))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        for number in range(2):
            asked = {"type": "subscribe", "id": str(number), "payload": {"query": "{ hello }"}}
            await socket.send(json.dumps(asked))
            assert json.loads(await socket.recv())["payload"] == {"data": {"hello": "world"}}
            assert json.loads(await socket.recv())["type"] == "complete"
    assert seen[-2:] == ["demo-clinician"] * 2  # a context for each operation


@pytest.mark.parametrize(
    "payload",
    [None, {}, {"authorization": "Bearer x"}, {"authorization": 7}, {"authorization": ["Bearer x"]},
     {"authorization": "Basic x"}, {"Authorization": "Bearer x", "authorization": "x"}, {"token": "x"}],
)  # fmt: skip
async def test_a_websocket_of_nobody_is_closed(payload: Any) -> None:
    async with serving() as served, opened(served) as socket:
        message = {"type": "connection_init"} | ({} if payload is None else {"payload": payload})
        await socket.send(json.dumps(message))
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


async def test_a_websocket_may_not_ask_before_it_said_who_it_is() -> None:
    async with serving() as served, opened(served) as socket:
        asked = {"type": "subscribe", "id": "1", "payload": {"query": "{ hello }"}}
        await socket.send(json.dumps(asked))
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


async def test_a_websocket_ends_when_the_token_does() -> None:
    async with serving() as served, opened(served) as socket:
        init = {"type": "connection_init", "payload": {"authorization": f"Bearer {token(served, 1)}"}}
        await socket.send(json.dumps(init))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": SLEEPS}}))
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 6)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4401, "The access token has expired")


async def test_a_cookie_opens_a_websocket_from_our_own_page_only() -> None:
    from starlette.responses import Response

    from api.identity.sealing import Sealer
    from api.identity.sessions import Sessions
    from api.identity.tokens import Checked

    async with serving() as served:
        response = Response()
        checked = Checked({"sub": "anna", "aud": "ernfed-demo"}, time.time() + 60)
        Sessions(Sealer(KEY), served.issuer.provider()).begin(response, checked)
        cookie = {"cookie": response.headers["set-cookie"].partition(";")[0]}
        for origin, good in ((served.url, True), (None, False)):
            async with opened(served, origin=origin, additional_headers=cookie) as socket:
                await socket.send('{"type": "connection_init"}')
                if good:
                    assert json.loads(await socket.recv())["type"] == "connection_ack"
                else:
                    with pytest.raises(ConnectionClosed) as closed:
                        await socket.recv()
                    assert closed.value.rcvd is not None
                    assert closed.value.rcvd.code == 4403
