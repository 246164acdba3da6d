"""Golden queries: tests/queries/NAME.graphql and beside it NAME.json, which fixes the answer and its cost.

NAME.json holds `variables` (yours), and what was found: `data`, `errors` and `extensions` where there are
any, `statements` (names of SQL statements, sorted: branches of one query race) and `requests` to archives.
A variable {"from": NAME, "at": "studies.pageInfo.endCursor"} is the value that another golden answer has.
Names that begin with `on_demand` are asked of an index of studies only; others of one that holds everything.

To rewrite what was found: ERNFED_TEST_WRITE_GOLDEN=1 pytest tests/resolvers/test_golden.py; then read the diff.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from model import cursors
from tests.resolvers.runtime import Answer, Runtime

QUERIES = Path(__file__).parents[1] / "queries"
NAMES = sorted(path.stem for path in QUERIES.glob("*.graphql"))
_OF_THE_MOMENT = {"syncedAt", "asOf", "lastCompletedAt"}


def _golden(name: str) -> dict[str, Any]:
    path = QUERIES / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def _variables(given: dict[str, Any]) -> dict[str, Any]:
    resolved = dict(given)
    for name, value in given.items():
        if isinstance(value, dict) and set(value) == {"from", "at"}:
            there: Any = _golden(value["from"])["data"]
            for step in value["at"].split("."):
                there = there[int(step) if isinstance(there, list) else step]
            resolved[name] = there
    return resolved


def _told(answer: Answer, given: dict[str, Any], *, momentary: bool) -> dict[str, Any]:
    body = _without_moments(answer.body) if momentary else answer.body
    told = {"variables": given, **{key: body[key] for key in ("data", "errors", "extensions") if key in body}}
    return told | {"statements": sorted(answer.statements), "requests": answer.requests}


def _without_moments(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: "<moment>" if key in _OF_THE_MOMENT and item else _without_moments(item)
            for key, item in value.items()
        }
    return [_without_moments(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("on_demand")])
async def test_golden(name: str, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    await _compare(name, runtime, monkeypatch)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("on_demand")])
async def test_golden_on_demand(name: str, shallow: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    await _compare(name, shallow, monkeypatch)


async def _compare(name: str, asked: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cursors, "_this_hour", lambda: 470_000)
    given = _golden(name).get("variables", {})
    query = (QUERIES / f"{name}.graphql").read_text(encoding="utf-8")
    told = _told(await asked.ask(query, _variables(given)), given, momentary=name.startswith("on_demand"))
    if os.environ.get("ERNFED_TEST_WRITE_GOLDEN"):
        text = json.dumps(told, ensure_ascii=False, indent=1, sort_keys=False)
        (QUERIES / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    assert told == _golden(name)


def test_every_query_has_its_golden_answer() -> None:
    assert len(NAMES) >= 20
    assert [path.stem for path in sorted(QUERIES.glob("*.json"))] == NAMES
