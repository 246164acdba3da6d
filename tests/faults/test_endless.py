"""An archive whose pages never end, beside two that hold a study of its own: they lose nothing by it, in the index nor
in answers, over runs of every kind and LIVE; it is said, and keeps what the index had."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from archives.dicomweb import DicomWebArchive
from archives.orthanc import OrthancArchive
from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.pool import Database
from indexer.results import RunResult, RunState
from indexer.run import index_once
from tests.archives.faulty import Exchange, Json, faulty
from tests.faults.listing import Listing
from tests.faults.shelf import (
    HELD,
    SERIES,
    SOP,
    STUDIES,
    STUDY,
    Answer,
    asked_rows,
    behaves,
    first,
    level_of,
    study_row,
    value,
)
from tests.resolvers.runtime import Runtime, open_services

SHARED = STUDIES[3]
"""In all three archives."""
HOLDS = {"left": STUDIES[:8], "right": (SHARED, *STUDIES[8:12]), "sick": (SHARED, *STUDIES[12:])}
HONEST = ("left", "right")
PAGES, BYTES = 6, 300_000
_TAGS = {"studies": STUDY, "series": SERIES, "instances": SOP}
_CONFIG = ArchiveConfig(
    "sick",
    "ERN-EYE",
    "Sick",
    "dicomweb",
    index="instance",
    page_size=20,
    max_response=BYTES,
    breaker_failures=10_000,
    representatives=False,
    data_sets=False,
)


def made(exchange: Exchange, level: str, row: Json) -> list[Json]:
    """A page of rows that there are not, other ones on each page."""
    tag = _TAGS[level]
    numbers = range(exchange.offset, exchange.offset + exchange.limit)
    return [row | {tag: value("UI", f"{first(row, tag)}.9.{number}")} for number in numbers]


def invents(exchange: Exchange, rows: list[Json]) -> None:
    """Rows that nobody asked for where it is asked for some that it has; whatever it is asked."""
    level = level_of(exchange)
    exchange.rows(made(exchange, level, (rows or HELD[level])[0]))


def goes_on(exchange: Exchange, rows: list[Json]) -> None:
    """First what it has, then what it has not."""
    page = rows[exchange.offset : exchange.offset + exchange.limit]
    exchange.rows(page + made(exchange, level_of(exchange), HELD[level_of(exchange)][0])[len(page) :])


def goes_on_below(exchange: Exchange, rows: list[Json]) -> None:
    (behaves if level_of(exchange) == "studies" else goes_on)(exchange, rows)


def repeats(exchange: Exchange, rows: list[Json]) -> None:
    """Its first page, for ever."""
    whole = rows or HELD[level_of(exchange)]
    exchange.rows([whole[number % len(whole)] for number in range(exchange.limit)])


def gives_it_to_others(exchange: Exchange, rows: list[Json]) -> None:
    """The study that all have, of one more patient in each row."""
    if level_of(exchange) != "studies":
        behaves(exchange, rows)
        return
    numbers = range(exchange.offset, exchange.offset + exchange.limit)
    exchange.rows([study_row(SHARED, f"Q{number}") for number in numbers])


def names_nothing(exchange: Exchange, rows: list[Json]) -> None:
    """One row that is one, and others without a UID."""
    page = made(exchange, level_of(exchange), HELD[level_of(exchange)][0])[:1]
    exchange.rows(page + [{"00081030": value("LO", f"{exchange.offset} {n}")} for n in range(19)])


def below_the_shared(exchange: Exchange, rows: list[Json]) -> None:
    """Series and instances without end in the study that all have, as asked for."""
    if level_of(exchange) == "studies" or not rows:
        behaves(exchange, rows)
    else:
        exchange.rows(made(exchange, level_of(exchange), rows[0]))


ENDLESS: dict[str, Answer] = {
    each.__name__: each
    for each in (
        invents,
        goes_on,
        goes_on_below,
        repeats,
        gives_it_to_others,
        names_nothing,
        below_the_shared,
    )
}


@dataclass
class Neighbours:
    database: Database
    runtime: Runtime
    clients: dict[str, DicomWebArchive]
    held: dict[str, list[str]]
    feeds: dict[str, Listing]
    sick: Answer | None = None

    async def run(self, **options: Any) -> dict[str, RunResult]:
        results = await index_once(self.database, self.clients.values(), **options)
        return {result.code: result for result in results}

    def truth(self, code: str) -> dict[str, set[tuple[str, ...]]]:
        held = self.held[code]
        return {
            table: {_uids(row) for row in HELD[level] if first(row, STUDY) in held}
            for table, level in (("study", "studies"), ("series", "series"), ("instance", "instances"))
        }

    async def index(self, code: str) -> dict[str, set[tuple[str, ...]]]:
        keys = {
            "study": "study_uid",
            "series": "study_uid, series_uid",
            "instance": "study_uid, series_uid, sop_uid",
        }
        found = {}
        for table, key in keys.items():
            sql = f"select {key} from {table} join archive using (archive_id) where code = $1"  # noqa: S608
            found[table] = {tuple(row) for row in await self.database.fetch("test", sql, code)}
        return found

    async def studies(self, freshness: str = "") -> tuple[dict[str, set[str]], dict[str, str]]:
        """The archives of each study, and what becomes of each archive, as the API says."""
        given = f"(first: 1000{freshness})"
        found = (
            await self.runtime.data(
                f"{{ studies{given} {{ sources {{ archive {{ code }} state error {{ code }} }}"
                " nodes { studyInstanceUid patientId locations { archive { code } } } } }"
            )
        )["studies"]
        copies: dict[str, set[str]] = {}
        for node in found["nodes"]:
            codes = {each["archive"]["code"] for each in node["locations"]}
            copies.setdefault(node["studyInstanceUid"], set()).update(codes)
        states = {
            each["archive"]["code"]: " ".join(
                filter(None, (each["state"], (each["error"] or {}).get("code")))
            )
            for each in found["sources"]
        }
        return copies, states


def _uids(row: Json) -> tuple[str, ...]:
    return tuple(first(row, tag) for tag in (STUDY, SERIES, SOP) if tag in row)


@pytest.fixture(scope="module")
def endless_url(new_database_url: Callable[[], str]) -> str:
    """One database for all: each begins with no archives."""
    return new_database_url()


@contextmanager
def _served(beside: Neighbours, kinds: dict[str, str]) -> Iterator[dict[str, ArchiveConfig]]:
    with ExitStack() as servers:
        configs = {}
        for code, kind in kinds.items():

            def searches(exchange: Exchange, code: str = code) -> None:
                rows = [row for row in asked_rows(exchange) if first(row, STUDY) in beside.held[code]]
                is_sick = code == "sick" and beside.sick and level_of(exchange) in _TAGS
                (beside.sick if is_sick and beside.sick else behaves)(exchange, rows)

            feed = beside.feeds[code] = Listing(searches, lambda code=code: beside.held[code])  # type: ignore[misc]
            server = servers.enter_context(faulty(feed))
            configs[code] = replace(_CONFIG, code=code, title=code, kind=kind, url=server.url)
        yield configs


@asynccontextmanager
async def opened(url: str, kinds: dict[str, str]) -> AsyncIterator[Neighbours]:
    """All three are indexed, while they are well."""
    database = await Database.open(url)
    await database.execute("test", "delete from archive")
    held = {code: list(uids) for code, uids in HOLDS.items()}
    beside = Neighbours(database, None, {}, held, {})  # type: ignore[arg-type]
    with _served(beside, kinds) as configs:
        makers = {"dicomweb": DicomWebArchive, "orthanc": OrthancArchive}
        beside.clients = {
            code: makers[config.kind](config, max_pages=PAGES) for code, config in configs.items()
        }
        await sync_archives(database, configs.values())
        results = await beside.run()
        assert {result.error_code for result in results.values()} == {None}
        services = await open_services(database, beside.clients.values())
        beside.runtime = Runtime(services)
        try:
            yield beside
        finally:
            await services.close()
            for client in beside.clients.values():
                await client.close()
            await database.close()


def _is_whole(beside: Neighbours, copies: dict[str, set[str]]) -> None:
    for code in HONEST:
        for uid in beside.held[code]:
            assert code in copies[uid], f"{uid} lacks the copy in {code}"


async def _runs(beside: Neighbours, had: dict[str, set[tuple[str, ...]]], options: dict[str, Any]) -> None:
    for feed in beside.feeds.values():
        feed.changes.append(SHARED)
    results = await beside.run(**options)
    assert results["sick"].error_code in ("INCOMPLETE", "PARTIAL")
    assert results["sick"].error_message
    for code in HONEST:
        assert (results[code].state, results[code].error_code) == (RunState.COMPLETED, None)
        assert await beside.index(code) == beside.truth(code)
    assert await beside.index("sick") == had
    copies, states = await beside.studies()
    _is_whole(beside, copies)
    assert (states["left"], states["right"]) == ("CACHED", "CACHED")


async def _is_asked_now(beside: Neighbours, had: dict[str, set[tuple[str, ...]]]) -> None:
    copies, states = await beside.studies(", freshness: {mode: LIVE, timeoutMs: 20000}")
    _is_whole(beside, copies)
    assert (states["left"], states["right"]) == ("LIVE", "LIVE")
    assert states["sick"] in ("PARTIAL TOO_WIDE", "PARTIAL INCOMPLETE")
    assert await beside.index("sick") == had


# An Orthanc has a listing and a feed beside what never ends.
CASES = [(name, "dicomweb") for name in ENDLESS] + [
    (n, "orthanc") for n in ("goes_on", "goes_on_below", "repeats")
]


@pytest.mark.parametrize(("name", "kind"), CASES)
async def test_archives_beside_one_whose_pages_never_end(endless_url: str, name: str, kind: str) -> None:
    async with opened(endless_url, {"left": "dicomweb", "right": "orthanc", "sick": kind}) as beside:
        had = await beside.index("sick")
        assert had == beside.truth("sick")
        beside.sick = ENDLESS[name]
        for options in ({}, {"reconcile": True}, {}):
            await _runs(beside, had, options)
            await _is_asked_now(beside, had)
        sql = "select code from suspicious_removal join archive using (archive_id)"
        assert not {row[0] for row in await beside.database.fetch("test", sql)} & set(HONEST)
        beside.held["left"].remove(STUDIES[0])
        results = await beside.run(reconcile=True)
        assert results["left"].removed == 1
        assert await beside.index("left") == beside.truth("left")
        beside.sick = None
        results = await beside.run(reconcile=True)
        assert {result.error_code for result in results.values()} == {None}
        assert await beside.index("sick") == had
