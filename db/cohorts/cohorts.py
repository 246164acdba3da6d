"""Cohorts: filters that people saved, who may open them, and versions of what they found.

Every function takes the person: whoever asks reads their own cohorts and those that are shared with them, and
changes their own. Not theirs and not there look the same. Freezing is freeze.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from db.pool import Connection, Database
from db.statements import statements

# Of one person, of one cohort: more than anybody keeps by hand, and little enough that no script fills the database.
MAX_COHORTS = 200
MAX_VERSIONS = 20
MAX_SHARES = 200


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks: `erns` are those that let them see anything."""

    subject: str
    name: str | None
    erns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Version:
    """What a cohort's filter found once. `projections`: archive_id → the projection it was asked through ('records' or
    'pseudonyms'); `as_of`: archive_id → when its index was last complete then."""

    version_id: UUID
    number: int
    frozen_at: datetime
    projections: dict[int, str]
    as_of: dict[int, datetime | None]


@dataclass(frozen=True, slots=True)
class Cohort:
    """A saved filter; `filter` is JSON text. Versions: the newest first."""

    cohort_id: UUID
    mine: bool
    owner: str
    owner_name: str | None
    name: str
    description: str | None
    filter: str
    archives: tuple[str, ...] | None
    identifying: bool
    created_at: datetime
    versions: tuple[Version, ...]


class Usage(NamedTuple):
    """Cohorts of a person, and entries of all their versions."""

    cohorts: int
    entries: int


class Full(Exception):
    """A quota of the person is used up; the message says which."""


async def save(
    database: Database,
    person: Person,
    name: str,
    description: str | None,
    given: str,
    archives: Sequence[str] | None,
    *,
    identifying: bool,
) -> UUID:
    """Raises Full."""
    sql = statements("cohorts")
    async with database.transaction("cohort_save") as connection:
        await connection.execute(sql["lock"], person.subject)
        if (await usage_of(connection, person)).cohorts >= MAX_COHORTS:
            raise Full(f"you keep {MAX_COHORTS} cohorts, which is the most; delete one")
        listed = None if archives is None else list(archives)
        saved: UUID = await connection.fetchval(
            sql["save"], person.subject, person.name, name, description, given, listed, identifying
        )
        return saved


Place = tuple[datetime, UUID]
"""Where a cohort stands among others: when it was saved, and its id."""


async def cohorts(
    database: Database,
    person: Person,
    *,
    mine: bool | None = None,
    beyond: Place | None = None,
    first: int,
    backward: bool = False,
) -> list[Cohort]:
    """Those that the person may open beyond a place, newest first; backward: oldest first."""
    return await _read(database, person, None, mine, beyond, first, backward=backward)


async def opened(database: Database, person: Person, ids: Sequence[UUID]) -> list[Cohort]:
    """The cohorts of these ids, which are of cohorts or of versions; without what the person may not open."""
    found = await database.fetch("cohorts_of", statements("cohorts")["cohorts_of"], list(ids))
    of = [row["cohort_id"] for row in found]
    return await _read(database, person, of, None, None, len(of)) if of else []


async def _read(
    database: Database,
    person: Person,
    ids: list[UUID] | None,
    mine: bool | None,
    beyond: Place | None,
    first: int,
    *,
    backward: bool = False,
) -> list[Cohort]:
    sql, given = statements("cohorts"), (ids, mine, *(beyond or (None, None)), first, backward)
    rows = await database.fetch("cohorts", sql["readable"], person.subject, list(person.erns), *given)
    versions: dict[UUID, list[Version]] = {row["cohort_id"]: [] for row in rows}
    if rows:
        for row in await database.fetch("cohort_versions", sql["versions"], list(versions)):
            versions[row["cohort_id"]].append(
                Version(
                    row["version_id"],
                    row["number"],
                    row["frozen_at"],
                    dict(zip(row["archive_ids"], row["projections"], strict=True)),
                    dict(zip(row["archive_ids"], row["as_of"], strict=True)),
                )
            )
    return [
        Cohort(
            row["cohort_id"],
            row["mine"],
            row["owner"],
            row["owner_name"],
            row["name"],
            row["description"],
            row["filter"],
            None if row["archives"] is None else tuple(row["archives"]),
            row["identifying"],
            row["created_at"],
            tuple(versions[row["cohort_id"]]),
        )
        for row in rows
    ]


async def rename(
    database: Database, person: Person, cohort_id: UUID, name: str, description: str | None
) -> bool:
    """False where it is not the person's own."""
    sql = statements("cohorts")["rename"]
    row = await database.fetchrow("cohort_rename", sql, person.subject, cohort_id, name, description)
    return row is not None


async def delete(database: Database, person: Person, cohort_id: UUID) -> bool:
    """A cohort with its versions, or one version. False where it is not the person's own."""
    sql = statements("cohorts")
    for name in ("delete", "delete_version"):
        row = await database.fetchrow(f"cohort_{name}", sql[name], person.subject, cohort_id)
        if row is not None:
            return True
    return False


async def share(
    database: Database, person: Person, cohort_id: UUID, with_whom: Sequence[tuple[str, str]]
) -> None:
    """Nobody but these may open it any more, beside its owner; nothing happens to what is not the person's own.

    with_whom: (person, subject), (ern, code), (everyone, '').
    """
    sql = statements("cohorts")
    async with database.transaction("cohort_share") as connection:
        await connection.execute(sql["unshare"], person.subject, cohort_id)
        kinds, names = [kind for kind, _ in with_whom], [name for _, name in with_whom]
        await connection.execute(sql["share"], person.subject, cohort_id, kinds, names)


async def shares(
    database: Database, person: Person, cohort_ids: Sequence[UUID]
) -> dict[UUID, list[tuple[str, str]]]:
    """With whom each of a person's own cohorts is shared."""
    sql = statements("cohorts")["shares"]
    found: dict[UUID, list[tuple[str, str]]] = {each: [] for each in cohort_ids}
    for row in await database.fetch("cohort_shares", sql, person.subject, list(cohort_ids)):
        found[row["cohort_id"]].append((row["kind"], row["name"]))
    return found


async def usage_of(connection: Connection, person: Person) -> Usage:
    """What the person keeps now."""
    (row,) = await connection.fetch(statements("cohorts")["kept"], person.subject)
    return Usage(row["cohorts"], row["entries"])
