"""Whether the index can be queried now: what /readyz asks."""

import asyncpg

from db.migrate import parts
from db.pool import FAILED, Database

_APPLIED = "select name from migration"


async def problems(database: Database) -> dict[str, str]:
    """What is wrong by part, "database" or "migrations"; empty when all is well. Never raises for them."""
    try:
        applied = {row["name"] for row in await database.fetch("ready", _APPLIED)}
    except asyncpg.UndefinedTableError:
        return {"migrations": "none is applied: run ernfed migrate"}
    except FAILED:
        return {"database": "does not answer"}
    known = parts()
    if missing := known - applied:
        return {"migrations": f"{len(missing)} not applied: run ernfed migrate"}
    if applied - known:
        return {"migrations": "the database is newer than this version: update ernfed"}
    return {}
