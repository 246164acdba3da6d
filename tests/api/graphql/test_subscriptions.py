"""Subscriptions as clients have them: two servers on one database, WebSocket and server-sent events.

How they end: test_streams_end.py.
"""

import asyncio
import json
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from api.document.rules import Rules
from db.audit.lines import lines
from db.audit.log import AUDIT_SESSION, AuditLog
from db.pool import Database
from db.writing.consent import StudyConsent, set_consents
from tests.api.graphql.subscribing import CHANGES, begun, events, receive, serving, subscribed, told
from tests.db.writing.ingesting import store
from tests.resolvers.following import with_projections
from tests.rows import study


async def test_two_servers_two_transports(database: Database) -> None:
    await with_projections(database)
    seen: list[Any] = []
    async with serving(database) as one, serving(database) as other, one.socket() as ws:
        await begun(ws, CHANGES)
        stream = asyncio.create_task(events(other, seen))
        await subscribed(one, 1)
        await subscribed(other, 1)
        await store(database, 1, [study("1.1", StudyDescription="first")])
        await store(database, 2, [study("1.2", StudyDescription="second")])
        await set_consents(database, 2, [StudyConsent("1.2", True, False, False)], "test")
        await told(seen, 3)
        over_socket = [(await receive(ws))["payload"] for _ in range(3)]
        assert over_socket == seen
        changes = [each["data"]["studyChanged"] for each in seen]
        assert [(c["kind"], c["studyInstanceUid"], c["archive"]["code"]) for c in changes] == [
            ("ADDED", "1.1", "a0"), ("ADDED", "1.2", "a1"), ("UPDATED", "1.2", "a1"),
        ]  # fmt: skip
        assert changes[0]["study"] == {"studyDescription": "first"}
        # what was missed, at the other server
        again: list[Any] = []
        late = asyncio.create_task(events(one, again, since=changes[0]["cursor"]))
        await told(again, 2)
        assert again == seen[1:]
        late.cancel()
        stream.cancel()
        await asyncio.gather(late, stream, return_exceptions=True)


async def test_a_flood_of_subscriptions(database: Database) -> None:
    """Of one connection, of one person over many connections, and of one person in a minute."""
    await with_projections(database)
    waits = iter([0.0] * 6 + [7.0] * 100)
    more: dict[str, Any] = {"operations_per_socket": 3, "limiter": lambda _who, _weight: next(waits)}
    async with serving(database, **more) as server, server.socket() as ws, server.socket() as second:
        server.services.subscribers.most = 4
        for number in range(1, 5):
            await begun(ws, CHANGES, str(number))
        refused = await receive(ws)
        assert (refused["id"], refused["type"]) == ("4", "error")
        assert refused["payload"][0]["extensions"]["code"] == "TOO_MANY_SUBSCRIPTIONS"
        for number in range(1, 4):
            await begun(second, CHANGES, str(number))
        codes: list[str] = []
        while len(codes) < 2:
            answer = await receive(second)
            if answer["type"] == "next":
                codes.append(answer["payload"]["errors"][0]["extensions"]["code"])
        assert codes == ["TOO_MANY_SUBSCRIPTIONS"] * 2
        await begun(second, "{ viewer { subject } }", "9")
        while (answer := await receive(second))["id"] != "9":
            pass
        assert answer["payload"][0]["extensions"]["code"] == "RATE_LIMITED"


async def test_rules_hold_on_a_websocket(database: Database) -> None:
    await with_projections(database)
    async with serving(database, rules=Rules(max_cost=50)) as server, server.socket() as ws:
        await begun(ws, "subscription { studyChanged { study { series(first: 60) { nodes { id } } } } }")
        assert (await receive(ws))["payload"][0]["extensions"]["code"] == "COST_TOO_HIGH"
        for id, payload, code in (
            ("2", {"documentId": "sha256:" + "0" * 64}, "PERSISTED_QUERY_NOT_SUPPORTED"),
            ("3", {"query": "{ a" + " " * 130_000 + "}"}, "QUERY_TOO_LARGE"),
            ("4", {"query": 7}, "BAD_REQUEST"),
            ("5", {"query": "{ a }", "variables": []}, "BAD_REQUEST"),
        ):
            await ws.send(json.dumps({"type": "subscribe", "id": id, "payload": payload}))
            answer = await receive(ws)
            assert (answer["id"], answer["payload"][0]["extensions"]["code"]) == (id, code)


async def test_only_pages_of_the_server_may_connect(database: Database) -> None:
    await with_projections(database)
    async with serving(database) as server:
        for origin, good in ((server.url, True), ("https://evil.example", False), ("null", False)):
            if good:
                async with server.socket(origin=origin):
                    continue
            with pytest.raises(InvalidStatus):
                await server.socket(origin=origin)


async def test_lines_of_the_audit_trail(database: Database) -> None:
    """One at the start, one for a batch, before it leaves."""
    await with_projections(database)
    pool = await Database.open(database.url, max_size=1, session=AUDIT_SESSION)
    log = await AuditLog.open(pool)
    async with serving(database, audit=log) as server, server.socket() as ws:
        (row,) = await database.fetch("t", "select now() as at")
        await begun(ws, "{ changesCursor }")
        since = (await receive(ws))["payload"]["data"]["changesCursor"]
        await receive(ws)
        await store(database, 1, [study(f"1.{number}", PatientID=f"P{number}") for number in range(5)])
        await begun(ws, CHANGES, "2", since=since)
        for _ in range(5):
            assert (await receive(ws))["type"] == "next"
        said = [line.said async for line in lines(database)]
    await log.close()
    await pool.close()
    assert [(each["outcome"], each["studies"], each["patients"]) for each in said] == [
        ("OK", 0, 0), ("SUBSCRIBED", 0, 0), ("OK", 5, 5),
    ]  # fmt: skip
    assert row is not None
