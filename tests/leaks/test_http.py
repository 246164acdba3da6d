"""Everything else that leaves the server: other paths, refusals, headers, logs, metrics, the audit trail."""

import asyncio
import gc
import json

import pytest

from tests.leaks.people import PEOPLE, Served, access_of
from tests.leaks.seeded import Seeded
from tests.leaks.walk import Walked, look

PATHS = (
    "/", "/static/index.js", "/livez", "/readyz", "/metrics", "/schema.graphql", "/auth/login", "/auth/callback",
    "/auth/logout", "/graphql", "/graphiql", "/viewer", "/favicon.ico", "/nothing", "/dicom-web/studies",
    "/archives/{code}/dicom-web/studies/{uid}", "/studies/{uid}", "/auth/callback?error={name}&state={name}",
    "/auth/login?return_to=/{name}", "/graphql?query=%7B__typename%7D",
)  # fmt: skip
WHOLE = "{ studies(first: 40) { nodes { studyInstanceUid patientName { text } attributes { text } } } }"
BROKEN = (
    '{ studies(filter: {patientId: {eq: "%s"}}) { nope } }',
    '{ studies(filter: {patientId: {equals: "%s"}}) { totalCount } }',
    '{ studies(filter: {studyDate: {eq: "%s"}}) { totalCount } }',
    '{ study(studyInstanceUid: "%s") { id } }',
    '{ node(id: "%s") { id } }',
    '{ studies(after: "%s") { totalCount } }',
    '{ studies { totalCount } } "%s',
    "query %s { __typename } query Other { __typename }",
    "{ %s }",
)


async def test_other_paths_and_methods(seeded: Seeded, app: Served) -> None:
    walked = Walked(set())
    words = {each: seeded.canaries.about(what)[0].token for each, what in
             (("code", "code"), ("uid", "StudyInstanceUID"), ("name", "PatientName"))}  # fmt: skip
    for person in PEOPLE:
        await app.ask(person, WHOLE)
        for path in PATHS:
            for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "BREW"):
                reply = await app.send(person, method, path.format(**words))
                look(seeded, walked, person, f"{method} {path}", reply)
                assert reply.status < 500 or path.startswith("/auth/"), (method, path, reply.body)
    assert walked.leaks == []


@pytest.mark.parametrize("query", BROKEN)
async def test_refusals(seeded: Seeded, app: Served, query: str) -> None:
    """Values that a caller got wrong are not repeated; their own names of operations and fields may be."""
    walked = Walked(set())
    token = seeded.canaries.about("PatientID")[0].token
    for person in PEOPLE:
        look(seeded, walked, person, query % token, await app.ask(person, query % token))
    assert walked.leaks == []


async def test_logs_metrics_and_the_audit_trail(seeded: Seeded, app: Served) -> None:
    """Nobody's names are in them, whoever looks; archive codes are words of the trail."""
    for person in PEOPLE:
        await app.ask(person, WHOLE)
        for query in BROKEN:
            for what in ("PatientName", "StudyInstanceUID", "StudyDate"):
                await app.ask(person, query % seeded.canaries.about(what)[0].token)
        given = {"eq": seeded.canaries.about("PatientName")[0].token}
        await app.ask(
            person,
            "query ($f: StudyFilter) { studies(filter: $f) { totalCount } }",
            {"f": {"patientName": given}},
        )
    metrics = (await app.send("full", "GET", "/metrics")).body
    await app.audit.close()
    rows = []
    for table in ("audit_event", "audit_touch"):
        rows += await seeded.database.fetch("all", f"select t::text from {table} t")  # noqa: S608
    trail = "\n".join(row[0] for row in rows)
    assert len(rows) > 50
    assert "http.request" in app.logs.getvalue()
    for text in (app.logs.getvalue(), metrics, trail):
        assert {each.what for each in seeded.canaries.found_in(text)} <= {"code"}


async def test_ids_and_cursors_say_no_more_than_the_answer(seeded: Seeded, app: Served) -> None:
    """Cursors are sealed: not even who sees everything finds a value in one."""
    query = (
        "{ studies(first: 40, orderBy: [{field: PATIENT_NAME}]) { edges { cursor } pageInfo { endCursor } } }"
    )
    reply = await app.ask("full", query)
    assert len(json.loads(reply.body)["data"]["studies"]["edges"]) > 10
    assert seeded.canaries.found_in(reply.body) == set()


def test_people_are_as_described() -> None:
    assert [str(level) for level in access_of("mixed").values()] == ["FULL", "PSEUDONYMISED", "COUNTS"]


async def test_what_asyncio_logs_holds_no_objects(seeded: Seeded, app: Served) -> None:
    """A task that nobody waits for, and a callback, that fail over a record: type and frames are enough."""
    name = seeded.canaries.about("PatientName")[0].token

    def fail(text: str) -> None:
        raise ValueError(f"cannot read {text}")

    loop = asyncio.get_running_loop()
    loop.call_soon(fail, name)
    future: asyncio.Future[None] = loop.create_future()
    future.set_exception(ValueError(name))
    del future
    gc.collect()
    await asyncio.sleep(0.01)
    told = app.logs.getvalue()
    assert "Exception in" in told
    assert "never retrieved" in told
    assert seeded.canaries.found_in(told) == set()
