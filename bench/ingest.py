"""Writing the index: study and series rows a second, from the answers of an archive to the last commit.

Whole runs of the indexer (`indexer/full.py`) over an archive in memory: of an empty index, again with nothing new,
with every row changed; then the pseudonymised rows. CPU of this process and of Postgres apart. Beside it COPY of the
same rows into the same indexed tables: the limit. Data of the IDC where it is installed (`./run bench idc`), else made.
INGEST_STUDIES: how many (2,000). INGEST_STATEMENTS=1: also what each statement takes.
"""

import asyncio
import io
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

import asyncpg

from access.profile import Options
from access.pseudonyms import Pseudonymiser
from archives.client import Answer, ArchiveClient, Row, Selection
from bench import _idc_data as idc
from bench._idc_index import answers, created
from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.embedded.postgres import EmbeddedPostgres
from db.indexing import runs
from db.pool import Connection, Database
from db.writing.projections import Projections
from indexer.full import run_full
from indexer.work import Work
from model.attributes import Level
from model.dicom_json import parse

_TICK = os.sysconf("SC_CLK_TCK")
_CONFIG = ArchiveConfig(code="bench", ern="ERN-EYE", title="bench", kind="dicomweb")
Told = dict[str, tuple[list[Any], list[Any]]]


def main() -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder))
        with server as url:
            assert server.pid is not None
            asyncio.run(_main(url, server.pid, int(os.environ.get("INGEST_STUDIES", "2000"))))


async def _main(url: str, server: int, studies: int) -> None:
    installed = idc.is_installed()
    told = answers(idc.prepared(), studies) if installed else _made(studies)
    rows = sum(1 + len(series) for _, series in told.values())
    print(f"{len(told):,} studies, {rows:,} rows, {'of the IDC' if installed else 'made'}; rows a second")
    print(f"| {'':<32} | {'rows/s':>8} | {'rows/s of CPU':>13} | Python µs/row | Postgres µs/row |")
    print("|---|---|---|---|---|")
    meter = _Meter(server, rows)
    with meter.line("parse alone"):
        for of_study, of_series in told.values():
            parse(Level.STUDY, of_study)
            parse(Level.SERIES, of_series)
    database = cast(_Timed, await _Timed.open(await created(url, "ingested"), max_size=3))
    ids = await sync_archives(database, [_CONFIG])
    (archive_id,) = ids.values()
    client = _Archive(told)
    await _run(database, client, archive_id, meter, "first run, empty index")
    await _copied(url, database, meter)
    await _run(database, client, archive_id, meter, "second run, nothing new")
    _change(told)
    await _run(database, client, archive_id, meter, "third run, every row changed")
    projections = Projections(
        database, {archive_id: Pseudonymiser(bytes(32), "ERN-EYE", Options())}, {archive_id: "bench"}
    )
    with meter.line("pseudonymised rows of all"):
        await projections.drain()
    _print_statements("pseudonymised rows of all", database.spent)
    await database.close()


async def _run(database: "_Timed", client: "_Archive", archive_id: int, meter: "_Meter", name: str) -> None:
    """A full run, as the indexer does it."""
    run = await runs.start(database, archive_id, "bench", None)
    work = Work(database, cast(ArchiveClient, client), run, lambda *_: None)
    with meter.line(name):
        await run_full(work, "", reconcile=False, confirmed=False)
    assert work.tally.studies == len(client.told), work.tally
    _print_statements(name, database.spent)
    await database.execute("analyze", "vacuum analyze")


async def _copied(url: str, source: Database, meter: "_Meter") -> None:
    """The same rows by COPY into another index, all its indexes in place."""
    target = await Database.open(await created(url, "copied"), max_size=1)
    await sync_archives(target, [_CONFIG])
    async with source.connection() as old, target.connection() as new:
        parts = {}
        for table in ("study", "series"):
            names = await old.fetchval(
                "select array_agg(attname order by attnum) from pg_attribute"
                f" where attrelid = '{table}'::regclass and attnum > 0 and not attisdropped and attgenerated = ''"
            )
            parts[table] = (names, io.BytesIO())
            await old.copy_from_table(table, output=parts[table][1], columns=names, format="binary")
        with meter.line("COPY into the indexed tables"):
            async with new.transaction():
                for table, (names, data) in parts.items():
                    data.seek(0)
                    await new.copy_to_table(table, source=data, columns=names, format="binary")
    await target.close()


