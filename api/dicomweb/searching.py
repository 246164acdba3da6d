"""QIDO-RS: the six searches of PS3.18 10.6."""

from typing import Any, Final

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.dicomweb.asked import NOT_COMPLETE, WHOLE, WebRequest, warned
from api.dicomweb.media_types import XML, accepted, chosen
from api.dicomweb.native_xml import to_xml
from api.dicomweb.search_keys import MAX_QUERY, Search, search_of
from api.dicomweb.search_rows import Row, document, rows, skipping, variables
from api.dicomweb.written_parts import whole_body
from api.problems import HttpProblem
from model.attributes import Key, Level

_SKIPPED_AT_ONCE: Final = 1_000
_MORE: Final = "More results match: ask on with offset={}."
_FUZZY: Final = "fuzzymatching is not supported for {}: only literal matching has been performed."


async def search(asked: WebRequest, above: Key, *, level: Level) -> Response:
    """Raises HttpProblem, InputError."""
    request = asked.request
    if len(request.scope["query_string"]) > MAX_QUERY:
        raise HttpProblem(414, f"The query of the URL has more than {MAX_QUERY} bytes.", code="URI_TOO_LONG")
    media_type = chosen(accepted(request))
    wanted = search_of(level, above, request.query_params.multi_items())
    given = variables(wanted) | {"archives": asked.archives}
    after, is_there = await _skipped(asked, wanted, given)
    first = (
        wanted.limit if is_there else 1
    )  # beyond the end nothing is answered but what is known of the list
    page = (await asked.run(document(wanted), given | {"first": first, "after": after}))["page"]
    found = rows(wanted, page["nodes"], asked.root) if is_there else []
    headers = _warned(page, wanted, len(found), is_there=is_there)
    if not found:
        return Response(status_code=204, headers=headers)
    if media_type == XML:
        parts = await run_in_threadpool(lambda: [(XML, to_xml(row)) for row in found])
        return whole_body(parts, XML, headers)
    return Response(_json(found), headers=headers, media_type=media_type)


async def _skipped(asked: WebRequest, wanted: Search, given: dict[str, Any]) -> tuple[str | None, bool]:
    """The cursor behind so many results, and whether anything may follow it: lists go on from places, not counts."""
    after, left = None, wanted.offset
    while left:
        first = min(left, _SKIPPED_AT_ONCE)
        page = (await asked.run(skipping(wanted), _paging(given) | {"first": first, "after": after}))["page"]
        after, left = page["pageInfo"]["endCursor"], left - first
        if not page["pageInfo"]["hasNextPage"]:
            return after, False
    return after, True


def _paging(given: dict[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in ("filter", "archives")}


def _warned(page: Any, wanted: Search, shown: int, *, is_there: bool) -> dict[str, str]:
    """What a list of rows cannot say itself."""
    words = []
    if not page["complete"]:
        lacking = [s["archive"]["code"] for s in page["sources"] if s["state"] not in WHOLE]
        words.append(NOT_COMPLETE.format(", ".join(lacking)))
    if is_there and page["pageInfo"]["hasNextPage"]:
        words.append(_MORE.format(wanted.offset + shown))
    if wanted.unmatched_fuzzily:
        words.append(_FUZZY.format(", ".join(wanted.unmatched_fuzzily)))
    return warned(words)


def _json(found: list[Row]) -> bytes:
    return orjson.dumps(found)
