"""Filters as clients write them, against plain Python over the generated copies: names, ops, null, levels.

test_lists.py holds condition trees against the oracle; here is the way from GraphQL to such a tree.
"""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

import pytest

from model.attributes import Level
from tests.federation import Federation
from tests.oracle import Copy, fold
from tests.resolvers.runtime import Runtime

Holds = Callable[[Any], bool]


def value(column: str, holds: Holds) -> Callable[[list[Copy]], bool]:
    """Some copy has a value in the column that passes."""
    return lambda copies: any(c.values[column] is not None and holds(c.values[column]) for c in copies)


def no_value(column: str) -> Callable[[list[Copy]], bool]:
    return lambda copies: all(c.values[column] is None for c in copies)


def inside(tags: str, holds: Holds) -> Callable[[list[Copy]], bool]:
    """Some copy has a value at the path of tags that passes."""

    def values(item: dict[str, Any], path: list[str]) -> Iterable[Any]:
        for found in item.get(path[0], {}).get("Value", []):
            yield from values(found, path[1:]) if path[1:] else [found]

    return lambda copies: any(holds(v) for c in copies for v in values(c.data, tags.split(".")))


def modalities(holds: Callable[[set[str]], bool]) -> Callable[[list[Copy]], bool]:
    return lambda copies: any(holds(set(c.values["modalities"])) for c in copies)


STUDIES = [
    ('{patientId: {eq: "P1"}}', value("patient_id", lambda v: v == "P1")),
    ('{patientId: {eq: "p1"}}', value("patient_id", lambda v: v == "p1")),
    ('{patientId: {in: ["P1", "Ä3"]}}', value("patient_id", lambda v: v in ("P1", "Ä3"))),
    ('{patientId: {startsWith: "a"}}', value("patient_id", lambda v: fold(v).startswith("a"))),
    ("{patientId: {isNull: true}}", no_value("patient_id")),
    ("{patientId: {isNull: false}}", value("patient_id", lambda v: True)),
    ('{patientSex: {eq: "F"}}', value("patient_sex", lambda v: v == "F")),
    ('{studyId: {eq: "2"}}', value("study_id", lambda v: v == "2")),
    ('{accessionNumber: {wildcard: "a?"}}', value("accession_number", lambda v: v in ("A1", "A2"))),
    ('{studyDescription: {contains: "THORAX"}}', value("study_description", lambda v: "thorax" in fold(v))),
    ('{studyDescription: {contains: "0%"}}', value("study_description", lambda v: "0%" in v)),
    ('{studyDescription: {contains: "r_s"}}', value("study_description", lambda v: "r_s" in v)),
    ('{studyDescription: {contains: "k\\\\s"}}', value("study_description", lambda v: "k\\s" in v)),
    ('{studyDescription: {wildcard: "*schadel"}}', value("study_description", lambda v: "Sch" in v)),
    ('{patientName: {eq: "山田^太郎"}}', value("patient_name", lambda v: "山田^太郎" in v)),
    ('{patientName: {startsWith: "mul"}}', value("patient_name", lambda v: v[:2] in ("Mü", "Mu"))),
    ('{patientName: {wildcard: "*^hans"}}', value("patient_name", lambda v: v.endswith("^Hans"))),
    ('{patientName: {wildcard: "ΠΑΠΠΑΣ*"}}', value("patient_name", lambda v: v[0] == "Π")),
    ("{patientName: {isNull: true}}", no_value("patient_name")),
    (
        '{referringPhysicianName: {eq: "Müller^Hans"}}',
        value("referring_physician_name", lambda v: v == "Müller^Hans"),
    ),
    ('{studyDate: {eq: "2020-01-03"}}', value("study_date", lambda v: v == date(2020, 1, 3))),
    ('{studyDate: {gte: "2020-01-05"}}', value("study_date", lambda v: v >= date(2020, 1, 5))),
    ('{studyDate: {lte: "2020-01-02"}}', value("study_date", lambda v: v <= date(2020, 1, 2))),
    (
        '{studyDate: {gte: "2020-01-02", lte: "2020-01-03"}}',
        value("study_date", lambda v: date(2020, 1, 2) <= v <= date(2020, 1, 3)),
    ),
    ("{studyDate: {isNull: true}}", no_value("study_date")),
    ('{patientBirthDate: {eq: "1990-05-01"}}', value("patient_birth_date", lambda v: v.year == 1990)),
    ('{modalitiesInStudy: {any: ["MR", "CT"]}}', modalities(lambda v: bool(v & {"MR", "CT"}))),
    ('{modalitiesInStudy: {none: ["MR", "CT"]}}',
     lambda c: not modalities(lambda v: bool(v & {"MR", "CT"}))(c)),
    ('{studyInstanceUid: {eq: "1.2.11.3"}}', lambda copies: copies[0].uid == "1.2.11.3"),
    ('{studyInstanceUid: {in: ["1.2.11.3", "1.2.11.4", "7.7"]}}',
     lambda c: c[0].uid in ("1.2.11.3", "1.2.11.4")),
    ('{attribute: [{name: "PatientSize", gte: "1.6"}]}', inside("00101020", lambda v: v >= 1.6)),
    ('{attribute: [{name: "PatientSize", lte: "1.50"}]}', inside("00101020", lambda v: v <= 1.5)),
    ('{attribute: [{name: "00101020", in: ["2.0", "1.5"]}]}', inside("00101020", lambda v: v in (2, 1.5))),
    ('{attribute: [{name: "PatientSize", exists: true}]}', inside("00101020", lambda v: True)),
    ('{attribute: [{name: "PatientSize", exists: false}]}',
     lambda c: not inside("00101020", lambda v: True)(c)),
    ('{attribute: [{name: "StudyDescription", eq: "CT Thorax"}]}',
     inside("00081030", lambda v: v == "CT Thorax")),
    ('{attribute: [{name: "StudyDescription", contains: "CAFE"}]}',
     inside("00081030", lambda v: "Café" in v)),
    ('{attribute: [{name: "StudyDate", gte: "2020-01-06"}]}',
     inside("00080020", lambda v: v >= "2020-01-06")),
    ('{attribute: [{name: "PatientSex", in: ["F", "O"]}]}', inside("00100040", lambda v: v in "FO")),
    (
        '{attribute: [{name: "RequestAttributesSequence.ScheduledProcedureStepID", startsWith: "s2"}]}',
        inside("00400275.00400009", lambda v: v == "S2"),
    ),
    (
        '{patientSex: {eq: "F"}, patientId: {eq: "P2"}}',
        lambda c: any(x.values["patient_sex"] == "F" for x in c) and
        any(x.values["patient_id"] == "P2" for x in c),
    ),
    (
        '{and: [{patientSex: {eq: "F"}}, {not: {patientId: {isNull: true}}}]}',
        lambda c: any(x.values["patient_sex"] == "F" for x in c) and any(x.values["patient_id"] for x in c),
    ),
    (
        '{or: [{patientSex: {eq: "F"}}, {studyDate: {isNull: true}}]}',
        lambda c: any(x.values["patient_sex"] == "F" for x in c) or no_value("study_date")(c),
    ),
    (
        '{not: {or: [{patientSex: {eq: "F"}}, {not: {studyDate: {isNull: true}}}]}}',
        lambda c: not any(x.values["patient_sex"] == "F" for x in c) and no_value("study_date")(c),
    ),
    ("{and: []}", lambda copies: True),
    ("{or: []}", lambda copies: False),
    ("{not: {}}", lambda copies: False),
]  # fmt: skip

