"""When an archive's capabilities are found out (anew): none known, a day old, or seen to be otherwise."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from archives.client import ArchiveClient
from archives.errors import ArchiveError
from db.archives import ArchiveRow, save_capabilities
from db.pool import Database

PROBED_AT: Final = "probed_at"
DOUBTFUL: Final = "doubtful"
PROBE_EVERY: Final = timedelta(days=1)
_log = structlog.get_logger(__name__)


async def probe_if_due(database: Database, client: ArchiveClient, archive: ArchiveRow) -> Mapping[str, str]:
    """The capabilities as known now. An archive that cannot be probed keeps what was known of it."""
    known = archive.capabilities
    why = _why(client, known, datetime.now(UTC))
    return known if why is None else await probe(database, client, archive, why)


async def probe(
    database: Database, client: ArchiveClient, archive: ArchiveRow, why: str
) -> Mapping[str, str]:
    """Probes now; the capabilities as known then."""
    known = archive.capabilities
    try:
        found = await client.probe()
    except ArchiveError as error:
        _log.warning("probe failed", archive=archive.code, code=error.code)
        return known
    _log.log(
        logging.INFO if _otherwise(known, found) else logging.DEBUG,
        "archive probed",
        archive=archive.code,
        because=why,
    )
    found = found | {PROBED_AT: datetime.now(UTC).isoformat(timespec="seconds")}
    await save_capabilities(database, archive.archive_id, found)
    return found


async def note_drift(
    database: Database, client: ArchiveClient, archive: ArchiveRow, known: Mapping[str, str]
) -> None:
    """Marks capabilities that the run has seen to be otherwise; the next run, in any process, probes."""
    why = client.needs_probe(known)
    if known and why is not None and DOUBTFUL not in known:
        await save_capabilities(database, archive.archive_id, {**known, DOUBTFUL: f"yes: {why}"})


def _otherwise(known: Mapping[str, str], found: Mapping[str, str]) -> bool:
    """Whether a probe found other capabilities than were known."""
    return {name: value for name, value in known.items() if name not in (PROBED_AT, DOUBTFUL)} != found


def _why(client: ArchiveClient, known: Mapping[str, str], now: datetime) -> str | None:
    if not known:
        return "nothing is known of it"
    if DOUBTFUL in known:
        return known[DOUBTFUL]
    probed_at = known.get(PROBED_AT)
    if probed_at is None or now - datetime.fromisoformat(probed_at) >= PROBE_EVERY:
        return "the last probe is old"
    return client.needs_probe(known)
