"""Removing the rows of an archive that was removed, in steps: it can be stopped and gone on with at any time."""

from collections.abc import Callable

from db.pool import Connection, Database
from db.statements import statements
from db.writing import ingest

_AT_ONCE = 200  # studies a transaction: writers of other archives wait for it


async def purge(
    database: Database, archive_id: int, told: Callable[[int], None] = lambda _studies: None
) -> int:
    """Removes what the index holds of an archive; the number of studies. Its line in the table of archives
    stays, for the audit trail, and so do consents, which hold when it comes back.

    The caller holds the archive's lease. told: called with the number of studies so far.
    """
    total = 0

    async def some(conn: Connection) -> int:
        rows = await conn.fetch(statements("purge")["some"], archive_id, _AT_ONCE)
        uids = [row["study_uid"] for row in rows]
        if uids:
            await ingest.delete_studies(conn, archive_id, uids)
            await ingest.derive(conn)
        return len(uids)

    while removed := await ingest.write(database, "purge_archive", some):
        total += removed
        told(total)
    await database.execute("purge_rest", statements("purge")["rest"], archive_id)
    return total
