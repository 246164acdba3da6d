"""Odd DICOM JSON over HTTP: every way of asking brings it as the standard writes it, and rows are told apart by it."""

import codecs
import json
from dataclasses import replace
from typing import Any

import pytest

from archives.client import Row, Selection
from archives.dicomweb import DicomWebArchive
from archives.errors import BadAnswer
from archives.rows import PATIENT_ID, STUDY_INSTANCE_UID, text, values
from archives.session import Answered
from model.attributes import Level
from model.dicom_json import parse_row
from model.odd_json import data_set_of
from model.records import Record, Rejected
from tests.archives.faulty import Behaviour, Exchange, faulty
from tests.archives.nonsense import ELEMENTS, ROWS
from tests.archives.test_faults import CONFIG

UIDS = {"0020000D": "1.2", "0020000E": "1.3", "00080018": "1.4"}
LEVELS = {"/studies": 1, "/series": 2, "/instances": 3, "/metadata": 3}
RIGHT = {
    "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Doe^Jane"}]},
    "00100020": {"vr": "LO", "Value": ["7"]},
    "00080020": {"vr": "DA", "Value": ["20200101"]},
    "00080061": {"vr": "CS", "Value": ["CT", "MR"]},
    "00081030": {"vr": "LO"},
}


def uids(level: int, write: Any) -> dict[str, Any]:
    return {tag: write(uid) for tag, uid in list(UIDS.items())[:level]}


def listed(uid: str) -> Any:
    return {"vr": "UI", "Value": [uid]}


ODD: dict[str, Any] = {
    "scalars": lambda level: (
        uids(level, lambda uid: {"vr": "UI", "Value": uid})
        | {
            "00100010": {"vr": "PN", "Value": {"Alphabetic": "Doe^Jane"}},
            "00100020": {"vr": "LO", "Value": 7},
            "00080020": {"vr": "DA", "Value": "2020-01-01"},
            "00080061": {"vr": "CS", "Value": "CT\\MR"},
            "00081030": {"vr": "LO", "Value": None},
        }
    ),
    "small tags, no VRs, a key that is no tag": lambda level: (
        {
            tag.lower(): {"Value": element["Value"]} if "Value" in element else element
            for tag, element in (uids(level, listed) | RIGHT).items()
        }
        | {"_id": "5f"}
    ),
    "nulls and names as text": lambda level: (
        uids(level, lambda uid: {"vr": "UI", "Value": [None, uid]})
        | {
            "00100010": {"vr": "PN", "Value": ["Doe^Jane", None]},
            "00100020": {"vr": "LO", "Value": [None, 7, None]},
            "00080020": {"vr": "DA", "Value": ["2020.01.01"]},
            "00080061": {"vr": "CS", "Value": ["CT", "MR", None]},
            "00081030": {"vr": "LO", "Value": [None]},
        }
    ),
    "NaN": lambda level: uids(level, listed) | RIGHT | {"00101030": {"vr": "DS", "Value": [float("nan")]}},
}


def several(rows: Any) -> Behaviour:
    """rows: those of a level, all of them for each offset 0."""

    def behave(exchange: Exchange) -> None:
        level = LEVELS[exchange.path[exchange.path.rindex("/") :]]
        exchange.rows(rows(level) if exchange.offset == 0 else [])

    return behave


def answers(odd: Any, *, bom: bool = False, null: bool = False) -> Behaviour:
    def behave(exchange: Exchange) -> None:
        level = LEVELS[exchange.path[exchange.path.rindex("/") :]]
        rows = [odd(level), *([None] if null else [])]
        body = json.dumps(rows if exchange.offset == 0 else []).encode()
        exchange.reply(200, (codecs.BOM_UTF8 if bom else b"") + body)

    return behave


