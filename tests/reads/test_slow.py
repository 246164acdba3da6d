"""Filters without an index say so; declared attributes do not, once their indexes are ready."""

from typing import Any

import pytest

from db.declared import apply_declared
from db.pool import Database
from model.attributes import Level
from model.declared import Declared
from model.paths import parse_path
from tests.resolvers.conftest import shallow_runtime
from tests.resolvers.runtime import Runtime


@pytest.fixture
async def asked(database: Database) -> Runtime:
    return await shallow_runtime(database, Level.SERIES, 5)


def ask(name: str, field: str = "series") -> str:
    return f'{{ {field}(filter: {{attribute: [{{name: "{name}", exists: true}}]}}) {{ warnings {{ code message }} }} }}'


async def test_a_slow_filter_is_told_and_a_declared_one_is_not(asked: Runtime, database: Database) -> None:
    answer = await asked.ask(ask("SliceThickness"))
    ((warning,), extension) = answer.data["series"]["warnings"], answer.body["extensions"]["warnings"]
    assert warning["code"] == "NOT_FAST"
    assert warning["message"].startswith("SliceThickness: without an index")
    assert extension == [warning]
    await apply_declared(database, [Declared(parse_path("00180050"), Level.SERIES)])
    for field in ("series", "studies"):
        answer = await asked.ask(ask("SliceThickness", field))
        assert answer.data[field]["warnings"] == []
        assert "warnings" not in answer.body.get("extensions", {})
    answer = await asked.ask(ask("EchoTime"))
    assert [each["code"] for each in answer.data["series"]["warnings"]] == ["NOT_FAST"]


async def test_attributes_with_columns_are_fast(asked: Runtime) -> None:
    answer = await asked.ask(
        """{
        studies(filter: {attribute: [{name: "StudyDate", gte: "2020", lte: "2020-01-05"}]}) { warnings { code } }
        series(filter: {attribute: [{name: "Modality", eq: "MR"}]}) { warnings { code } }
        }"""
    )
    assert answer.data == {"studies": {"warnings": []}, "series": {"warnings": []}}
    assert "declared" not in answer.statements or answer.statements.count("declared") <= 1


async def test_statistics_tell_it_in_the_extensions(asked: Runtime) -> None:
    answer = await asked.ask(
        '{ studyStats(filter: {series: {attribute: [{name: "KVP", gte: "100"}]}}) { studies { value } } }'
    )
    assert [each["code"] for each in answer.body["extensions"]["warnings"]] == ["NOT_FAST"]


async def test_definitions_tell_operators_levels_and_indexes(asked: Runtime, database: Database) -> None:
    await apply_declared(database, [Declared(parse_path("SliceThickness"), Level.SERIES)])
    names = ("SliceThickness", "PatientID", "EchoTime", "PixelData", "StudyDate", "SoftwareVersions")
    fields = "keyword level searchable operators fast declared { level state }"
    found: dict[str, Any] = {}
    for name in names:
        data = await asked.data(f'{{ attributeDefinitions(search: "{name}") {{ nodes {{ {fields} }} }} }}')
        found |= {node["keyword"]: node for node in data["attributeDefinitions"]["nodes"]}
    ordered, text = (
        ["eq", "in", "gte", "lte", "exists"],
        ["eq", "in", "startsWith", "contains", "wildcard", "exists"],
    )
    thickness = found["SliceThickness"]
    assert thickness["declared"] == [{"level": "series", "state": "READY"}]
    assert (thickness["level"], thickness["fast"], thickness["operators"]) == ("instance", True, ordered)
    assert (found["PatientID"]["level"], found["PatientID"]["fast"], found["PatientID"]["operators"]) == (
        *("study", True),
        text,
    )
    assert (found["EchoTime"]["fast"], found["EchoTime"]["declared"]) == (False, [])
    assert (found["PixelData"]["searchable"], found["PixelData"]["operators"]) == (False, [])
    assert found["SoftwareVersions"]["level"] == "series"
    assert found["StudyDate"]["operators"] == ordered
