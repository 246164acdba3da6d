"""What the index makes of odd values at a path: a number, a moment, a text, or nothing."""

from decimal import Decimal

import orjson

from db.pool import Database

MOMENTS = [
    ("DA", "19700101", 0),
    ("DA", "1970.01.02", 86400),
    ("DA", "19691231", -86400),
    ("DA", "20200229", 1582934400),
    ("DA", "99991231", 253402214400),
    *(("DA", text, None) for text in ("20190229", "19000229", "20201301", "20200100", "00000101", "2020", "2020-01-01",
                                      "unknown", "", "202001011", "２０２０0101")),
    ("TM", "10", 36000),
    ("TM", "10:30:15", 37815),
    ("TM", "103015.25", Decimal("37815.25")),
    ("TM", "235960", 86399),
    *(("TM", text, None) for text in ("24", "1060", "103061", "10301", "noon", "103015.1234567", "-1")),
    ("DT", "1970", 0),
    ("DT", "197001", 0),
    ("DT", "1970010110", 36000),
    ("DT", "19700101000000.5+0000", Decimal("0.5")),
    ("DT", "19700101000000+0100", -3600),
    ("DT", "19700101-0130", 5400),
    ("AS", "045Y", 45 * 31_557_600),
    ("AS", "45y", 45 * 31_557_600),
    ("AS", "006M", 15_778_800),
    ("AS", "002W", 1_209_600),
    ("AS", "000D", 0),
    *(("AS", text, None) for text in ("45", "Y", "1234Y", "45 Y", "-01Y", "4.5Y", "045X", "")),
    *(("DT", text, None) for text in ("197013", "19700132", "19700101250000", "19700101T10", "19700101000000+1", "0")),
]  # fmt: skip


async def test_moments(database: Database) -> None:
    found = {
        (vr, text): (await database.fetch("t", "select moment_seconds($1, $2)", vr, text))[0][0]
        for vr, text, _ in MOMENTS
    }
    assert found == {(vr, text): seconds for vr, text, seconds in MOMENTS}


DATA = {
    "00180050": {"vr": "DS", "Value": ["abc", None, " 1.5 ", 1e300, "", "--1", "١٢", True, [1], "9" * 801]},
    "00081030": {"vr": "LO", "Value": ["  a\x1fb ", "\t", "C"]},
    "00100010": {"vr": "PN", "Value": [{"Alphabetic": "A^B", "Ideographic": "", "Phonetic": None}]},
    "00400275": {"vr": "SQ", "Value": [{}, None, 5, {"00400009": {"vr": "SH", "Value": ["S1"]}}, "x"]},
    "00080005": {"vr": "CS", "Value": [[1], "b"]},
    "00080018": {"vr": "UI", "Value": []},
    "00080060": {"vr": "CS"},
    "00080061": {"vr": "CS", "Value": "MR"},
    "00080070": "a text where an element should be",
}
TEXTS: list[tuple[list[str], list[str]]] = [
    (["00081030"], ["a\x1fb", "C"]),
    (["00100010"], ["A^B"]),
    (["00080005"], ["[1]", "b"]),
    (["00080018"], []),
    (["00400275", "00400009"], ["S1"]),
    *(([tag], []) for tag in ("00080060", "00080061", "00080070", "00080090")),
]


async def test_texts(database: Database) -> None:
    text = orjson.dumps(DATA).decode()
    for path, texts in TEXTS:
        (row,) = await database.fetch("t", "select path_texts($1, $2), path_words($1, $2)", text, path)
        assert row[0] == texts
        assert row[1].count("\x1f") == (len(texts) + 1 if texts else 0)


async def test_numbers(database: Database) -> None:
    """What is no number is none, and the others stay; nothing that an archive can send is an error."""
    sql = "select path_numbers($1, '{00180050}')::text, path_numbers(null, '{00180050}')::text"
    (row,) = await database.fetch("t", sql, orjson.dumps(DATA).decode())
    assert row[0] == "{[1.5,1.5],[%s,%s]}" % ((f"1{'0' * 300}",) * 2)
    assert row[1] == "{}"
    for data in ("null", "[]", "5", '"x"', "{}"):
        (row,) = await database.fetch("t", "select path_texts($1, '{00180050,00400009}')", data)
        assert row[0] == []
