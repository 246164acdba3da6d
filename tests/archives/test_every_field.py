"""`includefield=all`: asked for where it brings more and takes away nothing that came by name."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from archives.client import Row, Selection
from archives.dicomweb import DicomWebArchive
from archives.fields import FIELDS
from archives.probe import UNKNOWN
from archives.rows import text
from config.archives_file import ArchiveConfig
from model import attributes
from model.declared import Declared
from model.paths import parse_path
from tests.archives.faulty import Behaviour, Exchange, Json, faulty, holds, studies, study

CONFIG = ArchiveConfig("x", "ERN-EYE", "X", "dicomweb", timeout=1.0, page_size=10, max_response=40_000)
CREATOR, PRIVATE, WEIGHT, DESCRIPTION = "00090010", "00091001", "00101030", "00081030"
NAMED: Json = {DESCRIPTION: {"vr": "LO", "Value": ["by name"]}}
MORE: Json = {
    CREATOR: {"vr": "LO", "Value": ["CREATOR"]},
    PRIVATE: {"vr": "LO", "Value": ["private"]},
    WEIGHT: {"vr": "DS", "Value": [70]},
}
DEFAULT = studies(3)

Brings = Callable[[bool, bool], list[Json] | int | str]
"""(asked for all, asked by name) → rows, a status, or `hangs`."""


def rows(*more: Json) -> list[Json]:
    """Of three studies; the first has nothing private."""
    told = [row | {tag: element for each in more for tag, element in each.items()} for row in DEFAULT]
    return [{tag: element for tag, element in told[0].items() if tag not in MORE}, *told[1:]]


def server(brings: Brings) -> Behaviour:
    def behave(exchange: Exchange) -> None:
        answer = brings("all" in exchange.fields, "StudyDescription" in exchange.fields)
        if answer == "hangs":
            exchange.hang()
        elif isinstance(answer, int):
            exchange.reply(answer)
        else:
            holds(answer)(exchange)  # type: ignore[arg-type]

    return behave


HUGE: Json = {"00204000": {"vr": "LT", "Value": ["x" * 60_000]}}

# name: what the server does → (whether private attributes come, whether what was named does)
SERVERS: dict[str, tuple[Brings, bool, bool]] = {
    "all is all": (lambda every, named: rows(NAMED, MORE) if every else rows(NAMED), True, True),
    "all beside names is refused": (
        lambda every, named: (400 if named else rows(NAMED, MORE)) if every else rows(NAMED),
        True,
        True,
    ),
    "all beside names is not seen": (
        lambda every, named: rows(NAMED, MORE) if every and not named else rows(NAMED),
        True,
        True,
    ),
    "all lacks what names bring": (
        lambda every, named: rows(*[NAMED] * named, *[MORE] * every),
        True,
        True,
    ),
    "only the one or the other": (
        lambda every, named: rows(NAMED) if named else rows(MORE) if every else rows(),
        False,
        True,
    ),
    "no effect": (lambda every, named: rows(*[NAMED] * named), False, True),
    "refused": (lambda every, named: 400 if every else rows(NAMED), False, True),
    "breaks": (lambda every, named: 500 if every else rows(NAMED), False, True),
    "takes too long": (lambda every, named: "hangs" if every else rows(NAMED), False, True),
    "too large": (lambda every, named: rows(NAMED, MORE, HUGE) if every else rows(NAMED), False, True),
    "includefield is refused": (lambda every, named: 400 if every or named else rows(), False, False),
}


def told(found: list[Row], tag: str) -> int:
    return sum(bool(row.get(tag, {}).get("Value")) for row in found)


@pytest.mark.parametrize("name", SERVERS)
async def test_all_that_can_be_had_comes(name: str) -> None:
    brings, private, named = SERVERS[name]
    with faulty(server(brings)) as archive:
        client = DicomWebArchive(replace(CONFIG, url=archive.url, breaker_failures=100, retries=0))
        for _ in range(2):
            answer = await client.search_studies(Selection())
            assert (len(answer.rows), answer.complete) == (3, True)
            assert told(answer.rows, DESCRIPTION) == (3 if named else 0)
            for tag in MORE:
                assert told(answer.rows, tag) == (2 if private else 0), tag
        before = len(archive.asked)
        await client.search_studies(Selection())
        assert len(archive.asked) - before == 1
        await client.close()


async def test_it_is_found_out_once_and_of_many_rows() -> None:
    """Only the 15th study has private attributes; names stand beside `all`, so nothing is lost by asking."""

    def behave(exchange: Exchange) -> None:
        private = study(15, **{f"t{tag}": element for tag, element in MORE.items()})
        given = [private if "all" in exchange.fields and n == 15 else study(n) for n in range(1, 26)]
        holds(given)(exchange)

    with faulty(behave) as archive:
        client = DicomWebArchive(replace(CONFIG, url=archive.url))
        assert told((await client.search_studies(Selection())).rows, PRIVATE) == 1
        assert len(archive.asked) == 3 + 2  # pages, and both ways to ask
        assert len(client.abilities.every["studies"]) == len(FIELDS["studies"]) + 1
        await client.close()


async def test_a_page_that_is_too_large_is_asked_for_by_name() -> None:
    grown: list[Json] = []
    with faulty(server(lambda every, named: rows(NAMED, *[MORE, *grown] * every))) as archive:
        client = DicomWebArchive(replace(CONFIG, url=archive.url))
        assert told((await client.search_studies(Selection())).rows, PRIVATE) == 2
        grown.append(HUGE)
        answer = await client.search_studies(Selection())
        assert (len(answer.rows), told(answer.rows, DESCRIPTION), answer.complete) == (3, 3, True)
        grown.clear()
        assert told((await client.search_studies(Selection())).rows, PRIVATE) == 2
        await client.close()


async def test_a_server_that_becomes_slow_is_asked_by_name() -> None:
    slow = False

    def brings(every: bool, named: bool) -> list[Json] | int | str:
        return "hangs" if every and slow else rows(NAMED, *[MORE] * every)

    with faulty(server(brings)) as archive:
        client = DicomWebArchive(replace(CONFIG, url=archive.url, timeout=0.4))
        assert told((await client.search_studies(Selection())).rows, PRIVATE) == 2
        slow = True
        for _ in range(2):
            answer = await client.search_studies(Selection())
            assert (len(answer.rows), told(answer.rows, DESCRIPTION)) == (3, 3)
        assert client.abilities.every["studies"] == ()
        await client.close()


def below(metadata: bool) -> Behaviour:
    """One study with a series and an instance; whole data sets or not; `all` brings more at each level."""
    uids = {"0020000D": "1.2.3.1", "0020000E": "1.2.3.1.7", "00080018": "1.2.3.1.7.9"}
    row: Json = {tag: {"vr": "UI", "Value": [uid]} for tag, uid in uids.items()}

    def behave(exchange: Exchange) -> None:
        if exchange.path.endswith("/metadata"):
            exchange.rows([row | MORE]) if metadata else exchange.reply(404)
        else:
            exchange.rows([row | (MORE if "all" in exchange.fields else {})])

    return behave


@pytest.mark.parametrize("metadata", [True, False])
async def test_of_instances_only_where_there_are_no_whole_data_sets(metadata: bool) -> None:
    selection = Selection(study_uids=["1.2.3.1"], series_uids=["1.2.3.1.7"])
    with faulty(below(metadata)) as archive:
        client = DicomWebArchive(replace(CONFIG, url=archive.url))
        assert told((await client.search_series(selection)).rows, PRIVATE) == 1
        assert told((await client.search_instances(selection)).rows, PRIVATE) == (0 if metadata else 1)
        found = await client.probe()
        levels = "studies, series" if metadata else "studies, series, instances"
        assert found["includefield_all"] == f"yes: more attributes of {levels}"
        await client.close()


@pytest.mark.parametrize(
    ("brings", "said"),
    [
        (lambda every, named: rows(NAMED), "no: it brings nothing more"),
        (lambda every, named: list[Json](), UNKNOWN),
        (lambda every, named: rows(NAMED, *[MORE] * every), "yes: more attributes of studies"),
    ],
)
async def test_a_probe_tells(brings: Brings, said: str) -> None:
    with faulty(server(brings)) as archive:
        client = DicomWebArchive(replace(CONFIG, url=archive.url))
        assert (await client.probe())["includefield_all"].startswith(said)
        await client.close()


async def test_what_a_server_says_of_its_own_work_is_no_attribute() -> None:
    """dcm4chee's private attributes say when a study was last read: they would change with each look."""
    own: Json = {
        "77770010": {"vr": "LO", "Value": ["DCM4CHEE Archive 5"]},
        "77771022": {"vr": "DT", "Value": ["20260101120000"]},
    }
    others: Json = {
        "77770011": {"vr": "LO", "Value": ["SOMEBODY"]},
        "77771122": {"vr": "LO", "Value": ["kept"]},
    }
    with faulty(server(lambda every, named: rows(NAMED, own, others))) as archive:
        client = DicomWebArchive(replace(CONFIG, url=archive.url))
        for row in (await client.search_studies(Selection())).rows:
            assert not own.keys() & row.keys()
            assert others.keys() <= row.keys()
        await client.close()


