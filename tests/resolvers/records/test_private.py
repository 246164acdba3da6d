"""Private attributes in the API: shown by a name that filters take, found by it, and only in records as stored."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from access.pseudonyms import Pseudonymiser
from access.scope import AccessLevel
from archives.registry import Archives, open_archives
from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.pool import Database
from db.writing.projections import Projections
from indexer.run import index_once
from tests.archives.faulty import faulty
from tests.archives.holding import in_folder
from tests.archives.private_pacs import NAME, PrivatePacs
from tests.resolvers.runtime import Runtime, open_services

FIELDS = f'attributes(keywords: ["{NAME}"]) {{ name tag keyword text }}'


@asynccontextmanager
async def indexed(
    database: Database, pacs: PrivatePacs, **options: Any
) -> AsyncIterator[tuple[Runtime, Archives]]:
    """A runtime in front of this archive, after a run, with both projections."""
    with faulty(pacs) as server:
        config = ArchiveConfig("eye", "ERN-EYE", "Eye", "dicomweb", url=server.url, **options)
        ids = await sync_archives(database, [config])
        maker = Pseudonymiser(bytes([7]) * 32, config.ern, key_id="k1")
        projections = Projections(database, {ids["eye"]: maker}, {ids["eye"]: "eye"})
        database.after_write.append(projections.drain)
        async with open_archives([config]) as archives:
            (result,) = await index_once(database, archives)
            assert result.all_done, result
            services = await open_services(database, archives)
            yield Runtime(services), archives
            await services.close()


async def test_what_a_study_says_is_shown_by_name_and_found(database: Database) -> None:
    async with indexed(database, PrivatePacs(), index="study") as (runtime, _):
        ask = f"""{{ studies {{ nodes {{ studyInstanceUid {FIELDS}
          all: attributes {{ name tag }} }} }}
          some: studies(filter: {{attribute: [{{name: "{NAME}", eq: "private of 1.2.2"}}]}}) {{
            nodes {{ studyInstanceUid }} }} }}"""
        data = await runtime.data(ask)
        nodes = {node["studyInstanceUid"]: node for node in data["studies"]["nodes"]}
        assert [nodes[uid]["attributes"] for uid in sorted(nodes)] == [
            [{"name": NAME, "tag": tag, "keyword": None, "text": f"private of {uid}"}]
            for uid, tag in (("1.2.1", "00091001"), ("1.2.2", "00091101"), ("1.2.3", "00091001"))
        ]
        named = {each["tag"]: each["name"] for each in nodes["1.2.2"]["all"]}
        assert (named["00091001"], named["00091101"]) == ("(ANOTHER)0009xx01", NAME)
        assert (named["00090011"], named["00100020"]) == ("00090011", "PatientID")
        assert data["some"]["nodes"] == [{"studyInstanceUid": "1.2.2"}]


async def test_records_with_pseudonyms_have_none(database: Database) -> None:
    async with indexed(database, PrivatePacs()) as (runtime, _):
        level = """{ nodes { %s all: attributes { name } representative { attributes { name } } } }"""
        ask = f"""{{ studies {{ nodes {{ {FIELDS} all: attributes {{ name }} series {level % FIELDS} }} }}
          found: studies(filter: {{attribute: [{{name: "{NAME}", exists: true}}]}}) {{
            totalCount sources {{ state }} }} }}"""
        told = await runtime.data(ask)
        hidden = await runtime.seeing(eye=AccessLevel.PSEUDONYMISED).data(ask)
        assert str(told).count("private of") == 6
        assert told["found"]["totalCount"] == 3
        assert len(hidden["studies"]["nodes"]) == 3
        for word in ("CREATOR", "ANOTHER", "private", "0009"):
            assert word not in str(hidden)
        assert hidden["found"] == {"totalCount": 0, "sources": [{"state": "SKIPPED"}]}


THIN = '{name: "SliceThickness", eq: "2.5"}'
PRIVATE = f'{{name: "{NAME}", eq: "private of 1.2.2"}}'
INSTANCES = f"""{{
  thin: instances(filter: {{attribute: [{THIN}]}}) {{ complete totalCount sources {{ state error {{ code }} }} }}
  mine: instances(filter: {{attribute: [{PRIVATE}]}}) {{ complete totalCount nodes {{ sopInstanceUid }} }}
  archives {{ index {{ instances {{ value }} dataSets {{ value suppressed }} }} }}
  attributeDefinitions(search: "SliceThickness", first: 1) {{ nodes {{ coverage {{
    level present {{ value }} total {{ value }} searched {{ value }} }} }} }} }}"""


async def test_an_index_down_to_instances_finds_what_only_whole_data_sets_tell(database: Database) -> None:
    async with indexed(database, PrivatePacs(every=False), index="instance") as (runtime, _):
        data = await runtime.data(INSTANCES)
        assert data["thin"] == {
            "complete": True,
            "totalCount": 6,
            "sources": [{"state": "CACHED", "error": None}],
        }
        assert data["mine"] == {
            "complete": True,
            "totalCount": 2,
            "nodes": [{"sopInstanceUid": "1.2.2.1.1"}, {"sopInstanceUid": "1.2.2.1.2"}],
        }
        (index,) = [each["index"] for each in data["archives"]]
        assert (index["instances"]["value"], index["dataSets"]) == (6, {"value": 6, "suppressed": False})
        (coverage,) = data["attributeDefinitions"]["nodes"][0]["coverage"]
        assert coverage == {
            "level": "series",
            "present": {"value": 3},
            "total": {"value": 3},
            "searched": {"value": 3},
        }
        hidden = await runtime.seeing(eye=AccessLevel.PSEUDONYMISED).data(INSTANCES)
        assert (hidden["thin"]["complete"], hidden["thin"]["totalCount"]) == (True, 6)
        assert (hidden["mine"]["complete"], hidden["mine"]["totalCount"]) == (False, 0)
        assert hidden["archives"][0]["index"]["dataSets"] == {"value": None, "suppressed": True}


async def test_what_has_not_come_is_said(database: Database) -> None:
    pacs = PrivatePacs(every=False, refused={"1.2.1.1"})
    async with indexed(database, pacs, index="instance", representatives=False, retries=0) as (runtime, _):
        data = await runtime.data(INSTANCES)
        assert data["thin"] == {
            "complete": False,
            "totalCount": 4,
            "sources": [{"state": "PARTIAL", "error": {"code": "NOT_INDEXED"}}],
        }
        assert data["archives"][0]["index"]["dataSets"]["value"] == 4
        (coverage,) = data["attributeDefinitions"]["nodes"][0]["coverage"]
        assert (coverage["total"], coverage["searched"]) == ({"value": 3}, {"value": 0})


BELOW = f"""{{ studies {{ nodes {{ series(filter: {{attribute: [{{name: "SliceThickness", exists: true}}]}}) {{
    complete totalCount sources {{ state error {{ code }} }} }}
  all: series {{ nodes {{ instances(filter: {{attribute: [{THIN}]}}) {{
    complete totalCount sources {{ state error {{ code }} }} }} }} }} }} }} }}"""


async def test_what_has_not_come_is_said_of_the_children_of_each_node(database: Database) -> None:
    """A filter of theirs that finds nothing has looked at nothing."""
    pacs = PrivatePacs(every=False, refused={"1.2.1.1", "1.2.2.1", "1.2.3.1"})
    lacking = {
        "complete": False,
        "totalCount": 0,
        "sources": [{"state": "PARTIAL", "error": {"code": "NOT_INDEXED"}}],
    }
    async with indexed(database, pacs, index="instance", representatives=False, retries=0) as (runtime, _):
        data = await runtime.data(BELOW)
        for study in data["studies"]["nodes"]:
            assert study["series"] == lacking
            assert [each["instances"] for each in study["all"]["nodes"]] == [lacking]
        await database.execute("t", "update series set representative = '{}'")
        await database.execute("t", "update instance set metadata_synced_at = now()")
        data = await runtime.data(BELOW)
        for study in data["studies"]["nodes"]:
            assert study["series"]["complete"]
            assert study["all"]["nodes"][0]["instances"]["complete"]


async def test_where_there_are_none_searches_bring_all_they_can(database: Database) -> None:
    pacs = PrivatePacs(metadata=False)
    async with indexed(database, pacs, index="instance", representatives=False) as (runtime, _):
        data = await runtime.data(INSTANCES)
        assert (data["mine"]["complete"], data["mine"]["totalCount"]) == (False, 2)
        assert (data["thin"]["complete"], data["thin"]["totalCount"]) == (False, 0)


@pytest.mark.parametrize("data_sets", [True, False])
async def test_a_folder_lacks_what_was_not_fetched_of_it(
    database: Database, tmp_path: Path, data_sets: bool
) -> None:
    config = ArchiveConfig("eye", "ERN-EYE", "Eye", "folder", index="instance", data_sets=data_sets)
    await sync_archives(database, [config])
    held = [("1.2.1", "1.3.1", f"1.4.{n}", "P1", "HOSP", "CT") for n in range(2)]
    async with in_folder(config, held, tmp_path) as archive:
        (result,) = await index_once(database, [archive])
        assert result.all_done, result
        services = await open_services(database, [archive])
        ask = (
            '{ instances(filter: {attribute: [{name: "SliceThickness", eq: "5"}]}) { complete totalCount } }'
        )
        found = (await Runtime(services).data(ask))["instances"]
        await services.close()
    assert found == {"complete": data_sets, "totalCount": 2 if data_sets else 0}
