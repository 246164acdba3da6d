"""Each misbehaviour of an archive, and what comes of it by each way that data comes in.

A cell says the state and the code that people get; `expected.py` has them. docs/misbehaviour.md is made of both.
"""

import codecs
import json
import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tests.archives import faulty
from tests.archives.faulty import Exchange, Json
from tests.faults.shelf import (
    HELD,
    SERIES,
    SOP,
    STUDIES,
    STUDY,
    Answer,
    behaves,
    first,
    level_of,
    page,
    study_row,
    value,
)

DEADLINE: Final = 1.5
"""The archive's `timeout`, in seconds, where all of it is waited for."""

HTML: Final = b"<!DOCTYPE html><html><body>Please log in</body></html>"
MORE: Final = {"Warning": '299 archive "There are more results"'}
DEPRECATED: Final = {"Warning": '299 archive "This API is deprecated"'}
PAGE_SIZE: Final = 13
MAX_PAGES: Final = 4
MAX_RESPONSE: Final = 2_000_000
CAP: Final = 12


@dataclass(frozen=True)
class Misbehaviour:
    """shown: the words of the table. timeout: the archive's, in seconds."""

    shown: str
    answer: Answer
    timeout: float = 10.0


def said(status: int, body: bytes = b"", kind: str = faulty.JSON, retry_after: str | None = None) -> Answer:
    headers = {"Retry-After": retry_after} if retry_after else {}
    return lambda exchange, rows: exchange.reply(status, body, kind, **headers)


def plain(behaviour: faulty.Behaviour) -> Answer:
    return lambda exchange, rows: behaviour(exchange)


def changed(change: Callable[[list[Json]], list[Json]]) -> Answer:
    """The rows, changed, in pages."""
    return lambda exchange, rows: behaves(exchange, change(rows))


def raw(write: Callable[[list[Json]], bytes]) -> Answer:
    """The page in bytes of its own."""
    return lambda exchange, rows: exchange.reply(200, write(page(exchange, rows)))


def first_time(bad: Answer) -> Answer:
    """Bad, and the next try is well; and so once more, as the first request of a run is a look at its health."""
    met = 0

    def answer(exchange: Exchange, rows: list[Json]) -> None:
        nonlocal met
        met += 1
        (bad if met in (1, 3) else behaves)(exchange, rows)

    return answer


def below(bad: Answer) -> Answer:
    """Studies are answered well, what is below them is not."""

    def answer(exchange: Exchange, rows: list[Json]) -> None:
        (behaves if level_of(exchange) == "studies" else bad)(exchange, rows)

    return answer


def _bomb() -> bytes:
    pack, blank = zlib.compressobj(wbits=31), b" " * 1_000_000
    return b"".join([pack.compress(b"["), *(pack.compress(blank) for _ in range(100)), pack.flush()])


_BOMB: Final = _bomb()


def _gzipped(exchange: Exchange, _: list[Json]) -> None:
    exchange.reply(200, _BOMB, **{"Content-Encoding": "gzip"})


def _gigabyte(exchange: Exchange, _: list[Json]) -> None:
    exchange.head(200, 1_000_000_000)
    exchange.send(b"[")
    blank = b" " * 1_000_000
    for _i in range(1000):
        exchange.send(blank)


def _endless(exchange: Exchange, rows: list[Json]) -> None:
    if not rows:  # below what it made up
        behaves(exchange, rows)
        return
    tag = {"studies": STUDY, "series": SERIES, "instances": SOP}[level_of(exchange)]
    model, uid = rows[0], first(rows[0], tag)
    made = [model | {tag: value("UI", f"{uid}.9.{exchange.offset + n}")} for n in range(exchange.limit)]
    exchange.rows(made)


def _capped(exchange: Exchange, rows: list[Json], **headers: str) -> None:
    """Never more than 12 rows."""
    cut = rows[exchange.offset :][: min(exchange.limit, CAP)]
    exchange.rows(cut, **(headers if exchange.offset + CAP < len(rows) else {}))


def _capped_for_good(exchange: Exchange, rows: list[Json], **headers: str) -> None:
    """The first 12 rows, whatever is asked."""
    exchange.rows(rows[:CAP], **(headers if len(rows) > CAP else {}))


def _capped_at_7(exchange: Exchange, rows: list[Json]) -> None:
    exchange.rows(rows[exchange.offset :][: min(exchange.limit, 7)])


def _partial(exchange: Exchange, rows: list[Json]) -> None:
    cut = rows[exchange.offset :][: min(exchange.limit, CAP)]
    _whole(exchange, cut, 206 if exchange.offset + len(cut) < len(rows) else 200)


def _whole(exchange: Exchange, rows: list[Json], status: int) -> None:
    exchange.reply(status, json.dumps(rows).encode())


