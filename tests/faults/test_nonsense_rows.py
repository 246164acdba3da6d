"""Nonsense beside rows and in them, at every level, by every way that data comes in: it is set aside and said at the
most; all that is right beside it comes in, whole data sets and representatives too."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from archives.dicomweb import DicomWebArchive
from tests.archives.faulty import Exchange, Json
from tests.archives.nonsense import ELEMENTS, ROWS
from tests.faults.conftest import SICK, Ward, opened
from tests.faults.entries import ENTRIES
from tests.faults.shelf import HELD, SERIES, SOP, STUDIES, STUDY, behaves, first, level_of
from tests.faults.shelf import page as page_of

KVP: Json = {"vr": "DS", "Value": [2.5]}
Spoil = Callable[[list[Json]], list[Json]]


def beside(rows: list[Json]) -> list[Json]:
    """Before the rows and behind them."""
    none = list(ROWS.values())
    return [*none[::2], *rows, *none[1::2]]


def inside(rows: list[Json]) -> list[Json]:
    return [ELEMENTS | row for row in rows]


def both(rows: list[Json]) -> list[Json]:
    return beside(inside(rows))


def spoils(spoil: Spoil, where: str) -> Callable[[Exchange, list[Json]], None]:
    """where: the level of the answers that are spoilt; of all."""

    def answer(exchange: Exchange, rows: list[Json]) -> None:
        level = level_of(exchange)
        if level == "metadata":
            parts = exchange.path.split("/")
            held = HELD["instances"]
            rows = [
                row | {"00180060": KVP} for row in held if {first(row, STUDY), first(row, SERIES)} <= {*parts}
            ]
            rows = [row for row in rows if "instances" not in parts or first(row, SOP) in parts]
        if where not in (level, "all"):
            behaves(exchange, rows)
        else:
            page = rows if level == "metadata" else page_of(exchange, rows)
            exchange.rows(spoil(page) if page else [])

    return answer


@pytest.mark.parametrize("where", ["studies", "series", "instances", "metadata", "all"])
@pytest.mark.parametrize("spoil", [beside, inside, both])
async def test_nonsense(ward_url: str, well: str, spoil: Spoil, where: str) -> None:
    async with opened(ward_url, well) as ward:
        ward.shelf.sick = spoils(spoil, where)
        for name, way in ENTRIES.items():
            outcome = (await way.enter(ward))[SICK]
            assert "INTERNAL" not in outcome, name
            expected = {way.well} if spoil is inside else {way.well, "PARTIAL REJECTED_RECORDS"}
            if way.well == "completed" and where in ("studies", "all"):  # of what passes for a UID
                expected |= {"failed INCOMPLETE", "completed PARTIAL"}
            assert outcome in expected, name
        await _has_all(ward)
        await _has_whole_data_sets(ward)
        await _has_representatives(ward)


async def _has_all(ward: Ward) -> None:
    """What is no UID by the standard's rules may be one by ours."""
    known = await ward.known(SICK)
    assert known["study"] >= set(STUDIES)
    assert known["series"] >= {first(row, SERIES) for row in HELD["series"]}
    assert known["instance"] >= {
        first(row, SOP) for row in HELD["instances"] if first(row, STUDY) == STUDIES[0]
    }


async def _has_whole_data_sets(ward: Ward) -> None:
    """On demand."""
    found = await ward.runtime.data(
        f'{{ study(studyInstanceUid: "{STUDIES[0]}") {{ series(first: 100) {{ nodes {{ instances(first: 100) '
        '{ nodes { attributes(keywords: ["KVP"]) { text } } } } } } }'
    )
    nodes = [node for series in found["study"]["series"]["nodes"] for node in series["instances"]["nodes"]]
    held = [row for row in HELD["instances"] if first(row, STUDY) == STUDIES[0]]
    assert [node["attributes"] for node in nodes] == [[{"text": "2.5"}]] * len(held)


async def _has_representatives(ward: Ward) -> None:
    sql = """
    select count(*) filter (where representative is null) from series join archive using (archive_id)
    where code = $1 and study_uid = any($2)
    """
    client: DicomWebArchive = ward.clients[SICK]
    client.config = replace(client.config, index="series")
    await ward.run(SICK)
    (lacking,) = await ward.database.fetch("test", sql, SICK, list(STUDIES))
    assert lacking[0] == 0
