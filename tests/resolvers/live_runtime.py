"""A runtime of three archives in memory that a test changes, and its index as a run has left it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from db.archives import sync_archives
from db.pool import Connection, Database
from db.writing import ingest
from model.attributes import Level
from tests.resolvers.memory_archive import MemoryArchive
from tests.resolvers.runtime import CONFIGS, Answer, Runtime, open_services
from tests.rows import Row, instance, records, series, study

SOURCES = "sources { archive { code } state matched asOf elapsedMs error { code message } }"
STUDIES = f"complete totalCount {SOURCES} nodes {{ studyInstanceUid studyDescription patientId }}"
INDEXED_AT = "2024-05-31T12:00:00+00:00"


def add(archive: MemoryArchive, uid: str, series_count: int = 1, **values: object) -> None:
    """A study with that many series of two instances each."""
    counts: dict[str, object] = {
        "NumberOfStudyRelatedSeries": series_count,
        "NumberOfStudyRelatedInstances": 2 * series_count,
        "ModalitiesInStudy": ["MR"],
    }
    archive.rows[Level.STUDY].append(study(uid, **(counts | values)))
    for number in range(1, series_count + 1):
        add_series(archive, uid, f"{uid}.{number}", SeriesNumber=number)


def add_series(archive: MemoryArchive, study_uid: str, uid: str, **values: object) -> None:
    archive.rows[Level.SERIES].append(series(study_uid, uid, NumberOfSeriesRelatedInstances=2, **values))
    for number in (1, 2):
        archive.rows[Level.INSTANCE].append(
            instance(study_uid, uid, f"{uid}.{number}", InstanceNumber=number)
        )


def remove(archive: MemoryArchive, uid: str) -> None:
    """Deletes a study."""
    for level in Level:
        archive.rows[level] = [row for row in archive.rows[level] if uid_of(row) != uid]


def edit(archive: MemoryArchive, uid: str, **values: object) -> None:
    """Replaces a study's row."""
    rows = archive.rows[Level.STUDY]
    archive.rows[Level.STUDY] = [study(uid, **values) if uid_of(row) == uid else row for row in rows]


def uid_of(row: Row) -> str:
    uid: str = row["0020000D"]["Value"][0]
    return uid


async def index(database: Database, archive: MemoryArchive, archive_id: int, levels: Sequence[Level]) -> None:
    """What a complete run of the archive, down to the last of `levels`, leaves in the index."""
    stores: dict[Level, Any] = {
        Level.STUDY: ingest.store_studies,
        Level.SERIES: ingest.store_series,
        Level.INSTANCE: ingest.store_instances,
    }

    async def work(conn: Connection) -> None:
        for level in levels:
            await stores[level](conn, archive_id, records(level, archive.rows[level]))
        await ingest.derive(conn)
        if Level.SERIES in levels:
            await conn.execute("update study set series_synced_at = now() where archive_id = $1", archive_id)
        at = datetime.fromisoformat(INDEXED_AT)
        await conn.execute("update archive set last_completed_at = $2 where archive_id = $1", archive_id, at)

    await ingest.write(database, "index", work)


async def fill_live(database: Database, studies: int = 4) -> None:
    """All that the archives have is indexed."""
    ids = await sync_archives(database, CONFIGS)
    for archive in _archives(studies):
        await index(database, archive, ids[archive.config.code], (Level.STUDY, Level.SERIES))


def _archives(studies: int) -> list[MemoryArchive]:
    """Archive a<n> has the studies 1.2.<n>.<m>, of the patient P<m>, with two series each."""
    archives = [MemoryArchive(config, {level: [] for level in Level}) for config in CONFIGS]
    for number, archive in enumerate(archives):
        for each in range(studies):
            add(archive, f"1.2.{number}.{each}", 2, PatientID=f"P{each}", StudyDate=f"2020010{each % 9 + 1}")
    return archives


async def live_runtime(database: Database, studies: int = 4) -> Runtime:
    """Archives on an index that `fill_live` has filled."""
    archives = _archives(studies)
    return Runtime(await open_services(database, archives), archives)


def asked(
    field: str = "studies", given: str = "", mode: str = "LIVE", more: str = "", select: str = ""
) -> str:
    """A query of a list with freshness; given: the filter. LIVE and MAX_AGE may also have a timeoutMs."""
    where = f"filter: {{{given}}}, " if given else ""
    wanted = select or (STUDIES if field == "studies" else f"complete totalCount {SOURCES} nodes {{ id }}")
    return f"{{ {field}({where}freshness: {{mode: {mode}}}{more}) {{ {wanted} }} }}"


def states(answer: Answer, field: str = "studies") -> dict[str, tuple[str, int | None, str | None]]:
    """code → (state, matched, error code)."""
    assert answer.errors == [], answer.errors
    return {
        each["archive"]["code"]: (each["state"], each["matched"], (each["error"] or {}).get("code"))
        for each in answer.data[field]["sources"]
    }


def uids(answer: Answer) -> set[str]:
    return {node["studyInstanceUid"] for node in answer.data["studies"]["nodes"]}
