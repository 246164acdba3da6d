"""Exports over a cohort: the file is the list that its reader would be shown, and never more."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import orjson
import pytest

from access.scope import AccessLevel, Grant, Viewer
from db.pool import Database
from db.writing.consent import StudyConsent, set_consents
from tests.api.export.test_endpoint import client, export, rows_of
from tests.db.writing.ingesting import delete
from tests.resolvers.cohort_home import ANALYST, EYE, LIST, MR, OWNER, PSEUDO, RND, Home, at_home
from tests.resolvers.conftest import beginning  # noqa: F401


def exporter(viewer: Viewer) -> Viewer:
    """The same person, who may export what they see."""
    return replace(viewer, grants=tuple(replace(grant, verbs=("export",)) for grant in viewer.grants))


@pytest.fixture
async def home(database: Database) -> AsyncIterator[Home]:
    async with at_home(database) as opened:
        yield opened


async def exported(home: Home, viewer: Viewer, cohort: str, **given: Any) -> set[str]:
    """StudyInstanceUIDs of the file."""
    asked = {"cohort": cohort, **given}
    rows = rows_of(await export(client(home.runtime, exporter(viewer)), "studies.csv", filter=asked))
    uids = [row["StudyInstanceUID"] for row in rows]
    assert len(set(uids)) == len(uids)
    return set(uids)


async def test_a_version_is_exported_as_it_is_listed(home: Home) -> None:
    id, version = await home.frozen(OWNER, MR)
    listed = await home.uids(OWNER, id)
    assert len(listed) > 7
    assert await exported(home, OWNER, id) == await exported(home, OWNER, version["id"]) == listed
    some = await exported(home, OWNER, id, patientSex={"eq": "F"})
    assert some == await home.now(OWNER, {"cohort": id, "patientSex": {"eq": "F"}})
    assert set() < some < listed


async def test_series_of_a_cohort_and_what_is_gone_since(home: Home) -> None:
    id, _ = await home.frozen(OWNER, MR)
    gone = sorted(await home.uids(OWNER, id))[0]
    for archive_id in home.made.archive_ids:
        await delete(home.database, archive_id, gone)
    assert await exported(home, OWNER, id) == await home.uids(OWNER, id)
    answer = await export(
        client(home.runtime, exporter(OWNER)), "series.ndjson", filter={"study": {"cohort": id}}
    )
    assert answer.status_code == 200
    found = {orjson.loads(line)["StudyInstanceUID"] for line in answer.content.splitlines()}
    assert found == await home.uids(OWNER, id)
    assert gone not in found


async def test_a_reader_exports_what_they_see_of_it(home: Home) -> None:
    """Shared with somebody of fewer rights; the archives that the version did not ask so are named."""
    id, _ = await home.frozen(OWNER, MR)
    await home.share(id, everyone=True)
    listed = (await home.data(exporter(ANALYST), LIST, id=id))["studies"]
    assert await exported(home, ANALYST, id) == {node["studyInstanceUid"] for node in listed["nodes"]}
    answer = await export(client(home.runtime, exporter(ANALYST)), "studies.csv", filter={"cohort": id})
    assert answer.headers["x-ernfed-complete"] == str(listed["complete"]).lower()
    told = {each["archive"]["code"]: each["state"] for each in listed["sources"]}
    assert answer.headers["x-ernfed-sources"] == ", ".join(f"{code}={state}" for code, state in told.items())


async def test_without_the_verb_for_an_ern_nothing_of_it_leaves(home: Home) -> None:
    id, _ = await home.frozen(OWNER, MR)
    some = replace(
        exporter(OWNER),
        grants=tuple(replace(g, verbs=("export",) if g.ern == EYE else ()) for g in OWNER.grants),
    )
    rows = rows_of(await export(client(home.runtime, some), "studies.csv", filter={"cohort": id}))
    assert rows
    assert {row["Archives"] for row in rows} == {"a0"}


async def test_a_withdrawn_consent_is_not_exported_from_an_old_version(home: Home) -> None:
    careful = Viewer("careful", None, (Grant(RND, PSEUDO),), frozenset({RND}))
    stored = [
        row["study_uid"]
        for row in await home.database.fetch("t", "select study_uid from study where archive_id = 2")
    ]
    await set_consents(home.database, 2, [StudyConsent(uid, True, True, True) for uid in stored], "t")
    id, _ = await home.frozen(careful, {})
    before = await exported(home, careful, id)
    assert len(before) == len(set(stored))
    await set_consents(home.database, 2, [StudyConsent(stored[0], True, True, False)], "t")
    after = await exported(home, careful, id)
    assert len(after) == len(before) - 1
    assert after < before


@pytest.mark.parametrize("cohort", ["7d444840-9dc0-11d1-b245-5ffdce74fad2", "x", ""])
async def test_no_such_cohort_is_the_same_as_somebody_elses(home: Home, cohort: str) -> None:
    id, _ = await home.frozen(OWNER, MR)
    asking = client(home.runtime, exporter(ANALYST))
    nothing = await export(asking, "studies.csv", filter={"cohort": cohort})
    elses = await export(asking, "studies.csv", filter={"cohort": id})
    codes = {each.json()["errors"][0]["extensions"]["code"] for each in (nothing, elses)}
    assert (nothing.status_code, elses.status_code, codes) == (404, 404, {"NOT_FOUND"})
    counting = Viewer("counting", None, (Grant(EYE, AccessLevel.COUNTS, ("export",)),))
    assert (
        await export(client(home.runtime, counting), "studies.csv", filter={"cohort": id})
    ).status_code == 403