DECLARED = [
    Declared(parse_path("(CREATOR)0009xx01"), attributes.Level.STUDY),
    Declared(parse_path("00101020"), attributes.Level.STUDY),
    Declared(parse_path("StudyDescription"), attributes.Level.STUDY),
    Declared(parse_path("RequestAttributesSequence.ScheduledProcedureStepID"), attributes.Level.SERIES),
]


@pytest.mark.parametrize("refuses", [False, True])
async def test_what_is_declared_is_asked_for_by_tag(refuses: bool) -> None:
    """Private attributes and others that have no name in a search. Who refuses these gives those of names."""
    asked: list[tuple[str, ...]] = []

    def behave(exchange: Exchange) -> None:
        asked.append(exchange.fields)
        tags = {field for field in exchange.fields if field[:1].isdigit()}
        if refuses and tags:
            exchange.reply(400)
            return
        given = {tag: {"vr": "LO", "Value": ["told"]} for tag in tags}
        row: Json = study(1) | {"0020000E": {"vr": "UI", "Value": ["1.2.3.1.1"]}} | given
        exchange.rows([row] if exchange.offset == 0 else [])

    with faulty(behave) as archive:
        client = DicomWebArchive(replace(CONFIG, url=archive.url), DECLARED)
        client.abilities.every = {"studies": (), "series": ()}
        for _ in range(2):
            answer = await client.search_studies(Selection())
            await client.search_series(Selection(study_uids=["1.2.3.1"]))
        await client.close()
    told = {tag for tag in answer.rows[0] if text(answer.rows[0], tag) == "told"}
    assert told == (set() if refuses else {"00090010", "00091001", "00101020"})
    assert client.abilities.includefield
    assert refuses or "00400275" in {field for fields in asked for field in fields}
    by_tag = [fields for fields in asked if any(field[:1].isdigit() for field in fields)]
    assert len(by_tag) == (1 if refuses else len(asked))
