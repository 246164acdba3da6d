"""Keys that every API process of a federation shares, made by the first one that asks."""

from collections.abc import Callable

from db.pool import Database
from db.statements import statements


async def shared_secret(database: Database, name: str, make: Callable[[], bytes]) -> bytes:
    """The secret `name`; made once, whoever comes first."""
    sql = statements("secrets")
    await database.execute("secrets.make", sql["make"], name, make())
    row = await database.fetchrow("secrets.read", sql["read"], name)
    if row is None:
        raise RuntimeError(f"the secret {name} vanished between two statements")
    value: bytes = row["value"]
    return value
