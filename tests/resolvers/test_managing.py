"""What administrators do with archives over the served schema: looks by hand."""

from collections.abc import AsyncIterator

import pytest

from access.scope import AccessLevel, Grant, Viewer
from db.archives import sync_archives
from db.pool import Database
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
