"""`fuzzy` of names at 1.5 million studies (Q6): a page of 20, what it reads, and Postgres' time.

In a throwaway Postgres, or in a database of its own of the server NAMES_DATABASE_URL. Half a million people with
three studies each: names of the test tables, common ones as common as in life, and a long tail of rare ones.
NAMES_STUDIES takes another number. Takes about ten minutes.
"""

import asyncio
import os
import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import asyncpg

from access.scope import Scope
from bench._idc_filters import explained
from bench._idc_index import Filled, archives, created
from db.embedded.postgres import EmbeddedPostgres
from db.lists import pages
from db.lists.counts import counts
from db.lists.listing import Listing, Window
from db.lists.ranking import looked_up
from db.pool import Connection, Database
from db.scoped import ScopedDatabase
from model.attributes import Level, attribute
from model.filters import Condition, Op, Test
from model.name_keys import keys_of
from model.text_search import parse_text
from reads.ranking import newest_first
from tests.names.table import FAMILIES, GIVEN

STUDIES = 1_500_000
NAME = "names_bench"
DOCTOR = "Doctor"
SOUGHT = {
    "rare": "Zaltubrek Hans",
    "rare, one typed slip": "Zaltubrke Hans",
    "rare, Greek": "Yiorgos Papadopoulos",
    "of two words": "Mueller Hans",
    "of two common words": "Garcia Maria",
    "of two very common words": "Garcia Jose",
    "with an initial": "J. Kowalska",
    "one letter": "M",
    "short": "Li",
    "common family name": "Schneider",
    "very common family name": "Müller",
    "the most common family name": "García",
    "the most common given name": "Jose",
}
_FILL = """
insert into study (archive_id, study_uid, study_date, accession_number, study_id, study_description, patient_id,
        patient_name, patient_birth_date, patient_sex, referring_physician_name, modalities, number_of_series,
        number_of_instances, data, series_synced_at, search, patient_name_keys, patient_name_forms,
        referring_physician_name_keys, referring_physician_name_forms, shared)
    select 1 + (n + copy) % 24, '1.2.3.' || n, date '2000-01-01' + (hashint8(n) & 2147483647) % 9000, 'A' || n,
        'S' || n % 1000, 'Study of ' || left(md5((n % 5000)::text), 6), 'P' || p.number, p.name,
        date '1950-01-01' + p.number % 20000, (array['F', 'M'])[1 + n % 2], r.name,
        array[(array['MR', 'CT', 'OP', 'US', 'CR'])[1 + n % 5]], 2, n % 500,
        jsonb_build_object('00100020', jsonb_build_object('vr', 'LO', 'Value', jsonb_build_array('P' || p.number))),
        now(), words('Study of ' || left(md5((n % 5000)::text), 6)), array_to_tsvector(p.keys), p.forms,
        array_to_tsvector(r.keys), r.forms, n % 100 = 0
    from generate_series(1, {studies}) n
    join person p on p.number = n * 7919::bigint % {people}
    join physician r on r.number = n % 20000
    cross join generate_series(0, case when n % 100 = 0 then 1 else 0 end) copy
"""


def main() -> None:
    """Prints the table."""
    studies = int(os.environ.get("NAMES_STUDIES", STUDIES))
    if url := os.environ.get("NAMES_DATABASE_URL"):
        asyncio.run(_main(url, studies))
        return
    with tempfile.TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder)) as url:
        asyncio.run(_main(url, studies))


async def _main(url: str, studies: int) -> None:
    index = await _filled(url, studies)
    print("| sought | studies | order | scans | rows read | ms |\n|---|---|---|---|---|---|")
    for kind, text in SOUGHT.items():
        await _line(index, f"{kind}: {text}", Test(attribute("PatientName"), Op.FUZZY, text))
    for text in ("Refa Doctor", "Schneider Doctor", DOCTOR):
        physician = Test(attribute("ReferringPhysicianName"), Op.FUZZY, text)
        await _line(index, f"referring physician: {text}", physician)
    for text in ("study", "stud", "study of c4ca42", "c4ca42"):
        await _line(index, f"text: {text}", parse_text(text))
    await index.scoped.close()


