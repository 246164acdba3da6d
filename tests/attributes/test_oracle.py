"""Generated filters by `attribute` at every level: the answer is what pydicom's data sets say."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from pydicom import Dataset

from access.scope import AccessScope, Projection, Scope, ScopedArchive
from archives.fields import returned_keywords
from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.lists import nodes
from db.lists.listing import Listing, Window
from db.pool import Connection, Database
from db.scoped import ScopedDatabase
from db.writing import ingest
from model.attributes import Level
from model.dicom_json import parse
from model.filters import all_of
from model.levels import level_of
from model.paths import BULK_VRS, parse_path
from model.spans import kind_of
from resolvers.filters.matches import AttributeMatch, attribute_tests
from tests.attributes import made
from tests.attributes.brute_force import passes
from tests.attributes.made import Made

SEED, STUDIES, FILTERS = 5, 50, 260
NOBODYS = Scope((), (), Projection.PSEUDONYMISED)


@dataclass
class Loaded:
    copies: list[Made]
    scoped: ScopedDatabase
    scope: Scope
    runner: asyncio.Runner

    def find(self, level: Level, matches: list[AttributeMatch]) -> list[str]:
        listing = Listing((self.scope,), level, all_of(attribute_tests(level, matches)))
        reader = self.scoped.within(AccessScope(self.scope, NOBODYS))
        return sorted(row["uid"] for row in self.runner.run(nodes.page(reader, listing, Window(10_000))))


@pytest.fixture(scope="module")
def loaded(new_database_url: Callable[[], str]) -> Iterator[Loaded]:
    with asyncio.Runner() as runner:
        yield runner.run(_load(new_database_url(), runner))


async def _load(url: str, runner: asyncio.Runner) -> Loaded:
    rng = random.Random(SEED)
    copies = made.copies(rng, 2, STUDIES)
    database = await Database.open(url)
    configs = [ArchiveConfig(code=f"a{n}", ern="ERN-EYE", title="a", kind="folder") for n in range(2)]
    ids = list((await sync_archives(database, configs)).values())
    stores = (
        (Level.STUDY, ingest.store_studies),
        (Level.SERIES, ingest.store_series),
        (Level.INSTANCE, ingest.store_instances),
    )

    async def work(conn: Connection) -> None:
        for n, archive_id in enumerate(ids):
            for level, store in stores:
                rows = [
                    row for copy in copies if (copy.level, copy.archive) == (level, n) for row in copy.rows
                ]
                records, rejected = parse(level, rows)
                assert not rejected
                await store(conn, archive_id, records)
        await ingest.derive(conn)
        for copy in copies:
            if copy.representative is not None:
                await conn.execute(
                    "update series set representative = $3 where archive_id = $1 and series_uid = $2",
                    ids[copy.archive],
                    copy.uids[Level.SERIES],
                    orjson.dumps(made.as_json(rng, copy.representative)).decode(),
                )

    await ingest.write(database, "load", work)
    await database.execute("analyze", "analyze")
    await database.close()
    archives = tuple(ScopedArchive(each, f"a{each}", "ERN-EYE") for each in ids)
    return Loaded(copies, await ScopedDatabase.open(url, size=1), Scope(archives, archives), runner)


def data_sets(copies: list[Made], level: Level, name: str) -> dict[str, list[Dataset]]:
    """By UID of the level: the data sets of each copy that a filter by this name looks into."""
    path = parse_path(name)
    found: dict[str, list[Dataset]] = defaultdict(list)
    is_beyond = level is Level.STUDY and path.steps[0].keyword not in returned_keywords(level)
    for copy in copies:
        if copy.level is level:
            found[copy.uids[level]] += [] if is_beyond and level_of(path) is Level.INSTANCE else [copy.data]
        if copy.level is Level.SERIES and (level is Level.SERIES or is_beyond):
            found[copy.uids[level]] += [copy.data] if level is Level.STUDY else []
            found[copy.uids[level]] += [copy.representative] if copy.representative is not None else []
    return found


def filters(rng: random.Random, count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names, and what is asked of one value there."""
    for _ in range(count):
        name = rng.choice(made.PATHS)
        kind = kind_of(parse_path(name)).value
        numbers = [*made.NUMBERS, "1.50", "-3", "1e20", "18446744073709551615", "2147483648", "7", "12"]
        last = parse_path(name).last.vr or ""
        dates = {"TM": ["10", "10:30", "103015", "10:30:15.5", "23:59:59.999999"]}.get(
            last, ["2020", "2020-01", "2020-01-01", "20200101", "2019-12-31", "2020-02-29"]
        )
        if last == "DT":
            dates += ["2020-01-01T10", "2020-01-01 10:30", "20200101103015.25"]
        texts = [
            *made.TEXTS,
            *made.UIDS,
            *made.AGES,
            "ORIGINAL",
            "00181063",
            "山田^太郎",
            "Müller^Hans",
            "1.0",
            "1",
            "",
        ]
        ages = [*made.AGES, "18", "45y", "6M", "540D", "26W", "1Y"]
        pool = {"number": numbers, "moment": dates, "age": ages, "mixed": [*numbers, *texts]}.get(kind, texts)
        pieces = [*texts, "T", "%", "_", "*", "xi", "mü", "ς", "/"]
        patterns = ["*", "?x*", "*al*", "50%*", "m*=*", "", "*\\*", "??", "*T?", "axial"]
        ways: dict[str, list[Any]] = {"eq": pool, "in": [rng.sample(pool, 3)]}
        if kind in ("number", "moment", "age", "mixed"):
            ordered = numbers if kind == "mixed" else pool
            ways |= {"gte": ordered, "lte": ordered}
        if kind in ("text", "mixed"):
            ways |= {"startsWith": pieces, "contains": pieces, "wildcard": patterns}
        ways["exists"] = [True, False]
        ops = rng.sample(list(ways), rng.choice([1, 1, 1, 2]))
        yield name, {op: rng.choice(ways[op]) if op != "in" else ways[op][0] for op in ops}


_ARGUMENTS = {"in": "in_", "startsWith": "starts_with"}


@pytest.mark.parametrize("level", list(Level))
def test_a_filter_finds_what_pydicom_finds(loaded: Loaded, level: Level) -> None:
    rng = random.Random(f"{SEED} {level}")
    hits = 0
    for name, asked in filters(rng, FILTERS):
        sets = data_sets(loaded.copies, level, name)
        expected = sorted(uid for uid, each in sets.items() if passes(each, name, asked))
        match = AttributeMatch(name=name, **{_ARGUMENTS.get(op, op): value for op, value in asked.items()})
        assert loaded.find(level, [match]) == expected, (name, asked)
        hits += 0 < len(expected) < len(sets)
    assert hits > FILTERS / 3


def test_every_vr_that_can_be_compared_is_asked() -> None:
    asked = {parse_path(name).last.vr for name in made.PATHS}
    assert {
        "DS",
        "IS",
        "FL",
        "FD",
        "SL",
        "SV",
        "UV",
        "US or SS",
        "DA",
        "TM",
        "DT",
        "PN",
        "UI",
        "AS",
        "AT",
    } <= asked
    assert not asked & BULK_VRS
