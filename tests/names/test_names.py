"""How well `fuzzy` finds people: the committed tables, in a crowd. `pytest -s tests/names` prints the figures."""

import asyncio
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain

import pytest

from access.scope import AccessScope, Projection, Scope, ScopedArchive
from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.lists import nodes
from db.lists.listing import Listing, Window
from db.pool import Connection, Database, Row
from db.scoped import ScopedDatabase, ScopedReader
from db.writing import ingest
from model.attributes import Level, attribute
from model.filters import Op, Test
from tests.names.table import Pair, other_people, read
from tests.rows import records, study

# What its tests share takes its time on a busy machine.
pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True)
class Table:
    """Pairs and near misses, and what they are held to: shares of the pairs, and of the near misses left out."""

    name: str
    pairs: list[Pair]
    others: list[Pair]
    recall: float
    first: float
    left_out: float


TUNED = Table("tuned", read("pairs"), read("others"), recall=0.98, first=0.97, left_out=0.97)
# Written before the code was asked: recall and rank 1 0.825, left out 0.938 then. The rules have learnt from it since,
# so it is held out no more: 0.954, 0.954 and 0.973.
HELD_OUT = Table(
    "held out", read("held_out_pairs"), read("held_out_others"), recall=0.94, first=0.94, left_out=0.96
)
TABLES = pytest.mark.parametrize("table", [TUNED, HELD_OUT], ids=lambda table: table.name)
NAMED = [pair.stored for table in (TUNED, HELD_OUT) for pair in table.pairs + table.others]
CROWD = 4_000
COLUMN = {"PatientName": "patient_name", "ReferringPhysicianName": "referring_physician_name"}


@dataclass
class People:
    """An index in which everybody has one study, and is the referring physician of it."""

    reader: ScopedReader
    scope: Scope
    runner: asyncio.Runner
    known: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def found(self, text: str, keyword: str = "PatientName") -> list[str]:
        """The names that a query finds, in order."""
        if (text, keyword) not in self.known:
            self.known[text, keyword] = self._found(text, keyword)
        return self.known[text, keyword]

    def _found(self, text: str, keyword: str) -> list[str]:
        listing = Listing((self.scope,), Level.STUDY, Test(attribute(keyword), Op.FUZZY, text))
        assert listing.order.signature.startswith("study:RELEVANCE")
        rows: list[Row] = self.runner.run(nodes.page(self.reader, listing, Window(1000)))
        return [row[COLUMN[keyword]] for row in rows]


@pytest.fixture(scope="module")
def people(new_database_url: Callable[[], str]) -> Iterator[People]:
    with asyncio.Runner() as runner:
        yield runner.run(_people(new_database_url(), runner))


async def _people(url: str, runner: asyncio.Runner) -> People:
    database = await Database.open(url)
    archive_id = (await sync_archives(database, [ArchiveConfig("a0", "ERN-EYE", "Eye", "folder")]))["a0"]
    people = [*dict.fromkeys(NAMED), *other_people(CROWD, NAMED)]
    rows = [study(f"1.{n}", PatientName=name, ReferringPhysicianName=name) for n, name in enumerate(people)]

    async def work(connection: Connection) -> None:
        await ingest.store_studies(connection, archive_id, records(Level.STUDY, rows))
        await ingest.derive(connection)

    await ingest.write(database, "load", work)
    await database.execute("analyze", "analyze study")
    await database.close()
    mine = (ScopedArchive(archive_id, "a0", "ERN-EYE"),)
    scope, nobodys = Scope(mine, mine), Scope((), (), Projection.PSEUDONYMISED)
    return People((await ScopedDatabase.open(url, size=1)).within(AccessScope(scope, nobodys)), scope, runner)


@TABLES
def test_the_right_person_comes_first(people: People, table: Table) -> None:
    first: dict[str, list[bool]] = defaultdict(list)
    recalled: dict[str, list[bool]] = defaultdict(list)
    for pair in table.pairs:
        found = people.found(pair.query)
        first[pair.language].append(found[:1] == [pair.stored])
        recalled[pair.language].append(pair.stored in found)
        if not first[pair.language][-1]:
            place = found.index(pair.stored) + 1 if pair.stored in found else "missing"
            _say(
                f"  {pair.query} → {pair.stored} ({pair.language}, {pair.kind}): {place} of {len(found)}, {found[:2]}"
            )
    for language in sorted(first, key=lambda each: -len(first[each])):
        _say(f"{language:<12} {len(first[language]):>4} pairs  recall {_share(recalled[language]):.3f}"
              f"  rank 1 {_share(first[language]):.3f}")  # fmt: skip
    all_first, all_found = list(chain(*first.values())), list(chain(*recalled.values()))
    _say(
        f"{table.name:<12} {len(table.pairs):>4} pairs  recall {_share(all_found):.3f}"
        f"  rank 1 {_share(all_first):.3f}"
    )
    assert len(table.pairs) >= 200
    assert len(first) >= 12
    assert _share(all_found) >= table.recall
    assert _share(all_first) >= table.first


@TABLES
def test_others_are_not_found(people: People, table: Table) -> None:
    wrong = [pair for pair in table.others if pair.stored in people.found(pair.query)]
    right = sum(pair.stored in people.found(pair.query) for pair in table.pairs)
    for pair in wrong:
        _say(f"  {pair.query} finds {pair.stored} ({pair.language}, {pair.kind})")
    left_out = 1 - len(wrong) / len(table.others)
    _say(f"{table.name:<12} {len(table.others):>4} near misses  left out {left_out:.3f}"
          f"  precision {right / (right + len(wrong)):.3f}")  # fmt: skip
    assert left_out >= table.left_out


@TABLES
def test_everybody_finds_themselves_first(people: People, table: Table) -> None:
    for pair in [*table.pairs, *table.others]:
        assert people.found(pair.stored)[:1] == [pair.stored]


def test_a_referring_physician_is_found_the_same_way(people: People) -> None:
    for pair in [*TUNED.pairs[::10], *HELD_OUT.pairs[::10]]:
        assert people.found(pair.query, "ReferringPhysicianName") == people.found(pair.query)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _share(values: list[bool]) -> float:
    return sum(values) / len(values)
