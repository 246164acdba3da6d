"""What a client accepts (RFC 9110 12.5.1, PS3.18 8.7): ranges with parameters, of a header or of the query. No I/O."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import Request

from api.problems import HttpProblem

JSON: Final = "application/dicom+json"
XML: Final = "application/dicom+xml"
PLAIN_JSON: Final = "application/json"
MULTIPART: Final = "multipart/related"
MAX_RANGES: Final = 50
_PARAMETER: Final = re.compile(r';\s*([A-Za-z0-9-]+)\s*=\s*("[^"]*"|[^;,"\s]*)\s*')
_RANGE: Final = re.compile(
    r'\s*([A-Za-z0-9!#$&^_.+*-]+/[A-Za-z0-9!#$&^_.+*-]+)((?:\s*;(?:[^",]|"[^"]*")*)?)\s*(?:,|\Z)'
)


@dataclass(frozen=True, slots=True)
class Range:
    """One media range. of: the type of the parts, where it is multipart."""

    type: str
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def quality(self) -> float:
        try:
            return float(self.parameters.get("q", "1"))
        except ValueError:
            return 0.0

    @property
    def is_multipart(self) -> bool:
        return self.type == MULTIPART

    @property
    def of(self) -> str:
        return self.parameters.get("type", "*/*").lower() if self.is_multipart else self.type

    @property
    def transfer_syntax(self) -> str | None:
        return self.parameters.get("transfer-syntax")


def accepted(request: Request) -> list[Range]:
    """Best first; none given is everything. The query's `accept` counts before the header (PS3.18 8.3.3.1). Raises
    HttpProblem 400 for what is no media range."""
    asked = request.query_params.get("accept")
    text = asked if asked is not None else ",".join(request.headers.getlist("accept"))
    found = _ranges(text) if text.strip() else [Range("*/*")]
    return sorted((each for each in found if each.quality > 0), key=lambda each: -each.quality)


def _ranges(text: str) -> list[Range]:
    found: list[Range] = []
    at, text = 0, text.strip()
    while at < len(text):
        match = _RANGE.match(text, at)
        if match is None or len(found) == MAX_RANGES:
            raise HttpProblem(
                400, "Accept: media ranges with commas between; quotes around a type in parameters."
            )
        parameters = {name.lower(): value.strip('"') for name, value in _PARAMETER.findall(match[2])}
        found.append(Range(match[1].lower(), parameters))
        at = match.end()
    return found


def fits(accepted: str, offered: str) -> bool:
    """Whether a range without parameters takes a type."""
    return accepted in ("*/*", offered) or (accepted.endswith("/*") and offered.startswith(accepted[:-1]))


def chosen(ranges: Iterable[Range]) -> str:
    """How data sets are written: JSON, or XML in parts. Raises HttpProblem 406."""
    for each in ranges:
        if each.is_multipart:
            if fits(each.of, XML):
                return XML
        elif fits(each.type, JSON):
            return JSON
        elif fits(each.type, PLAIN_JSON):
            return PLAIN_JSON
    raise HttpProblem(406, f'This is answered as {JSON}, or as {MULTIPART}; type="{XML}".')
