"""Consents over the served schema: who may see what with them, who sets them, and what a withdrawal does."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from access.audit import AuditRecord, Touched
from access.pseudonyms import Pseudonymiser
from access.scope import AccessLevel, Grant, Viewer
from access.small_counts import Policies, Policy
from config.pseudonym_keys import derived_key
from db.archives import sync_archives
from db.audit.log import AUDIT_SESSION, AuditLog
from db.audit.past_pseudonyms import MASTER_KEY
from db.pool import Connection, Database
from db.secrets import shared_secret
from db.writing import ingest
from db.writing.consent import StudyConsent, set_consents
from db.writing.projections import Projections
from model.attributes import Level
from model.records import Rejected
from tests.federation import Federation, generate
from tests.resolvers.memory_archive import MemoryArchive
from tests.resolvers.runtime import CONFIGS, Runtime, load_down_to, open_services

EYE, RND = "ERN-EYE", "ERN-RND"
ADMIN = Viewer("admin", None, (Grant(EYE, AccessLevel.FULL, ("full", "admin")), Grant(RND, AccessLevel.FULL)))
MEMBER = Viewer("member", None, (Grant(EYE, AccessLevel.PSEUDONYMISED),))
READER = Viewer("reader", None, (Grant(EYE, AccessLevel.PSEUDONYMISED),), frozenset({EYE}))
SET = """mutation ($uid: UID!, $archive: String!, $research: Boolean!) {
  setConsent(studyInstanceUid: $uid, archive: $archive, care: true, registry: false, research: $research) {
    study { studyInstanceUid consent { care registry research } }
    accesses { requests people byPurpose { purpose requests people } }
    exports { at purpose } } }"""


@dataclass
class Home:
    """A runtime in which nothing below studies is indexed, with pseudonymised rows."""

    runtime: Runtime
    database: Database
    made: Federation
    maker: Pseudonymiser

    def uids(self, archive_id: int = 1) -> list[str]:
        found = {c.uid for c in self.made.copies if c.level is Level.STUDY and c.archive_id == archive_id}
        return sorted(found)

    async def consent(self, *uids: str, research: bool = True) -> None:
        given = [StudyConsent(uid, True, False, research) for uid in uids]
        await set_consents(self.database, 1, given, "tester")


@pytest.fixture
async def consented(database: Database) -> AsyncIterator[Home]:
    ids = await sync_archives(database, CONFIGS)
    master = await shared_secret(database, MASTER_KEY, lambda: bytes(range(32)))
    makers = {
        ids[c.code]: Pseudonymiser(derived_key(master, c.ern).key, c.ern, key_id="db-1") for c in CONFIGS
    }
    projections = Projections(database, makers, {each: code for code, each in ids.items()})
    database.after_write.append(projections.drain)
    made = generate(5, list(ids.values()), 30)
    await load_down_to(database, made, Level.STUDY)
    clients = [MemoryArchive.of(config, made, ids[config.code]) for config in CONFIGS]
    services = replace(await open_services(database, clients), small_counts=Policies(Policy(1, 0)))
    yield Home(Runtime(services, clients), database, made, makers[1])
    await services.close()


LIST = "{ studies(first: 1000) { totalCount nodes { id studyInstanceUid access } } }"
DEEP = """{ studies(first: 10) { nodes { studyInstanceUid consent { research }
  series { nodes { id seriesInstanceUid instances { nodes { id sopInstanceUid attributes { keyword } } } } } } } }"""
LISTS = """{ series(first: 1000) { totalCount nodes { id } } instances(first: 1000) { totalCount nodes { id } }
  studyStats { studies { value } series { value } facet(by: ARCHIVE) { value count { value } } } }"""


async def test_a_stranger_sees_what_has_the_consent_to_research(consented: Home) -> None:
    reader, uids = consented.runtime.asked_by(READER), consented.uids()
    assert (await reader.data(LIST))["studies"]["totalCount"] == 0
    assert (await reader.data(LISTS))["studyStats"]["studies"]["value"] in (0, None)
    await consented.consent(*uids[:3])
    await consented.consent(uids[3], research=False)
    nodes = (await reader.data(LIST))["studies"]["nodes"]
    assert {node["studyInstanceUid"] for node in nodes} == {consented.maker.uid(uid) for uid in uids[:3]}
    assert {node["access"] for node in nodes} == {"PSEUDONYMISED"}
    member = (await consented.runtime.asked_by(MEMBER).data(LIST))["studies"]
    assert member["totalCount"] == len(uids)


async def test_sources_say_that_a_policy_holds_records_back_and_not_whether_it_did(consented: Home) -> None:
    ask = "{ studies { totalCount complete sources { archive { code } state restriction { code } } } }"
    told = {}
    for viewer in (READER, MEMBER, ADMIN):
        [source, *_] = (await consented.runtime.asked_by(viewer).data(ask))["studies"]["sources"]
        told[viewer.subject] = source["restriction"]
    assert told == {"reader": {"code": "CONSENT_TO_RESEARCH"}, "member": None, "admin": None}
    none = (await consented.runtime.asked_by(READER).data(ask))["studies"]
    await consented.consent(*consented.uids())
    everything = (await consented.runtime.asked_by(READER).data(ask))["studies"]
    assert (none["totalCount"], everything["totalCount"]) == (0, len(consented.uids()))
    assert none["sources"] == everything["sources"]
    assert none["complete"] is everything["complete"] is True


async def test_nothing_is_said_of_what_could_not_be_indexed_where_consent_decides(consented: Home) -> None:
    """A lost study has no consent that is known: that there is one is for those who see all of them."""
    ask = "{ studies { complete sources { state error { code } } } }"
    viewers = [consented.runtime.asked_by(viewer) for viewer in (READER, MEMBER, ADMIN)]
    before = [(await viewer.data(ask))["studies"] for viewer in viewers]

    async def reject(conn: Connection) -> None:
        await ingest.reject(conn, 1, [Rejected(Level.STUDY, None, "no UID", "{}")])

    await ingest.write(consented.database, "reject", reject)
    after = [(await viewer.data(ask))["studies"] for viewer in viewers]
    assert after[0] == before[0]
    for told in after[1:]:
        assert told["complete"] is False
        assert told["sources"][0] == {"state": "PARTIAL", "error": {"code": "REJECTED_RECORDS"}}


async def test_series_and_instances_fetched_on_demand_are_shown(consented: Home) -> None:
    reader, uids = consented.runtime.asked_by(READER), consented.uids()
    await consented.consent(*uids[:3])
    nodes = (await reader.data(DEEP))["studies"]["nodes"]
    copies = [copy for copy in consented.made.copies if copy.archive_id == 1]
    for uid in uids[:3]:
        (node,) = [each for each in nodes if each["studyInstanceUid"] == consented.maker.uid(uid)]
        held = {c.uid for c in copies if c.level is Level.SERIES and c.uids[Level.STUDY] == uid}
        shown = node["series"]["nodes"]
        assert {each["seriesInstanceUid"] for each in shown} == {
            consented.maker.uid_in(uid, each) for each in held
        }
        sops = {c.uid for c in copies if c.level is Level.INSTANCE and c.uids[Level.STUDY] == uid}
        told = {sop["sopInstanceUid"] for each in shown for sop in each["instances"]["nodes"]}
        assert told == {consented.maker.uid_in(uid, each) for each in sops}


async def test_a_withdrawal_takes_effect_at_once_everywhere(consented: Home) -> None:
    reader, uids = consented.runtime.asked_by(READER), consented.uids()
    await consented.consent(*uids[:4])
    before = (await reader.data(DEEP))["studies"][
        "nodes"
    ]  # connections are open, series and instances indexed
    gone = next(node for node in before if node["studyInstanceUid"] == consented.maker.uid(uids[0]))
    ids = {
        "study": (await _id_of(reader, gone["studyInstanceUid"])),
        "series": gone["series"]["nodes"][0]["id"],
        "instance": gone["series"]["nodes"][0]["instances"]["nodes"][0]["id"],
    }
    lists = await reader.data(LISTS)
    assert lists["studyStats"]["studies"]["value"] == 4
    page = await reader.data("{ studies(first: 1) { pageInfo { endCursor } } }")
    cursor = page["studies"]["pageInfo"]["endCursor"]

    answer = await consented.runtime.asked_by(ADMIN).data(
        SET, {"uid": uids[0], "archive": "a0", "research": False}
    )
    assert answer["setConsent"]["study"]["consent"] == {"care": True, "registry": False, "research": False}

    assert consented.maker.uid(uids[0]) not in str(await reader.data(DEEP))
    for each in ids.values():
        assert await reader.data("query ($id: ID!) { node(id: $id) { id } }", {"id": each}) == {"node": None}
    assert await reader.data(f'{{ study(studyInstanceUid: "{gone["studyInstanceUid"]}") {{ id }} }}') == {
        "study": None
    }
    rest = await reader.data(
        "query ($after: String) { studies(first: 1000, after: $after) { nodes { studyInstanceUid } } }",
        {"after": cursor},
    )
    assert gone["studyInstanceUid"] not in str(rest)
    told = await reader.data(LISTS)
    assert ids["series"] not in str(told)
    assert ids["instance"] not in str(told)
    assert told["series"]["totalCount"] == lists["series"]["totalCount"] - len(gone["series"]["nodes"])
    assert told["studyStats"]["studies"]["value"] == 3
    assert told["studyStats"]["facet"] == [{"value": "a0", "count": {"value": 3}}]
    assert (await consented.runtime.asked_by(MEMBER).data(LIST))["studies"]["totalCount"] == len(uids)


async def test_nothing_is_fetched_for_a_stranger_without_consent(consented: Home) -> None:
    reader, uids = consented.runtime.asked_by(READER), consented.uids()
    await consented.consent(uids[0])
    nodes = (await reader.data(LIST))["studies"]["nodes"]
    await consented.consent(uids[0], research=False)
    asked = await reader.ask(
        "query ($id: ID!) { node(id: $id) { ... on Study { series { nodes { id } } } } }",
        {"id": nodes[0]["id"]},
    )
    assert asked.data == {"node": None}
    assert asked.requests == {}


async def _id_of(runtime: Runtime, uid: str) -> str:
    data = await runtime.data(f'{{ study(studyInstanceUid: "{uid}") {{ id }} }}')
    return str(data["study"]["id"])


# ---- what the field says ---------------------------------------------------------------------------------


async def test_consent_is_over_the_visible_copies_that_say_something(consented: Home) -> None:
    shared = next(uid for uid in consented.uids(1) if uid in consented.uids(2))
    ask = f'{{ study(studyInstanceUid: "{shared}") {{ consent {{ care registry research }} }} }}'

    async def told(runtime: Runtime) -> list[bool]:
        return list((await runtime.data(ask))["study"]["consent"].values())

    runtime = consented.runtime.without("a2")
    assert await told(runtime) == [False, False, False]
    await set_consents(consented.database, 1, [StudyConsent(shared, True, True, True)], "x")
    assert await told(runtime) == [True, True, True]  # the other archive was told nothing
    await set_consents(consented.database, 2, [StudyConsent(shared, True, False, False)], "x")
    assert await told(runtime) == [True, False, False]
    assert await told(runtime.without("a1", "a2")) == [True, True, True]


async def test_consents_of_a_page_cost_one_statement(consented: Home) -> None:
    answer = await consented.runtime.ask("{ studies(first: 30) { nodes { consent { care } } } }")
    assert answer.errors == []
    assert answer.statements.count("consents") == 1


async def test_studies_are_found_by_consent(consented: Home) -> None:
    uids = consented.uids()
    await consented.consent(*uids[:2])
    found = await consented.runtime.data("{ studies(filter: {consent: {research: true}}) { totalCount } }")
    assert found["studies"]["totalCount"] == 2
    reader = await consented.runtime.asked_by(MEMBER).data(
        "{ studies(filter: {consent: {research: true, registry: false}}) { totalCount } }"
    )
    assert reader["studies"]["totalCount"] == 2


# ---- who sets it -------------------------------------------------------------------------------------------

PSEUDO_ADMIN = Viewer("x", None, (Grant(EYE, AccessLevel.PSEUDONYMISED, ("admin",)),))
NO_ADMIN = Viewer("x", None, (Grant(EYE, AccessLevel.FULL, ("annotate", "upload", "export")),))
OTHER_ADMIN = Viewer("x", None, (Grant(EYE, AccessLevel.FULL), Grant(RND, AccessLevel.FULL, ("admin",))))
COUNTER = Viewer("x", None, (Grant(EYE, AccessLevel.COUNTS, ("admin",)),))


@pytest.mark.parametrize("viewer", [PSEUDO_ADMIN, NO_ADMIN, OTHER_ADMIN, COUNTER])
async def test_others_may_not_set_it(consented: Home, viewer: Viewer) -> None:
    runtime = consented.runtime.asked_by(viewer)
    for uid in (consented.uids()[0], "1.2.3.4.5"):  # nor does the answer tell what is there
        answer = await runtime.ask(SET, {"uid": uid, "archive": "a0", "research": True})
        assert answer.codes == ["FORBIDDEN"]
    assert await consented.database.fetch("t", "select from consent") == []


async def test_an_archive_that_cannot_be_named_is_not_found(consented: Home) -> None:
    stranger = consented.runtime.asked_by(Viewer("x", None, (Grant(RND, AccessLevel.FULL, ("admin",)),)))
    hidden = await stranger.ask(SET, {"uid": consented.uids()[0], "archive": "a0", "research": True})
    nothing = await stranger.ask(SET, {"uid": consented.uids()[0], "archive": "a9", "research": True})
    assert hidden.codes == nothing.codes == ["NOT_FOUND"]
    assert hidden.errors[0]["message"].replace("a0", "a9") == nothing.errors[0]["message"]


async def test_a_study_that_the_archive_does_not_hold_is_not_found(consented: Home) -> None:
    runtime, elsewhere = (
        consented.runtime.asked_by(ADMIN),
        (set(consented.uids(2)) - set(consented.uids(1))).pop(),
    )
    for uid in (elsewhere, "1.2.3.4.5"):
        answer = await runtime.ask(SET, {"uid": uid, "archive": "a0", "research": True})
        assert answer.codes == ["NOT_FOUND"]


async def test_a_change_tells_of_the_accesses_of_others_since_consent_was_given(consented: Home) -> None:
    admin, uid = consented.runtime.asked_by(ADMIN), consented.uids()[0]
    database = await Database.open(consented.database.url, max_size=1, session=AUDIT_SESSION)
    log = await AuditLog.open(database)
    await _access(log, "early", "TREAT", uid)
    first = await _change(admin, uid, research=True)
    assert (first["accesses"], first["exports"]) == (None, [])  # no consent held before
    pseudonym = consented.maker.uid(uid)
    await _access(log, "anna", "TREAT", uid)
    await _access(log, "anna", "TREAT", uid)
    await _access(log, "bert", "HRESCH", pseudonym)
    await _access(log, "anna", None, pseudonym)
    await _access(log, "admin", "TREAT", uid)  # who asks
    await _access(log, "carl", "TREAT", "1.2.99")  # another study
    told = (await _change(admin, uid, research=False))["accesses"]
    await log.close()
    await database.close()
    assert told == {
        "requests": 4,
        "people": 2,
        "byPurpose": [
            {"purpose": "HRESCH", "requests": 1, "people": 1},
            {"purpose": "TREAT", "requests": 2, "people": 1},
            {"purpose": None, "requests": 1, "people": 1},
        ],
    }


async def test_a_change_lists_earlier_exports(consented: Home) -> None:
    """One for each request, however many pages it took; not of other studies, nor of who was refused."""
    admin, uid = consented.runtime.asked_by(ADMIN), consented.uids()[0]
    database = await Database.open(consented.database.url, max_size=1, session=AUDIT_SESSION)
    log = await AuditLog.open(database)
    await _export(log, "early", uid)
    await _change(admin, uid, research=True)
    await _export(log, "first", consented.maker.uid(uid), purpose="HRESCH")
    await _export(log, "first", consented.maker.uid(uid), purpose="HRESCH")
    await _export(log, "second", uid)
    await _export(log, "other", "1.2.99")
    await _export(log, "refused", uid, outcome="FORBIDDEN")
    exports = (await _change(admin, uid, research=False))["exports"]
    await log.close()
    await database.close()
    assert [each["purpose"] for each in exports] == ["HRESCH", None]
    assert exports == sorted(exports, key=lambda each: each["at"])


async def _export(
    log: AuditLog, request: str, uid: str, *, purpose: str | None = None, outcome: str = "OK"
) -> None:
    record = AuditRecord(
        *(datetime.now(UTC), "anna", purpose, "/export/studies.csv", outcome, None, request),
        touched=Touched(studies={uid}),
    )
    await log.write(record)


async def _access(log: AuditLog, subject: str, purpose: str | None, uid: str) -> None:
    touched = Touched(studies={uid})
    at = datetime.now(UTC)
    await log.write(AuditRecord(at, subject, purpose, "/graphql", "OK", None, "-", touched=touched))


async def _change(runtime: Runtime, uid: str, *, research: bool) -> Any:
    return (await runtime.data(SET, {"uid": uid, "archive": "a0", "research": research}))["setConsent"]