async def everything(behaviour: Behaviour) -> list[Row]:
    """What each way of asking brings."""
    with faulty(behaviour) as server:
        client = DicomWebArchive(replace(CONFIG, url=server.url))
        study = Selection(study_uids=["1.2"])
        found = [
            *(await client.search_studies(study)).rows,
            *(await client.search_studies(Selection(patient_id="7"))).rows,
            *(await client.search_series(study)).rows,
            *(await client.search_instances(replace(study, series_uids=["1.3"]))).rows,
            *await client.metadata("1.2"),
            *await client.metadata("1.2", "1.3", "1.4"),
        ]
        if (representative := await client.representative("1.2", "1.3")) is not None:
            found.append(representative)
        await client.close()
    return found


@pytest.mark.parametrize("bom", [False, True])
@pytest.mark.parametrize("name", ODD)
async def test_odd_rows_are_as_any_others(name: str, bom: bool) -> None:
    found = await everything(answers(ODD[name], bom=bom))
    assert len(found) == 7
    for row in found:
        assert {tag: row[tag] for tag in RIGHT} == RIGHT
        assert "_id" not in row
        assert not values(row, "00101030")
        assert data_set_of(row) is row  # nobody has to look at it again
        assert list(data_set_of(row).notes) == {"NaN": ["00101030"]}.get(
            name, [""] if "no tag" in name else []
        )


async def test_a_row_that_is_null_does_not_spoil_the_others() -> None:
    found = await everything(answers(lambda level: uids(level, listed) | RIGHT, null=True))
    told = [row for row in found if text(row, STUDY_INSTANCE_UID) is not None]
    assert len(told) == 7
    assert {text(row, PATIENT_ID) for row in told} == {"7"}


@pytest.mark.parametrize("name", ROWS)
async def test_a_row_that_is_none_spoils_no_other(name: str) -> None:
    """Beside rows of each level; before them, and behind. It becomes a rejected record at the most."""
    for rows in ([ROWS[name], RIGHT], [RIGHT, ROWS[name]]):

        def odd(level: int, rows: Any = rows) -> Any:
            return [uids(level, listed) | RIGHT if row is RIGHT else row for row in rows]

        found = await everything(several(odd))
        told = [
            row for row in found if text(row, STUDY_INSTANCE_UID) == "1.2" and text(row, PATIENT_ID) == "7"
        ]
        assert len(told) == 7
        for level in Level:
            for row in found:
                outcome = parse_row(level, row)
                assert isinstance(outcome, Rejected) or outcome.study_uid == "1.2"


@pytest.mark.parametrize("tag", ELEMENTS)
async def test_a_value_that_is_none_spoils_nothing_beside_it(tag: str) -> None:
    found = await everything(answers(lambda level: uids(level, listed) | RIGHT | {tag: ELEMENTS[tag]}))
    assert len(found) == 7
    for row in found:
        assert {each: row[each] for each in RIGHT if each != tag} == {e: RIGHT[e] for e in RIGHT if e != tag}
    for level, row in zip((Level.STUDY, Level.STUDY, Level.SERIES, Level.INSTANCE), found, strict=False):
        record = parse_row(level, row)
        assert isinstance(record, Record)
        assert set(json.loads(record.data)) >= set(RIGHT) - {tag}


async def test_keys_that_are_told_twice() -> None:
    """JSON takes the last of them; DICOM JSON has each once."""

    def behave(exchange: Exchange) -> None:
        level = LEVELS[exchange.path[exchange.path.rindex("/") :]]
        body = json.dumps(uids(level, listed) | RIGHT)
        again = json.dumps({"00081030": {"vr": "LO", "Value": ["twice"]}})
        exchange.reply(200, f"[{again[:-1]},{body[1:]}]".encode() if exchange.offset == 0 else b"[]")

    found = await everything(behave)
    assert len(found) == 7
    assert all({tag: row[tag] for tag in RIGHT} == RIGHT for row in found)


