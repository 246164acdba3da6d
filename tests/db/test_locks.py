"""Every advisory lock is one of db/locks.py, and no two things share one."""

import re
from pathlib import Path

import pytest

from db.locks import Lock

_KEY = re.compile(r"advisory\w*lock(?:_shared)?\(([^()]*(?:\([^()]*\))?)")


def _keys(root: Path) -> list[tuple[str, str]]:
    files = [*root.glob("db/**/*.sql"), *root.glob("db/**/*.py"), *root.glob("indexer/*.py")]
    return [
        (file.name, key)
        for file in files
        if file.name != "schema.sql"
        for key in _KEY.findall(file.read_text(encoding="utf-8"))
    ]


def test_statements_take_their_keys_from_one_place(root: Path) -> None:
    told = {(name, key) for name, key in _keys(root) if not key.startswith("$1")}
    assert told == {
        ("0003_audit.sql", str(Lock.AUDIT.value)),
        ("cohorts.sql", "hashtextextended('cohorts of ' || $1, 0)"),
    }


@pytest.mark.parametrize(
    "module",
    ["declared", "definitions", "writing/events", "writing/projections", "writing/ingest", "migrate"],
)
def test_each_names_its_lock(root: Path, module: str) -> None:
    assert "Lock." in (root / "db" / f"{module}.py").read_text(encoding="utf-8")


def test_no_two_are_one() -> None:
    assert len({lock.value for lock in Lock}) == len(Lock.__members__)
    assert all(0 < lock < 2**63 for lock in Lock)
