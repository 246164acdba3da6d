"""Every operation leaves its line before its answer leaves; without the line no data leaves."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
import strawberry
from starlette.applications import Starlette

from access.audit import AuditLine, Touched, document_digest
from api.app import create_app
from db.audit.lines import lines, walk, who_saw_patient, who_saw_study
from db.audit.log import AUDIT_SESSION, AuditLog
from db.pool import Database, StatementTimeout
from resolvers.schema import schema
from tests.api.identity.signing import FakeProvider, bearer, token_of
from tests.api.tiny import tiny_app
from tests.federation import Federation
from tests.postgres import named
from tests.resolvers.conftest import federation, loaded, runtime  # noqa: F401
from tests.resolvers.runtime import Runtime

SSE = {"accept": "text/event-stream"}
LIST = "{ studies(first: 5) { nodes { studyInstanceUid patientId patientName { text } } } }"


class Audited:
    """An application whose lines can be read."""

    def __init__(self, app: Starlette, log: AuditLog, database: Database) -> None:
        self.log, self.database = log, database
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, client=("192.0.2.77", 5)), base_url="http://ernfed.test"
        )

    async def ask(self, query: str, **headers: str) -> httpx.Response:
        return await self.client.post("/graphql", json={"query": query}, headers=headers)

    async def lines(self) -> list[AuditLine]:
        assert (await walk(self.database)).flaw is None
        return [line async for line in lines(self.database)]

    async def line(self) -> dict[str, Any]:
        return (await self.lines())[-1].said


@pytest.fixture
async def audit(database_url: str) -> AsyncIterator[AuditLog]:
    """A log in a database of its own, so that it can go away while the index stays."""
    database = await Database.open(database_url, max_size=1, session=AUDIT_SESSION)
    log = await AuditLog.open(database)
    yield log
    await log.close()
    await database.close()


@pytest.fixture
def tiny(audit: AuditLog, database: Database) -> Audited:
    return Audited(tiny_app(audit=audit), audit, database)


@pytest.fixture
def real(runtime: Runtime, audit: AuditLog, database: Database) -> Audited:  # noqa: F811
    app = create_app(schema, runtime._context, readiness=runtime._ready, audit=audit)
    return Audited(app, audit, database)


async def gone(url: str) -> None:
    """The audit log's database goes away."""
    name = urlsplit(url).path[1:]
    connection = await asyncpg.connect(named(url, "postgres"))
    await connection.execute(f"alter database {name} allow_connections false")
    await connection.fetch("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name)
    await connection.close()


@pytest.mark.parametrize(
    ("query", "outcome"),
    [
        ("{ hello }", "OK"),
        ("{ __schema { queryType { name } } }", "OK"),
        ('{ fails(how: "input") hello }', "PARTIAL"),
        ("{ nope }", "GRAPHQL_VALIDATION_FAILED"),
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ a" * 20 + "}" * 20, "QUERY_TOO_DEEP"),
        ("query A { hello } query B { hello }", "BAD_REQUEST"),
        ("fragment F on Query { hello }", "BAD_REQUEST"),
        ("subscription { ticks(count: 1) }", "BAD_REQUEST"),
    ],
)
async def test_every_operation_leaves_one_line(tiny: Audited, query: str, outcome: str) -> None:
    answer = await tiny.ask(query, **{"x-purpose-of-use": "HRESCH", "x-request-id": "proxy-0001"})
    await tiny.log.close()
    [line] = await tiny.lines()
    assert line.said["outcome"] == outcome
    assert line.said["document"] == document_digest(query)
    assert (line.said["subject"], line.said["purpose"]) == ("anonymous", "HRESCH")
    assert (line.said["client"], line.said["endpoint"]) == ("192.0.2.0/24", "/graphql")
    assert line.said["request"] == answer.headers["x-request-id"] == "proxy-0001"


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/", "/schema.graphql", "/nothing"])
async def test_other_paths_leave_none(tiny: Audited, path: str) -> None:
    await tiny.client.get(path)
    assert await tiny.lines() == []


@pytest.mark.parametrize(
    ("path", "headers", "endpoint", "outcome"),
    [
        ("/graphql", {}, "/graphql", "UNAUTHENTICATED"),
        ("/graphql", bearer(token_of(exp=1_700_000_000)), "/graphql", "UNAUTHENTICATED"),
        ("/graphql?access_token=Mueller", {}, "/graphql", "UNAUTHENTICATED"),
        ("/dicom-web/studies/1.2.3?PatientName=Mueller", {}, "/dicom-web/studies/{study}", "UNAUTHENTICATED"),
        ("/studies/1.2.3?PatientName=Mueller", {}, "(other)", "UNAUTHENTICATED"),
    ],
)
async def test_who_is_not_let_in_leaves_a_line(
    audit: AuditLog, database: Database, path: str, headers: dict[str, str], endpoint: str, outcome: str
) -> None:
    app = Audited(tiny_app(audit=audit, identity=FakeProvider().identity()), audit, database)
    answer = await app.client.get(path, headers=headers)
    assert answer.status_code in (400, 401)
    await app.log.close()
    [line] = await app.lines()
    assert (line.said["subject"], line.said["endpoint"], line.said["outcome"]) == (
        "anonymous",
        endpoint,
        outcome,
    )
    assert line.said["request"] == answer.headers["x-request-id"]
    assert (line.said["client"], line.said["document"]) == ("192.0.2.0/24", None)
    assert "Mueller" not in repr(line.said)