async def _line(index: Filled, name: str, condition: Condition) -> None:
    """Counts, then what a first page does: looks up whether too many match to be ranked, and reads the page."""
    counting = counts(Listing((index.scope,), Level.STUDY, condition))
    sql = f"select sum(nodes)::bigint as n from ({counting.sql}) c"
    (count,) = await index.reader.fetch("count", sql, *counting.values)
    heard = _Heard(index, [])
    found = await looked_up(heard, [index.scope], condition)
    newest = newest_first(condition, (), condition)
    listing = Listing(
        (index.scope,), Level.STUDY, found or newest.condition, () if found else tuple(newest.sorts)
    )
    plans = [await explained(index, sql, values) for sql, values in heard.sent]
    page = await explained(index, *pages.page(listing, Window(21)))
    scans = ", ".join(page.sequential) or "none"
    order = "ranked" if found else "by date"
    ms = f"{sum(plan.ms for plan in plans):.1f} + {page.ms:.1f}"
    print(f"| {name} | {count['n']:,} | {order} | {scans} | {page.rows:,} | {ms} |", flush=True)


@dataclass
class _Heard:
    """A reader that remembers what it was sent."""

    index: Filled
    sent: list[tuple[str, list[Any]]]

    async def fetch(self, name: str, sql: str, *args: Any, seconds: float | None = None) -> list[Any]:
        self.sent.append((sql, list(args)))
        return await self.index.reader.fetch(name, sql, *args, seconds=seconds)


async def _filled(url: str, studies: int) -> Filled:
    """The database, filled when it is not there yet."""
    server = await asyncpg.connect(url)
    try:
        there = await server.fetchval("select true from pg_database where datname = $1", NAME)
    finally:
        await server.close()
    mine = url.replace("/ernfed?", f"/{NAME}?") if there else await created(url, NAME)
    database = await Database.open(mine)
    there_are = await archives(database)
    if not there:
        begun = time.perf_counter()
        async with database.connection() as connection:
            await _fill(connection, studies)
        print(f"filled in {time.perf_counter() - begun:.0f} s", flush=True)
    await database.close()
    scoped = await ScopedDatabase.open(mine, size=1, statement_timeout_ms=600_000)
    return Filled(studies, "", scoped, Scope(there_are, there_are))


async def _fill(connection: Connection, studies: int) -> None:
    """Indexes are made at the end; those of patterns (trigrams) not at all: names by their keys need none."""
    listed = await connection.fetch(
        "select indexdef, indexname from pg_indexes where schemaname = 'public' and tablename = 'study'"
        " and indexname not in (select conname from pg_constraint)"
    )
    for index in listed:
        await connection.execute(f"drop index {index['indexname']}")
    chance = random.Random(6)
    for table, count, suffix in (("person", studies // 3, ""), ("physician", 20_000, f" {DOCTOR}")):
        await connection.execute(
            f"create temp table {table} (number integer, name text, keys text[], forms text)"
        )
        rows = (
            (number, name, list(keys_of(name).keys), keys_of(name).forms)
            for number, name in enumerate(f"{each}{suffix}" for each in _people(chance, count))
        )
        await connection.copy_records_to_table(table, records=rows)
        await connection.execute(f"analyze {table}")
    await connection.execute(_FILL.format(studies=studies, people=studies // 3))
    for index in listed:
        if "gin_trgm_ops" not in index["indexdef"]:
            await connection.execute(index["indexdef"])
    await connection.execute("vacuum analyze study")


def _people(chance: random.Random, count: int) -> Iterator[str]:
    """The n-th most common name is as frequent as 1 / (n + 5) says; three in ten family names are in no table."""
    families, given = _by_frequency(FAMILIES, "García Müller"), _by_frequency(GIVEN, "José María")
    shares = [list(accumulate(1 / (n + 5) for n in range(len(names)))) for names in (families, given)]
    for _ in range(count):
        (first,) = chance.choices(given, cum_weights=shares[1])
        (family,) = chance.choices(families, cum_weights=shares[0])
        if chance.random() < 0.3:
            family = "".join(
                chance.choice("bdfgklmnprstvz") + chance.choice("aeiou") for _ in range(3)
            ) + chance.choice("nrklt")
        match chance.randrange(10):
            case 0 | 1:
                yield f"{family}^{first}^{chance.choice(given)}"
            case 2:
                yield f"{family}-{chance.choice(families)}^{first}"
            case 3:
                yield f"{family}^{first[0]}"
            case _:
                yield f"{family}^{first}"


def _by_frequency(names: list[str], most: str) -> list[str]:
    return [*most.split(), *(name for name in names if name not in most.split())]
