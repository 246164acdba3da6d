"""The tables that statistics without a scan are answered from: kept with every write, compared, made anew.

How they are read is in rollups.py.
"""

from collections.abc import Mapping

from db.pool import Connection, Database
from db.statements import statements


async def follow_rollups(conn: Connection) -> None:
    """Brings the rollups to what the families of `dirty` are now; in the transaction that wrote them,
    after everything that follows from the rows is derived (db/writing/ingest.py)."""
    sql = statements("rollups")
    await conn.execute(sql["staging"])
    await conn.execute(sql["holdings"])
    if not await conn.fetchval(sql["changes"]):
        return
    await conn.execute(sql["forget"])
    await conn.execute(sql["remember"])
    empty = await conn.fetch(sql["cells"])
    if empty:
        columns = ([row[name] for row in empty] for name in ("kind", "holding_id", "cell"))
        await conn.execute(sql["drop_empty"], *columns)
    await conn.execute(sql["persons"])
    await conn.execute(sql["applied"])


async def differences(database: Database) -> Mapping[str, int]:
    """By rollup: how many of its rows a recount of the whole index has otherwise. Reads everything."""
    rows = await database.fetch("rollup_differences", statements("rollups")["differences"])
    return {row["rollup"]: row["differences"] for row in rows}


async def fill_rollups(conn: Connection) -> None:
    """Counts everything again; the caller holds the writers' lock (db/writing/ingest.py)."""
    await conn.execute("call fill_rollups()")
