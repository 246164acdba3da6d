"""What is fetched on demand: one copy that its archive fails for fails alone, whatever is fetched."""

from collections.abc import Callable
from typing import Any

import pytest

from archives.errors import ArchiveError, BadAnswer, Rejected, ServerFailed, TimedOut, Unreachable
from db.pool import Database
from model.attributes import Level
from tests.resolvers.conftest import shallow_runtime
from tests.resolvers.runtime import Runtime

SERIES = """{ studies(first: 1000) { nodes { studyInstanceUid locations { archive { code } }
  series { nodes { seriesInstanceUid } sources { archive { code } state error { code } } } } } }"""
INSTANCES = """{ series(first: 1000) { nodes { seriesInstanceUid
  instances { nodes { sopInstanceUid } sources { archive { code } state error { code } } } } } }"""
WHOLE = """{ series(first: 1000) { nodes { seriesInstanceUid
  instances { nodes { attributes(keywords: ["SliceThickness"]) { text } } } } } }"""


def broken(node: Any) -> bool:
    """Whether a list below a node says that an archive failed."""
    return any(report["error"] for report in node["sources"])


@pytest.mark.parametrize("error", [ServerFailed("500"), BadAnswer("html"), Rejected("404", 404)])
async def test_a_study_that_cannot_be_asked_for_costs_the_others_nothing(
    shallow: Runtime, error: ArchiveError
) -> None:
    uid = next(iter(shallow.archives[0].rows[Level.STUDY]))["0020000D"]["Value"][0]
    shallow.archives[0].down_for[uid] = error
    answer = await shallow.ask(SERIES)
    nodes = answer.data["studies"]["nodes"]
    assert answer.errors == []
    assert {node["studyInstanceUid"] for node in nodes if broken(node["series"])} == {uid}
    assert len(nodes) > 30
    [node] = [node for node in nodes if node["studyInstanceUid"] == uid]
    failed = {
        r["archive"]["code"]: (r["state"], r["error"]["code"])
        for r in node["series"]["sources"]
        if r["error"]
    }
    assert failed == {"a0": ("PARTIAL", error.code)}
    # what came is kept, and only what failed is asked for again
    shallow.archives[0].down_for.clear()
    again = await shallow.ask(SERIES)
    assert not any(broken(node["series"]) for node in again.data["studies"]["nodes"])
    assert again.requests == {"a0": 1}


async def test_a_series_that_cannot_be_asked_for_costs_the_others_nothing(database: Database) -> None:
    runtime = await shallow_runtime(database, Level.SERIES, 12)
    uid = runtime.archives[0].rows[Level.SERIES][0]["0020000E"]["Value"][0]
    runtime.archives[0].down_for[uid] = ServerFailed("500")
    nodes = (await runtime.data(INSTANCES))["series"]["nodes"]
    assert {node["seriesInstanceUid"] for node in nodes if broken(node["instances"])} == {uid}
    assert sum(bool(node["instances"]["nodes"]) for node in nodes) > 10


@pytest.mark.parametrize("error", [ServerFailed("500"), TimedOut("slow")])
async def test_a_series_without_metadata_costs_the_others_nothing(
    database: Database, error: ArchiveError
) -> None:
    runtime = await shallow_runtime(database, Level.SERIES, 12)
    await runtime.data(INSTANCES)
    holds: Callable[[str], set[str]] = lambda code: {  # noqa: E731
        row["0020000E"]["Value"][0] for row in runtime.archives[int(code[1])].rows[Level.SERIES]
    }
    uid = next(iter(sorted(holds("a0") - holds("a1") - holds("a2"))))
    runtime.archives[0].down_for[uid] = error
    answer = await runtime.ask(WHOLE)
    without = {
        node["seriesInstanceUid"]
        for node in answer.data["series"]["nodes"]
        for each in node["instances"]["nodes"]
        if not each["attributes"]
    }
    assert without == {uid}
    assert [each["code"] for each in answer.body["extensions"]["warnings"]] == [error.code]


@pytest.mark.parametrize("error", [Unreachable("away"), TimedOut("slow")])
async def test_an_archive_that_is_away_is_asked_once(shallow: Runtime, error: ArchiveError) -> None:
    shallow.archives[0].down = error
    answer = await shallow.ask(SERIES)
    assert answer.requests["a0"] == 1
    assert any(broken(node["series"]) for node in answer.data["studies"]["nodes"])
