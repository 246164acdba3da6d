"""Writing batches of rows to two archives, and looking at what stands in the index then."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.pool import Connection, Database
from db.writing import ingest
from db.writing.upserts import Stored
from model.attributes import Key, Level
from tests.rows import Row, records


async def two_archives(database: Database) -> None:
    """eye is 1, rnd is 2."""
    configs = [ArchiveConfig(code=code, ern="ERN-EYE", title=code, kind="folder") for code in ("eye", "rnd")]
    assert await sync_archives(database, configs) == {"eye": 1, "rnd": 2}


async def store(
    database: Database,
    archive_id: int,
    studies: Collection[Row] = (),
    serieses: Collection[Row] = (),
    instances: Collection[Row] = (),
    *,
    whole: Collection[str] = (),
    series_of: Collection[str] = (),
    instances_of: Collection[Key] = (),
) -> list[Stored]:
    async def work(conn: Connection) -> list[Stored]:
        done = [
            await ingest.store_series(
                conn, archive_id, records(Level.SERIES, serieses), series_of, stamp_older_than=timedelta(1)
            ),
            await ingest.store_studies(conn, archive_id, records(Level.STUDY, studies), whole),
            await ingest.store_instances(
                conn,
                archive_id,
                records(Level.INSTANCE, instances),
                instances_of,
                stamp_older_than=timedelta(1),
            ),
        ]
        await ingest.derive(conn)
        return done

    return await ingest.write(database, "store", work)


async def delete(database: Database, archive_id: int, *study_uids: str) -> int:
    async def work(conn: Connection) -> int:
        removed = await ingest.delete_studies(conn, archive_id, study_uids)
        await ingest.derive(conn)
        return removed

    return await ingest.write(database, "delete", work)


async def rows(database: Database, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await database.fetch("test", sql)]


async def shared(database: Database) -> set[str]:
    """'study 1.2 in 1' of every row that is flagged."""
    found = await database.fetch(
        "test",
        "select 'study ' || study_uid || ' in ' || archive_id from study where shared"
        " union all select 'series ' || series_uid || ' in ' || archive_id from series where shared"
        " union all select 'instance ' || sop_uid || ' in ' || archive_id from instance where shared",
    )
    return {row[0] for row in found}


async def versions(database: Database) -> list[tuple[Any, ...]]:
    """Changes whenever a row was written."""
    return await rows(
        database,
        "select 'study', study_pk, xmin::text, xmax::text from study"
        " union all select 'series', series_pk, xmin::text, xmax::text from series"
        " union all select 'instance', instance_pk, xmin::text, xmax::text from instance"
        " union all select 'link', study_pk, xmin::text, xmax::text from study_value order by 1, 2, 3",
    )
