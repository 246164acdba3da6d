"""What a request for an export asks for: the body of a POST, or the query of a GET. What it means the schema says."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from starlette.datastructures import QueryParams

from api.export.parquet import Field
from api.export.table import Table, default_columns
from api.problems import HttpProblem

MAX_ATTRIBUTES: Final = 30
MAX_COLUMNS: Final = 60
MAX_QUERY: Final = 8_000
"""Bytes of the query of a URL: proxies cut longer ones, each at a place of its own."""
_MEMBERS: Final = frozenset({"filter", "archives", "attributes", "columns", "cohort"})
_LISTS: Final = ("archives", "attributes", "columns")
_COMMA: Final = re.compile(r",(?![^()]*\))")  # the creator of a private attribute may hold commas


@dataclass(frozen=True, slots=True)
class WantedExport:
    """A request that has the right form."""

    table: Table
    columns: tuple[Field, ...]
    form: str
    variables: dict[str, Any]


def of_query(query: QueryParams, length: int) -> dict[str, Any]:
    """The members of a GET: `filter` is JSON, lists are repeated or stand between commas. Raises HttpProblem."""
    if length > MAX_QUERY:
        words = (
            f"The query of the URL has more than {MAX_QUERY} bytes: POST the same members as a JSON object."
        )
        raise HttpProblem(414, words, code="URI_TOO_LONG")
    given: dict[str, Any] = {}
    for name in query:
        values = query.getlist(name)
        if name in _LISTS:
            given[name] = [each for value in values for each in _COMMA.split(value) if each]
        elif len(values) == 1:
            given[name] = _parsed(values[0], "filter") if name == "filter" else values[0]
        else:
            raise HttpProblem(400, f"{name[:64]}: give it once.")
    return given


def of_body(body: bytes) -> Any:
    """The members of a POST. Raises HttpProblem."""
    return _parsed(body or b"{}", "The request")


def _parsed(text: str | bytes, what: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise HttpProblem(400, f"{what} is not valid JSON.") from None


def wanted_of(given: Any, of: str, form: str) -> WantedExport:
    """Raises HttpProblem 400 for members of another form, BadInput for an attribute that there is not."""
    if not isinstance(given, dict) or not given.keys() <= _MEMBERS:
        words = f"An export takes the members {', '.join(sorted(_MEMBERS))}, and no others."
        raise HttpProblem(400, words)
    attributes, columns = (_names(given, name) for name in ("attributes", "columns"))
    names = columns or default_columns(of, attributes)
    table = Table(of, tuple(dict.fromkeys((*names, *attributes))))
    if len(table.attributes) > MAX_ATTRIBUTES:
        raise HttpProblem(400, f"attributes: at most {MAX_ATTRIBUTES}, got {len(table.attributes)}.")
    if len(table.names) > MAX_COLUMNS:
        raise HttpProblem(400, f"columns: at most {MAX_COLUMNS}, got {len(table.names)}.")
    told = {"filter": _filter(given, of), "archives": given.get("archives")}
    return WantedExport(table, table.columns, form, told | table.variables())


def _names(given: Mapping[str, Any], name: str) -> list[str]:
    names = given.get(name) or []
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise HttpProblem(400, f"{name}: a list of keywords, tags (GGGGEEEE) or paths.")
    return names


def _filter(given: Mapping[str, Any], of: str) -> Any:
    """The filter, of those in the cohort where one is named."""
    asked, cohort = given.get("filter"), given.get("cohort")
    if cohort is None:
        return asked
    if not isinstance(cohort, str):
        raise HttpProblem(400, "cohort: the id of a cohort, or of a version of one.")
    inside: dict[str, Any] = {"cohort": cohort}
    for level, above in (("studies", "study"), ("series", "series")):
        if of == level:
            break
        inside = {above: inside}
    return {"and": [asked, inside]} if asked else inside
