"""What administrators do with archives over the served schema: looks by hand, and archives that come and go."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from access.scope import AccessLevel, Grant, Viewer
from config.access_file import AccessRules
from db.archives import list_archives, sync_archives
from db.indexing import removals
from db.pool import Database
from model.erns import Networks
from tests.resolvers.runtime import CONFIGS, Runtime, open_services

EYE, RND = "ERN-EYE", "ERN-RND"
ADMIN = Viewer("admin", None, (Grant(EYE, AccessLevel.FULL, ("full", "admin")), Grant(RND, AccessLevel.FULL)))
COUNTING = Viewer("counting", None, (Grant(EYE, AccessLevel.COUNTS, ("counts", "admin")),))
REFRESH = """mutation ($code: String!, $all: Boolean!) { refreshArchive(code: $code, reconcile: $all) {
  accepted archive { code index { queued running lagSeconds nextRunAt lastReconciledAt } } } }"""


@pytest.fixture
async def runtime(database: Database) -> AsyncIterator[Runtime]:
    await sync_archives(database, CONFIGS)
    services = await open_services(database)
    yield Runtime(services, viewer=ADMIN)
    await services.close()


async def test_a_look_is_asked_for_once(runtime: Runtime) -> None:
    variables = {"code": "a0", "all": False}
    asked = (await runtime.data(REFRESH, variables))["refreshArchive"]
    assert asked["accepted"] is True
    index = asked["archive"]["index"]
    assert (index["queued"], index["running"], index["lagSeconds"]) == (True, False, None)
    assert index["nextRunAt"] is not None
    assert (await runtime.data(REFRESH, variables))["refreshArchive"]["accepted"] is False
    assert (await runtime.data(REFRESH, {"code": "a0", "all": True}))["refreshArchive"]["accepted"] is True


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
async def test_not_by_everybody(runtime: Runtime, viewer: Viewer, code: str, expected: str) -> None:
    answer = await runtime.asked_by(viewer).ask(REFRESH, {"code": code, "all": False})
    assert answer.codes == [expected]
    assert await runtime.services.owner.fetch("jobs", "select from jobs.pgqueuer") == []


async def test_who_sees_counts_only_may_look_after_it(runtime: Runtime) -> None:
    answer = await runtime.asked_by(COUNTING).data(REFRESH, {"code": "a0", "all": False})
    assert answer["refreshArchive"]["accepted"] is True


# ---- removals that wait ----------------------------------------------------------------------------------

WAITS = """{ archives { code index { suspiciousRemoval {
  since confirmed studies { value suppressed } ofStudies { value suppressed } } } } }"""
CONFIRM = """mutation ($code: String!, $since: DateTime!) { confirmRemovals(code: $code, since: $since) {
  accepted archive { code index { queued suspiciousRemoval { confirmed } } } } }"""


async def found(runtime: Runtime, *codes: str) -> None:
    """A run found that 10 of 40 studies are gone."""
    ids = {row.code: row.archive_id for row in await list_archives(runtime.services.owner)}
    for code in codes:
        await removals.note(runtime.services.owner, ids[code], 10, 40)


async def waits(runtime: Runtime) -> dict[str, Any]:
    return {
        each["code"]: each["index"]["suspiciousRemoval"] for each in (await runtime.data(WAITS))["archives"]
    }


async def test_what_waits_is_shown_and_confirmed(runtime: Runtime) -> None:
    assert await waits(runtime) == {"a0": None, "a1": None}
    await found(runtime, "a0", "a1")
    shown = await waits(runtime)
    assert shown["a1"] is None  # seen in full, but somebody else's to administrate
    since = shown["a0"].pop("since")
    counts = {"studies": {"value": 10, "suppressed": False}, "ofStudies": {"value": 40, "suppressed": False}}
    assert shown["a0"] == {"confirmed": False, **counts}
    done = (await runtime.data(CONFIRM, {"code": "a0", "since": since}))["confirmRemovals"]
    assert done == {
        "accepted": True,
        "archive": {"code": "a0", "index": {"queued": True, "suspiciousRemoval": {"confirmed": True}}},
    }
    (kept,) = await runtime.services.owner.fetch(
        "kept", "select confirmed_gone, confirmed_by from suspicious_removal where confirmed_at is not null"
    )
    assert tuple(kept) == (10, "admin")
    jobs = await runtime.services.owner.fetch("jobs", "select code, kind from archive_job")
    assert [tuple(job) for job in jobs] == [("a0", "reconcile")]


async def test_what_was_not_seen_is_not_confirmed(runtime: Runtime) -> None:
    for since in ("2020-01-01T00:00:00+00:00", "2999-01-01T00:00:00Z"):
        assert (await runtime.ask(CONFIRM, {"code": "a0", "since": since})).codes == ["BAD_INPUT"]
    await found(runtime, "a0")
    since = (await waits(runtime))["a0"]["since"]
    row = next(row for row in await list_archives(runtime.services.owner) if row.code == "a0")
    await removals.note(runtime.services.owner, row.archive_id, 11, 40)  # meanwhile one more is gone
    assert (await runtime.ask(CONFIRM, {"code": "a0", "since": since})).codes == ["BAD_INPUT"]
    assert await runtime.services.owner.fetch("jobs", "select from jobs.pgqueuer") == []


async def test_who_administrates_and_sees_counts_confirms_without_numbers(runtime: Runtime) -> None:
    await found(runtime, "a0")
    counting = runtime.asked_by(COUNTING)
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
    runtime: Runtime, viewer: Viewer, code: str, expected: str
) -> None:
    await found(runtime, "a0", "a1", "a2")
    since = (await waits(runtime))["a0"]["since"]
    asked = runtime.asked_by(viewer)
    assert (await asked.ask(CONFIRM, {"code": code, "since": since})).codes == [expected]
    if viewer is not ADMIN:
        assert set((await waits(asked)).values()) <= {None}
    assert await runtime.services.owner.fetch("jobs", "select from jobs.pgqueuer") == []


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


async def codes(runtime: Runtime) -> tuple[list[str], dict[str, bool]]:
    found = await runtime.data(CODES)
    managed = {each["code"]: each["enabled"] for each in found["managedArchives"]}
    return [each["code"] for each in found["archives"]], managed


async def test_an_archive_comes_changes_and_goes(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET, "hidden")
    given = NEW | {"username": "ernfed", "passwordEnv": SECRET}
    made = (await runtime.data(ADD, {"archive": given}))["addArchive"]
    assert made == {
        **{name: given[name] for name in ("code", "ern", "title", "kind", "url", "username", "passwordEnv")},
        **{"index": "series", "enabled": True, "inFile": False, "changedBy": "admin"},
    }
    assert await codes(runtime) == (["a0", "a1", "new"], {"a0": True, "new": True})
    changed = await runtime.data(CHANGE, {"code": "new", "changes": {"title": "Newer"}})
    assert changed["updateArchive"] == {"title": "Newer", "url": NEW["url"]}
    await runtime.data(SWITCH.format("disable"), {"code": "new"})
    assert await codes(runtime) == (["a0", "a1"], {"a0": True, "new": False})
    await runtime.data(SWITCH.format("enable"), {"code": "new"})
    assert (await codes(runtime))[0] == ["a0", "a1", "new"]
    removed = await runtime.data(REMOVE, {"code": "new", "purge": True})
    assert removed["removeArchive"] == {"purging": True}
    assert await codes(runtime) == (["a0", "a1"], {"a0": True})
    jobs = await runtime.services.owner.fetch("jobs", "select code, kind from archive_job")
    assert [tuple(job) for job in jobs] == [("new", "purge")]


async def test_an_archive_of_the_file_can_only_be_switched(runtime: Runtime) -> None:
    for query, variables in (
        (CHANGE, {"code": "a0", "changes": {"title": "Mine"}}),
        (REMOVE, {"code": "a0", "purge": True}),
    ):
        answer = await runtime.ask(query, variables)
        assert answer.codes == ["BAD_INPUT"]
        assert "archives.toml" in answer.errors[0]["message"]
    await runtime.data(SWITCH.format("disable"), {"code": "a0"})
    assert (await codes(runtime))[0] == ["a1"]


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
async def test_mistakes_are_named(runtime: Runtime, wrong: dict[str, object], said: str) -> None:
    settings = runtime.services.settings.model_copy(update={"archive_hosts": "127.0.0.1, *.example.org"})
    strict = Runtime(replace(runtime.services, settings=settings), viewer=ADMIN)
    answer = await strict.ask(ADD, {"archive": NEW | wrong})
    assert answer.codes == ["BAD_INPUT"]
    assert said in answer.errors[0]["message"]
    assert (await codes(runtime))[0] == ["a0", "a1"]


@pytest.mark.parametrize(
    ("viewer", "code", "expected"),
    [
        (ADMIN, "a1", "FORBIDDEN"),
        (ADMIN, "a2", "NOT_FOUND"),
        (ADMIN, "gone", "NOT_FOUND"),
        (Viewer("member", None, (Grant(EYE, AccessLevel.FULL, ("full",)),)), "a0", "FORBIDDEN"),
    ],
)
async def test_others_change_nothing(runtime: Runtime, viewer: Viewer, code: str, expected: str) -> None:
    asker = runtime.asked_by(viewer)
    for query, variables in (
        (CHANGE, {"code": code, "changes": {"title": "Mine"}}),
        (SWITCH.format("disable"), {"code": code}),
        (REMOVE, {"code": code, "purge": False}),
    ):
        assert (await asker.ask(query, variables)).codes == [expected]
    assert (await asker.ask(ADD, {"archive": NEW | {"ern": "VASCERN"}})).codes == ["FORBIDDEN"]


async def test_the_first_archive_of_an_ern(runtime: Runtime) -> None:
    grants = (Grant("ERN-LUNG", AccessLevel.COUNTS, ("admin",)),)
    asker = runtime.asked_by(Viewer("lung", None, grants))
    assert (await asker.data(ADD, {"archive": NEW | {"ern": "ERN-LUNG"}}))["addArchive"]["code"] == "new"
    assert await codes(asker) == (["new"], {"new": True})


async def test_an_archive_of_a_declared_network(runtime: Runtime) -> None:
    given = {"archive": NEW | {"ern": "NORDIC-LUNG"}}
    grants = (Grant("NORDIC-LUNG", AccessLevel.FULL, ("full", "admin")),)
    asker = runtime.asked_by(Viewer("oslo", None, grants))
    assert (await asker.ask(ADD, given)).codes == ["BAD_INPUT"]
    runtime.services.follow(AccessRules(networks=Networks({"NORDIC-LUNG": "Nordic lung network"})))
    assert (await asker.data(ADD, given))["addArchive"]["ern"] == "NORDIC-LUNG"
    (shown,) = (await asker.data("{ archives { ern ernTitle access } }"))["archives"]
    assert shown == {"ern": "NORDIC-LUNG", "ernTitle": "Nordic lung network", "access": "FULL"}
    changed = await asker.data(CHANGE, {"code": "new", "changes": {"title": "Newer"}})
    assert changed["updateArchive"]["title"] == "Newer"
    assert (await runtime.ask(ADD, given | {"archive": given["archive"] | {"code": "b"}})).codes == [
        "FORBIDDEN"
    ]