LARGE = {
    "00201206": {"vr": "IS", "Value": [2**70 + 1, -(2**66) - 1, 7]},
    "00281199": {"vr": "UV", "Value": [2**64 - 1, 2**64, "18446744073709551615"]},
    "00281200": {"vr": "SV", "Value": [-(2**63), -(2**63) - 1]},
    "00180050": {"vr": "DS", "Value": [10**30 + 1]},
    "00280010": {"vr": "US", "Value": [2**64 + 3]},
    "00091001": {"vr": "UN", "Value": [2**80 + 1]},
    "00100020": {"vr": "LO", "Value": [2**70 + 1]},
}


async def test_no_digit_of_an_integer_is_changed() -> None:
    """JSON has no largest one; what has more than 64 bits is kept as its digits, here and in the index."""
    found = await everything(answers(lambda level: uids(level, listed) | LARGE))
    assert len(found) == 6  # no patient of the digits that a float makes of them
    for level, row in zip((Level.STUDY, Level.SERIES, Level.INSTANCE), found, strict=False):
        told = {tag: row[tag]["Value"] for tag in LARGE}
        digits = {tag: list(map(str, element["Value"])) for tag, element in LARGE.items()}
        assert {tag: list(map(str, values)) for tag, values in told.items()} == digits
        assert told["00281199"][0] == 2**64 - 1
        assert all(
            -(2**63) <= value < 2**64 for values in told.values() for value in values if type(value) is int
        )
        record = parse_row(level, row)
        assert isinstance(record, Record)
        kept = json.loads(record.data)
        assert {tag: list(map(str, kept[tag]["Value"])) for tag in LARGE} == digits


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"18446744073709551615", 2**64 - 1),
        (b"18446744073709551616", "18446744073709551616"),
        (b"-9223372036854775808", -(2**63)),
        (b"-9223372036854775809", "-9223372036854775809"),
        (b"9" * 5000, "9" * 5000),
        (b'"a,[1234567890123456789012]"', "a,[1234567890123456789012]"),
        (b"1234567890123456789012.5", 1234567890123456789012.5),
    ],
)
def test_integers_of_json(written: bytes, read: object) -> None:
    answered = Answered()
    for body, found in ((b"[%s]", [read]), (b'{"a": [1, %s]}', {"a": [1, read]}), (b'{"a":%s}', {"a": read})):
        answered._content = body % written
        assert answered.json() == found


@pytest.mark.parametrize(
    "body", [b"[null]", b"[1, null]", b'[{"_id": 1}]', b'{"Message": "no"}', b"[NaN]", b"NaN", b"[{NaN}]"]
)
async def test_what_holds_no_row_at_all_is_no_answer(body: bytes) -> None:
    with faulty(lambda exchange: exchange.reply(200, body)) as server:
        client = DicomWebArchive(replace(CONFIG, url=server.url))
        with pytest.raises(BadAnswer):
            await client.search_studies(Selection())
        await client.close()


async def test_rows_that_name_nothing_are_told_apart_from_those_that_do() -> None:
    """Each once, however often a server that ignores `offset` repeats it, and at each level."""

    def behave(exchange: Exchange) -> None:
        level = LEVELS[exchange.path[exchange.path.rindex("/") :]]
        nameless: Any = {"00080060": {"vr": "CS", "Value": ["CT"]}}
        parentless: Any = {"00080018": listed("1.9"), "0020000E": listed("1.9")} if level > 1 else nameless
        exchange.rows([uids(level, listed), nameless, parentless])

    with faulty(behave) as server:
        client = DicomWebArchive(replace(CONFIG, url=server.url))
        study = Selection(study_uids=["1.2"])
        for search, count in (
            (client.search_studies, 1),
            (client.search_series, 2),
            (client.search_instances, 2),
        ):
            answer = await search(study)
            assert [text(row, STUDY_INSTANCE_UID) for row in answer.rows] == ["1.2"]
            assert len(answer.unread) == count
            assert answer.all_rows == [*answer.rows, *answer.unread]
        await client.close()
