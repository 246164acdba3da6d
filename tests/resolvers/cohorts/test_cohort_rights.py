"""Cohorts of records that not everybody sees: what each kind of person is shown of them, and what never."""

from dataclasses import replace
from typing import Any

import pytest

from access.pseudonyms import Pseudonymiser
from access.scope import AccessLevel, Viewer
from db.writing.consent import StudyConsent, set_consents
from db.writing.projections import Projections
from model.attributes import Level
from tests.resolvers.cohort_home import (
    ANALYST,
    COMPARE,
    COUNTER,
    EMPTY,
    EYE,
    FREEZE,
    LIST,
    MR,
    OPEN,
    OWNER,
    PSEUDO,
    SHARE,
    STRANGER,
    VASC,
    Home,
    person,
    uids_of,
)


async def test_an_analyst_freezes_pseudonyms_that_survive_rotation(home: Home) -> None:
    id, version = await home.frozen(ANALYST, MR)
    shown = uids_of(version["studies"])
    assert shown == await home.now(ANALYST, MR)
    assert all(uid.startswith("2.25.") for uid in shown)
    rows = await home.database.fetch("t", "select study_uid from cohort_study")
    assert not {row["study_uid"] for row in rows} & shown

    codes = home.projections.codes
    new = {each: Pseudonymiser(bytes([8]) * 32, m.ern, key_id="k2") for each, m in home.makers.items()}
    home.database.after_write.clear()
    rotated = Projections(home.database, new, codes)
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
        row.code
        for row in home.runtime.services.directory
        if reader.access_to(row.ern) is not AccessLevel.NONE
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
    assert found["studies"] == {"value": None, "suppressed": False}
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


async def test_the_present_of_a_hidden_filter_is_its_owners(home: Home) -> None:
    id, _ = await home.frozen(OWNER, {"patientName": {"startsWith": "m"}})
    await home.share(id, everyone=True)
    assert (await home.ask(STRANGER, COMPARE, a=id)).codes == ["FORBIDDEN"]
    assert (await home.data(STRANGER, COMPARE, a=id, b=id))["compareCohorts"]["added"] == EMPTY
