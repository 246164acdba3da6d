"""What an ERN lets whom see, changed while people are connected: it holds for what they ask next, and for streams."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import ClientConnection

from api.export import table as export_table
from api.identity.auth import Identity
from config.access_file import AccessRules, ErnPolicy
from db.pool import Database
from tests.api.graphql.subscribing import CHANGES, begun, events, receive, serving, subscribed, told
from tests.api.identity.signing import FakeProvider, token_of
from tests.db.writing.ingesting import store
from tests.resolvers.following import with_projections
from tests.rows import study

GRANTS = "{ viewer { grants { ern access } } }"
CLOSED = AccessRules(ErnPolicy(members="counts"))


@dataclass
class Rules:
    """Those in force."""

    now: AccessRules

    def identity(self) -> Identity:
        return FakeProvider().identity(rules=lambda: self.now)


def member() -> str:
    return token_of(ern_grants={"ERN-EYE": ["full", "export"]})


async def access(ws: ClientConnection, id: str) -> Any:
    """What the viewer of a connection may see of ERN-EYE now."""
    await begun(ws, GRANTS, id, token=member())
    answer = await receive(ws)
    assert (await receive(ws))["type"] == "complete"
    grants = answer["payload"]["data"]["viewer"]["grants"]
    return {grant["ern"]: grant["access"] for grant in grants}["ERN-EYE"]


async def test_requests_and_open_connections(database: Database) -> None:
    await with_projections(database)
    rules = Rules(AccessRules())
    async with (
        serving(database, rules.identity()) as server,
        server.socket() as ws,
        httpx.AsyncClient() as http,
    ):
        headers = {"authorization": f"Bearer {member()}"}

        async def by_http() -> list[str]:
            answer = await http.post(server.graphql, json={"query": GRANTS}, headers=headers)
            grants = answer.json()["data"]["viewer"]["grants"]
            return [grant["access"] for grant in grants if grant["ern"] == "ERN-EYE"]

        assert (await by_http(), await access(ws, "1")) == (["FULL"], "FULL")
        rules.now = CLOSED
        assert (await by_http(), await access(ws, "2")) == (["COUNTS"], "COUNTS")
        rules.now = AccessRules()
        assert (await by_http(), await access(ws, "3")) == (["FULL"], "FULL")


async def test_streams_end_before_they_tell_what_one_may_not_see_any_more(database: Database) -> None:
    await with_projections(database)
    seen: list[Any] = []
    rules = Rules(AccessRules())
    async with serving(database, rules.identity()) as server, server.socket() as ws:
        await begun(ws, CHANGES, token=member())
        stream = asyncio.create_task(events(server, seen, member()))
        await subscribed(server, 2)
        await store(database, 1, [study("1.1")])
        await told(seen, 1)
        assert (await receive(ws))["payload"]["data"]["studyChanged"]["studyInstanceUid"] == "1.1"
        rules.now = CLOSED
        server.services.follow(CLOSED)  # nobody has to wait for the next event
        last = await receive(ws)
        await asyncio.wait_for(stream, 10)
        await store(database, 1, [study("1.2")])
    assert last["payload"]["errors"][0]["extensions"]["code"] == "EVENTS_EXPIRED"
    assert [each["errors"][0]["extensions"]["code"] for each in seen[1:-1]] == ["EVENTS_EXPIRED"]
    assert seen[-1] == "complete"
    assert "1.2" not in json.dumps(seen)


async def test_rules_that_change_nothing_for_somebody_leave_their_stream(database: Database) -> None:
    await with_projections(database)
    seen: list[Any] = []
    rules = Rules(AccessRules())
    async with serving(database, rules.identity()) as server:
        stream = asyncio.create_task(events(server, seen, member()))
        await subscribed(server, 1)
        rules.now = AccessRules(groups={"elsewhere": {"VASCERN": ("full",)}})
        server.services.follow(rules.now)
        await store(database, 1, [study("1.1")])
        await told(seen, 1)
        assert seen[0]["data"]["studyChanged"]["studyInstanceUid"] == "1.1"
        stream.cancel()
        await asyncio.gather(stream, return_exceptions=True)


async def test_an_export_is_cut_short(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a token expires: the file has no end, so that nobody takes a part for the whole."""
    monkeypatch.setattr(export_table, "PAGE", 2)
    await with_projections(database)
    await store(database, 1, [study(f"1.{number}") for number in range(7)])
    rules, read = Rules(AccessRules()), export_table.Table.rows

    def rows(table: export_table.Table, nodes: Any) -> Any:
        rules.now = CLOSED  # after the first page was read
        return read(table, nodes)

    monkeypatch.setattr(export_table.Table, "rows", rows)
    async with serving(database, rules.identity()) as server, httpx.AsyncClient() as http:
        headers = {"authorization": f"Bearer {member()}", "content-type": "application/json"}
        with pytest.raises(httpx.RemoteProtocolError):
            await http.post(f"{server.url}/export/studies.csv", content=orjson.dumps({}), headers=headers)
        refused = await http.post(
            f"{server.url}/export/studies.csv", content=orjson.dumps({}), headers=headers
        )
    assert refused.status_code == 403
