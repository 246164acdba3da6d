"""Conflicts between the copies of a node: by what values mean, at each level and in both projections."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from access.pseudonyms import Pseudonymiser
from access.scope import AccessLevel
from db.archives import sync_archives
from db.pool import Database
from db.writing.projections import Projections
from reads.named_elements import disagreements
from tests.db.writing.ingesting import store
from tests.resolvers.runtime import CONFIGS, Runtime, open_services
from tests.rows import Row, instance, series, study

WEIGHT, THICKNESS = "00101030", "00180050"
LEVELS = "studies { nodes { %s } } series { nodes { %s } } instances { nodes { %s } }"
ASK = "{ " + LEVELS % (("conflicts { keyword values { archive { code } text } }",) * 3) + " }"


def decimal(tag: str, value: object) -> Row:
    return {tag: {"vr": "DS", "Value": [value]}}


PATIENT = {"IssuerOfPatientID": "HOSPITAL", "PatientSex": "F"}
COPIES: dict[str, tuple[Row, Row, Row]] = {
    # what a0 holds, and a1 writes otherwise, or disagrees on
    "a0": (
        study("1.2", PatientName="Doe^Jane", StudyDate="20200101", PatientBirthDate="19700101", **PATIENT)
        | decimal(WEIGHT, "70.50"),
        series("1.2", "1.3", SeriesDescription="Schädel", SeriesDate="20200101", ProtocolName="T1"),
        instance("1.2", "1.3", "1.4", InstanceNumber="007", Rows=512) | decimal(THICKNESS, "2.50"),
    ),
    "a1": (
        study("1.2", PatientName="Doe^Jane^^^", StudyDate="2020.01.01", PatientBirthDate="1970", **PATIENT)
        | decimal(WEIGHT, 70.5),
        series("1.2", "1.3", SeriesDescription="Scha\u0308del ", SeriesDate="2020.01.02", ProtocolName="T2"),
        instance("1.2", "1.3", "1.4", InstanceNumber="7", Rows=256) | decimal(THICKNESS, 2.5),
    ),
}


@pytest.fixture
async def copies(database: Database) -> AsyncIterator[Runtime]:
    ids = await sync_archives(database, CONFIGS)
    makers = {ids[c.code]: Pseudonymiser(bytes([7]) * 32, "ERN-EYE", key_id="k1") for c in CONFIGS}
    projections = Projections(database, makers, {each: code for code, each in ids.items()})
    database.after_write.append(lambda: projections.drain())
    for code, (one, below, at_last) in COPIES.items():
        await store(
            database, ids[code], [one], [below], [at_last], series_of=["1.2"], instances_of=[("1.2", "1.3")]
        )
    await database.execute("done", "update archive set last_completed_at = now()")
    services = await open_services(database)
    yield Runtime(services)
    await services.close()


async def keywords(runtime: Runtime) -> list[list[str]]:
    data = await runtime.data(ASK)
    return [
        [conflict["keyword"] for node in data[field]["nodes"] for conflict in node["conflicts"]]
        for field in ("studies", "series", "instances")
    ]


async def test_what_is_written_otherwise_is_no_conflict(copies: Runtime) -> None:
    assert await keywords(copies) == [["PatientBirthDate"], ["SeriesDate", "ProtocolName"], ["Rows"]]


async def test_a_conflict_tells_values_as_they_were_sent(copies: Runtime) -> None:
    (node,) = (await copies.data(ASK))["studies"]["nodes"]
    assert node["conflicts"] == [
        {
            "keyword": "PatientBirthDate",
            "values": [
                {"archive": {"code": "a0"}, "text": "19700101"},
                {"archive": {"code": "a1"}, "text": "1970"},
            ],
        }
    ]


async def test_the_same_where_records_are_pseudonymised(copies: Runtime) -> None:
    """Both archives have one key here, so that their copies are one node."""
    both = replace(copies, access={"a0": AccessLevel.PSEUDONYMISED, "a1": AccessLevel.PSEUDONYMISED})
    studies, serieses, instances = await keywords(both)
    assert studies == []  # a birth date does not survive
    assert serieses == ["SeriesDate"]
    assert instances == ["Rows"]


def test_private_attributes_are_compared_by_their_creator() -> None:
    """Blocks differ from file to file; what stands in the same place may be something else."""

    def private(**blocks: str) -> Row:
        row: Row = {}
        for block, (creator, value) in ((block[1:], told.split()) for block, told in blocks.items()):
            row |= {f"000900{block}": {"vr": "LO", "Value": [creator]}}
            row |= {f"0009{block}01": {"vr": "LO", "Value": [value]}}
        return row

    assert disagreements([private(b10="A same", b11="B one"), private(b10="B other", b11="A same")]) == [
        ("(B)0009xx01", ["one", "other"])
    ]
    assert disagreements([private(b10="A one"), private(b10="B other")]) == []


async def test_a_copy_that_may_not_be_seen_conflicts_with_nothing(copies: Runtime) -> None:
    assert await keywords(copies.without("a1")) == [[], [], []]
