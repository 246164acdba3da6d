"""What an ask costs: the same statements and upstream requests, however many nodes it has."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from archives.registry import open_archive
from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.pool import Connection, Database
from db.writing import ingest
from model.attributes import Level
from tests.archives.files import ROOT, instance
from tests.orthanc import OrthancServer, running_orthanc
from tests.resolvers.runtime import Runtime, open_services
from tests.rows import records, study

EVERYTHING = """query ($first: Int!) {
  studies(first: $first) {
    totalCount complete sources { state matched } pageInfo { hasNextPage hasPreviousPage }
    nodes {
      studyInstanceUid
      locations { archive { code index { studies { value } } } }
      conflicts { keyword values { archive { code } text } }
      attributes { keyword text }
      series {
        totalCount complete sources { matched }
        nodes {
          study { patientId }
          locations { archive { code } } conflicts { keyword } attributes { text }
          instances {
            totalCount complete
            nodes { series { modality } locations { retrieveUrl } attributes(keywords: ["Rows"]) { text } }
          }
        }
      }
    }
  }
}"""


async def test_ten_studies_cost_as_much_as_fifty(runtime: Runtime) -> None:
    ten = await runtime.ask(EVERYTHING, {"first": 10})
    fifty = await runtime.ask(EVERYTHING, {"first": 50})
    assert [len(each.data["studies"]["nodes"]) for each in (ten, fifty)] == [10, 50]
    assert sorted(ten.statements) == sorted(fifty.statements)
    assert len(fifty.statements) <= 20
    assert ten.requests == fifty.requests == {}


async def test_nodes_by_id_cost_as_much_as_one(runtime: Runtime) -> None:
    data = await runtime.data("{ studies(first: 50) { nodes { id } } }")
    ids = [node["id"] for node in data["studies"]["nodes"]]
    ask = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Study { locations { archive { code } } } } }"
    one, fifty = await runtime.ask(ask, {"ids": ids[:1]}), await runtime.ask(ask, {"ids": ids})
    assert len(fifty.data["nodes"]) == 50
    assert one.statements == fifty.statements


async def test_pages_after_one_another_cost_the_same(runtime: Runtime) -> None:
    ask = (
        "query ($after: String) { studies(first: 10, after: $after) { nodes { id } pageInfo { endCursor } } }"
    )
    cursor, costs = None, []
    for _ in range(5):
        answer = await runtime.ask(ask, {"after": cursor})
        cursor = answer.data["studies"]["pageInfo"]["endCursor"]
        costs.append(answer.statements)
    assert costs == [["page"]] * 5


# ---- fetched on demand, from a real Orthanc ---------------------------------------------------------

# Not a round number: a client asks once more after a page of 40 rows, which could be an archive's cap.
UIDS = [f"{ROOT}.77.{number}" for number in range(53)]
DEEP = """query ($first: Int!) {
  studies(first: $first, orderBy: [{field: ACCESSION_NUMBER}]) {
    nodes {
      studyInstanceUid
      series { complete nodes { instances { complete totalCount nodes { sopInstanceUid } } } }
    }
  }
}"""


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OrthancServer]:
    """Small studies, each of one series of two instances."""
    files = (instance(uid, 1, number) for uid in UIDS for number in (1, 2))
    with running_orthanc(tmp_path_factory.mktemp("orthanc") / "fifty", files) as server:
        yield server


@pytest.fixture(params=["orthanc", "dicomweb"])
async def fifty(
    request: pytest.FixtureRequest, orthanc: OrthancServer, database: Database
) -> AsyncIterator[Runtime]:
    """An index that has the studies of the Orthanc, and nothing below."""
    config = ArchiveConfig("o", "ERN-EYE", "O", request.param, url=orthanc.dicomweb, timeout=60)
    archive_id = (await sync_archives(database, [config]))["o"]
    rows = [study(uid, AccessionNumber=f"{number:03}") for number, uid in enumerate(UIDS)]

    async def work(connection: Connection) -> None:
        await ingest.store_studies(connection, archive_id, records(Level.STUDY, rows))
        await ingest.derive(connection, UIDS)
        await connection.execute("update archive set last_completed_at = now()")

    await ingest.write(database, "load", work)
    client = open_archive(config)
    services = await open_services(database, [client])
    yield Runtime(services)
    await services.close()
    await client.close()


def _check(answer_data: object, studies: int) -> None:
    assert isinstance(answer_data, dict)
    nodes = answer_data["studies"]["nodes"]
    assert len(nodes) == studies
    for node in nodes:
        (series,) = node["series"]["nodes"]
        assert node["series"]["complete"]
        assert series["instances"]["complete"]
        assert series["instances"]["totalCount"] == len(series["instances"]["nodes"]) == 2


@pytest.mark.orthanc
async def test_fifty_studies_are_fetched_in_as_many_requests_as_ten(fifty: Runtime) -> None:
    await fifty.ask(DEEP, {"first": 3})  # the first contacts also learn what the archive can do
    ten = await fifty.ask(DEEP, {"first": 10})
    _check(ten.data, 10)
    assert ten.requests["o"] <= 4
    again = await fifty.ask(DEEP, {"first": 10})
    assert (again.data, again.requests) == (ten.data, {})
    more = await fifty.ask(DEEP, {"first": 53})  # 43 of them are still missing
    _check(more.data, 53)
    assert more.requests == ten.requests
    assert sorted(more.statements) == sorted(ten.statements)


@pytest.mark.orthanc
async def test_concurrent_askers_share_one_fetch_and_it_is_kept(fifty: Runtime) -> None:
    await fifty.ask(DEEP, {"first": 3})
    alone = await fifty.ask(DEEP, {"first": 10})
    answers = await asyncio.gather(*(fifty.ask(DEEP, {"first": 53}) for _ in range(5)))
    for answer in answers:
        _check(answer.data, 53)
    assert sum(answer.requests.get("o", 0) for answer in answers) == alone.requests["o"]
    await fifty.services.close()
    restarted = Runtime(await open_services(fifty.services.owner, list(fifty.services.archives)))
    after = await restarted.ask(DEEP, {"first": 53})
    assert after.requests == {}
    _check(after.data, 53)
