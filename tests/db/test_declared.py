"""Declared attributes: their indexes are built, used at 100,000 series, and dropped when they are not declared."""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from access.scope import AccessScope, Projection, Scope, ScopedArchive
from db.declared import BuildState, apply_declared, declared_states
from db.declared_indexes import indexes_of
from db.lists import pages
from db.lists.listing import Listing, Window
from db.locks import Lock
from db.pool import Database
from db.scoped import ScopedDatabase, session_scope_of
from db.statements import statements
from model.attributes import Level
from model.declared import Declared
from model.filters import all_of
from model.paths import parse_path
from resolvers.filters.matches import AttributeMatch, attribute_tests

# What its tests share takes its time on a busy machine.
pytestmark = pytest.mark.timeout(600)

FILL = """
insert into archive (code, ern, title, kind, index_level, rank)
    select 'a' || n, 'ERN-EYE', 'a', 'folder', 'series', n from generate_series(1, 2) n;
insert into study (archive_id, study_uid, study_date, patient_id, data)
    select 1 + n % 2, '1.2.3.' || n, date '2000-01-01' + n % 9000, 'P' || n / 3, '{}' from generate_series(1, 10000) n;
insert into series (archive_id, study_uid, series_uid, modality, series_number, data, representative)
    select archive_id, study_uid, study_uid || '.' || k, 'MR', k, '{}', jsonb_build_object(
        '00180050', jsonb_build_object('vr', 'DS', 'Value', jsonb_build_array(n % 5000 / 10.0)),
        '00181020', jsonb_build_object('vr', 'LO', 'Value', jsonb_build_array('syngo MR', 'V' || n % 3000)),
        '0008002A', jsonb_build_object('vr', 'DT', 'Value', jsonb_build_array(
            to_char(timestamp '2000-01-01' + n % 9000 * interval '1 day', 'YYYYMMDDHH24MISS'))))
    from study, generate_series(1, 10) k, lateral (select study_pk * 10 + k as n) number;
"""
NAMES = ("SliceThickness", "SoftwareVersions", "AcquisitionDateTime")
DECLARED = [Declared(parse_path(name), Level.SERIES) for name in NAMES]


def declared(*names: str, level: Level = Level.SERIES) -> list[Declared]:
    return [Declared(parse_path(name), level) for name in names]


async def indexes(database: Database) -> set[tuple[str, str]]:
    return {
        (row["schema"], row["name"]) for row in await database.fetch("t", statements("declared")["indexes"])
    }


async def test_indexes_come_and_go_with_what_is_declared(database: Database) -> None:
    told: list[str] = []
    both = [*declared("SliceThickness", "(ACME 1.0)0029xx10"), *declared("PatientWeight", level=Level.STUDY)]
    assert await apply_declared(database, both, told.append)
    expected = {(index.schema, index.name) for each in both for index in indexes_of(each)}
    assert await indexes(database) == expected
    # PatientWeight is of the patient's group: nobody may ask pseudonymised rows for them.
    assert {schema for schema, name in expected if "series" not in name} == {"public"}
    assert len(told) == len(expected)
    states = {(each.name, each.level): each.state for each in await declared_states(database)}
    assert states == {(each.path.name, each.level): BuildState.READY for each in both}
    told.clear()
    assert await apply_declared(database, both, told.append)
    assert told == []
    assert await apply_declared(database, both[:1], told.append)
    assert await indexes(database) == {(index.schema, index.name) for index in indexes_of(both[0])}
    assert [each.name for each in await declared_states(database)] == ["SliceThickness"]


async def test_one_process_at_a_time_builds(database: Database) -> None:
    other = await asyncpg.connect(database.url)
    await other.execute("select pg_advisory_lock($1)", Lock.DECLARED_INDEXES)
    assert not await apply_declared(database, DECLARED)
    await other.close()
    assert await declared_states(database) == []


async def test_what_a_killed_process_left_is_built_anew(database: Database) -> None:
    (first, *_) = indexes_of(DECLARED[0])
    await database.execute("t", first.create.replace(" concurrently", ""))
    spoil = "update pg_index set indisvalid = false where indexrelid = $1::text::regclass"
    await database.execute("t", spoil, first.name)
    await apply_declared(database, DECLARED[:1])
    rows = await database.fetch("t", statements("declared")["indexes"])
    assert {row["valid"] for row in rows} == {True}
    assert len(rows) == len(indexes_of(DECLARED[0]))