SERIES = [
    ('{modality: {in: ["MR", "OP"]}}', value("modality", lambda v: v in ("MR", "OP"))),
    ('{seriesDescription: {startsWith: "ct"}}', value("series_description", lambda v: fold(v)[:2] == "ct")),
    ("{bodyPartExamined: {isNull: true}}", no_value("body_part_examined")),
    ('{bodyPartCode: {eq: "Thorax"}}', value("body_part_code", lambda v: v == "816094009")),
    (
        '{bodyPartCode: {in: ["81745001", "SCT:69536005"]}}',
        value("body_part_code", lambda v: v in ("81745001", "69536005")),
    ),
    ("{bodyPartCode: {isNull: true}}", no_value("body_part_code")),
    ("{bodyPartCode: {}}", lambda copies: True),
    ('{modalityCode: {eq: "MRI"}}', value("modality", lambda v: v == "MR")),
    ("{lateralityCode: {isNull: false}}", lambda copies: False),
    ('{protocolName: {wildcard: "k*"}}', value("protocol_name", lambda v: v == "Kopf")),
    ('{manufacturer: {contains: "uml"}}', value("manufacturer", lambda v: v == "Ümlaut")),
    ("{manufacturerModelName: {isNull: false}}", lambda copies: False),
    ('{seriesDate: {eq: "2020-01-03"}}', value("series_date", lambda v: v.day == 3)),
    ('{seriesInstanceUid: {eq: "1.2.11.3.0"}}', lambda copies: copies[0].uid == "1.2.11.3.0"),
    ("{numberOfSeriesRelatedInstances: {in: [1, 3]}}", value("number_of_instances", lambda v: v in (1, 3))),
    ('{attribute: [{name: "SeriesNumber", gte: "2"}]}', inside("00200011", lambda v: v >= 2)),
]

