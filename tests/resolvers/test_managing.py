"""What administrators do with archives over the served schema: looks by hand, and archives that come and go."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from access.scope import AccessLevel, Grant, Viewer
from config.access_file import AccessRules
from db import removals
from db.archives import list_archives, sync_archives
from db.pool import Database
from model.erns import Networks
from tests.resolvers.house import CONFIGS, House, open_services

EYE, RND = "ERN-EYE", "ERN-RND"
ADMIN = Viewer("admin", None, (Grant(EYE, AccessLevel.FULL, ("full", "admin")), Grant(RND, AccessLevel.FULL)))
COUNTING = Viewer("counting", None, (Grant(EYE, AccessLevel.COUNTS, ("counts", "admin")),))
REFRESH = """mutation ($code: String!, $all: Boolean!) { refreshArchive(code: $code, reconcile: $all) {
  accepted archive { code index { queued running lagSeconds nextRunAt lastReconciledAt } } } }"""


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    await sync_archives(database, CONFIGS)
    services = await open_services(database)
    yield House(services, viewer=ADMIN)
    await services.close()


async def test_a_look_is_asked_for_once(house: House) -> None:
    variables = {"code": "a0", "all": False}
    asked = (await house.data(REFRESH, variables))["refreshArchive"]
    assert asked["accepted"] is True
    index = asked["archive"]["index"]
    assert (index["queued"], index["running"], index["lagSeconds"]) == (True, False, None)
    assert index["nextRunAt"] is not None
    assert (await house.data(REFRESH, variables))["refreshArchive"]["accepted"] is False
    assert (await house.data(REFRESH, {"code": "a0", "all": True}))["refreshArchive"]["accepted"] is True


@pytest.mark.parametrize(
    ("viewer", "code", "expected"),
    [
        (ADMIN, "a1", "FORBIDDEN"),
        (ADMIN, "a2", "NOT_FOUND"),
        (ADMIN, "nowhere", "NOT_FOUND"),
        (Viewer("member", None, (Grant(EYE, AccessLevel.FULL, ("full",)),)), "a0", "FORBIDDEN"),
        (Viewer("nobody", None, ()), "a0", "NOT_FOUND"),
    ],
)
async def test_not_by_everybody(house: House, viewer: Viewer, code: str, expected: str) -> None:
    answer = await house.asked_by(viewer).ask(REFRESH, {"code": code, "all": False})
    assert answer.codes == [expected]
    assert await house.services.owner.fetch("jobs", "select from jobs.pgqueuer") == []


async def test_who_sees_counts_only_may_look_after_it(house: House) -> None:
    answer = await house.asked_by(COUNTING).data(REFRESH, {"code": "a0", "all": False})
    assert answer["refreshArchive"]["accepted"] is True


# ---- removals that wait ----------------------------------------------------------------------------------

WAITS = """{ archives { code index { suspiciousRemoval {
  since confirmed studies { value suppressed } ofStudies { value suppressed } } } } }"""
CONFIRM = """mutation ($code: String!, $since: DateTime!) { confirmRemovals(code: $code, since: $since) {
  accepted archive { code index { queued suspiciousRemoval { confirmed } } } } }"""


async def found(house: House, *codes: str) -> None:
    """A run found that 10 of 40 studies are gone."""
    ids = {row.code: row.archive_id for row in await list_archives(house.services.owner)}
    for code in codes:
        await removals.note(house.services.owner, ids[code], 10, 40)


async def waits(house: House) -> dict[str, Any]:
    return {
        each["code"]: each["index"]["suspiciousRemoval"] for each in (await house.data(WAITS))["archives"]
    }


async def test_what_waits_is_shown_and_confirmed(house: House) -> None:
    assert await waits(house) == {"a0": None, "a1": None}
    await found(house, "a0", "a1")
    shown = await waits(house)
    assert shown["a1"] is None  # seen in full, but somebody else's to administrate
    since = shown["a0"].pop("since")
    counts = {"studies": {"value": 10, "suppressed": False}, "ofStudies": {"value": 40, "suppressed": False}}
    assert shown["a0"] == {"confirmed": False, **counts}
    done = (await house.data(CONFIRM, {"code": "a0", "since": since}))["confirmRemovals"]
    assert done == {
        "accepted": True,
        "archive": {"code": "a0", "index": {"queued": True, "suspiciousRemoval": {"confirmed": True}}},
    }
    (kept,) = await house.services.owner.fetch(
        "kept", "select confirmed_gone, confirmed_by from suspicious_removal where confirmed_at is not null"
    )
    assert tuple(kept) == (10, "admin")
    jobs = await house.services.owner.fetch("jobs", "select code, kind from archive_job")
    assert [tuple(job) for job in jobs] == [("a0", "reconcile")]


async def test_what_was_not_seen_is_not_confirmed(house: House) -> None:
    for since in ("2020-01-01T00:00:00+00:00", "2999-01-01T00:00:00Z"):
        assert (await house.ask(CONFIRM, {"code": "a0", "since": since})).codes == ["BAD_INPUT"]
    await found(house, "a0")
    since = (await waits(house))["a0"]["since"]
    row = next(row for row in await list_archives(house.services.owner) if row.code == "a0")
    await removals.note(house.services.owner, row.archive_id, 11, 40)  # meanwhile one more is gone
    assert (await house.ask(CONFIRM, {"code": "a0", "since": since})).codes == ["BAD_INPUT"]
    assert await house.services.owner.fetch("jobs", "select from jobs.pgqueuer") == []


async def test_who_administrates_and_sees_counts_confirms_without_numbers(house: House) -> None:
    await found(house, "a0")
    counting = house.asked_by(COUNTING)
    shown = (await waits(counting))["a0"]
    hidden = {"value": None, "suppressed": True}
    assert (shown["studies"], shown["ofStudies"]) == (hidden, hidden)
    done = await counting.data(CONFIRM, {"code": "a0", "since": shown["since"]})
    assert done["confirmRemovals"]["accepted"] is True


@pytest.mark.parametrize(
    ("viewer", "code", "expected"),
    [
        (ADMIN, "a1", "FORBIDDEN"),
        (ADMIN, "a2", "NOT_FOUND"),
        (ADMIN, "nowhere", "NOT_FOUND"),
        (Viewer("member", None, (Grant(EYE, AccessLevel.FULL, ("full",)),)), "a0", "FORBIDDEN"),
        (Viewer("nobody", None, ()), "a0", "NOT_FOUND"),
    ],
)
async def test_confirmed_by_administrators_only(
    house: House, viewer: Viewer, code: str, expected: str
) -> None:
    await found(house, "a0", "a1", "a2")
    since = (await waits(house))["a0"]["since"]
    asked = house.asked_by(viewer)
    assert (await asked.ask(CONFIRM, {"code": code, "since": since})).codes == [expected]
    if viewer is not ADMIN:
        assert set((await waits(asked)).values()) <= {None}
    assert await house.services.owner.fetch("jobs", "select from jobs.pgqueuer") == []


# ---- archives that come and go -------------------------------------------------------------------------

SECRET = "ARCHIVE_SECRET_ERN_EYE_NEW"  # noqa: S105
NEW = {
    "code": "new",
    "ern": EYE,
    "title": "New",
    "kind": "orthanc",
    "url": "http://127.0.0.1:1/dicom-web",
    "syncEvery": "30s",
}
ADD = """mutation ($archive: ArchiveInput!) { addArchive(archive: $archive) {
  code ern title kind url username passwordEnv index enabled inFile changedBy } }"""
CHANGE = """mutation ($code: String!, $changes: ArchiveChanges!) {
  updateArchive(code: $code, changes: $changes) { title url } }"""
SWITCH = "mutation ($code: String!) {{ {}Archive(code: $code) {{ enabled }} }}"
REMOVE = (
    "mutation ($code: String!, $purge: Boolean!) { removeArchive(code: $code, purge: $purge) { purging } }"
)
CODES = "{ archives { code } managedArchives { code enabled } }"


async def codes(house: House) -> tuple[list[str], dict[str, bool]]:
    found = await house.data(CODES)
    managed = {each["code"]: each["enabled"] for each in found["managedArchives"]}
    return [each["code"] for each in found["archives"]], managed


async def test_an_archive_comes_changes_and_goes(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET, "hidden")
    given = NEW | {"username": "ernfed", "passwordEnv": SECRET}
    made = (await house.data(ADD, {"archive": given}))["addArchive"]
    assert made == {
        **{name: given[name] for name in ("code", "ern", "title", "kind", "url", "username", "passwordEnv")},
        **{"index": "series", "enabled": True, "inFile": False, "changedBy": "admin"},
    }
    assert await codes(house) == (["a0", "a1", "new"], {"a0": True, "new": True})
    changed = await house.data(CHANGE, {"code": "new", "changes": {"title": "Newer"}})
    assert changed["updateArchive"] == {"title": "Newer", "url": NEW["url"]}
    await house.data(SWITCH.format("disable"), {"code": "new"})
    assert await codes(house) == (["a0", "a1"], {"a0": True, "new": False})
    await house.data(SWITCH.format("enable"), {"code": "new"})
    assert (await codes(house))[0] == ["a0", "a1", "new"]
    removed = await house.data(REMOVE, {"code": "new", "purge": True})
    assert removed["removeArchive"] == {"purging": True}
    assert await codes(house) == (["a0", "a1"], {"a0": True})
    jobs = await house.services.owner.fetch("jobs", "select code, kind from archive_job")
    assert [tuple(job) for job in jobs] == [("new", "purge")]


async def test_an_archive_of_the_file_can_only_be_switched(house: House) -> None:
    for query, variables in (
        (CHANGE, {"code": "a0", "changes": {"title": "Mine"}}),
        (REMOVE, {"code": "a0", "purge": True}),
    ):
        answer = await house.ask(query, variables)
        assert answer.codes == ["BAD_INPUT"]
        assert "archives.toml" in answer.errors[0]["message"]
    await house.data(SWITCH.format("disable"), {"code": "a0"})
    assert (await codes(house))[0] == ["a1"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"code": "New!"}, "code: expected"),
        ({"code": "a0"}, "already"),
        ({"ern": "ERN-NOWHERE"}, "ern: expected"),
        ({"kind": "folder"}, "archives.toml"),
        ({"kind": "ftp"}, "does not exist in the enum 'ArchiveKind'"),
        ({"url": "file:///etc/passwd"}, "url: expected"),
        ({"url": "http://name:word@host/dicom-web"}, "without credentials"),
        ({"url": "http://169.254.169.254/dicom-web"}, "archive_hosts"),
        ({"passwordEnv": "ERNFED_DATABASE_URL", "username": "x"}, "ARCHIVE_SECRET_ERN_EYE_"),
        ({"passwordEnv": "ARCHIVE_SECRET_ERN_RND_X", "username": "x"}, "ARCHIVE_SECRET_ERN_EYE_"),
        ({"passwordEnv": "ARCHIVE_SECRET_ERN_EYE_X", "username": "x"}, "set the environment variable"),
        ({"syncEvery": "soon"}, "syncEvery: expected"),
        ({"maxConnections": 1000}, "maxConnections: expected"),
    ],
)
async def test_mistakes_are_named(house: House, wrong: dict[str, object], said: str) -> None:
    settings = house.services.settings.model_copy(update={"archive_hosts": "127.0.0.1, *.example.org"})
    strict = House(replace(house.services, settings=settings), viewer=ADMIN)
    answer = await strict.ask(ADD, {"archive": NEW | wrong})
    assert answer.codes == ["BAD_INPUT"]
    assert said in answer.errors[0]["message"]
    assert (await codes(house))[0] == ["a0", "a1"]


@pytest.mark.parametrize(
    ("viewer", "code", "expected"),
    [
        (ADMIN, "a1", "FORBIDDEN"),
        (ADMIN, "a2", "NOT_FOUND"),
        (ADMIN, "gone", "NOT_FOUND"),
        (Viewer("member", None, (Grant(EYE, AccessLevel.FULL, ("full",)),)), "a0", "FORBIDDEN"),
    ],
)
async def test_others_change_nothing(house: House, viewer: Viewer, code: str, expected: str) -> None:
    asker = house.asked_by(viewer)
    for query, variables in (
        (CHANGE, {"code": code, "changes": {"title": "Mine"}}),
        (SWITCH.format("disable"), {"code": code}),
        (REMOVE, {"code": code, "purge": False}),
    ):
        assert (await asker.ask(query, variables)).codes == [expected]
    assert (await asker.ask(ADD, {"archive": NEW | {"ern": "VASCERN"}})).codes == ["FORBIDDEN"]


async def test_the_first_archive_of_an_ern(house: House) -> None:
    grants = (Grant("ERN-LUNG", AccessLevel.COUNTS, ("admin",)),)
    asker = house.asked_by(Viewer("lung", None, grants))
    assert (await asker.data(ADD, {"archive": NEW | {"ern": "ERN-LUNG"}}))["addArchive"]["code"] == "new"
    assert await codes(asker) == (["new"], {"new": True})


async def test_an_archive_of_a_declared_network(house: House) -> None:
    given = {"archive": NEW | {"ern": "NORDIC-LUNG"}}
    grants = (Grant("NORDIC-LUNG", AccessLevel.FULL, ("full", "admin")),)
    asker = house.asked_by(Viewer("oslo", None, grants))
    assert (await asker.ask(ADD, given)).codes == ["BAD_INPUT"]
    house.services.follow(AccessRules(networks=Networks({"NORDIC-LUNG": "Nordic lung network"})))
    assert (await asker.data(ADD, given))["addArchive"]["ern"] == "NORDIC-LUNG"
    (shown,) = (await asker.data("{ archives { ern ernTitle access } }"))["archives"]
    assert shown == {"ern": "NORDIC-LUNG", "ernTitle": "Nordic lung network", "access": "FULL"}
    changed = await asker.data(CHANGE, {"code": "new", "changes": {"title": "Newer"}})
    assert changed["updateArchive"]["title"] == "Newer"
    assert (await house.ask(ADD, given | {"archive": given["archive"] | {"code": "b"}})).codes == [
        "FORBIDDEN"
    ]
