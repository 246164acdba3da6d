"""What the archives hold, by their own REST listings, and what the index holds: which must be the same."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from db.indexing.jobs import job_states
from db.pool import Database
from tests.chaos.runtime import Archive, Chaos

Rows = Counter[tuple[Any, ...]]


def held(archive: Archive) -> Rows:
    """Studies with patient, description and counts, series, and instances of a deep archive."""
    assert archive.server is not None
    rows: Rows = Counter()
    studies, serieses, instances = (
        {each["ID"]: each for each in archive.server.call("GET", f"/{level}?expand")}
        for level in ("studies", "series", "instances")
    )
    for study in studies.values():
        uid, patient = study["MainDicomTags"]["StudyInstanceUID"], study["PatientMainDicomTags"]["PatientID"]
        rows["study", uid, patient, study["MainDicomTags"].get("StudyDescription")] += 1
    for series in serieses.values():
        uid = studies[series["ParentStudy"]]["MainDicomTags"]["StudyInstanceUID"]
        rows["series", uid, series["MainDicomTags"]["SeriesInstanceUID"]] = 1
    for instance in instances.values() if archive.deep else ():
        series = serieses[instance["ParentSeries"]]["MainDicomTags"]["SeriesInstanceUID"]
        rows["instance", series, instance["MainDicomTags"]["SOPInstanceUID"]] = 1
    return rows


async def indexed(database: Database, archive: Archive) -> Rows:
    """The same of the index."""
    found = await database.fetch(
        "chaos",
        "select 'study' as level, study_uid as a, patient_id as b, study_description as c"
        " from study join archive using (archive_id) where code = $1"
        " union all select 'series', study_uid, series_uid, null"
        " from series join archive using (archive_id) where code = $1"
        " union all select 'instance', series_uid, sop_uid, null"
        " from instance join archive using (archive_id) where code = $1",
        archive.code,
    )
    cut = {"study": 4, "series": 3, "instance": 3}
    return Counter(tuple(row)[: cut[row["level"]]] for row in found)


async def settled(database: Database, chaos: Chaos, patience: float) -> tuple[float, int]:
    """Waits until each archive was looked at and reconciled since now; seconds that it took, and how many large
    removals had to be confirmed."""
    began, confirmed = time.monotonic(), 0
    (now,) = await database.fetch("chaos", "select now() as now")
    while waiting := await database.fetch("chaos", _NOT_SETTLED, now["now"]):
        if time.monotonic() - began > patience:
            states = [tuple(row) for row in waiting]
            raise AssertionError(f"not settled after {patience} s: {states}, {await job_states(database)}")
        for each in chaos.ours:
            each.revive()
        for row in waiting:
            if row["error_code"] == "SUSPICIOUS_REMOVAL":
                await asyncio.to_thread(chaos.confirm, row["code"])
                confirmed += 1
        await asyncio.sleep(0.2)
    return time.monotonic() - began, confirmed


_NOT_SETTLED = """
select code, newest.state, newest.error_code, newest.error_message
from archive join archive_schedule using (archive_id)
left join lateral (
    select state, error_code, error_message from index_run r
    where r.archive_id = archive.archive_id order by run_id desc limit 1) newest on true
where current_as_of <= $1 or last_reconciled_at <= $1 or current_as_of is null or last_reconciled_at is null
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """Of one archive. missing: held and not indexed; surplus: indexed and not held."""

    archive: str
    rows: int
    missing: list[tuple[Any, ...]]
    surplus: list[tuple[Any, ...]]


async def differences(database: Database, chaos: Chaos) -> list[Difference]:
    found = []
    for archive in chaos.archives:
        truth, ours = held(archive), await indexed(database, archive)
        found.append(Difference(archive.code, truth.total(), [*(truth - ours)][:20], [*(ours - truth)][:20]))
    return found


async def event_faults(database: Database) -> tuple[int, list[str]]:
    """The number of change events, and what is wrong with them: each tells of a copy that came, changed or went,
    so told in their order they must end at what is there."""
    rows = await database.fetch(
        "chaos", "select archive_id, study_uid, kind from study_event order by sequence"
    )
    present: set[tuple[int, str]] = set()
    faults = []
    for number, row in enumerate(rows):
        copy = (row["archive_id"], row["study_uid"])
        if (row["kind"] == "added") is (copy in present):
            faults.append(f"event {number}: {row['kind']} of {copy}")
        (present.discard if row["kind"] == "removed" else present.add)(copy)
    held = await database.fetch("chaos", "select distinct archive_id, study_uid from study")
    there = {(row["archive_id"], row["study_uid"]) for row in held}
    faults += [f"lost: {copy} came" for copy in sorted(there - present)]
    faults += [f"lost: {copy} went" for copy in sorted(present - there)]
    return len(rows), faults


async def seconds_until_gone(database: Database, archive: Archive, uid: str) -> float:
    """From the answer of a DELETE in Orthanc to the absence of the study from the index."""
    assert archive.server is not None
    archive.server.delete_study(uid)
    began = time.monotonic()
    while await _is_there(database, archive, uid):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    return time.monotonic() - began


async def until_there(database: Database, archive: Archive, uid: str) -> None:
    async with asyncio.timeout(60):
        while not await _is_there(database, archive, uid):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def _is_there(database: Database, archive: Archive, uid: str) -> bool:
    sql = "select 1 from study join archive using (archive_id) where code = $1 and study_uid = $2"
    return bool(await database.fetch("chaos", sql, archive.code, uid))