INSTANCES = [
    ("{rows: {eq: 512}}", value("rows", lambda v: v == 512)),
    ("{columns: {lte: 256}}", value("columns", lambda v: v <= 256)),
    ("{instanceNumber: {gte: 1}}", value("instance_number", lambda v: v >= 1)),
    ("{numberOfFrames: {isNull: true}}", no_value("number_of_frames")),
    ('{sopInstanceUid: {eq: "1.2.11.3.0.0"}}', lambda copies: copies[0].uid == "1.2.11.3.0.0"),
    (
        '{sopClassUid: {in: ["1.2.840.10008.5.1.4.1.1.2"]}}',
        value("sop_class_uid", lambda v: v == "1.2.840.10008.5.1.4.1.1.2"),
    ),
    ('{attribute: [{name: "Rows", in: ["256"]}]}', inside("00280010", lambda v: v == 256)),
]

ROWS = [
    pytest.param(level, field, uid, given, holds, id=given)
    for level, field, uid, rows in (
        (Level.STUDY, "studies", "studyInstanceUid", STUDIES),
        (Level.SERIES, "series", "seriesInstanceUid", SERIES),
        (Level.INSTANCE, "instances", "sopInstanceUid", INSTANCES),
    )
    for given, holds in rows
]


@pytest.mark.parametrize(("level", "field", "uid", "given", "holds"), ROWS)
async def test_a_filter_finds_what_python_finds(
    runtime: Runtime,
    federation: Federation,
    level: Level,
    field: str,
    uid: str,
    given: str,
    holds: Callable[[list[Copy]], bool],
) -> None:
    nodes: dict[str, list[Copy]] = {}
    for copy in federation.copies:
        if copy.level is level:
            nodes.setdefault(copy.uid, []).append(copy)
    expected = sorted(each for each, copies in nodes.items() if holds(copies))
    data = await runtime.data(
        f"{{ {field}(first: 1000, filter: {given}) {{ totalCount nodes {{ {uid} }} }} }}"
    )
    assert sorted(node[uid] for node in data[field]["nodes"]) == expected
    assert data[field]["totalCount"] == len(expected)


def _uids(federation: Federation, level: Level, holds: Holds) -> set[str]:
    return {copy.uids[Level.STUDY] for copy in federation.copies if copy.level is level and holds(copy)}


async def test_filters_look_into_other_levels(runtime: Runtime, federation: Federation) -> None:
    data = await runtime.data(
        """{
        down: studies(first: 1000, filter: {series: {instance: {numberOfFrames: {eq: 10}}}}) {
          nodes { studyInstanceUid } }
        up: instances(first: 1000, filter: {series: {study: {patientSex: {eq: "F"}}}}) {
          nodes { series { study { studyInstanceUid } } } }
        }"""
    )
    frames = _uids(federation, Level.INSTANCE, lambda copy: copy.values["number_of_frames"] == 10)
    assert {node["studyInstanceUid"] for node in data["down"]["nodes"]} == frames
    women = _uids(federation, Level.STUDY, lambda copy: copy.values["patient_sex"] == "F")
    assert {node["series"]["study"]["studyInstanceUid"] for node in data["up"]["nodes"]} == women


# (field, filter) of a CS, %s what is asked for; codes are written in capitals only (PS3.5 6.2).
CODES = [
    ("series", 'modality: {eq: "%s"}', "MR"),
    ("series", 'modality: {in: ["%s"]}', "MR"),
    ("series", 'attribute: [{name: "Modality", eq: "%s"}]', "MR"),
    ("studies", 'modalitiesInStudy: {any: ["%s"]}', "MR"),
    ("studies", 'modalitiesInStudy: {all: ["%s"]}', "MR"),
    ("studies", 'modalitiesInStudy: {none: ["%s"]}', "MR"),
    ("studies", 'patientSex: {eq: "%s"}', "F"),
    ("studies", 'attribute: [{name: "PatientSex", in: ["%s"]}]', "F"),
]


@pytest.mark.parametrize(("field", "given", "code"), CODES)
async def test_codes_match_in_any_case(runtime: Runtime, field: str, given: str, code: str) -> None:
    ask = f"small: {field}(filter: {{%s}}) {{ totalCount }} capital: {field}(filter: {{%s}}) {{ totalCount }}"
    data = await runtime.data(
        "{ " + ask % (given % code.lower(), given % code) + f" {field} {{ totalCount }} }}"
    )
    assert data["small"] == data["capital"]
    assert 0 < data["small"]["totalCount"] < data[field]["totalCount"]
