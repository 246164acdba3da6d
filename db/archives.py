"""The archives as the database knows them: one row each, their health, capabilities and index state."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from db.definitions import sync_archives as sync_archives  # what makes the rows that are read here
from db.pool import Database, Reader
from db.statements import Schema, statements, within

# Where records are counted: the tables, or the views that show a viewer's archives only.


@dataclass(frozen=True, slots=True)
class ArchiveRow:
    """One row of the table archive. rank: place in archives.toml, from 0; the best copy's is lowest.

    rejected_studies: that it answered and that are not in the index, as far as the reader may know.
    """

    archive_id: int
    code: str
    ern: str
    title: str
    kind: str
    index_level: str
    rank: int
    enabled: bool
    health_state: str
    health_checked_at: datetime | None
    health_latency_ms: float | None
    health_error_code: str | None
    health_error_message: str | None
    capabilities: Mapping[str, str]
    change_cursor: int | None
    last_completed_at: datetime | None
    last_reconciled_at: datetime | None
    last_change_at: datetime | None
    has_studies: bool
    rejected_studies: int


@dataclass(frozen=True, slots=True)
class IndexState:
    """How far an archive's index has come. studies, series, instances: nodes; *_rows: copies.

    kind … error_message are of the newest run; None and 0 when there was none.
    """

    studies: int = 0
    series: int = 0
    instances: int = 0
    study_rows: int = 0
    series_rows: int = 0
    instance_rows: int = 0
    running: bool = False
    kind: str | None = None
    state: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    done: int = 0
    total: int | None = None
    rejected: int = 0
    removed: int = 0
    error_code: str | None = None
    error_message: str | None = None


async def list_archives(database: Reader, schema: Schema = Schema.STORED) -> list[ArchiveRow]:
    """All archives, enabled ones first, in rank order. schema: SCOPED for a viewer's reader."""
    rows = await database.fetch("list_archives", within(schema, "archives", "list"))
    return [ArchiveRow(**(dict(row) | {"capabilities": orjson.loads(row["capabilities"])})) for row in rows]


async def save_health(
    database: Database,
    archive_id: int,
    state: str,
    *,
    latency_ms: float | None = None,
    error_code: str | None = None,
    error_message: str | None = None,
) -> None:
    """The last look at an archive: state is UP, DEGRADED, DOWN or UNKNOWN."""
    sql = statements("archives")["save_health"]
    await database.execute("save_health", sql, archive_id, state, latency_ms, error_code, error_message)


async def save_capabilities(database: Database, archive_id: int, capabilities: Mapping[str, str]) -> None:
    """What a probe found, name → value."""
    sql = statements("archives")["save_capabilities"]
    await database.execute("save_capabilities", sql, archive_id, orjson.dumps(dict(capabilities)).decode())


async def index_states(database: Reader, schema: Schema = Schema.STORED) -> dict[int, IndexState]:
    """The index state of every archive by archive_id, in one statement."""
    rows = await database.fetch("index_states", within(schema, "archives", "index_states"))
    return {
        row["archive_id"]: IndexState(**{name: row[name] for name in IndexState.__dataclass_fields__})
        for row in rows
    }
