"""One chaos: random operations, stops and kills; then quiet, the comparison, and how long deletions take."""

import asyncio
import json
import random
import signal
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from db.migrate import migrate
from db.pool import Database
from tests.archives.files import instance
from tests.chaos.operations import ROOT, Operations
from tests.chaos.runtime import Chaos, start
from tests.chaos.truth import (
    Difference,
    differences,
    event_faults,
    seconds_until_gone,
    settled,
    until_there,
)

_QUERY = json.dumps(
    {"query": "{ studies(first: 20) { totalCount nodes { id } sources { state } } }"}
).encode()
_PATIENCE = 120.0


@dataclass
class Report:
    """What a chaos did, and what it left."""

    seed: int
    seconds: float
    operations: Counter[str] = field(default_factory=Counter)
    stops: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    settled_after: float = 0.0
    confirmed: int = 0
    found: list[Difference] = field(default_factory=list)
    events: tuple[int, list[str]] = (0, [])
    total: tuple[int, int] = (0, 0)  # logical studies: by the archives, by the server
    deletions: list[float] = field(default_factory=list)

    @property
    def differing(self) -> int:
        return sum(len(each.missing) + len(each.surplus) for each in self.found)

    def __str__(self) -> str:
        operations = ", ".join(f"{name} {count}" for name, count in sorted(self.operations.items()))
        kills = ", ".join(f"{name} {count}" for name, count in sorted(self.kills.items()))
        lines = [
            f"seed {self.seed}, {self.seconds:.0f} s",
            f"operations: {self.operations.total()} ({operations})",
            f"archives stopped and started again: {self.stops}; kill -9: {self.kills.total()} ({kills})",
            f"answers of the server meanwhile: {dict(self.answers)}",
            f"settled {self.settled_after:.1f} s after the last operation; large removals confirmed: {self.confirmed}",
            f"differences at the end: {self.differing}, of "
            + ", ".join(f"{each.rows} rows in {each.archive}" for each in self.found),
            f"change events: {self.events[0]}, lost or invented: {len(self.events[1])}",
            f"studies: {self.total[0]} in the archives, {self.total[1]} by the server",
        ]
        if self.deletions:
            low, high = min(self.deletions), max(self.deletions)
            lines.append(
                f"from a delete in Orthanc to its absence here, sync_every 1 s, {len(self.deletions)} times: "
                f"{low:.2f} to {high:.2f} s, median {median(self.deletions):.2f} s"
            )
        lines += self.events[1][:20]
        lines += [f"{each.archive}: missing {each.missing}, surplus {each.surplus}" for each in self.found
                  if each.missing or each.surplus]  # fmt: skip
        return "\n".join(lines)


async def run_chaos(folder: Path, database_url: str, seconds: float, seed: int, deletions: int) -> Report:
    """Raises AssertionError where it does not settle. Differences are in the report."""
    report = Report(seed, seconds)
    await migrate(database_url)
    chaos = await asyncio.to_thread(start, folder, database_url)
    try:
        await asyncio.to_thread(_havoc, chaos, report)
        for archive in chaos.archives:
            await asyncio.to_thread(archive.revive, now=True)
        for each in chaos.ours:
            each.revive(now=True)
        database = await Database.open(database_url, max_size=2)
        report.settled_after, report.confirmed = await settled(database, chaos, _PATIENCE)
        report.found = await differences(database, chaos)
        report.events = await event_faults(database)
        report.total = await asyncio.to_thread(_totals, chaos)
        for number in range(deletions):
            report.deletions.append(await _deletion(database, chaos, number))
        await database.close()
    finally:
        await asyncio.to_thread(chaos.stop)
    return report


def _havoc(chaos: Chaos, report: Report) -> None:
    rng = random.Random(report.seed)
    operations = Operations(rng, report.operations)
    _wait_for_server(chaos)
    end, next_blow = time.monotonic() + report.seconds, time.monotonic() + 2
    while time.monotonic() < end:
        for archive in chaos.archives:
            archive.revive()
        for each in chaos.ours:
            each.revive()
        up = [archive for archive in chaos.archives if archive.is_up]
        if up:
            operations.one(rng.choice(up))
        if operations.done.total() % 5 == 0:
            report.answers[_ask(chaos)] += 1
        if time.monotonic() > next_blow:
            next_blow = time.monotonic() + rng.uniform(1.5, 6.0)
            _blow(chaos, report, rng)


def _blow(chaos: Chaos, report: Report, rng: random.Random) -> None:
    """Stops an archive, or kills a process of ours."""
    up = [archive for archive in chaos.archives if archive.is_up]
    if rng.random() < 0.4 and len(up) > 1:
        how = signal.SIGKILL if rng.random() < 0.3 else signal.SIGTERM
        rng.choice(up).stop(how, rng.uniform(0.5, 5.0))
        report.stops += 1
        return
    victim = rng.choice([*chaos.workers, *chaos.workers, chaos.server])
    if victim.process is not None:
        victim.kill(rng.uniform(0.0, 3.0))
        report.kills[victim.arguments[0]] += 1


def _ask(chaos: Chaos) -> str:
    try:
        answer = _graphql(chaos)
    except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
        return f"HTTP {error.code}" if isinstance(error, urllib.error.HTTPError) else "not up"
    return "errors" if "errors" in answer else "data"


def _wait_for_server(chaos: Chaos, patience: float = 60.0) -> None:
    end = time.monotonic() + patience
    while _ask(chaos) != "data" and time.monotonic() < end:
        time.sleep(0.2)


def _graphql(chaos: Chaos) -> dict[str, object]:
    request = urllib.request.Request(  # noqa: S310
        f"{chaos.url}/graphql", _QUERY, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
        found: dict[str, object] = json.loads(answer.read())
        return found


def _totals(chaos: Chaos) -> tuple[int, int]:
    """Once the server is up again."""
    uids = {
        study["MainDicomTags"]["StudyInstanceUID"]
        for archive in chaos.archives
        if archive.server is not None
        for study in archive.server.call("GET", "/studies?expand")
    }
    _wait_for_server(chaos)
    data = _graphql(chaos)["data"]
    assert isinstance(data, dict)
    return len(uids), data["studies"]["totalCount"]


async def _deletion(database: Database, chaos: Chaos, number: int) -> float:
    archive, uid = chaos.archives[number % len(chaos.archives)], f"{ROOT}.5.{number + 1}"
    assert archive.server is not None
    await asyncio.to_thread(archive.server.upload, instance(uid))
    await until_there(database, archive, uid)
    await asyncio.sleep(random.random())
    return await seconds_until_gone(database, archive, uid)