def _ignores_keys(exchange: Exchange, _: list[Json]) -> None:
    behaves(exchange, HELD.get(level_of(exchange), []))


def _repeats(exchange: Exchange, rows: list[Json]) -> None:
    exchange.rows([row for row in page(exchange, rows) for _i in range(2)])


def _overlaps(exchange: Exchange, rows: list[Json]) -> None:
    start = max(exchange.offset - 1, 0)
    exchange.rows(rows[start : start + exchange.limit] if exchange.offset <= len(rows) else [])


def _with(rows: list[Json], attributes: Mapping[str, object]) -> list[Json]:
    return [{**row, **attributes} for row in rows]


def _two_patients(rows: list[Json]) -> list[Json]:
    twins = [study_row(first(row, STUDY), "P-OTHER") for row in rows[:1] if SERIES not in row]
    return rows + twins


def _same_series_uids(rows: list[Json]) -> list[Json]:
    """The first series is also said to be in the study of another patient."""
    if not rows or SERIES not in rows[0] or SOP in rows[0]:
        return rows
    return [rows[0], rows[0] | {STUDY: value("UI", STUDIES[1])}, *rows[1:]]


_UIDS = (STUDY, SERIES, SOP)


def _odd(row: Json) -> Json:
    """The same, as some servers write it."""
    told: dict[str, Json] = {tag: element for tag, element in row.items() if isinstance(element, dict)}
    made: Json = {tag.lower(): {"vr": e.get("vr"), "Value": _first(e)} for tag, e in told.items()}
    names: Json = {"00100010": {"vr": "PN", "Value": "Doe^Jane"}, "00081030": {"vr": "LO", "Value": None}}
    return made | names | {"_id": 7, "00080061": {"vr": "CS", "Value": "CT\\MR"}}


def _first(element: Json) -> object:
    values = element.get("Value")
    return values[0] if isinstance(values, list) and len(values) == 1 else values


_LONG = "x" * 65_536
_NUL: Json = {"vr": "LO", "Value": ["a\0b"]}