def _change(told: Told) -> None:
    """Another description in each row."""
    for of_study, of_series in told.values():
        for row, tag in [(of_study[0], "00081030"), *((row, "0008103E") for row in of_series)]:
            old = row.get(tag, {"Value": ["none"]})["Value"][0]
            row[tag] = {"vr": "LO", "Value": [f"{old} again"]}


def _made(studies: int) -> Told:
    """Studies with six series each, when the data of the IDC is not installed."""
    found: Told = {}
    parts = ("BRAIN", "CHEST", "KNEE", None)
    for number in range(studies):
        uid = f"1.2.826.0.1.3680043.8.498.{number}"
        study = {
            "0020000D": ("UI", uid),
            "00100020": ("LO", f"P{number // 2}"),
            "00080020": ("DA", f"20{number % 25:02}0304"),
            "00081030": ("LO", f"MR study {number % 97}"),
            "00100010": ("PN", {"Alphabetic": f"Name{number // 2}^X"}),
        }
        serieses = [
            {
                "0020000D": ("UI", uid),
                "0020000E": ("UI", f"{uid}.{n}"),
                "00080060": ("CS", "MR"),
                "00200011": ("IS", n),
                "0008103E": ("LO", f"t{n} axial {number % 61}"),
                "00180015": ("CS", parts[number % 4]),
                "00080070": ("LO", "SIEMENS"),
                "00081090": ("LO", "Skyra"),
                "00201209": ("IS", 20 * n),
            }
            for n in range(1, 7)
        ]
        found[uid] = ([_row(study)], [_row(each) for each in serieses])
    return found


def _row(values: Any) -> Row:
    return {tag: {"vr": vr, "Value": [value]} for tag, (vr, value) in values.items() if value is not None}


class _Archive:
    """What a full run asks of an archive, answered from memory."""

    config = _CONFIG

    def __init__(self, told: Told) -> None:
        self.told = told

    async def list_study_uids(self) -> list[str]:
        return list(self.told)

    async def search_studies(self, selection: Selection) -> Answer:
        return Answer([row for uid in selection.study_uids for row in self.told[uid][0]])

    async def search_series(self, selection: Selection) -> Answer:
        return Answer([row for uid in selection.study_uids for row in self.told[uid][1]])


class _Timed(Database):
    """Notes what each statement of its transactions takes, by its beginning."""

    spent: ClassVar[dict[str, float]] = defaultdict(float)

    @asynccontextmanager
    async def transaction(self, name: str) -> AsyncIterator[Connection]:
        async with super().transaction(name) as connection:
            if not os.environ.get("INGEST_STATEMENTS"):
                yield connection
                return
            with connection.query_logger(self._note):
                yield connection

    async def _note(self, query: asyncpg.connection.LoggedQuery) -> None:
        self.spent[" ".join(query.query.split())[:110]] += query.elapsed


def _print_statements(name: str, spent: dict[str, float]) -> None:
    for text, seconds in sorted(spent.items(), key=lambda item: -item[1])[:30]:
        print(f"  {name}: {seconds:7.2f} s  {text}")
    spent.clear()


@dataclass(frozen=True)
class _Meter:
    """Prints a line of the table; `server`: the pid of the postmaster."""

    server: int
    rows: int

    def line(self, name: str) -> "_Line":
        return _Line(self, name)

    def postgres_seconds(self) -> float:
        """CPU of the server, of its processes, and of those that ended."""
        children = Path(f"/proc/{self.server}/task/{self.server}/children").read_text().split()
        own = _cpu(self.server, 4)
        return own + sum(_cpu(int(child), 2) for child in children)


class _Line:
    """Measures the block it is around."""

    def __init__(self, meter: _Meter, name: str) -> None:
        self.meter, self.name = meter, name

    def __enter__(self) -> None:
        self.begun = (time.perf_counter(), time.process_time(), self.meter.postgres_seconds())

    def __exit__(self, *_: object) -> None:
        ended = (time.perf_counter(), time.process_time(), self.meter.postgres_seconds())
        wall, python, postgres = (end - start for end, start in zip(ended, self.begun, strict=True))
        rows = self.meter.rows
        cells = (
            f"{self.name:<32}",
            f"{rows / wall:8,.0f}",
            f"{rows / (python + postgres):13,.0f}",
            f"{python * 1e6 / rows:13.1f}",
            f"{postgres * 1e6 / rows:15.1f}",
        )
        print("| " + " | ".join(cells) + " |", flush=True)


def _cpu(pid: int, figures: int) -> float:
    """Seconds of CPU: utime and stime (2), with those of its ended children (4)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return 0.0
    return sum(map(int, stat.rpartition(")")[2].split()[11 : 11 + figures])) / _TICK


if __name__ == "__main__":
    main()
