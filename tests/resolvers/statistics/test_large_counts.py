"""Counts that no Int of GraphQL holds: null, and said."""

from db.archives import sync_archives
from db.pool import Database
from tests.db.writing.ingesting import store
from tests.resolvers.runtime import CONFIGS, Runtime, open_services
from tests.rows import Row, series, study

MOST = 2**31 - 1


def large(uid: str, parts: int) -> list[Row]:
    return [series(uid, f"{uid}.{n}", NumberOfSeriesRelatedInstances=MOST) for n in range(parts)]


async def test_counts_that_no_int_holds(database: Database) -> None:
    ids = await sync_archives(database, CONFIGS)
    for code in ("a0", "a1"):
        serieses = [*large("1.1", 1), *large("1.2", 2)]
        await store(database, ids[code], [study("1.1"), study("1.2")], serieses, series_of=["1.1", "1.2"])
    await store(database, ids["a2"], [study("1.3")], large("1.3", 1), series_of=["1.3"])
    services = await open_services(database)
    runtime = Runtime(services)
    asked = await runtime.ask(
        """{ studies(orderBy: []) { nodes { studyInstanceUid numberOfStudyRelatedInstances
               locations { numberOfInstances } series { nodes { numberOfSeriesRelatedInstances } } } }
             studyStats { studies { value } series { value } instances { value atMost suppressed } }
             seriesStats { instances { value } } }"""
    )
    assert asked.errors == []
    nodes = {node["studyInstanceUid"]: node for node in asked.data["studies"]["nodes"]}
    numbers = {uid: node["numberOfStudyRelatedInstances"] for uid, node in nodes.items()}
    assert numbers == {"1.1": MOST, "1.2": None, "1.3": MOST}
    assert nodes["1.2"]["locations"] == [{"numberOfInstances": None}] * 2
    assert nodes["1.2"]["series"]["nodes"] == [{"numberOfSeriesRelatedInstances": MOST}] * 2
    stats = asked.data["studyStats"]
    assert (stats["studies"]["value"], stats["series"]["value"]) == (3, 4)
    assert stats["instances"] == {"value": None, "atMost": None, "suppressed": False}
    assert asked.data["seriesStats"] == {"instances": {"value": None}}
    (warning,) = asked.body["extensions"]["warnings"]
    assert warning["code"] == "COUNT_TOO_LARGE"
    await services.close()
