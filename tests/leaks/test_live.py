"""Asking archives now tells nobody of what is hidden from them: not by the answer, nor by who is asked for what."""

from typing import Any

import orjson
import pytest

from tests.leaks.people import Reply, Served
from tests.leaks.seeded import Seeded
from tests.leaks.test_confirmation import false_of, hidden_from
from tests.leaks.walk import Walked, look

SOURCES = "complete totalCount sources { archive { code } state matched error { code message } } nodes { id }"
QUESTIONS = {
    "StudyInstanceUID": [
        '{ studies(filter: {studyInstanceUid: {eq: "%s"}}, freshness: {mode: LIVE}) { SOURCES } }',
        '{ study(studyInstanceUid: "%s", freshness: {mode: LIVE}) { id series { nodes { id } } } }',
        '{ series(filter: {study: {studyInstanceUid: {in: ["%s"]}}}, freshness: {mode: LIVE}) { SOURCES } }',
    ],
    "SeriesInstanceUID": [
        '{ series(filter: {seriesInstanceUid: {eq: "%s"}}, freshness: {mode: LIVE}) { SOURCES } }',
    ],
    "SOPInstanceUID": [
        '{ instances(filter: {sopInstanceUid: {eq: "%s"}}, freshness: {mode: LIVE}) { SOURCES } }',
    ],
    "PatientID": [
        '{ studies(filter: {patientId: {eq: "%s"}}, freshness: {mode: LIVE}) { SOURCES } }',
        '{ studies(filter: {patientId: {in: ["%s"]}}, freshness: {mode: MAX_AGE, maxAgeSeconds: 0}) { SOURCES } }',
    ],
    "StudyDate": ['{ studies(filter: {studyDate: {eq: "%s"}}, freshness: {mode: LIVE}) { SOURCES } }'],
    "ModalitiesInStudy": [
        '{ studies(filter: {modalitiesInStudy: {any: ["%s"]}}, freshness: {mode: LIVE}) { SOURCES } }'
    ],
}  # fmt: skip


def searches(seeded: Seeded) -> list[int]:
    """How much each archive was asked so far."""
    return [len(client.searches) for client in seeded.clients]


async def cost_of(seeded: Seeded, app: Served, person: str, query: str) -> tuple[Reply, list[int]]:
    before = searches(seeded)
    reply = await app.ask(person, query)
    return reply, [after - had for had, after in zip(before, searches(seeded), strict=True)]


@pytest.mark.parametrize("person", ["counts", "pseudonymised", "mixed"])
async def test_what_is_hidden_is_asked_for_like_what_is_not_there(
    seeded: Seeded, app: Served, person: str
) -> None:
    asked = 0
    for what, queries in QUESTIONS.items():
        for canary in hidden_from(seeded, person, what):
            for query in queries:
                query = query.replace("SOURCES", SOURCES)
                values = (canary.token, false_of(seeded, canary))
                await app.ask(person, query % values[1])  # what is fetched once, on demand, is there then
                told = [await cost_of(seeded, app, person, query % each) for each in values]
                assert told[0][0].body == told[1][0].body, (query, canary)
                assert sorted(told[0][0].statements) == sorted(told[1][0].statements), (query, canary)
                assert told[0][1] == told[1][1], (query, canary)
                asked += 1
    assert asked >= 10


async def test_archives_that_are_only_counted_are_never_asked(seeded: Seeded, app: Served) -> None:
    for queries in QUESTIONS.values():
        for query in queries:
            reply, cost = await cost_of(seeded, app, "counts", query.replace("SOURCES", SOURCES) % "1.2.3")
            assert set(cost) == {0}
            for source in (orjson.loads(reply.body).get("data") or {}).get("studies", {}).get("sources", ()):
                assert source["state"] == "FORBIDDEN"


async def test_everything_asked_now_shows_nobody_what_is_hidden(seeded: Seeded, app: Served) -> None:
    walked = Walked(set())
    fields = "patientName { text } attributes { text } series { sources { error { message } } nodes { id } }"
    for person in ("counts", "pseudonymised", "mixed", "full"):
        for query in (
            f"{{ studies(first: 60, freshness: {{mode: LIVE}}) {{ {SOURCES} nodes {{ {fields} }} }} }}",
            f"{{ series(first: 60, freshness: {{mode: LIVE}}) {{ {SOURCES} }} }}",
            f"{{ instances(first: 60, freshness: {{mode: LIVE}}) {{ {SOURCES} }} }}",
        ):
            reply = await app.ask(person, query)
            assert b"INTERNAL" not in reply.body
            look(seeded, walked, person, query, reply)
    assert walked.leaks == []