async def test_a_flood_of_strangers_is_no_flood_of_lines(audit: AuditLog, database: Database) -> None:
    left = {"refused 192.0.2.77": 3}

    def limiter(asker: str, weight: float) -> float:
        left[asker] = left.get(asker, 1_000) - 1
        return 0.0 if left[asker] >= 0 else 7.2

    app = Audited(tiny_app(audit=audit, limiter=limiter, identity=FakeProvider().identity()), audit, database)
    answers = [await app.client.get("/graphql") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
    assert answers[-1].headers["retry-after"] == "8"
    good = await app.client.post("/graphql", json={"query": "{ hello }"}, headers=bearer(token_of()))
    assert good.json() == {"data": {"hello": "world"}}
    await app.log.close()
    assert [line.said["outcome"] for line in await app.lines()] == ["UNAUTHENTICATED"] * 3 + ["OK"]


@pytest.mark.parametrize(
    ("content", "outcome"),
    [(b"{", "BAD_REQUEST"), (b"[]", "BAD_REQUEST"), (b"x" * 1_000_001, "PAYLOAD_TOO_LARGE")],
)
async def test_a_request_without_a_document_leaves_a_line(
    tiny: Audited, content: bytes, outcome: str
) -> None:
    await tiny.client.post("/graphql", content=content, headers={"content-type": "application/json"})
    await tiny.log.close()
    assert ((await tiny.line())["outcome"], (await tiny.line())["document"]) == (outcome, None)


async def test_an_unknown_purpose_is_refused(tiny: Audited) -> None:
    answer = await tiny.ask("{ hello }", **{"x-purpose-of-use": "Mueller^Juergen"})
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert error["extensions"]["code"] == "BAD_INPUT"
    assert "X-Purpose-Of-Use" in error["message"]
    await tiny.log.close()
    assert ((await tiny.line())["outcome"], (await tiny.line())["purpose"]) == ("BAD_INPUT", None)


async def test_each_event_of_a_stream_leaves_a_line_first(tiny: Audited) -> None:
    answer = await tiny.ask("subscription { ticks(count: 3) }", **SSE)
    assert answer.text.count("ticks") == 3
    assert [line.said["outcome"] for line in await tiny.lines()] == ["SUBSCRIBED", *["OK"] * 3]
    await tiny.ask("{ hello }", **SSE)
    assert [line.said["outcome"] for line in await tiny.lines()] == ["SUBSCRIBED", *["OK"] * 4]


async def test_a_request_that_is_cut_off_leaves_a_line(audit: AuditLog, database: Database) -> None:
    tiny = Audited(tiny_app(audit=audit, request_timeout=0.1), audit, database)
    assert (await tiny.ask("{ sleeps(seconds: 5) }")).status_code == 503
    await audit.close()
    assert (await tiny.line())["outcome"] == "CUT_OFF"


# ---- what it touched ---------------------------------------------------------------------------------


async def test_a_list_tells_its_studies_patients_and_archives(
    real: Audited,
    federation: Federation,  # noqa: F811
) -> None:
    nodes = (await real.ask(LIST)).json()["data"]["studies"]["nodes"]
    said = await real.line()
    assert (said["subject"], said["studies"], said["archives"]) == ("local", 5, ["a0", "a1", "a2"])
    assert said["patients"] == len({node["patientId"] for node in nodes} - {None})
    for node in nodes:
        assert len(await who_saw_study(real.database, node["studyInstanceUid"])) == 1
        if node["patientId"]:
            assert len(await who_saw_patient(real.database, node["patientId"], None)) == 1
    others = set(federation.study_uids()) - {node["studyInstanceUid"] for node in nodes}
    assert await who_saw_study(real.database, min(others)) == []


async def test_counts_touch_nobody(real: Audited) -> None:
    await real.ask("{ studies { totalCount complete pageInfo { hasNextPage } } series { totalCount } }")
    said = await real.line()
    assert (said["studies"], said["patients"], said["archives"]) == (0, 0, ["a0", "a1", "a2"])


@pytest.mark.parametrize(
    "query",
    [
        "{ series(first: 3) { nodes { seriesInstanceUid } } }",
        "{ instances(first: 3) { edges { node { sopInstanceUid } } } }",
        "{ series(first: 1) { nodes { study { studyInstanceUid } } } }",
        "{ studies(first: 2) { nodes { series { nodes { instances { nodes { rows } } } } } } }",
    ],
)
async def test_every_way_to_a_record_is_told(real: Audited, query: str) -> None:
    assert "errors" not in (await real.ask(query)).json()
    assert (await real.line())["studies"] > 0


async def test_one_study_by_uid_and_by_id(real: Audited, federation: Federation) -> None:  # noqa: F811
    uid = federation.study_uids()[0]
    answer = await real.ask(f'{{ study(studyInstanceUid: "{uid}") {{ id }} }}')
    assert (await real.line())["studies"] == 1
    await real.ask(f'{{ node(id: "{answer.json()["data"]["study"]["id"]}") {{ id }} }}')
    found = await who_saw_study(real.database, uid)
    assert len(found) == 2
    await real.ask('{ study(studyInstanceUid: "1.2.3.4.5") { id } }')
    assert (await real.line())["studies"] == 0


async def test_an_archive_that_is_named_is_told(real: Audited) -> None:
    await real.ask('{ studies(archives: ["a1"], first: 1) { nodes { studyDate } } }')
    assert "a1" in (await real.line())["archives"]
    assert (await real.line())["archives"] != ["a0", "a1", "a2"]


async def test_the_log_names_no_patient(
    real: Audited,
    federation: Federation,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer = await real.ask(
        '{ studies(filter: {patientName: {fuzzy: "Müller^Hans"}}) { nodes { patientName { text } } } }'
    )
    assert "ller" in answer.text
    rows = await real.database.fetch("all", "select e::text from audit_event e")
    text = "".join(row[0] for row in rows) + "".join(capsys.readouterr())
    assert "ller" not in text
    assert not any(uid in text for uid in federation.study_uids())


# ---- without a log -----------------------------------------------------------------------------------


async def test_without_its_line_no_data_leaves(real: Audited, database_url: str) -> None:
    assert "studyInstanceUid" in (await real.ask(LIST)).text
    await gone(database_url)
    for accept in ("application/json", "application/graphql-response+json"):
        answer = await real.ask(LIST, accept=accept)
        assert answer.status_code == 503
        assert [e["extensions"]["code"] for e in answer.json()["errors"]] == ["AUDIT_UNAVAILABLE"]
        assert "data" not in answer.json()
        assert "1.2." not in answer.text
    stream = await real.ask(LIST, **SSE)
    assert "AUDIT_UNAVAILABLE" in stream.text
    assert "1.2." not in stream.text


async def test_many_requests_share_commits(tiny: Audited) -> None:
    answers = await asyncio.gather(*(tiny.ask("{ hello }") for _ in range(200)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await tiny.lines()) == 200
    assert tiny.log.commits <= 40


# ---- rate and time -----------------------------------------------------------------------------------


async def test_who_asks_too_often_is_told_when_to_come_back(audit: AuditLog, database: Database) -> None:
    waits = iter([0.0, 0.0, 3.2])
    tiny = Audited(tiny_app(audit=audit, limiter=lambda person, weight: next(waits)), audit, database)
    assert [(await tiny.ask("{ hello }")).status_code for _ in range(2)] == [200, 200]
    answer = await tiny.ask("{ hello }")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "4")
    assert answer.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    assert len(await tiny.lines()) == 2


async def test_people_are_told_apart_and_strangers_by_address(runtime: Runtime) -> None:  # noqa: F811
    asked: list[str] = []

    def limiter(person: str, weight: float) -> float:
        asked.append(person)
        return 0.0

    app = create_app(schema, runtime._context, readiness=runtime._ready, limiter=limiter)
    for each in (app, tiny_app(limiter=limiter)):
        transport = httpx.ASGITransport(each, client=("192.0.2.77", 5))
        async with httpx.AsyncClient(transport=transport, base_url="http://ernfed.test") as client:
            await client.post("/graphql", json={"query": "{ __typename }"})
    assert asked == ["subject local", "address 192.0.2.77"]


async def test_a_statement_that_takes_too_long_is_a_timeout() -> None:
    @strawberry.type
    class Query:
        @strawberry.field
        def slow(self) -> str | None:
            raise StatementTimeout(StatementTimeout.message)

    transport = httpx.ASGITransport(tiny_app(schema=strawberry.Schema(Query)))
    async with httpx.AsyncClient(transport=transport, base_url="http://ernfed.test") as client:
        answer = await client.post(
            "/graphql",
            content=json.dumps({"query": "{ slow }"}),
            headers={"content-type": "application/json"},
        )
    [error] = answer.json()["errors"]
    assert error["extensions"]["code"] == "TIMEOUT"
    assert "took too long" in error["message"]


def test_collecting_begins_anew_for_each_event() -> None:
    touched = Touched(studies={"1.2"})
    assert touched.take().studies == {"1.2"}
    assert touched.take() == Touched()
