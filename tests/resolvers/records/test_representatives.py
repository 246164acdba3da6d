"""Representatives in the API: on the series, and in filters of series and studies by what only instances tell."""

import orjson
import pytest

from db.pool import Database
from db.writing import representatives
from model.attributes import Level
from tests.resolvers.conftest import shallow_runtime
from tests.resolvers.runtime import Runtime
from tests.rows import instance

THIN, THICK = "1.25", "5"


@pytest.fixture
async def represented(database: Database) -> Runtime:
    """40 studies down to their series; every second series has a representative, thin ones among them."""
    runtime = await shallow_runtime(database, Level.SERIES, 40)
    rows = await database.fetch("t", "select *, dense_rank() over (order by series_uid) as n from series")
    told = []
    for row in rows:
        n = row["n"]
        if n % 2:
            continue
        data = instance(row["study_uid"], row["series_uid"], f"{row['series_uid']}.9", Rows=512)
        data["00180050"] = {"vr": "DS", "Value": [THIN if n % 3 == 0 else THICK]}
        told.append((row["series_pk"], orjson.dumps(data).decode()))
    await representatives.store(database, told)
    await database.execute("t", "analyze")
    return runtime


async def _uids(database: Database, column: str) -> list[str]:
    sql = f"select distinct {column} from series where representative #>> '{{00180050,Value,0}}' = $1 order by 1"  # noqa: S608
    return [row[0] for row in await database.fetch("t", sql, THIN)]


async def test_series_and_studies_are_found_by_it(represented: Runtime, database: Database) -> None:
    data = await represented.data(
        """{
        series(first: 1000, filter: {attribute: [{name: "SliceThickness", lte: "2"}]}) {
          totalCount nodes { seriesInstanceUid
            representative { sopInstanceUid syncedAt attributes(keywords: ["SliceThickness", "Rows"]) { text } } } }
        studies(first: 1000, filter: {attribute: [{name: "SliceThickness", lte: "2"}]}) {
          totalCount nodes { studyInstanceUid } }
        none: series(filter: {attribute: [{name: "Rows", eq: "513"}]}) { totalCount }
        }"""
    )
    series = data["series"]["nodes"]
    assert sorted(node["seriesInstanceUid"] for node in series) == await _uids(database, "series_uid")
    for node in series:
        told = node["representative"]
        assert told["sopInstanceUid"] == f"{node['seriesInstanceUid']}.9"
        assert [each["text"] for each in told["attributes"]] == [THIN, "512"]
    studies = sorted(node["studyInstanceUid"] for node in data["studies"]["nodes"])
    assert studies == await _uids(database, "study_uid")
    assert data["studies"]["totalCount"] == len(studies)
    assert data["none"]["totalCount"] == 0


async def test_what_has_none_is_told(represented: Runtime, database: Database) -> None:
    """Not found is not "not there" where series were not searched; with all of them it is."""
    ask = """{ series(filter: {attribute: [{name: "EchoTime", exists: true}]}) {
      totalCount complete sources { state error { code } } } }"""
    found = (await represented.data(ask))["series"]
    assert found["totalCount"] == 0
    assert not found["complete"]
    assert {source["error"]["code"] for source in found["sources"]} == {"NOT_INDEXED"}
    await database.execute("t", "update series set representative = '{}' where representative is null")
    found = (await represented.data(ask))["series"]
    assert found["complete"]
    assert {source["state"] for source in found["sources"]} == {"CACHED"}


async def test_a_series_without_one_says_null(represented: Runtime, database: Database) -> None:
    (row,) = await database.fetch(
        "t", "select series_uid from series group by 1 having bool_and(representative is null) limit 1"
    )
    ask = """query ($uid: UID!) {
      series(filter: {seriesInstanceUid: {eq: $uid}}) { nodes { representative { syncedAt } } } }"""
    data = await represented.data(ask, {"uid": row[0]})
    assert data["series"]["nodes"] == [{"representative": None}]
