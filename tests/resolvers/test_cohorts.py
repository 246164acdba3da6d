"""Cohorts over the served schema: frozen lists against plain Python, and what each kind of person sees of them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from access.pseudonyms import Pseudonymiser
from access.scope import AccessLevel, Grant, Viewer
from access.small_counts import Policies, Policy
from db import cohort_freeze, cohorts
from db.archives import sync_archives
from db.consent import StudyConsent, set_consents
from db.faces import Faces
from db.pool import Database
from model.attributes import Level
from tests.db.ingesting import delete, store
from tests.federation import Federation, generate, load
from tests.resolvers.house import CONFIGS, Answer, House, open_services
from tests.rows import study

EYE, RND, VASC = (config.ern for config in CONFIGS)
FULL, PSEUDO, COUNTS = AccessLevel.FULL, AccessLevel.PSEUDONYMISED, AccessLevel.COUNTS


def person(subject: str, *, consent: bool = False, **access: AccessLevel) -> Viewer:
    erns = {"eye": EYE, "rnd": RND, "vasc": VASC}
    grants = tuple(Grant(erns[name], level) for name, level in access.items())
    return Viewer(subject, subject.title(), grants, frozenset({EYE}) if consent else frozenset())


OWNER = person("owner", eye=FULL, rnd=FULL, vasc=FULL)
ANALYST = person("analyst", eye=PSEUDO, rnd=PSEUDO)
STRANGER = person("stranger", eye=FULL)
COUNTER = person("counter", eye=COUNTS)

SAVE = """mutation ($name: String!, $filter: StudyFilter!, $archives: [String!]) {
  saveCohort(name: $name, filter: $filter, archives: $archives, description: "why") {
    id name description mine owner identifying filter archives { code } createdAt versions { id }
    sharedWith { people erns everyone } } }"""
FREEZE = """mutation ($id: ID!) { freezeCohort(id: $id) { id number frozenAt sources { archive { code } asOf }
  studies(first: 1000) { totalCount nodes { studyInstanceUid access } } } }"""
LIST = """query ($id: ID!) { studies(first: 1000, filter: {cohort: $id}) { totalCount complete
  nodes { studyInstanceUid access } sources { archive { code } state matched error { code } } } }"""
SHARE = """mutation ($id: ID!, $people: [String!]!, $erns: [String!]!, $everyone: Boolean!) {
  shareCohort(id: $id, people: $people, erns: $erns, everyone: $everyone) {
    sharedWith { people erns everyone } } }"""
OPEN = """query ($id: ID!) { cohort(id: $id) { id name filter identifying mine owner archives { code }
  sharedWith { everyone } versions { id number sources { archive { code } }
    studies(first: 1000) { totalCount nodes { studyInstanceUid } } } } }"""
COMPARE = """query ($a: ID!, $b: ID) { compareCohorts(a: $a, b: $b) { gone
  added(first: 1000) { totalCount nodes { studyInstanceUid } }
  removed(first: 1000) { totalCount nodes { studyInstanceUid } }
  changed(first: 1000) { totalCount nodes { studyInstanceUid } } } }"""
IMAGES = {"modalitiesInStudy": {"any": ["MR", "CT", "OP", "OPT"]}}
MR = {"modalitiesInStudy": {"any": ["MR"]}}


@dataclass
class Home:
    """A whole index with both faces."""

    house: House
    database: Database
    made: Federation
    makers: dict[int, Pseudonymiser]
    faces: Faces

    async def data(self, viewer: Viewer, query: str, **variables: Any) -> Any:
        return await self.house.asked_by(viewer).data(query, variables)

    async def ask(self, viewer: Viewer, query: str, **variables: Any) -> Answer:
        return await self.house.asked_by(viewer).ask(query, variables)

    async def saved(self, viewer: Viewer, given: dict[str, Any], archives: list[str] | None = None) -> Any:
        return (await self.data(viewer, SAVE, name="mine", filter=given, archives=archives))["saveCohort"]

    async def frozen(
        self, viewer: Viewer, given: dict[str, Any], archives: list[str] | None = None
    ) -> tuple[str, Any]:
        """The id of a cohort and its first version."""
        cohort = await self.saved(viewer, given, archives)
        return cohort["id"], (await self.data(viewer, FREEZE, id=cohort["id"]))["freezeCohort"]

    async def share(self, id: str, **with_whom: Any) -> None:
        everything = {"people": [], "erns": [], "everyone": False} | with_whom
        await self.data(OWNER, SHARE, id=id, **everything)

    async def uids(self, viewer: Viewer, id: str) -> set[str]:
        return uids_of((await self.data(viewer, LIST, id=id))["studies"])

    async def now(self, viewer: Viewer, given: dict[str, Any]) -> set[str]:
        ask = "query ($f: StudyFilter) { studies(first: 1000, filter: $f) { nodes { studyInstanceUid } } }"
        return uids_of((await self.data(viewer, ask, f=given))["studies"])


def uids_of(studies: Any) -> set[str]:
    uids = [node["studyInstanceUid"] for node in studies["nodes"]]
    assert len(set(uids)) == len(uids) == studies.get("totalCount", len(uids))
    return set(uids)


@pytest.fixture
async def home(database: Database) -> AsyncIterator[Home]:
    ids = await sync_archives(database, CONFIGS)
    makers = {ids[c.code]: Pseudonymiser(bytes([7]) * 32, c.ern, key_id="k1") for c in CONFIGS}
    faces = Faces(database, makers, {each: code for code, each in ids.items()})
    database.after_write.append(lambda: faces.drain())
    made = generate(9, list(ids.values()), 30)
    await load(database, made)
    services = replace(await open_services(database), small_counts=Policies(Policy(1, 0)))
    yield Home(House(services), database, made, makers, faces)
    await services.close()


FILTERS: list[dict[str, Any]] = [
    {},
    MR,
    {"patientName": {"startsWith": "m"}},
    {"series": {"bodyPartCode": {"eq": "HEAD"}}},
    {"not": {"studyDate": {"isNull": True}}},
    {"or": [{"patientId": {"in": ["P1", "P2"]}}, {"studyDescription": {"contains": "ct"}}]},
    {"attribute": [{"name": "PatientSize", "gte": "1.6"}], "studyDate": {"gte": "2020-01-02"}},
    {"patientId": {"eq": "nobody"}},
]


async def test_a_frozen_list_is_the_list_of_that_moment(home: Home) -> None:
    for given in FILTERS:
        await _frozen_is_listed(home, given)


async def _frozen_is_listed(home: Home, given: dict[str, Any]) -> None:
    expected = await home.now(OWNER, given)
    id, version = await home.frozen(OWNER, given)
    assert uids_of(version["studies"]) == expected
    assert await home.uids(OWNER, id) == await home.uids(OWNER, version["id"]) == expected
    copies = {
        (copy.archive_id, copy.uid)
        for copy in home.made.copies
        if copy.level is Level.STUDY and copy.uid in expected
    }
    of_version = "select archive_id, study_uid from cohort_study where version_id = $1::uuid"
    rows = await home.database.fetch("t", of_version, version["id"])
    assert {(row["archive_id"], row["study_uid"]) for row in rows} == copies


async def test_a_cohort_goes_with_other_filters_levels_and_statistics(home: Home) -> None:
    id, _ = await home.frozen(OWNER, MR)
    both = {"cohort": id, "patientSex": {"eq": "F"}}
    assert await home.now(OWNER, both) == await home.now(OWNER, MR) & await home.now(
        OWNER, {"patientSex": {"eq": "F"}}
    )
    assert await home.now(OWNER, {"not": {"cohort": id}}) == await home.now(OWNER, {}) - await home.now(
        OWNER, MR
    )
    ask = """query ($f: StudyFilter) { series(first: 1000, filter: {study: $f}) { nodes { study { studyInstanceUid } } }
      studyStats(filter: $f) { studies { value } complete facet(by: MODALITY) { value count { value } } } }"""
    with_cohort, plain = [await home.data(OWNER, ask, f=f) for f in ({"cohort": id}, MR)]
    assert with_cohort == plain
    assert with_cohort["studyStats"]["complete"]


async def test_only_named_archives_are_frozen(home: Home) -> None:
    id, version = await home.frozen(OWNER, {}, ["a1"])
    assert [each["archive"]["code"] for each in version["sources"]] == ["a1"]
    data = (await home.data(OWNER, LIST, id=id))["studies"]
    states = {each["archive"]["code"]: (each["state"], each["error"]) for each in data["sources"]}
    assert states["a1"] == ("CACHED", None)
    assert states["a0"] == ("SKIPPED", {"code": "NOT_IN_COHORT"})
    assert not data["complete"]
    held = {c.uid for c in home.made.copies if c.level is Level.STUDY and c.archive_id == 2}
    assert uids_of(data) == held


async def test_what_comes_goes_and_changes_is_told(home: Home) -> None:
    id, version = await home.frozen(OWNER, IMAGES, ["a0"])
    before = await home.uids(OWNER, id)
    alone = {
        uid
        for uid in before
        if {c.archive_id for c in home.made.copies if c.level is Level.STUDY and c.uid == uid} == {1}
    }
    lost, other, changed, *_ = sorted(alone)
    assert (await home.data(OWNER, COMPARE, a=id))["compareCohorts"] == {
        "gone": 0, "added": EMPTY, "removed": EMPTY, "changed": EMPTY
    }  # fmt: skip
    await delete(home.database, 1, lost)
    await store(home.database, 1, [study("9.9", ModalitiesInStudy=["MR"])])
    await store(home.database, 1, [study(changed, ModalitiesInStudy=["MR"], StudyDescription="new")])
    await home.database.execute("t", "delete from series where study_uid = $1", other)
    await store(home.database, 1, [study(other, ModalitiesInStudy=["RTPLAN"])], whole=[other])

    now = (await home.data(OWNER, COMPARE, a=id))["compareCohorts"]
    after = await home.now(OWNER, IMAGES)
    mine = {u for u in after if u == "9.9" or u in before}
    assert uids_of(now["added"]) == mine - before == {"9.9"}
    assert uids_of(now["removed"]) == {other}
    assert uids_of(now["changed"]) == {changed}
    assert now["gone"] == 1

    second = (await home.data(OWNER, FREEZE, id=id))["freezeCohort"]
    assert second["number"] == 2
    two = (await home.data(OWNER, COMPARE, a=version["id"], b=second["id"]))["compareCohorts"]
    assert two == now
    back = (await home.data(OWNER, COMPARE, a=second["id"], b=version["id"]))["compareCohorts"]
    assert uids_of(back["added"]) == {other}
    assert uids_of(back["removed"]) == {"9.9"}
    assert uids_of(back["changed"]) == {changed}


EMPTY: dict[str, Any] = {"totalCount": 0, "nodes": []}


async def test_an_analyst_freezes_pseudonyms_that_survive_rotation(home: Home) -> None:
    id, version = await home.frozen(ANALYST, MR)
    shown = uids_of(version["studies"])
    assert shown == await home.now(ANALYST, MR)
    assert all(uid.startswith("2.25.") for uid in shown)
    rows = await home.database.fetch("t", "select study_uid from cohort_study")
    assert not {row["study_uid"] for row in rows} & shown

    codes = home.faces.codes
    new = {each: Pseudonymiser(bytes([8]) * 32, m.ern, key_id="k2") for each, m in home.makers.items()}
    home.database.after_write.clear()
    rotated = Faces(home.database, new, codes)
    await rotated.enqueue_all()
    await rotated.drain(rotating=True)
    after = await home.uids(ANALYST, id)
    assert len(after) == len(shown)
    assert not after & shown
    assert (await home.data(ANALYST, COMPARE, a=id))["compareCohorts"]["changed"] == EMPTY


READERS: list[tuple[dict[str, Any], Viewer, bool]] = [
    # shared with, who asks, whether they may open it
    ({}, OWNER, True),
    ({}, STRANGER, False),
    ({"people": ["stranger"]}, STRANGER, True),
    ({"people": ["stranger"]}, ANALYST, False),
    ({"erns": [EYE]}, STRANGER, True),
    ({"erns": [EYE]}, COUNTER, True),
    ({"erns": [VASC]}, STRANGER, False),
    ({"everyone": True}, ANALYST, True),
    ({"everyone": True}, person("nobody"), True),
]


@pytest.mark.parametrize("identifying", [False, True])
async def test_who_opens_it_sees_what_their_rights_show(home: Home, identifying: bool) -> None:
    for shared, reader, opens in READERS:
        id = await _opened_by(home, shared, reader, opens=opens, identifying=identifying)
        await home.data(OWNER, "mutation ($id: ID!) { deleteCohort(id: $id) { id } }", id=id)


async def _opened_by(
    home: Home, shared: dict[str, Any], reader: Viewer, *, opens: bool, identifying: bool
) -> str:
    given = {"patientName": {"startsWith": "m"}} if identifying else MR
    id, version = await home.frozen(OWNER, given)
    await home.share(id, **shared)
    cohort = (await home.data(reader, OPEN, id=id))["cohort"]
    listed = (await home.data(reader, "{ cohorts { nodes { id } } }"))["cohorts"]["nodes"]
    assert listed == ([{"id": id}] if opens else [])
    if not opens:
        assert cohort is None
        for ask in (LIST, COMPARE.replace("$a", "$id"), FREEZE, SHARE):
            answers = [
                await home.ask(reader, ask, id=each, a=each, people=[], erns=[], everyone=False)
                for each in (id, "6f1d9f6e-0000-4000-8000-000000000000", "no id")
            ]
            assert {tuple(a.codes) for a in answers} == {("NOT_FOUND",)}
            assert len({str(a.errors) for a in answers}) == 1
        return id
    mine = reader is OWNER
    assert cohort["mine"] is mine
    assert (cohort["filter"] is None) is (identifying and not mine)
    assert (cohort["sharedWith"] is None) is not mine
    if identifying:  # read in full or not at all
        expected = await home.now(reader, given)
    else:
        expected = await home.now(reader, MR)
    (shown,) = cohort["versions"]
    assert uids_of(shown["studies"]) == expected == await home.uids(reader, version["id"])
    known = {
        row.code for row in home.house.services.directory if reader.access_to(row.ern) is not AccessLevel.NONE
    }
    assert {each["archive"]["code"] for each in shown["sources"]} == known
    if not mine:
        for ask in (FREEZE, "mutation ($id: ID!) { deleteCohort(id: $id) { id } }"):
            assert (await home.ask(reader, ask, id=id)).codes == ["NOT_FOUND"]
    return id


async def test_a_list_found_by_identity_joins_no_pseudonym(home: Home) -> None:
    """Neither names nor a list of UIDs of the record lead to pseudonyms, nor pseudonyms to the record."""
    uid = sorted(await home.now(OWNER, MR))[0]
    for given in ({"patientName": {"startsWith": "m"}}, {"studyInstanceUid": {"eq": uid}}):
        id, _ = await home.frozen(OWNER, given)
        await home.share(id, everyone=True)
        data = (await home.data(ANALYST, LIST, id=id))["studies"]
        assert data["nodes"] == []
        assert {each["state"] for each in data["sources"]} == {"SKIPPED"}
    pseudonym = sorted(await home.now(ANALYST, MR))[0]
    mine, version = await home.frozen(ANALYST, {"studyInstanceUid": {"eq": pseudonym}})
    assert uids_of(version["studies"]) == {pseudonym}
    await home.data(ANALYST, SHARE, id=mine, people=[], erns=[], everyone=True)
    data = (await home.data(OWNER, LIST, id=mine))["studies"]
    assert data["nodes"] == []
    assert {each["state"] for each in data["sources"]} == {"SKIPPED"}


async def test_statistics_of_hidden_records_are_not_of_chosen_sets(home: Home) -> None:
    id, _ = await home.frozen(ANALYST, MR)
    ask = """query ($f: StudyFilter) { studyStats(filter: $f) { studies { value suppressed } complete
      sources { state error { code } } } }"""
    found = (await home.data(ANALYST, ask, f={"cohort": id}))["studyStats"]
    assert found["studies"] == {"value": 0, "suppressed": False}
    assert not found["complete"]
    assert {each["error"]["code"] for each in found["sources"]} == {"IDENTIFYING_FILTER"}


async def test_withdrawn_consent_and_rights_take_effect_at_once(home: Home) -> None:
    reader = person("reader", consent=True, eye=PSEUDO)
    eye = sorted(c.uid for c in home.made.copies if c.level is Level.STUDY and c.archive_id == 1)
    await set_consents(home.database, 1, [StudyConsent(uid, True, True, True) for uid in eye], "t")
    id, version = await home.frozen(reader, {})
    assert len(uids_of(version["studies"])) == len(set(eye))
    await set_consents(home.database, 1, [StudyConsent(eye[0], True, True, False)], "t")
    assert len(await home.uids(reader, id)) == len(set(eye)) - 1
    assert (await home.data(reader, COMPARE, a=id))["compareCohorts"]["gone"] == 0
    less = replace(reader, grants=())
    assert (await home.data(less, LIST, id=id))["studies"]["nodes"] == []


async def test_names_shares_and_deletions(home: Home) -> None:
    first, second = await home.saved(OWNER, MR), await home.saved(OWNER, {})
    assert first["filter"] == '{"modalitiesInStudy": {"any": ["MR"]}}'
    assert first["sharedWith"] == {"people": [], "erns": [], "everyone": False}
    assert (first["owner"], first["mine"], first["versions"]) == ("Owner", True, [])
    page = """query ($after: String) { cohorts(first: 1, mine: true, after: $after) {
      nodes { id } pageInfo { endCursor hasNextPage } } }"""
    newest = (await home.data(OWNER, page))["cohorts"]
    assert (newest["nodes"], newest["pageInfo"]["hasNextPage"]) == ([{"id": second["id"]}], True)
    rest = (await home.data(OWNER, page, after=newest["pageInfo"]["endCursor"]))["cohorts"]
    assert (rest["nodes"], rest["pageInfo"]["hasNextPage"]) == ([{"id": first["id"]}], False)
    rename = 'mutation ($id: ID!) { renameCohort(id: $id, name: " other ") { name description } }'
    assert (await home.data(OWNER, rename, id=first["id"]))["renameCohort"] == {
        "name": "other",
        "description": None,
    }
    await home.share(first["id"], people=["stranger"], erns=[RND], everyone=True)
    await home.share(first["id"], people=["analyst"])
    assert (await home.data(STRANGER, "{ cohorts { nodes { id } } }"))["cohorts"]["nodes"] == []
    assert (await home.data(ANALYST, "{ cohorts { nodes { id } } }"))["cohorts"]["nodes"] == [
        {"id": first["id"]}
    ]
    await home.data(OWNER, FREEZE, id=first["id"])
    kept = (await home.data(OWNER, FREEZE, id=first["id"]))["freezeCohort"]
    drop = "mutation ($id: ID!) { deleteCohort(id: $id) { id } }"
    assert (await home.data(OWNER, drop, id=kept["id"]))["deleteCohort"] == {"id": kept["id"]}
    assert len((await home.data(OWNER, OPEN, id=first["id"]))["cohort"]["versions"]) == 1
    await home.data(OWNER, drop, id=first["id"])
    assert (await home.data(OWNER, OPEN, id=first["id"]))["cohort"] is None
    assert (await home.database.fetch("t", "select count(*) from cohort_study"))[0][0] == 0


BAD: list[tuple[str, dict[str, Any], str, str]] = [
    (SAVE, {"name": " ", "filter": {}}, "BAD_INPUT", "name: 1 to 200"),
    (SAVE, {"name": "n" * 201, "filter": {}}, "BAD_INPUT", "name: 1 to 200"),
    (SAVE, {"name": "n\0", "filter": {}}, "BAD_INPUT", "NUL"),
    (SAVE, {"name": "n", "filter": {"cohort": "x"}}, "BAD_INPUT", "cannot name a cohort"),
    (SAVE, {"name": "n", "filter": {"attribute": [{"name": "Nope", "eq": "1"}]}}, "BAD_INPUT", "dictionary"),
    (SAVE, {"name": "n", "filter": {"attribute": [{"name": "PixelData", "eq": "1"}]}}, "BAD_INPUT", "PixelData"),
    (SAVE, {"name": "n", "filter": {}, "archives": ["a9"]}, "NOT_FOUND", "'a9'"),
    (LIST, {"id": "x"}, "NOT_FOUND", "cohort: there is none"),
    (LIST, {"id": "\0"}, "BAD_INPUT", "NUL"),
    (FREEZE, {"id": "6f1d9f6e-0000-4000-8000-000000000000"}, "NOT_FOUND", "you own none"),
    (COMPARE, {"a": ""}, "NOT_FOUND", "cohort: there is none"),
    ("{ cohorts(first: 0) { nodes { id } } }", {}, "BAD_INPUT", "first: 1 to 1000"),
    ('{ cohorts(after: "x") { nodes { id } } }', {}, "BAD_CURSOR", "cursor"),
    ('{ studies { nodes { series(filter: {study: {cohort: "x"}}) { nodes { id } } } } }', {}, "BAD_INPUT", "root"),
]  # fmt: skip


async def test_what_is_wrong_is_said(home: Home) -> None:
    for query, given, code, words in BAD:
        answer = await home.ask(OWNER, query, **given)
        assert set(answer.codes) == {code}, (query, given)
        assert words in answer.errors[0]["message"]


async def test_what_was_never_frozen_and_wrong_shares(home: Home) -> None:
    cohort = await home.saved(OWNER, MR)
    assert "never frozen" in (await home.ask(OWNER, LIST, id=cohort["id"])).errors[0]["message"]
    for with_whom, words in (
        ({"erns": ["ERN-X"]}, "no code of an ERN"),
        ({"people": [""]}, "1 to 200"),
        ({"people": ["p"] * 201}, "at most 200"),
    ):
        given = {"people": [], "erns": [], "everyone": False} | with_whom
        answer = await home.ask(OWNER, SHARE, id=cohort["id"], **given)
        assert answer.codes == ["BAD_INPUT"]
        assert words in answer.errors[0]["message"]


async def test_quotas(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cohorts, "MAX_COHORTS", 1)
    monkeypatch.setattr(cohort_freeze, "MAX_VERSIONS", 2)
    cohort = await home.saved(OWNER, MR)
    more = await home.ask(OWNER, SAVE, name="n", filter={})
    assert "which is the most" in more.errors[0]["message"]
    for limit, value in (("MAX_ENTRIES", 3), ("MAX_KEPT", 3)):
        with monkeypatch.context() as patched:
            patched.setattr(cohort_freeze, limit, value)
            refused = await home.ask(OWNER, FREEZE, id=cohort["id"])
            assert refused.codes == ["BAD_INPUT"]
            assert "more than 3 copies" in refused.errors[0]["message"]
    assert (await home.database.fetch("t", "select count(*) from cohort_version"))[0][0] == 0
    for _ in range(2):
        await home.data(OWNER, FREEZE, id=cohort["id"])
    assert "2 versions" in (await home.ask(OWNER, FREEZE, id=cohort["id"])).errors[0]["message"]


async def test_the_present_of_a_hidden_filter_is_its_owners(home: Home) -> None:
    id, _ = await home.frozen(OWNER, {"patientName": {"startsWith": "m"}})
    await home.share(id, everyone=True)
    assert (await home.ask(STRANGER, COMPARE, a=id)).codes == ["FORBIDDEN"]
    assert (await home.data(STRANGER, COMPARE, a=id, b=id))["compareCohorts"]["added"] == EMPTY


async def test_saved_and_frozen_at_once(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    save = """mutation { saveCohort(name: "both", filter: {modalitiesInStudy: {any: ["MR"]}}, freeze: true) {
      id versions { number studies(first: 1000) { nodes { studyInstanceUid } } } } }"""
    saved = (await home.data(OWNER, save))["saveCohort"]
    (version,) = saved["versions"]
    assert version["number"] == 1
    assert uids_of(version["studies"]) == await home.now(OWNER, MR) != set()
    await home.data(OWNER, "mutation ($id: ID!) { deleteCohort(id: $id) { id } }", id=saved["id"])
    monkeypatch.setattr(cohort_freeze, "MAX_ENTRIES", 1)
    assert (await home.ask(OWNER, save)).codes == ["BAD_INPUT"]
    assert (await home.data(OWNER, "{ cohorts { nodes { id } } }"))["cohorts"]["nodes"] == []  # nor saved
