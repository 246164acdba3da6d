"""One search request (QIDO-RS, PS3.18 10.6) and its answer as a page of rows. Which requests a search takes, and how
their pages make an answer, is dicomweb.py.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from dicomweb_client import DICOMwebClient

from archives.errors import Rejected
from archives.pager import Page
from archives.queries import SearchQuery, segment
from archives.rows import (
    SERIES_INSTANCE_UID,
    STUDY_INSTANCE_UID,
    as_rows,
    put,
    text,
    without_bulk,
)
from archives.transport import Transport
from archives.unread import set_aside

# Of code 299 only ("miscellaneous persistent warning"), whatever else stands in the header.
_MORE: Final = re.compile(
    r"\b299\b.*?(\b(additional|further|remaining|more) (\w+ )?(results?|match(es)?|entit(y|ies)|items?|rows?|records?"
    r"|studies|series|instances|resources|objects)\b|truncated|too many|exceed|incomplete|not all|\bpartial)",
    re.IGNORECASE | re.DOTALL,
)
_NUMBERED: Final = re.compile(r"\b(no|0) (additional|further|remaining|more)\b", re.IGNORECASE)


async def search(
    transport: Transport, query: SearchQuery, limit: int, offset: int, fields: tuple[str, ...] | None
) -> Page:
    """`limit` rows from `offset` on, each with the UIDs of its ancestors that the route names. fields: includefield.
    Raises ArchiveError."""
    work = _request(transport.web, query, limit, offset, fields)
    try:
        reply = await transport.ask(lambda: [without_bulk(row) for row in as_rows(work())])
    except Rejected as error:
        if error.status != 404 or query.study_uid is None or await _has_parent(transport, query):
            raise
        return Page([])  # a study that is not there has no children
    for row in reply.value:  # rows below a study need not repeat its UID (PS3.18 10.6.3)
        for tag, uid in ((STUDY_INSTANCE_UID, query.study_uid), (SERIES_INSTANCE_UID, query.series_uid)):
            if uid is not None and text(row, tag) is None:
                put(row, tag, "UI", uid)
    set_aside(query.level, reply.value)
    says_more = reply.is_part or any(map(speaks_of_more, reply.warnings))
    return Page(reply.value, reply.size, says_more, bool(reply.warnings))


def speaks_of_more(warning: str) -> bool:
    """Whether a Warning header says that more was found than was sent: "There are 17 additional results that can be
    requested" (PS3.18 10.6.3), and what servers write instead. Others are about anything else: a deprecated API, keys
    that are not looked at, a stale answer."""
    return _NUMBERED.search(warning) is None and _MORE.search(warning) is not None


def _request(
    web: DICOMwebClient, query: SearchQuery, limit: int, offset: int, fields: tuple[str, ...] | None
) -> Callable[[], list[Any]]:
    options: dict[str, Any] = {"limit": limit, "search_filters": query.filters, "fields": fields}
    if offset:
        options["offset"] = offset
    match query.level:
        case "studies":
            return partial(web.search_for_studies, **options)
        case "series":
            return partial(web.search_for_series, _segment(query.study_uid), **options)
        case _:
            study, series = _segment(query.study_uid), _segment(query.series_uid)
            return partial(web.search_for_instances, study, series, **options)


def _segment(uid: str | None) -> str | None:
    return None if uid is None else segment(uid)


async def _has_parent(transport: Transport, query: SearchQuery) -> bool:
    """Whether the parent that the query's route names is there: only then is its 404 an error."""
    parent = SearchQuery("studies", filters={"StudyInstanceUID": str(query.study_uid)})
    if query.series_uid is not None:
        parent = SearchQuery("series", query.study_uid, filters={"SeriesInstanceUID": query.series_uid})
    wanted = query.series_uid or query.study_uid
    name = SERIES_INSTANCE_UID if query.series_uid else STUDY_INSTANCE_UID
    return any(text(row, name) == wanted for row in (await search(transport, parent, 1, 0, None)).rows)
