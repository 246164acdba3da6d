"""What comes of each misbehaviour, by entry: the state and the code that people get."""

from typing import Final

Cells = dict[str, str]


def _fails(code: str) -> Cells:
    """On demand a part is missing, LIVE has what the index had, a run fails, all with the same code."""
    on_demand = {"series": f"PARTIAL {code}", "instances": f"PARTIAL {code}"}
    return on_demand | _live(f"STALE {code}") | {"index": f"failed {code}"}


def _live(outcome: str) -> Cells:
    return {"live": outcome, "live-series": outcome, "live-instances": outcome}


def _cut() -> Cells:
    """All studies are more than may be asked for, those below one study are not."""
    return _fails("INCOMPLETE") | _live("PARTIAL INCOMPLETE") | {"live": "PARTIAL TOO_WIDE"}


def _empty() -> Cells:
    return _fails("INCOMPLETE") | _live("PARTIAL SUSPICIOUS_REMOVAL") | {"index": "failed SUSPICIOUS_REMOVAL"}


_WELL: Final[Cells] = {"series": "CACHED", "instances": "CACHED"} | _live("LIVE") | {"index": "completed"}

EXPECTED: Final[dict[str, Cells]] = {
    "204": _empty(),
    "empty-list": _empty(),
    "204-below": _fails("INCOMPLETE") | _live("PARTIAL INCOMPLETE") | {"index": "completed PARTIAL"},
    "404": _fails("REJECTED"),
    "404-below": _fails("REJECTED") | _live("PARTIAL REJECTED"),
    "null": _fails("BAD_ANSWER"),
    "html": _fails("BAD_ANSWER"),
    "half-json": _fails("BAD_ANSWER"),
    "latin-1": _fails("BAD_ANSWER"),
    "one-without-uids": _fails("REJECTED_RECORDS")
    | _live("PARTIAL REJECTED_RECORDS")
    | {"index": "completed"},
    "null-row": _fails("REJECTED_RECORDS") | _live("PARTIAL REJECTED_RECORDS") | {"index": "completed"},
    "odd-json": _WELL,
    "nan": _WELL,
    "no-uids": _fails("BAD_ANSWER"),
    "offset-ignored": _cut(),
    "endless": _cut() | {"live-series": "STALE INCOMPLETE", "live-instances": "STALE INCOMPLETE"},
    "repeated": _WELL,
    "overlap": _cut(),
    "keys-ignored": _WELL,
    "cap": _WELL,
    "cap-warned": _WELL,
    "cap-of-7": _WELL,
    "cap-206": _WELL,
    "206": _cut(),
    "warned-of-else": _WELL,
    "pages-ignored": _WELL,
    "all-ignored": _WELL,
    "cap-for-good": _cut(),
    "cap-for-good-warned": _cut(),
    "401": _fails("REJECTED"),
    "429": _fails("REJECTED"),
    "429-once": _WELL,
    "500": _fails("SERVER_ERROR"),
    "503": _fails("SERVER_ERROR"),
    "503-once": _WELL,
    "redirect": _fails("BAD_ANSWER"),
    "hang": _fails("TIMEOUT"),
    "hang-in-headers": _fails("TIMEOUT"),
    "hang-in-body": _fails("TIMEOUT"),
    "drip": _fails("TIMEOUT"),
    "gigabyte": _fails("TOO_LARGE"),
    "huge": _fails("TOO_LARGE"),
    "gzip-bomb": _fails("TOO_LARGE"),
    "reset": _fails("UNREACHABLE"),
    "reset-once": _WELL,
    "reset-in-body": _fails("UNREACHABLE"),
    "not-http": _fails("UNREACHABLE"),
    "urls": _WELL,
    "nul": _WELL,
    "escapes": _WELL,
    "long": _WELL,
    "two-patients": _WELL,
    "shared-uids": _WELL,
    "bad-uids": _WELL | {"live": "PARTIAL REJECTED_RECORDS"},
}

RECOVERED: Final[dict[tuple[str, str], str]] = {}
"""Where not all is as before once the archive is well: (misbehaviour, entry) → what comes of asking again."""
