"""Declared attributes in the database: which there are, whether their indexes are built, and building them.

Indexes are built one after another, each beside the running service (concurrently). One process at a time builds;
a killed one leaves an index that cannot be used, which the next one makes anew.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import asyncpg
import orjson

from db.declared_indexes import indexes_of
from db.locks import Lock
from db.pool import Database, Reader
from db.statements import statements
from model.attributes import Level
from model.declared import Declared

Told = Callable[[str], None]


class BuildState(StrEnum):
    """How far the indexes of a declared attribute are."""

    READY = "READY"
    BUILDING = "BUILDING"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class DeclaredState:
    """One declared attribute as the database has it. error: the last attempt to build failed with it."""

    name: str
    level: Level
    path: tuple[str, ...]
    declared_at: datetime
    ready_at: datetime | None
    error: str | None

    @property
    def state(self) -> BuildState:
        if self.error is not None:
            return BuildState.FAILED
        return BuildState.BUILDING if self.ready_at is None else BuildState.READY


async def declared_states(database: Reader) -> list[DeclaredState]:
    """All declared attributes."""
    rows = await database.fetch("declared", statements("declared")["states"])
    return [
        DeclaredState(
            row["name"],
            Level(row["level"]),
            tuple(row["path"]),
            row["declared_at"],
            row["ready_at"],
            row["error"],
        )
        for row in rows
    ]


async def apply_declared(
    database: Database, declared: Sequence[Declared], told: Told = lambda _text: None
) -> bool:
    """Makes the database have exactly these: builds what is missing, drops the rest. False: another process is at
    it. `told` gets a line for each index that is built or dropped."""
    connection = await asyncpg.connect(
        database.url, server_settings={"application_name": "ernfed attributes"}
    )
    try:
        if not await connection.fetchval("select pg_try_advisory_lock($1)", Lock.DECLARED_INDEXES):
            return False
        await connection.execute(
            statements("declared")["declare"],
            [each.level.value for each in declared],
            [orjson.dumps(each.path.codes).decode() for each in declared],
            [each.path.name for each in declared],
        )
        await _drop_others(connection, declared, told)
        await _build_all(connection, declared, told)
    finally:
        await connection.close()
    return True


async def _build_all(connection: asyncpg.Connection, declared: Sequence[Declared], told: Told) -> None:
    """An attribute is ready when the planner knows its indexes, too."""
    sql = statements("declared")
    ready = {
        (row["level"], tuple(row["path"])) for row in await connection.fetch(sql["states"]) if row["ready_at"]
    }
    outcomes = [(each, await _build(connection, each, told)) for each in declared]
    for level in sorted({each.level for each, _ in outcomes if each.key not in ready}):
        for schema in ("public", "pseudonymised"):
            await connection.execute(f"analyze {schema}.{level}")
    for each, error in outcomes:
        await connection.execute(sql["ready"], each.level.value, list(each.path.codes), error)


async def _drop_others(connection: asyncpg.Connection, declared: Sequence[Declared], told: Told) -> None:
    """Indexes of what is not declared any more, and those that a killed process left half-built."""
    wanted = {(index.schema, index.name) for each in declared for index in indexes_of(each)}
    for row in await connection.fetch(statements("declared")["indexes"]):
        if (row["schema"], row["name"]) not in wanted or not row["valid"]:
            told(f"dropping {row['schema']}.{row['name']}")
            await connection.execute(f"drop index concurrently if exists {row['schema']}.{row['name']}")


async def _build(connection: asyncpg.Connection, declared: Declared, told: Told) -> str | None:
    """Builds what is missing; what went wrong, if something did: the other attributes are still built then."""
    there = {
        (row["schema"], row["name"]) for row in await connection.fetch(statements("declared")["indexes"])
    }
    for index in indexes_of(declared):
        if (index.schema, index.name) in there:
            continue
        told(f"building {index.schema}.{index.name} for {declared.path.name} ({declared.level})")
        try:
            await connection.execute(index.create)
        except asyncpg.PostgresError as error:  # its message may quote values
            await connection.execute(f"drop index concurrently if exists {index.schema}.{index.name}")
            return f"the database refuses it: {type(error).__name__}"
    return None
