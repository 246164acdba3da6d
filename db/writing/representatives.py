"""Representatives of series in the index: which are lacking, and keeping what was fetched."""

from collections.abc import Sequence

from db.pool import Connection, Database, Row
from db.statements import statements
from db.writing import ingest


async def lacking(database: Database, archive_id: int, after: int, limit: int) -> list[Row]:
    """Series (series_pk, study_uid, series_uid) that were never asked for one, or changed since then."""
    sql = statements("representatives")["lacking"]
    return await database.fetch("representatives_lacking", sql, archive_id, after, limit)


async def store(database: Database, found: Sequence[tuple[int, str | None]]) -> None:
    """(series_pk, data set as JSON text, or None where the archive gives none): one transaction."""

    async def work(conn: Connection) -> None:
        await ingest.begin(conn)
        pks, texts = [pk for pk, _ in found], [text for _, text in found]
        rows = await conn.fetch(statements("representatives")["store"], pks, texts)
        await ingest.derive(conn, [row["study_uid"] for row in rows])

    await ingest.write(database, "keep_representatives", work)
