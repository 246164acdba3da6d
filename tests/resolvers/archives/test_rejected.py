"""Records that an archive answers and that cannot become records: said to those who may see records there, by every
way that they come in, as long as the archive answers them."""

from typing import Any

import pytest

from access.scope import AccessLevel
from db.pool import Connection, Database
from db.writing import ingest
from model.attributes import Level
from model.records import Rejected
from tests.resolvers.cohort_home import Home, person
from tests.resolvers.live_runtime import add, uid_of
from tests.resolvers.runtime import CONFIGS, Runtime
from tests.rows import instance, row, series

SOURCES = "complete sources { archive { code } state error { code message } }"
CODE = CONFIGS[0].code


def told(found: Any, code: str = CODE) -> tuple[bool, str, str | None]:
    """(complete, state and error code of the archive)."""
    (source,) = [each for each in found["sources"] if each["archive"]["code"] == code]
    return found["complete"], source["state"], (source["error"] or {}).get("code")


async def reject(database: Database, archive_id: int, count: int) -> None:
    async def work(conn: Connection) -> None:
        rows = [Rejected(Level.STUDY, None, "no UID", f'{{"n": {n}}}') for n in range(count)]
        noted = Rejected(Level.STUDY, "1.2", "in the index, but", '{"n": "note"}', lost=False)
        await ingest.reject(conn, archive_id, [*rows, noted])

    await ingest.write(database, "reject", work)


LISTS = ["studies", "series", "instances"]


@pytest.mark.parametrize("field", LISTS)
async def test_what_a_run_rejected_is_said(home: Home, field: str) -> None:
    ids = {config.code: home.runtime.archive_id(config.code) for config in CONFIGS}
    ask = f"{{ list: {field} {{ {SOURCES} }} }}"
    doctor = person("doctor", eye=AccessLevel.FULL, rnd=AccessLevel.FULL, vasc=AccessLevel.FULL)
    assert told((await home.data(doctor, ask))["list"])[0]
    await reject(home.database, ids["a0"], 2)
    found = (await home.data(doctor, ask))["list"]
    assert told(found) == (False, "PARTIAL", "REJECTED_RECORDS")
    assert told(found, "a1") == (False, "CACHED", None)
    (message,) = [each["error"]["message"] for each in found["sources"] if each["error"]]
    assert message.startswith("2 records")
    analyst = person("analyst", eye=AccessLevel.PSEUDONYMISED)
    assert told((await home.data(analyst, ask))["list"]) == (False, "PARTIAL", "REJECTED_RECORDS")


async def test_who_may_not_see_records_there_hears_nothing(home: Home) -> None:
    ask = f"{{ list: studies {{ {SOURCES} }} studyStats {{ {SOURCES} }} }}"
    a0 = home.runtime.archive_id("a0")
    counter = person("counter", eye=AccessLevel.COUNTS, rnd=AccessLevel.FULL)
    stranger = person("stranger", rnd=AccessLevel.FULL)
    before = [await home.data(viewer, ask) for viewer in (counter, stranger)]
    await reject(home.database, a0, 3)
    assert [await home.data(viewer, ask) for viewer in (counter, stranger)] == before


async def test_asked_now(live: Runtime) -> None:
    archive = live.archives[0]
    ask = f"{{ list: studies(freshness: {{mode: LIVE}}) {{ {SOURCES} }} }}"
    cached = f"{{ list: studies {{ {SOURCES} }} }}"
    assert told((await live.data(ask))["list"]) == (True, "LIVE", None)
    bad = row(StudyInstanceUID="no uid", PatientID="P")
    archive.rows[Level.STUDY].append(bad)
    for _ in range(2):
        assert told((await live.data(ask))["list"]) == (False, "PARTIAL", "REJECTED_RECORDS")
        assert told((await live.data(cached))["list"]) == (False, "PARTIAL", "REJECTED_RECORDS")
    archive.rows[Level.STUDY].remove(bad)
    assert told((await live.data(ask))["list"]) == (True, "LIVE", None)
    assert told((await live.data(cached))["list"]) == (True, "CACHED", None)


@pytest.mark.parametrize(("field", "level"), [("series", Level.SERIES), ("instances", Level.INSTANCE)])
async def test_asked_now_below(live: Runtime, field: str, level: Level) -> None:
    archive = live.archives[0]
    add(archive, "7.7")
    ask = f"{{ list: {field}(freshness: {{mode: LIVE}}) {{ {SOURCES} }} }}"
    assert told((await live.data(ask))["list"]) == (True, "LIVE", None)
    bad = series("7.7", "no uid") if level is Level.SERIES else instance("7.7", "7.7.1", "no uid")
    archive.rows[level].append(bad)
    for _ in range(2):
        assert told((await live.data(ask))["list"]) == (False, "PARTIAL", "REJECTED_RECORDS")
    archive.rows[level].remove(bad)
    assert told((await live.data(ask))["list"]) == (True, "LIVE", None)


ON_DEMAND = """query ($uids: [UID!]!) { studies(filter: {studyInstanceUid: {in: $uids}}) { nodes { studyInstanceUid
  series { complete sources { archive { code } state error { code } } nodes { seriesInstanceUid
    instances { complete sources { archive { code } state error { code } } } } } } } }"""


@pytest.mark.parametrize("level", [Level.SERIES, Level.INSTANCE])
async def test_on_demand(shallow: Runtime, level: Level) -> None:
    """Only the node that lacks a record is partial, each time, until the archive answers well."""
    archive = shallow.archives[0]
    others = {uid_of(each) for other in shallow.archives[1:] for each in other.rows[Level.STUDY]}
    mine = [uid for each in archive.rows[Level.STUDY] if (uid := uid_of(each)) not in others][:3]
    part = next(each for each in archive.rows[Level.SERIES] if uid_of(each) == mine[1])
    uid = part["0020000E"]["Value"][0]
    bad = series(mine[1], "no uid") if level is Level.SERIES else instance(mine[1], uid, "no uid")
    archive.rows[level].append(bad)

    async def partial() -> list[str]:
        nodes = (await shallow.data(ON_DEMAND, {"uids": mine}))["studies"]["nodes"]
        of_series = [(n["studyInstanceUid"], told(n["series"])) for n in nodes]
        of_instances = [
            (s["seriesInstanceUid"], told(s["instances"])) for n in nodes for s in n["series"]["nodes"]
        ]
        for _, (complete, state, code) in of_series + of_instances:
            assert (complete, state, code) in [(True, "CACHED", None), (False, "PARTIAL", "REJECTED_RECORDS")]
        return [name for name, (complete, *_) in of_series + of_instances if not complete]

    for _ in range(2):
        assert await partial() == [mine[1] if level is Level.SERIES else uid]
    archive.rows[level].remove(bad)
    assert await partial() == []
