"""What comes of each misbehaviour, by entry: the state and the code that people get."""

from typing import Final

Cells = dict[str, str]


def _fails(code: str) -> Cells:
    """On demand a part is missing, a run fails, all with the same code."""
    return {"series": f"PARTIAL {code}", "instances": f"PARTIAL {code}", "index": f"failed {code}"}


_WELL: Final[Cells] = {"series": "CACHED", "instances": "CACHED", "index": "completed"}

EXPECTED: Final[dict[str, Cells]] = {
    "204": _fails("INCOMPLETE") | {"index": "failed SUSPICIOUS_REMOVAL"},
    "empty-list": _fails("INCOMPLETE") | {"index": "failed SUSPICIOUS_REMOVAL"},
    "204-below": _fails("INCOMPLETE") | {"index": "completed PARTIAL"},
    "404": _fails("REJECTED"),
    "404-below": _fails("REJECTED"),
    "null": _fails("BAD_ANSWER"),
    "html": _fails("BAD_ANSWER"),
    "half-json": _fails("BAD_ANSWER"),
    "latin-1": _fails("BAD_ANSWER"),
    "no-uids": _fails("BAD_ANSWER"),
    "offset-ignored": _fails("INCOMPLETE"),
    "endless": _fails("INCOMPLETE"),
    "repeated": _WELL,
    "overlap": _fails("INCOMPLETE"),
    "keys-ignored": _WELL,
    "cap": _WELL,
    "cap-warned": _WELL,
    "cap-for-good": _fails("INCOMPLETE"),
    "cap-for-good-warned": _fails("INCOMPLETE"),
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
    "bad-uids": _WELL,
}

RECOVERED: Final = {("endless", "index"): "failed SUSPICIOUS_REMOVAL"}
"""Where not all is as before once the archive is well: what it made up goes when somebody confirms it."""