LIST = "{ studies(first: 99) { nodes { studyInstanceUid patientId locations { archive { code } } } } }"
BY_UID = """{ studies(filter: {studyInstanceUid: {eq: "%s"}}, freshness: {mode: LIVE}) { totalCount
  sources { archive { code } state matched elapsedMs error { code message } } } }"""
BY_PATIENT = BY_UID.replace("studyInstanceUid", "patientId")


async def _one_shown(seeded: Seeded, app: Served) -> tuple[dict[str, Any], int]:
    """A study that a pseudonymised viewer sees in one archive which answers, and that archive's place."""
    codes = [client.config.code for client in seeded.clients]
    for node in orjson.loads((await app.ask("pseudonymised", LIST)).body)["data"]["studies"]["nodes"]:
        places = [codes.index(each["archive"]["code"]) for each in node["locations"]]
        if len(places) == 1 and node["patientId"] and seeded.clients[places[0]].down is None:
            return node, places[0]
    raise AssertionError("no such study")


async def test_a_pseudonym_is_asked_for_by_its_stored_uid(seeded: Seeded, app: Served) -> None:
    node, place = await _one_shown(seeded, app)
    reply, cost = await cost_of(seeded, app, "pseudonymised", BY_UID % node["studyInstanceUid"])
    assert [n for n, requests in enumerate(cost) if requests] == [place]
    sent = seeded.clients[place].searches[0][1]
    assert len(sent.study_uids) == 1
    assert sent.study_uids != [node["studyInstanceUid"]]
    found = orjson.loads(reply.body)["data"]["studies"]
    states = [source["state"] for source in found["sources"]]
    assert [state for n, state in enumerate(states) if n != place] == ["CACHED"] * (len(states) - 1)
    assert found["sources"][place] == {
        "archive": {"code": seeded.clients[place].config.code},
        "state": "LIVE", "matched": 1, "elapsedMs": None, "error": None,
    }  # fmt: skip
    seeded.clients[place].rows = {
        level: [row for row in rows if row["0020000D"]["Value"][0] not in sent.study_uids]
        for level, rows in seeded.clients[place].rows.items()
    }
    gone = await app.ask("pseudonymised", BY_UID % node["studyInstanceUid"])
    assert orjson.loads(gone.body)["data"]["studies"]["totalCount"] == 0


async def test_of_a_pseudonymised_patient_known_studies_are_asked_for(seeded: Seeded, app: Served) -> None:
    node, place = await _one_shown(seeded, app)
    reply, cost = await cost_of(seeded, app, "pseudonymised", BY_PATIENT % node["patientId"])
    assert [n for n, requests in enumerate(cost) if requests] == [place]
    sources = orjson.loads(reply.body)["data"]["studies"]["sources"]
    assert {source["error"]["code"] for source in sources} == {"KNOWN_ONLY"}
    assert {source["state"] for source in sources} == {"PARTIAL"}


async def test_without_consent_nobody_is_asked(seeded: Seeded, app: Served) -> None:
    node, _ = await _one_shown(seeded, app)
    await seeded.database.execute("withdraw", "update pseudonymised.study set research = false")
    for query in (BY_UID % node["studyInstanceUid"], BY_PATIENT % node["patientId"]):
        reply, cost = await cost_of(seeded, app, "pseudonymised", query)
        none, nothing = await cost_of(seeded, app, "pseudonymised", BY_UID % "1.2.826.0.1.9978.1")
        assert cost == nothing == [0] * len(cost)
        assert len(reply.statements) == len(none.statements)
        assert orjson.loads(reply.body)["data"]["studies"]["totalCount"] == 0


async def test_the_words_of_an_archive_are_not_for_who_sees_pseudonyms(seeded: Seeded, app: Served) -> None:
    node, place = await _one_shown(seeded, app)
    down = next(client.down for client in seeded.clients if client.down is not None)
    seeded.clients[place].down = down
    reply = await app.ask("pseudonymised", BY_UID % node["studyInstanceUid"])
    source = orjson.loads(reply.body)["data"]["studies"]["sources"][place]
    assert (source["state"], source["elapsedMs"]) == ("STALE", None)
    assert source["error"] == {
        "code": "SERVER_ERROR",
        "message": "This archive has a problem; the code says which kind.",
    }
