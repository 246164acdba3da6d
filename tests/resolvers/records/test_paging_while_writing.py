"""Pages that are read while others write: what was there all the time is met once, whatever comes and goes."""

import asyncio
import random
from collections.abc import AsyncIterator
from functools import partial

import pytest

from db.archives import sync_archives
from db.pool import Connection, Database
from db.writing import ingest
from model.attributes import Level
from tests.resolvers.runtime import CONFIGS, Runtime, open_services
from tests.rows import Row, records, series, study

STAY, SEED = 120, 5
DESCRIPTIONS = ["CT Thorax", "MR Schädel", "Café 100%", None]


def kept(number: int) -> Row:
    """A study that stays: ties and nulls are common."""
    return study(
        f"1.2.1.{number}",
        StudyDate=f"202001{number % 5 + 1:02}" if number % 7 else None,
        PatientID=f"P{number % 11}",
        StudyDescription=DESCRIPTIONS[number % len(DESCRIPTIONS)],
    )


def passing(number: int, rng: random.Random) -> Row:
    """A study that comes and goes, anywhere between the others."""
    return study(
        f"1.2.{rng.randint(0, 2)}.{number}.7",
        StudyDate=rng.choice([f"202001{rng.randint(1, 6):02}", None]),
        PatientID=f"P{rng.randint(0, 11)}",
        StudyDescription=rng.choice(DESCRIPTIONS),
    )


@pytest.fixture
async def runtime(database: Database) -> AsyncIterator[Runtime]:
    """The studies that stay, each with one series, in one archive."""
    ids = await sync_archives(database, CONFIGS)
    rows = [kept(number) for number in range(STAY)]
    below = [
        series(f"1.2.1.{n}", f"1.2.1.{n}.1", SeriesNumber=n % 4, Modality="MR" if n % 3 else "CT")
        for n in range(STAY)
    ]

    async def work(conn: Connection) -> None:
        await ingest.store_series(conn, ids["a0"], records(Level.SERIES, below))
        await ingest.store_studies(conn, ids["a0"], records(Level.STUDY, rows))
        await ingest.derive(conn)
        await conn.execute("update study set series_synced_at = now()")
        await conn.execute("update archive set last_completed_at = now()")

    await ingest.write(database, "load", work)
    services = await open_services(database)
    yield Runtime(services)
    await services.close()


class Writer:
    """Inserts and deletes without a pause, and makes studies that stay shared and unshared again."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.services.owner
        self._ids = [runtime.archive_id(config.code) for config in CONFIGS]
        self._wrote = asyncio.Event()

    async def run(self) -> None:
        rng, here = random.Random(SEED), list[tuple[int, str]]()
        while True:
            archive_id = rng.choice(self._ids)
            new = [passing(rng.randint(0, 10_000), rng) for _ in range(4)]
            copies = [kept(rng.randrange(STAY)) for _ in range(3)]
            gone = [here.pop(rng.randrange(len(here))) for _ in range(min(5, len(here)))]
            churn = partial(self._churn, archive_id=archive_id, new=new, copies=copies, gone=gone)
            await ingest.write(self._database, "churn", churn)
            here += [(archive_id, row["0020000D"]["Value"][0]) for row in new]
            here += [(self._ids[1], row["0020000D"]["Value"][0]) for row in copies]
            self._wrote.set()

    async def once_more(self) -> None:
        """Returns after the next write."""
        self._wrote.clear()
        await self._wrote.wait()

    async def _churn(
        self,
        conn: Connection,
        *,
        archive_id: int,
        new: list[Row],
        copies: list[Row],
        gone: list[tuple[int, str]],
    ) -> None:
        for at, uid in gone:
            await ingest.delete_studies(conn, at, [uid])
        await ingest.store_studies(conn, archive_id, records(Level.STUDY, new))
        await ingest.store_studies(conn, self._ids[1], records(Level.STUDY, copies))
        await ingest.derive(conn)


@pytest.fixture
async def writer(runtime: Runtime) -> AsyncIterator[Writer]:
    made = Writer(runtime)
    task = asyncio.create_task(made.run())
    yield made
    assert not task.done(), task.exception()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def read_all(runtime: Runtime, writer: Writer, field: str, order: str, *, backward: bool) -> list[str]:
    """Every UID of a list, page by page, with writes between any two, as they came."""
    uid = {"studies": "studyInstanceUid", "series": "seriesInstanceUid"}[field]
    many, place, more = (
        ("last", "before", "hasPreviousPage") if backward else ("first", "after", "hasNextPage")
    )
    edge = "startCursor" if backward else "endCursor"
    seen: list[str] = []
    cursor = ""
    while True:
        at = f', {place}: "{cursor}"' if cursor else ""
        query = f"{{ {field}({many}: 11{at}{order}) {{ pageInfo {{ {more} {edge} }} nodes {{ {uid} }} }} }}"
        found = (await runtime.data(query))[field]
        page = [node[uid] for node in found["nodes"]]
        seen += reversed(page) if backward else page
        if not found["pageInfo"][more]:
            return seen
        cursor = found["pageInfo"][edge]
        await writer.once_more()


LISTS = [
    ("studies", ""),
    ("studies", ", orderBy: [{field: PATIENT_ID}]"),
    ("studies", ", orderBy: [{field: STUDY_DESCRIPTION, direction: DESC}, {field: PATIENT_ID}]"),
    ("series", ", orderBy: [{field: MODALITY}]"),
]


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize(("field", "order"), LISTS)
async def test_nothing_is_skipped_and_nothing_comes_twice(
    runtime: Runtime, writer: Writer, field: str, order: str, backward: bool
) -> None:
    suffix = "" if field == "studies" else ".1"
    stayed = {f"1.2.1.{number}{suffix}" for number in range(STAY)}
    seen = await read_all(runtime, writer, field, order, backward=backward)
    assert len(seen) == len(set(seen))
    assert stayed <= set(seen)
