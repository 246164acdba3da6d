"""Columns of exports that are attributes: the values that filters look at, of their types; what is lacking is said."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest

from access.scope import AccessLevel, Grant, Viewer
from api.export.parquet import Column
from api.export.values import attribute_column, typed
from db.pool import Database
from db.writing import representatives
from db.writing.projections import Projections
from model.attributes import Level
from tests.api.export.test_endpoint import client, export, rows_of
from tests.db.writing.projecting import makers
from tests.resolvers.conftest import shallow_runtime
from tests.resolvers.runtime import Runtime
from tests.rows import instance

PRIVATE = "(ERNFED TEST)0009xx01"
NAMES = ["SliceThickness", "Rows", "ImageType", "AcquisitionDateTime", "ContentDate", PRIVATE]
TYPES = {
    "series": ["DOUBLE", "BIGINT", "VARCHAR[]", "TIMESTAMP", "DATE", "VARCHAR[]"],
    "studies": ["DOUBLE[]", "BIGINT[]", "VARCHAR[]", "TIMESTAMP[]", "DATE[]", "VARCHAR[]"],
}


@pytest.fixture
async def runtime(database: Database) -> Runtime:
    """40 studies down to their series; two of three series have a representative, thin and thick ones."""
    opened = await shallow_runtime(database, Level.SERIES, 40)
    told = []
    sql = "select *, dense_rank() over (order by study_uid, series_uid) as n from series"
    for row in await database.fetch("t", sql):
        if row["n"] % 3 == 0:
            continue
        data = instance(row["study_uid"], row["series_uid"], f"{row['series_uid']}.9", Rows=512)
        data |= {
            "00180050": {"vr": "DS", "Value": ["1.25" if row["n"] % 3 == 1 else "5.0"]},
            "00080008": {"vr": "CS", "Value": ["ORIGINAL", None, "AXIAL"]},
            "0008002A": {"vr": "DT", "Value": ["20240531093000.5+0200"]},
            "00080023": {"vr": "DA", "Value": ["20240531"]},
            "00090010": {"vr": "LO", "Value": ["ERNFED TEST"]},
            "00091001": {"vr": "LO", "Value": ["mine", "yours"]},
        }
        told.append((row["series_pk"], orjson.dumps(data).decode()))
    await representatives.store(database, told)
    return opened


async def lines(runtime: Runtime, of: str, **given: Any) -> list[dict[str, Any]]:
    answer = await export(client(runtime), f"{of}.ndjson", **given)
    assert answer.status_code == 200, answer.text
    return [orjson.loads(line) for line in answer.content.splitlines()]


@pytest.mark.parametrize(("of", "uid"), [("series", "SeriesInstanceUID"), ("studies", "StudyInstanceUID")])
async def test_a_column_has_what_its_filter_finds(runtime: Runtime, of: str, uid: str) -> None:
    """Row by row: whatever stands in a column is found by it, and nothing else is."""
    found = await lines(runtime, of, attributes=["SliceThickness", "StationName"])
    by_value: dict[Any, set[str]] = defaultdict(set)
    for row in found:
        values = row["SliceThickness"]
        for value in values if isinstance(values, list) else [values]:
            by_value[value].add(row[uid])
    assert len(by_value) == 3  # thin, thick and none
    for value, uids in by_value.items():
        asked = {"exists": False} if value is None else {"eq": str(value)}
        given = {"attribute": [{"name": "SliceThickness", **asked}]}
        assert {row[uid] for row in await lines(runtime, of, filter=given)} == uids, value


@pytest.mark.parametrize("of", ["series", "studies"])
async def test_types_as_another_reader_has_them(runtime: Runtime, tmp_path: Path, of: str) -> None:
    answer = await export(client(runtime), f"{of}.parquet", columns=NAMES)
    path = tmp_path / "a.parquet"
    path.write_bytes(answer.content)
    table = duckdb.from_parquet(str(path))
    assert (table.columns, [str(each) for each in table.types]) == (NAMES, TYPES[of])
    in_lines = await lines(runtime, of, columns=NAMES)
    read = [
        {name: in_json(value) for name, value in zip(NAMES, row, strict=True)} for row in table.fetchall()
    ]
    assert read == in_lines
    there = next(row for row in in_lines if row["Rows"] is not None)
    several = of == "studies"
    assert there["AcquisitionDateTime"] == (
        ["2024-05-31T07:30:00.500000"] if several else "2024-05-31T07:30:00.500000"
    )
    assert there["ImageType"] == ["ORIGINAL", None, "AXIAL"]
    assert there[PRIVATE] == ["mine", "yours"]
    assert there["ContentDate"] == (["2024-05-31"] if several else "2024-05-31")


def in_json(value: Any) -> Any:
    if isinstance(value, list):
        return [in_json(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


async def test_csv_has_them_as_they_stand(runtime: Runtime) -> None:
    found = rows_of(await export(client(runtime), "series.csv", columns=["ImageType", "SliceThickness"]))
    assert {row["ImageType"] for row in found} == {"", "ORIGINAL\\\\AXIAL"}
    assert {row["SliceThickness"] for row in found} == {"", "1.25", "5.0"}


async def test_what_the_index_lacks_is_said(runtime: Runtime, database: Database) -> None:
    """A cell may be empty because nobody looked: only with all representatives the file is the whole."""
    plain = await export(client(runtime), "series.csv")
    assert (plain.headers["x-ernfed-complete"], "PARTIAL" in plain.headers["x-ernfed-sources"]) == (
        "true",
        False,
    )
    for of in ("series", "studies"):
        asked = await export(client(runtime), f"{of}.csv", attributes=["SliceThickness"])
        assert asked.headers["x-ernfed-complete"] == "false"
        assert "a0=PARTIAL" in asked.headers["x-ernfed-sources"]
    own = await export(
        client(runtime), "studies.csv", attributes=["PatientAge"]
    )  # studies tell it themselves
    assert own.headers["x-ernfed-complete"] == "true"
    await database.execute("t", "update series set representative = '{}' where representative is null")
    whole = await export(client(runtime), "series.csv", attributes=["SliceThickness"])
    assert (whole.headers["x-ernfed-complete"], whole.headers["x-ernfed-sources"]) == (
        "true",
        plain.headers["x-ernfed-sources"],
    )


async def test_columns_of_levels_above_and_their_order(runtime: Runtime) -> None:
    names = ["Archives", "PatientID", "Modality", "SeriesNumber", "StudyDate"]
    found = await lines(runtime, "series", columns=names)
    asked = await runtime.data(
        "{ series(first: 1000) { nodes { modality seriesNumber study { patientId studyDate }"
        " locations { archive { code } } } } }"
    )
    assert [list(row) for row in found] == [names] * len(found)
    assert [list(row.values()) for row in found] == [
        [
            [place["archive"]["code"] for place in node["locations"]],
            *(node["study"]["patientId"], node["modality"], node["seriesNumber"], node["study"]["studyDate"]),
        ]
        for node in asked["series"]["nodes"]
    ]


async def test_a_pseudonymised_reader_gets_pseudonymised_columns(
    runtime: Runtime, database: Database
) -> None:
    projections = Projections(database, makers(), {1: "a0", 2: "a1", 3: "a2"})
    await projections.drain()
    grants = tuple(
        Grant(ern, AccessLevel.PSEUDONYMISED, ("export",)) for ern in ("ERN-EYE", "ERN-RND", "VASCERN")
    )
    answer = await export(client(runtime, Viewer("p", None, grants)), "series.ndjson", columns=NAMES)
    found = [orjson.loads(line) for line in answer.content.splitlines()]
    assert {row["Rows"] for row in found} == {None, 512}
    dates = {row["ContentDate"] for row in found} - {None}
    assert dates
    assert "2024-05-31" not in dates
    assert {str(row[PRIVATE]) for row in found} == {"None"}


ITEMS = [
    (Column.NUMBER, "12", 12), (Column.NUMBER, 5.0, 5), (Column.NUMBER, "1.5", None), (Column.NUMBER, "x", None),
    (Column.NUMBER, 2**64, None), (Column.NUMBER, " 7 ", 7),
    (Column.DECIMAL, "70.50", 70.5), (Column.DECIMAL, "0,625", None), (Column.DECIMAL, "nan", None),
    (Column.DECIMAL, "1e400", None), (Column.DECIMAL, 3, 3.0),
    (Column.DATE, "20240531", "2024-05-31"), (Column.DATE, "2024.05.31", "2024-05-31"),
    (Column.DATE, "2024-05-31", "2024-05-31"), (Column.DATE, "20240532", None), (Column.DATE, "unknown", None),
    (Column.TIME, "0930", "09:30:00"), (Column.TIME, "093000.25", "09:30:00.250000"), (Column.TIME, "25", None),
    (Column.MOMENT, "2024", "2024-01-01T00:00:00"), (Column.MOMENT, "20240531093060", "2024-05-31T09:30:59"),
    (Column.MOMENT, "20240531000000+0100", "2024-05-30T23:00:00"), (Column.MOMENT, "00010101+0100", None),
    (Column.MOMENT, "20240531T093000", None), (Column.MOMENT, None, None),
    (Column.TEXT, {"Alphabetic": "A^B", "Ideographic": "C"}, "A^B=C"), (Column.TEXT, 5.0, "5"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "expected"), ITEMS)
def test_values_of_types(kind: Column, value: Any, expected: Any) -> None:
    assert typed(kind, value) == expected


@pytest.mark.parametrize(
    ("of", "name", "kind", "many"),
    [
        ("series", "PatientName", Column.TEXT, False),
        ("series", "ImagePositionPatient", Column.DECIMAL, True),
        ("series", "RequestAttributesSequence.ScheduledProcedureStepID", Column.TEXT, True),
        ("series", "00280010", Column.NUMBER, False),
        ("series", "PixelData", Column.TEXT, False),
        ("studies", "PatientAge", Column.TEXT, False),
        ("studies", "PatientWeight", Column.DECIMAL, True),
        ("instances", "(SIEMENS CSA HEADER)0029xx09", Column.TEXT, False),
        ("instances", "(nobody)0029xx09", Column.TEXT, True),
        ("instances", "(SIEMENS MR HEADER)0019xx0c", Column.NUMBER, False),
    ],
)
def test_types_of_columns(of: str, name: str, kind: Column, many: bool) -> None:
    column = attribute_column(of, name)
    assert (column.name, column.kind, column.many) == (name, kind, many)
