"""A family that cannot be settled, whatever way it comes in by: the others of the same answer are there."""

from db.pool import Database
from model.attributes import Level
from tests.db.writing.refusing import refuse
from tests.resolvers.live_runtime import add, uid_of
from tests.resolvers.runtime import CONFIGS, Runtime


async def test_asked_now(live: Runtime, database: Database) -> None:
    archive = live.archives[0]
    for uid in ("9.1", "9.2", "9.3"):
        add(archive, uid, PatientID="NEW")
    await refuse(database, "9.2")
    ask = """{ studies(freshness: {mode: LIVE}, filter: {patientId: {eq: "NEW"}}) { nodes { studyInstanceUid } } }"""
    nodes = (await live.data(ask))["studies"]["nodes"]
    assert sorted(node["studyInstanceUid"] for node in nodes) == ["9.1", "9.3"]


async def test_on_demand(shallow: Runtime, database: Database) -> None:
    uids = [uid_of(row) for row in shallow.archives[0].rows[Level.STUDY]][:3]
    await refuse(database, uids[1])
    ask = """query ($code: String!) { studies(archives: [$code], first: 1000) {
        nodes { studyInstanceUid series { nodes { seriesInstanceUid } } } } }"""
    nodes = (await shallow.data(ask, {"code": CONFIGS[0].code}))["studies"]["nodes"]
    found = {node["studyInstanceUid"]: len(node["series"]["nodes"]) for node in nodes}
    assert [found[uid] > 0 for uid in uids] == [True, False, True]
