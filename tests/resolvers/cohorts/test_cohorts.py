"""Cohorts over the served schema: frozen lists against plain Python, how versions differ, and what is refused.

Who sees what of them: test_cohort_rights.py.
"""

from typing import Any

import pytest

from db.cohorts import cohorts, freeze
from model.attributes import Level
from reads.ids import from_id
from tests.db.writing.ingesting import delete, store
from tests.resolvers.cohort_home import (
    ANALYST,
    COMPARE,
    EMPTY,
    FREEZE,
    IMAGES,
    LIST,
    MR,
    OPEN,
    OWNER,
    RND,
    SAVE,
    SHARE,
    STRANGER,
    Home,
    uids_of,
)
from tests.rows import study

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
    _, (version_id,) = from_id(version["id"])
    rows = await home.database.fetch("t", of_version, version_id)
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
    monkeypatch.setattr(freeze, "MAX_VERSIONS", 2)
    cohort = await home.saved(OWNER, MR)
    more = await home.ask(OWNER, SAVE, name="n", filter={})
    assert "which is the most" in more.errors[0]["message"]
    for limit, value in (("MAX_ENTRIES", 3), ("MAX_KEPT", 3)):
        with monkeypatch.context() as patched:
            patched.setattr(freeze, limit, value)
            refused = await home.ask(OWNER, FREEZE, id=cohort["id"])
            assert refused.codes == ["BAD_INPUT"]
            assert "more than 3 copies" in refused.errors[0]["message"]
    assert (await home.database.fetch("t", "select count(*) from cohort_version"))[0][0] == 0
    for _ in range(2):
        await home.data(OWNER, FREEZE, id=cohort["id"])
    assert "2 versions" in (await home.ask(OWNER, FREEZE, id=cohort["id"])).errors[0]["message"]


async def test_saved_and_frozen_at_once(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    save = """mutation { saveCohort(name: "both", filter: {modalitiesInStudy: {any: ["MR"]}}, freeze: true) {
      id versions { number studies(first: 1000) { nodes { studyInstanceUid } } } } }"""
    saved = (await home.data(OWNER, save))["saveCohort"]
    (version,) = saved["versions"]
    assert version["number"] == 1
    assert uids_of(version["studies"]) == await home.now(OWNER, MR) != set()
    await home.data(OWNER, "mutation ($id: ID!) { deleteCohort(id: $id) { id } }", id=saved["id"])
    monkeypatch.setattr(freeze, "MAX_ENTRIES", 1)
    assert (await home.ask(OWNER, save)).codes == ["BAD_INPUT"]
    assert (await home.data(OWNER, "{ cohorts { nodes { id } } }"))["cohorts"]["nodes"] == []  # nor saved