async def test_an_index_that_cannot_be_built_is_told(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [each._replace(create=each.create + " where no_such_column") for each in indexes_of(DECLARED[0])]
    monkeypatch.setattr("db.declared.indexes_of", lambda _each: broken)
    assert await apply_declared(database, DECLARED[:1])
    (state,) = await declared_states(database)
    assert (state.state, state.error) == (BuildState.FAILED, "the database refuses it: PostgresSyntaxError")
    monkeypatch.undo()
    await apply_declared(database, DECLARED[:1])
    (state,) = await declared_states(database)
    assert state.state is BuildState.READY


# ---- plans ------------------------------------------------------------------------------------------------


@dataclass
class Large:
    """100,000 series, each with a representative."""

    scoped: ScopedDatabase
    scope: Scope
    runner: asyncio.Runner

    def plan(self, level: Level, match: AttributeMatch) -> dict[str, Any]:
        listing = Listing((self.scope,), level, all_of(attribute_tests(level, [match])))
        return self.runner.run(self._plan(*pages.page(listing, Window(21))))

    async def _plan(self, sql: str, values: list[Any]) -> dict[str, Any]:
        wall = session_scope_of(AccessScope(self.scope, Scope((), (), Projection.PSEUDONYMISED)))
        async with self.scoped.connection(wall) as connection:
            text = await connection.fetchval(f"explain (analyze, timing off, format json) {sql}", *values)
        plan: dict[str, Any] = json.loads(text)[0]["Plan"]
        return plan


@pytest.fixture(scope="module")
def large(new_database_url: Callable[[], str]) -> Iterator[Large]:
    with asyncio.Runner() as runner:
        yield runner.run(_large(new_database_url(), runner))


async def _large(url: str, runner: asyncio.Runner) -> Large:
    database = await Database.open(url, max_size=1)
    async with database.connection() as connection:
        await connection.execute(FILL)
        await connection.execute("vacuum analyze")
        ids = [
            row["archive_id"]
            for row in await connection.fetch("select archive_id from archive order by rank")
        ]
    await apply_declared(database, DECLARED)
    await database.close()
    archives = tuple(ScopedArchive(archive_id, f"a{archive_id}", "ERN-EYE") for archive_id in ids)
    return Large(await ScopedDatabase.open(url, size=1), Scope(archives, archives), runner)


MATCHES = [
    AttributeMatch(name="SliceThickness", eq="1.25"),
    AttributeMatch(name="SliceThickness", eq="17.5"),
    AttributeMatch(name="SliceThickness", gte="30", lte="31"),
    AttributeMatch(name="SliceThickness", in_=["3", "4.5"]),
    AttributeMatch(name="00180050", lte="0.2"),
    AttributeMatch(name="SoftwareVersions", eq="V77"),
    AttributeMatch(name="SoftwareVersions", in_=["V77", "V78"]),
    AttributeMatch(name="SoftwareVersions", starts_with="v1234"),
    AttributeMatch(name="SoftwareVersions", contains="2345"),
    AttributeMatch(name="SoftwareVersions", wildcard="v?987"),
    AttributeMatch(name="AcquisitionDateTime", eq="2005-05-05"),
    AttributeMatch(name="AcquisitionDateTime", gte="2024-08-15"),
]


def _asked(match: AttributeMatch) -> str:
    given = (
        (op, getattr(match, op)) for op in ("eq", "in_", "starts_with", "contains", "wildcard", "gte", "lte")
    )
    return f"{match.name} {' '.join(f'{op} {value}' for op, value in given if value is not None)}"


# What may stand in the study's own data set too is looked for in both, which no index answers.
ASKED = [(Level.SERIES, match) for match in MATCHES]
ASKED += [(Level.STUDY, match) for match in MATCHES if match.name != "SoftwareVersions"]


@pytest.mark.parametrize(
    ("level", "match"), ASKED, ids=lambda each: each if isinstance(each, str) else _asked(each)
)
def test_declared_attributes_use_their_index(large: Large, level: Level, match: AttributeMatch) -> None:
    nodes = list(_nodes(large.plan(level, match)))
    assert any(str(node.get("Index Name", "")).startswith("declared_series_") for node in nodes)
    for node in nodes:
        assert node["Node Type"] != "Seq Scan" or node["Relation Name"] == "archive", node
        read = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        assert read <= 4_000, (node["Node Type"], node.get("Index Name"), read)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)
