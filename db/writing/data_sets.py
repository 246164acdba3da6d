"""Whole data sets of instances in the index: of which series they are lacking, and what became of asking for them.

How rows are written is db/writing/ingest.py.
"""

from collections.abc import Sequence
from datetime import timedelta

from db.pool import Connection, Database, Reader, Row
from db.statements import Schema, statements, within
from db.writing import ingest
from db.writing.keeping import Told, keep
from model.records import Record

TRIED_AGAIN = timedelta(hours=6)
"""What an archive could not give is asked for again, as servers are mended."""


async def lacking(database: Database, archive_id: int, limit: int) -> list[Row]:
    """Series (source_pk, study_uid, series_uid, instances that lack theirs, asked_at: now, by the database)."""
    sql = statements("data_sets")["lacking"]
    return await database.fetch("data_sets_lacking", sql, archive_id, TRIED_AGAIN, limit)


async def keep_whole(
    conn: Connection, archive_id: int, series: Sequence[Row], records: Sequence[Record]
) -> None:
    """Keeps the data sets that came of these series (source_pk, study_uid, asked_at), and notes that it was so.

    Of instances that are gone since then, or changed, what came is of yesterday: it is left out.
    """
    if not series:
        return
    await ingest.begin(conn)
    sql, pks, asked_at = statements("data_sets"), [row["source_pk"] for row in series], series[0]["asked_at"]
    still = {tuple(row) for row in await conn.fetch(sql["still"], pks, asked_at)}
    told = Told(
        instances=[each for each in records if (each.study_uid, each.series_uid, each.uid) in still],
        full=True,
    )
    await keep(conn, archive_id, told)
    await conn.execute(sql["tried"], pks, asked_at)


async def are_given(database: Database, archive_id: int) -> bool:
    """False where a probe found that the archive gives none."""
    row = await database.fetchrow("data_sets_given", statements("data_sets")["given"], archive_id)
    return row is not None and bool(row["given"])


async def searched_only(database: Reader, schema: Schema) -> dict[int, int]:
    """archive_id → instances of which the index has what a search said, and no more."""
    rows = await database.fetch("searched_only", within(schema, "data_sets", "searched"))
    return {row["archive_id"]: row["instances"] for row in rows}
