"""UIDs that name several things: two patients' series of one UID, an instance in two series, two issuers of one study.

Whatever way the data comes in, each is what it is, with what is above and below it, and nothing is lost.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from access.pseudonyms import Pseudonymiser
from access.scope import AccessLevel
from archives.client import ArchiveClient
from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.pool import Database
from db.writing.projections import Projections
from indexer.run import index_once
from reads.ids import to_id
from tests.archives.holding import Held, in_folder, served
from tests.resolvers.runtime import Runtime, open_services

CODES = ("a0", "a1")
CONFIGS = [ArchiveConfig(code, "ERN-EYE", code, "dicomweb") for code in CODES]
MAKER = Pseudonymiser(bytes([7]) * 32, "ERN-EYE", key_id="k1")

A, B = "PAT-A", "PAT-B"
# (StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID, PatientID, IssuerOfPatientID, Modality)
PAT_A: list[Held] = [("1.2.1", "1.3.9", "1.4.1", A, "HOSP", "CT")]
PAT_B: list[Held] = [
    ("1.2.2", "1.3.9", "1.4.2", B, "HOSP", "MR"),
    ("1.2.2", "1.3.9", "1.4.3", B, "HOSP", "MR"),
]
# An instance in two series of one study, and in the series of the same UID in the other patient's study.
TWICE: list[Held] = [
    ("1.2.1", "1.3.9", "1.4.1", A, "HOSP", "CT"),
    ("1.2.1", "1.3.8", "1.4.1", A, "HOSP", "CT"),
    ("1.2.2", "1.3.9", "1.4.1", B, "HOSP", "MR"),
]
HOLDINGS: dict[str, tuple[list[Held], list[Held]]] = {
    "two patients in one archive": (PAT_A + PAT_B, []),
    "two patients in two archives": (PAT_A, PAT_B),
    "two patients, one of them in both archives": (PAT_A + PAT_B, PAT_B),
    "an instance in two series": (TWICE, []),
    "an instance in two series of two archives": (TWICE[:1] + TWICE[2:], TWICE[1:]),
}
UIDS = ["1.2.1", "1.2.2"]


@dataclass(frozen=True)
class Way:
    """How data comes in: what kind of archive, how deep it is indexed by a run (None: there was none yet), and the
    freshness of lists."""

    holds: Callable[..., AbstractAsyncContextManager[ArchiveClient]]
    index: str | None
    freshness: str = ""


LIVE = ", freshness: {mode: LIVE, timeoutMs: 20000}"
WAYS = {
    "indexed down to studies": Way(served, "study"),
    "indexed down to series": Way(served, "series"),
    "indexed down to instances": Way(served, "instance"),
    "asked live, nothing indexed": Way(served, None, LIVE),
    "asked live, all indexed": Way(served, "instance", LIVE),
    "folder": Way(in_folder, "instance"),
    "folder on demand": Way(in_folder, "study"),
}


@dataclass
class Opened:
    """A runtime with archives that hold the same, however that came in."""

    runtime: Runtime
    way: Way

    def listed(self, field: str, given: str, select: str) -> str:
        return f"{{ {field}(first: 10, filter: {{{given}}}{self.way.freshness}) {{ {select} }} }}"

    async def ask(self, field: str, given: str, select: str) -> Any:
        found = (await self.runtime.data(self.listed(field, given, select)))[field]
        assert found["complete"]
        assert found["totalCount"] == len(found["nodes"])
        return found["nodes"]


@asynccontextmanager
async def opened(
    database: Database, way: Way, holdings: tuple[list[Held], list[Held]], folder: Path
) -> AsyncIterator[Opened]:
    ids = await sync_archives(database, CONFIGS)
    projections = Projections(
        database, dict.fromkeys(ids.values(), MAKER), {each: code for code, each in ids.items()}
    )
    database.after_write.append(lambda: projections.drain())
    async with AsyncExitStack() as stack:
        clients = []
        for config, held in zip(CONFIGS, holdings, strict=True):
            own = folder / config.code
            own.mkdir()
            config = replace(config, index=way.index or "study", representatives=False)
            clients.append(await stack.enter_async_context(way.holds(config, held, own)))
        if way.index is not None:
            results = await index_once(database, clients)
            assert [result.error_code for result in results] == [None, None]
        services = await open_services(database, clients)
        stack.push_async_callback(services.close)
        yield Opened(Runtime(services), way)


STUDY = "{ studyInstanceUid patientId }"
PARENT = f"{{ seriesInstanceUid modality study {STUDY} }}"
SERIES = f"complete totalCount nodes {{ id seriesInstanceUid modality study {STUDY} }}"
INSTANCES = f"complete totalCount nodes {{ id sopInstanceUid series {PARENT} }}"
DEEP = f"""complete totalCount nodes {{ id studyInstanceUid patientId modalitiesInStudy
  numberOfStudyRelatedSeries numberOfStudyRelatedInstances
  series(first: 5) {{ totalCount complete nodes {{ id seriesInstanceUid modality study {STUDY}
    instances(first: 5) {{ {INSTANCES} }} }} }} }}"""
OF_STUDIES = 'studyInstanceUid: {in: ["1.2.1", "1.2.2"]}'


def in_tree(studies: list[Any], *, counted: bool = True) -> set[tuple[str, ...]]:
    """(study, series, instance, patient, modality), and that everything below says the same of what is above it.

    counted: what a study counts is what is below it by now."""
    found: set[tuple[str, ...]] = set()
    for study in studies:
        above = {"studyInstanceUid": study["studyInstanceUid"], "patientId": study["patientId"]}
        series = study["series"]
        assert series["totalCount"] == len(series["nodes"])
        assert {each["modality"] for each in series["nodes"]} == set(study["modalitiesInStudy"])
        below = 0
        for each in series["nodes"]:
            assert each["study"] == above
            instances = each["instances"]
            assert instances["totalCount"] == len(instances["nodes"])
            below += instances["totalCount"]
            for instance in instances["nodes"]:
                modality = each["modality"]
                parent = {
                    "seriesInstanceUid": each["seriesInstanceUid"],
                    "modality": modality,
                    "study": above,
                }
                assert instance["series"] == parent
                key = (study["studyInstanceUid"], each["seriesInstanceUid"], instance["sopInstanceUid"])
                assert (*key, study["patientId"], modality) not in found
                found.add((*key, study["patientId"], modality))
        if counted:
            counts = study["numberOfStudyRelatedSeries"], study["numberOfStudyRelatedInstances"]
            assert counts == (len(series["nodes"]), below)
    return found


def truth(holdings: tuple[list[Held], list[Held]]) -> set[tuple[str, ...]]:
    return {(*each[:4], each[5]) for held in holdings for each in held}


def ids_in(node: Any) -> list[str]:
    if isinstance(node, list):
        return [found for each in node for found in ids_in(each)]
    if not isinstance(node, dict):
        return []
    return [*([node["id"]] if "id" in node else []), *(i for each in node.values() for i in ids_in(each))]


FIRST, *OTHERS = HOLDINGS
CASES = [(name, FIRST) for name in WAYS]
CASES += [
    (name, each) for each in OTHERS for name in ("indexed down to studies", "indexed down to instances")
]


@pytest.mark.parametrize(("name", "holding"), CASES)
async def test_each_is_what_it_is(database: Database, tmp_path: Path, name: str, holding: str) -> None:
    holdings = HOLDINGS[holding]
    expected = truth(holdings)
    async with opened(database, WAYS[name], holdings, tmp_path) as home:
        await _lists_and_ids(home, expected)
        await _filters(home, expected)
        await _statistics(home.runtime, expected)
        await _statistics_of_each(home.runtime, holdings)
        await _pseudonyms(home.runtime, expected)


async def _lists_and_ids(home: Opened, expected: set[tuple[str, ...]]) -> None:
    assert in_tree(await home.ask("studies", OF_STUDIES, DEEP), counted=False) == expected
    studies = await home.ask("studies", OF_STUDIES, DEEP)
    assert in_tree(studies) == expected
    ids = ids_in(studies)
    assert len(set(ids)) == len(ids) == sum(len({each[:n] for each in expected}) for n in (1, 2, 3))
    told = "id ... on Study { studyInstanceUid patientId }"
    told += f" ... on Series {{ seriesInstanceUid modality study {STUDY} }}"
    told += f" ... on Instance {{ sopInstanceUid series {PARENT} }}"
    asked = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ {told} }} }}"
    nodes = (await home.runtime.data(asked, {"ids": ids}))["nodes"]
    by_id = {each["id"]: each for level in ("studies", "series", "instances") for each in _of(studies, level)}
    assert [node["id"] for node in nodes] == ids
    assert {node["id"]: _said(node) for node in nodes} == {each: _said(node) for each, node in by_id.items()}
    for each in ids:
        one = (await home.runtime.data(f"query ($id: ID!) {{ node(id: $id) {{ {told} }} }}", {"id": each}))[
            "node"
        ]
        assert _said(one) == _said(by_id[each])


def _of(studies: list[Any], level: str) -> list[Any]:
    series = [each for study in studies for each in study["series"]["nodes"]]
    instances = [each for one in series for each in one["instances"]["nodes"]]
    return {"studies": studies, "series": series, "instances": instances}[level]


def _said(node: Any) -> Any:
    shown = ("studyInstanceUid", "patientId", "seriesInstanceUid", "modality", "study", "sopInstanceUid")
    own = {name: node[name] for name in shown if name in node}
    if "sopInstanceUid" in node:
        own["series"] = _said(node["series"])
    return own


async def _filters(home: Opened, expected: set[tuple[str, ...]]) -> None:
    """By modality, patient and UIDs, from each level."""
    for modality in ("CT", "MR"):
        wanted = {each for each in expected if each[4] == modality}
        given = f'{OF_STUDIES}, series: {{modality: {{eq: "{modality}"}}}}'
        assert {each[:1] for each in wanted} == {
            (node["studyInstanceUid"],) for node in await home.ask("studies", given, DEEP)
        }
        given = f'study: {{{OF_STUDIES}}}, modality: {{eq: "{modality}"}}'
        assert series_in(await home.ask("series", given, SERIES)) == {(*w[:2], *w[3:]) for w in wanted}
        assert instances_in(await home.ask("instances", f"series: {{{given}}}", INSTANCES)) == wanted
    for patient in (A, B):
        wanted = {each for each in expected if each[3] == patient}
        given = f'study: {{{OF_STUDIES}, patientId: {{eq: "{patient}"}}}}'
        assert series_in(await home.ask("series", given, SERIES)) == {(*w[:2], *w[3:]) for w in wanted}
        assert instances_in(await home.ask("instances", f"series: {{{given}}}", INSTANCES)) == wanted
    wanted = {each for each in expected if each[1] == "1.3.9"}
    given = 'seriesInstanceUid: {eq: "1.3.9"}'
    assert series_in(await home.ask("series", given, SERIES)) == {(*w[:2], *w[3:]) for w in wanted}
    assert instances_in(await home.ask("instances", f"series: {{{given}}}", INSTANCES)) == wanted
    wanted = {each for each in expected if each[2] == "1.4.1"}
    assert instances_in(await home.ask("instances", 'sopInstanceUid: {eq: "1.4.1"}', INSTANCES)) == wanted


def series_in(nodes: list[Any]) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = {
        (
            node["study"]["studyInstanceUid"],
            node["seriesInstanceUid"],
            node["study"]["patientId"],
            node["modality"],
        )
        for node in nodes
    }
    assert len(found) == len(nodes)
    return found


def instances_in(nodes: list[Any]) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = {
        (
            node["series"]["study"]["studyInstanceUid"],
            node["series"]["seriesInstanceUid"],
            node["sopInstanceUid"],
            node["series"]["study"]["patientId"],
            node["series"]["modality"],
        )
        for node in nodes
    }
    assert len(found) == len(nodes)
    return found


async def _statistics(runtime: Runtime, expected: set[tuple[str, ...]]) -> None:
    """All is indexed by now. With a filter it is counted, without one the rollups tell."""
    sums = "patients { value } facet(by: MODALITY) { value count { value } }"
    for given in ("", f"(filter: {{{OF_STUDIES}}})"):
        told = await runtime.data(
            f"{{ studyStats{given} {{ studies {{ value }} series {{ value }} {sums} }} }}"
        )
        assert told["studyStats"]["studies"]["value"] == len({each[:1] for each in expected})
        assert told["studyStats"]["series"]["value"] == len({each[:2] for each in expected})
        assert told["studyStats"]["patients"]["value"] == 2
    for field, level, shown in (("seriesStats", 2, "series"), ("instanceStats", 3, "instances")):
        of = f"study: {{{OF_STUDIES}}}" if level == 2 else f"series: {{study: {{{OF_STUDIES}}}}}"
        for given in ("", f"(filter: {{{of}}})"):
            told = (await runtime.data(f"{{ {field}{given} {{ {shown} {{ value }} {sums} }} }}"))[field]
            assert told[shown]["value"] == len({each[:level] for each in expected})
            assert told["patients"]["value"] == 2
            counted = {each["value"]: each["count"]["value"] for each in told["facet"]}
            assert counted == {
                modality: len({each[:level] for each in expected if each[4] == modality})
                for modality in ("CT", "MR")
            }


async def _statistics_of_each(runtime: Runtime, holdings: tuple[list[Held], list[Held]]) -> None:
    """What an archive does not hold counts for nothing in it, whatever has the same UID there."""
    facet = "facet(by: ARCHIVE) { value count { value } }"
    told = await runtime.data(f"{{ seriesStats {{ {facet} }} instanceStats {{ {facet} }} }}")
    for field, level in (("seriesStats", 2), ("instanceStats", 3)):
        counted = {each["value"]: each["count"]["value"] for each in told[field]["facet"]}
        held = {code: len({each[:level] for each in of}) for code, of in zip(CODES, holdings, strict=True)}
        assert counted == {code: count for code, count in held.items() if count}


async def _pseudonyms(runtime: Runtime, expected: set[tuple[str, ...]]) -> None:
    """The same tree, in which nothing of one study has the UID of anything in another."""
    hidden = runtime.seeing(**dict.fromkeys(CODES, AccessLevel.PSEUDONYMISED))
    studies = (await hidden.data(f"{{ studies(first: 10) {{ {DEEP} }} }}"))["studies"]["nodes"]
    shown = {
        (
            MAKER.uid(study),
            MAKER.uid_in(study, series),
            MAKER.uid_in(study, instance),
            MAKER.patient_id(patient, "HOSP"),
            modality,
        )
        for study, series, instance, patient, modality in expected
    }
    assert in_tree(studies) == shown
    ids = ids_in(studies)
    nodes = (await hidden.data("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ids}))["nodes"]
    assert [node["id"] for node in nodes] == ids
    real = [to_id("Series", each[:2]) for each in sorted(expected)] + [
        to_id("Instance", each[:3]) for each in sorted(expected)
    ]
    nodes = (await hidden.data("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": real}))["nodes"]
    assert set(map(str, nodes)) == {"None"}
    _, series, instances = ({each[n]: each[0] for each in shown} for n in range(3))
    for level in (series, instances):
        for (one, of_one), (other, of_other) in pairwise(sorted(level.items())):
            assert one != other or of_one == of_other


# ---- one by its UID -----------------------------------------------------------------------------------------------

OF_SERIES = "seriesInstanceUid modality study { patientId }"
BY_UID: list[tuple[str, tuple[str, ...] | str | None]] = [
    ('seriesByUid(seriesInstanceUid: "1.3.9")', "Give studyInstanceUid as well"),
    ('seriesByUid(seriesInstanceUid: "1.3.9", studyInstanceUid: "1.2.1")', ("1.3.9", "CT", A)),
    ('seriesByUid(seriesInstanceUid: "1.3.9", studyInstanceUid: "1.2.2")', ("1.3.9", "MR", B)),
    ('seriesByUid(seriesInstanceUid: "1.3.8")', ("1.3.8", "CT", A)),
    ('seriesByUid(seriesInstanceUid: "1.3.8", studyInstanceUid: "1.2.2")', None),
    ('seriesByUid(seriesInstanceUid: "1.3.7")', None),
    ('instanceByUid(sopInstanceUid: "1.4.1")', "Give seriesInstanceUid and studyInstanceUid as well"),
    ('instanceByUid(sopInstanceUid: "1.4.1", studyInstanceUid: "1.2.1")', "Give seriesInstanceUid"),
    ('instanceByUid(sopInstanceUid: "1.4.1", studyInstanceUid: "1.2.2")', ("1.3.9", "MR", B)),
    ('instanceByUid(sopInstanceUid: "1.4.1", seriesInstanceUid: "1.3.8")', ("1.3.8", "CT", A)),
    ('instanceByUid(sopInstanceUid: "1.4.2")', None),
]


@pytest.mark.parametrize(
    "name", ["indexed down to instances", "indexed down to studies", "asked live, nothing indexed"]
)
async def test_one_by_its_uid(database: Database, tmp_path: Path, name: str) -> None:
    way = WAYS[name]
    async with opened(database, way, HOLDINGS["an instance in two series"], tmp_path) as home:
        for asked, expected in BY_UID:
            select = OF_SERIES if asked.startswith("series") else f"series {{ {OF_SERIES} }}"
            answer = await home.runtime.ask(f"{{ one: {asked[:-1]}{way.freshness}) {{ {select} }} }}")
            if isinstance(expected, str):
                assert answer.codes == ["BAD_INPUT"]
                assert expected in answer.errors[0]["message"]
                continue
            assert answer.errors == [], answer.errors
            one = answer.data["one"]
            if expected is None:
                assert one is None
                continue
            series = one if asked.startswith("series") else one["series"]
            assert (series["seriesInstanceUid"], series["modality"], series["study"]["patientId"]) == expected
        hidden = home.runtime.seeing(**dict.fromkeys(CODES, AccessLevel.PSEUDONYMISED))
        uid = MAKER.uid_in("1.2.2", "1.3.9")
        data = await hidden.data(f'{{ one: seriesByUid(seriesInstanceUid: "{uid}") {{ modality }} }}')
        assert data["one"] == {"modality": "MR"}
        data = await hidden.data('{ one: seriesByUid(seriesInstanceUid: "1.3.9") { modality } }')
        assert data["one"] is None


# ---- two issuers --------------------------------------------------------------------------------------------------

ISSUERS: list[Held] = [
    ("1.2.1", "1.3.1", "1.4.1", "P1", "HOSP_A", "CT"),
    ("1.2.1", "1.3.2", "1.4.2", "P1", "HOSP_B", "MR"),
]
CONFLICTS = (
    "complete totalCount nodes { conflicts { keyword values { text } } locations { archive { code } } }"
)


@pytest.mark.parametrize("name", [name for name in WAYS if name != "folder on demand"])
async def test_one_patient_id_of_two_issuers(database: Database, tmp_path: Path, name: str) -> None:
    async with opened(database, WAYS[name], (ISSUERS, []), tmp_path) as home:
        (node,) = await home.ask("studies", 'studyInstanceUid: {eq: "1.2.1"}', CONFLICTS)
        told = {each["keyword"]: {value["text"] for value in each["values"]} for each in node["conflicts"]}
        assert told["IssuerOfPatientID"] == {"HOSP_A", "HOSP_B"}
        for issuer in ("HOSP_A", "HOSP_B"):
            given = f'studyInstanceUid: {{eq: "1.2.1"}}, attribute: [{{name: "IssuerOfPatientID", eq: "{issuer}"}}]'
            assert len(await home.ask("studies", given, "complete totalCount nodes { id }")) == 1
        hidden = home.runtime.seeing(**dict.fromkeys(CODES, AccessLevel.PSEUDONYMISED))
        (node,) = (await hidden.data(f"{{ studies {{ {CONFLICTS} }} }}"))["studies"]["nodes"]
        told = {each["keyword"]: {value["text"] for value in each["values"]} for each in node["conflicts"]}
        assert told["PatientID"] == {MAKER.patient_id("P1", issuer) for issuer in ("HOSP_A", "HOSP_B")}
