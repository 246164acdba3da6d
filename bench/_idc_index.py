"""Databases filled with the IDC's series: by COPY and set operations, or as an indexing run writes them."""

import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import duckdb

from access.scope import AccessScope, Scope, ScopedArchive
from bench import _idc_data as idc
from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.declared import apply_declared
from db.migrate import migrate
from db.pool import Connection, Database
from db.scoped import ScopedDatabase, ScopedReader
from db.writing import ingest
from model.attributes import Level
from model.declared import Declared
from model.dicom_json import parse
from model.paths import parse_path
from model.records import Record

_LOAD = (Path(__file__).parent / "idc_load.sql").read_text(encoding="utf-8")
_STAGING = """
create unlogged table idc_series (
    study_uid text collate "C", series_uid text, patient_id text, sex text, study_date date, study_description text,
    years integer, body_part text, modality text, manufacturer text, model text, series_date date,
    series_description text, series_number integer, instances integer);
create unlogged table idc_holder (study_uid text collate "C", archive_id smallint);
create unlogged table idc_person (
    patient_id text primary key, name text, name_keys text[], name_forms text,
    referring text, referring_keys text[], referring_forms text);
"""
BATCH = 100  # studies, as in indexer/batch.py


@dataclass
class Filled:
    """A filled index, and everybody's reader of it."""

    studies: int
    sample: str
    scoped: ScopedDatabase
    scope: Scope

    @property
    def access_scope(self) -> AccessScope:
        return AccessScope(self.scope, Scope((), ()))

    @property
    def reader(self) -> ScopedReader:
        return self.scoped.within(self.access_scope)


async def created(url: str, name: str) -> str:
    """A new, migrated database of the server."""
    server = await asyncpg.connect(url)
    try:
        await server.execute(f"create database {name}")
    finally:
        await server.close()
    made = url.replace("/ernfed?", f"/{name}?")
    await migrate(made)
    return made


async def archives(database: Database) -> tuple[ScopedArchive, ...]:
    configs = [ArchiveConfig(code=code, ern=ern, title=ern, kind="folder") for code, ern in idc.ARCHIVES]
    ids = await sync_archives(database, configs)
    return tuple(ScopedArchive(ids[code], code, ern) for code, ern in idc.ARCHIVES)


async def filled(url: str, name: str, duck: duckdb.DuckDBPyConnection, studies: int | None) -> Filled:
    """COPY into a table of the series, then one statement a table of the index; prints what takes how long."""
    sample = idc.sampled(duck, studies)
    database = await Database.open(await created(url, name))
    scoped = await archives(database)
    async with database.connection() as connection:
        await connection.execute(_STAGING)

        async def copied() -> None:
            await connection.copy_records_to_table("idc_series", records=idc.rows(duck, sample))
            await connection.copy_records_to_table("idc_holder", records=idc.holders(duck, sample))
            await connection.copy_records_to_table("idc_person", records=idc.people(duck, sample))
            await connection.execute("analyze idc_series, idc_holder, idc_person")

        await _timed(f"{name}: COPY", copied)
        await _timed(f"{name}: study, series, study_value", lambda: connection.execute(_LOAD))
        await _timed(f"{name}: rollups", lambda: connection.execute("call fill_rollups()"))
        await _timed(f"{name}: vacuum analyze", lambda: connection.execute("vacuum analyze"))
        counted = await connection.fetchval("select count(distinct study_uid) from study")
        for table in (
            "study",
            "series",
            "study_value",
            "study_fact",
            "rollup_cell",
            "rollup_person",
            "rollup_person_set",
        ):
            size = await connection.fetchrow(
                f"select count(*), pg_size_pretty(pg_total_relation_size('{table}')) as size from {table}"
            )
            assert size is not None
            print(f"  {table:<20} {size['count']:>10,} rows {size['size']:>10}")
    await database.close()
    return Filled(counted, sample, await ScopedDatabase.open(database.url, size=1, statement_timeout_ms=600_000),
                  Scope(scoped, scoped))  # fmt: skip


async def declare(url: str, name: str, attributes: Sequence[str]) -> None:
    """Builds the indexes of attributes of studies, as `ernfed attributes apply` does."""
    database = await Database.open(url.replace("/ernfed?", f"/{name}?"))
    await apply_declared(database, [Declared(parse_path(each), Level.STUDY) for each in attributes])
    await database.close()


async def _timed(what: str, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    begun = time.perf_counter()
    await work()
    print(f"  {what:<50} {time.perf_counter() - begun:8.1f} s", flush=True)


# ---- as an indexing run writes it --------------------------------------------------------------------------


def answers(duck: duckdb.DuckDBPyConnection, studies: int) -> dict[str, tuple[list[Any], list[Any]]]:
    """By study: what an archive would answer for it and for its series."""
    found: dict[str, tuple[list[Any], list[Any]]] = {}
    for row in idc.rows(duck, idc.sampled(duck, studies)):
        (uid, series_uid, patient, sex, day, description, _, part, modality, maker, model, _, series_description,
         number, instances) = row  # fmt: skip
        mine = found.setdefault(uid, ([], []))
        if not mine[0]:
            mine[0].append(
                _row(
                    {"0020000D": ("UI", uid), "00100020": ("LO", patient), "00100040": ("CS", sex),
                     "00080020": ("DA", day and f"{day:%Y%m%d}"), "00081030": ("LO", description),
                     "00100010": ("PN", {"Alphabetic": f"{patient}^X"})}
                )
            )  # fmt: skip
        mine[1].append(
            _row(
                {"0020000D": ("UI", uid), "0020000E": ("UI", series_uid), "00080060": ("CS", modality),
                 "0008103E": ("LO", series_description), "00180015": ("CS", part), "00080070": ("LO", maker),
                 "00081090": ("LO", model), "00200011": ("IS", number), "00201209": ("IS", instances)}
            )
        )  # fmt: skip
    return found


def _row(values: dict[str, tuple[str, Any]]) -> dict[str, Any]:
    return {tag: {"vr": vr, "Value": [value]} for tag, (vr, value) in values.items() if value is not None}


async def ingested(url: str, name: str, told: dict[str, tuple[list[Any], list[Any]]]) -> tuple[int, float]:
    """Study and series rows written, and the seconds from answers to the last commit."""
    database = await Database.open(await created(url, name), max_size=2)
    (archive, *_) = await archives(database)
    uids = list(told)
    rows = sum(1 + len(series) for _, series in told.values())
    begun = time.perf_counter()
    for start in range(0, len(uids), BATCH):
        part = [told[uid] for uid in uids[start : start + BATCH]]
        studies, _ = parse(Level.STUDY, [row for of_study, _ in part for row in of_study])
        serieses, _ = parse(Level.SERIES, [row for _, of_series in part for row in of_series])
        await _stored(database, archive.archive_id, studies, serieses, uids[start : start + BATCH])
    seconds = time.perf_counter() - begun
    await database.close()
    return rows, seconds


async def _stored(
    database: Database, archive_id: int, studies: list[Record], serieses: list[Record], uids: list[str]
) -> None:
    async def work(connection: Connection) -> None:
        await ingest.store_series(connection, archive_id, serieses, uids)
        await ingest.store_studies(connection, archive_id, studies, uids)
        await ingest.derive(connection)

    await ingest.write(database, "bench", work)