MISBEHAVIOURS: dict[str, Misbehaviour] = {
    # ---- nothing, or something else ------------------------------------------------------------------
    "204": Misbehaviour("204 for everything", said(204)),
    "empty-list": Misbehaviour("`[]` for everything", said(200, b"[]")),
    "204-below": Misbehaviour("studies, and 204 for what is below them", below(said(204))),
    "404": Misbehaviour("404 for everything", said(404)),
    "404-below": Misbehaviour("studies, and 404 for what is below them", below(said(404))),
    "null": Misbehaviour("`null`", said(200, b"null")),
    "html": Misbehaviour("an HTML page to log in, with status 200", said(200, HTML, "text/html")),
    "half-json": Misbehaviour("half a JSON", raw(lambda rows: json.dumps(rows).encode()[:-20])),
    "latin-1": Misbehaviour(
        "bytes in Latin-1",
        raw(
            lambda rows: json.dumps(
                _with(rows, {"00081030": value("LO", "Müller")}), ensure_ascii=False
            ).encode("latin-1")
        ),
    ),
    "no-uids": Misbehaviour(
        "rows without their UIDs",
        changed(lambda rows: _with(rows, {t: {"vr": "UI"} for t in (STUDY, SERIES, SOP)})),
    ),
    "one-without-uids": Misbehaviour(
        "a row without its UIDs beside others",
        changed(
            lambda rows: [*({t: e for t, e in row.items() if t not in _UIDS} for row in rows[:1]), *rows]
        ),
    ),
    "null-row": Misbehaviour(
        "a row that is `null` beside others",
        lambda exchange, rows: behaves(exchange, [*([None] if rows else []), *rows]),  # type: ignore[list-item]
    ),
    "odd-json": Misbehaviour(
        "a BOM, small tags, keys that are no tags, values without arrays, names as text, null for no value",
        raw(lambda rows: codecs.BOM_UTF8 + json.dumps([_odd(row) for row in rows]).encode()),
    ),
    "nan": Misbehaviour(
        "NaN and Infinity",
        raw(lambda rows: json.dumps(_with(rows, {"00101030": value("DS", math.nan)})).encode()),
    ),
    # ---- pages and rows ------------------------------------------------------------------------------
    "offset-ignored": Misbehaviour(
        "`offset` is ignored", lambda exchange, rows: exchange.rows(rows[: exchange.limit])
    ),
    "endless": Misbehaviour("pages without end", _endless),
    "repeated": Misbehaviour("each row twice", _repeats),
    "overlap": Misbehaviour("pages that overlap", _overlaps),
    "keys-ignored": Misbehaviour("rows that do not match: every key is ignored", _ignores_keys),
    "cap": Misbehaviour("a cap of 12 rows without a Warning", _capped),
    "cap-warned": Misbehaviour(
        "a cap of 12 rows with a Warning", lambda exchange, rows: _capped(exchange, rows, **MORE)
    ),
    "cap-of-7": Misbehaviour("a cap of 7 rows without a Warning", _capped_at_7),
    "cap-206": Misbehaviour("206 and a cap of 12 rows", _partial),
    "206": Misbehaviour(
        "206, whatever is asked",
        lambda exchange, rows: _whole(exchange, page(exchange, rows), 206),
    ),
    "warned-of-else": Misbehaviour(
        "a Warning of something else",
        lambda exchange, rows: exchange.rows(page(exchange, rows), **DEPRECATED),
    ),
    "pages-ignored": Misbehaviour(
        "`limit` and `offset` are ignored", lambda exchange, rows: exchange.rows(rows)
    ),
    "all-ignored": Misbehaviour(
        "everything is ignored: `limit`, `offset`, every key",
        lambda exchange, rows: exchange.rows(HELD.get(level_of(exchange), [])),
    ),
    "cap-for-good": Misbehaviour("the first 12 rows only, without a Warning", _capped_for_good),
    "cap-for-good-warned": Misbehaviour(
        "the first 12 rows only, with a Warning",
        lambda exchange, rows: _capped_for_good(exchange, rows, **MORE),
    ),
    # ---- refusals ------------------------------------------------------------------------------------
    "401": Misbehaviour("401: wrong credentials", said(401)),
    "429": Misbehaviour("429, `Retry-After` in an hour", said(429, retry_after="3600")),
    "429-once": Misbehaviour(
        "429, `Retry-After` in a second, then well",
        first_time(said(429, retry_after="1")),
    ),
    "500": Misbehaviour("500", said(500, HTML, "text/html")),
    "503": Misbehaviour("503", said(503)),
    "503-once": Misbehaviour("503, then well", first_time(said(503))),
    "redirect": Misbehaviour(
        "a redirect to elsewhere", plain(faulty.says(302, b"", Location="http://127.0.0.1:9/elsewhere"))
    ),
    # ---- time, size, connections ---------------------------------------------------------------------
    "hang": Misbehaviour("hangs before its headers", plain(faulty.hangs_before_headers), timeout=DEADLINE),
    "hang-in-headers": Misbehaviour("hangs in its headers", plain(faulty.hangs_in_headers), timeout=DEADLINE),
    "hang-in-body": Misbehaviour("hangs after its headers", plain(faulty.hangs_in_body), timeout=DEADLINE),
    "drip": Misbehaviour(
        "a few bytes a second",
        plain(faulty.drips(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b" " * 900)),
        timeout=DEADLINE,
    ),
    "gigabyte": Misbehaviour("a body of 1 GB", _gigabyte),
    "huge": Misbehaviour("a body without end", plain(faulty.is_huge(announced=False))),
    "gzip-bomb": Misbehaviour("100 MB that were 100 kB on the line (gzip)", _gzipped),
    "reset": Misbehaviour("resets the connection", plain(faulty.resets)),
    "reset-once": Misbehaviour("resets the connection, then well", first_time(plain(faulty.resets))),
    "reset-in-body": Misbehaviour("resets the connection in the body", plain(faulty.resets_in_body)),
    "not-http": Misbehaviour(
        "does not speak HTTP", lambda exchange, rows: exchange.send(b"220 ftp.example ready\r\n\r\n")
    ),
    # ---- text and UIDs -------------------------------------------------------------------------------
    "urls": Misbehaviour(
        "URLs of elsewhere in RetrieveURL",
        changed(lambda rows: _with(rows, {"00081190": value("UR", "http://127.0.0.1:9/x")})),
    ),
    "nul": Misbehaviour(
        "NUL in text", changed(lambda rows: _with(rows, {"00081030": _NUL, "0008103E": _NUL}))
    ),
    "escapes": Misbehaviour(
        "escape sequences in names and text",
        changed(
            lambda rows: _with(
                rows,
                {
                    "00100010": value("PN", {"Alphabetic": "A^B", "Ideographic": "\x1b$B;3ED\x1b(B"}),
                    "0008103E": value("LO", "\x1b[31mred"),
                },
            )
        ),
    ),
    "long": Misbehaviour(
        "names of 64 kB",
        changed(lambda rows: _with(rows, {"00100010": value("PN", {"Alphabetic": _LONG})})),
    ),
    "two-patients": Misbehaviour("two patients in one study", changed(_two_patients)),
    "shared-uids": Misbehaviour(
        "one SeriesInstanceUID in studies of two patients", changed(_same_series_uids)
    ),
    "bad-uids": Misbehaviour(
        "UIDs that are none",
        changed(
            lambda rows: [
                *rows,
                *(
                    [{**rows[0], **{t: value("UI", "no uid") for t in (STUDY, SERIES, SOP) if t in rows[0]}}]
                    if rows
                    else []
                ),
            ]
        ),
    ),
}
