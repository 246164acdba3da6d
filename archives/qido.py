"""One search request (QIDO-RS, PS3.18 10.6) and its answer as a page of rows. Which requests a search takes, and how
their pages make an answer, is dicomweb.py.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from dicomweb_client import DICOMwebClient

from archives.errors import Rejected
from archives.pager import Page
from archives.queries import Query, segment
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


async def search(
    transport: Transport, query: Query, limit: int, offset: int, fields: tuple[str, ...] | None
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
    return Page(reply.value, bool(reply.warnings))


def _request(
    web: DICOMwebClient, query: Query, limit: int, offset: int, fields: tuple[str, ...] | None
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


async def _has_parent(transport: Transport, query: Query) -> bool:
    """Whether the parent that the query's route names is there: only then is its 404 an error."""
    parent = Query("studies", filters={"StudyInstanceUID": str(query.study_uid)})
    if query.series_uid is not None:
        parent = Query("series", query.study_uid, filters={"SeriesInstanceUID": query.series_uid})
    wanted = query.series_uid or query.study_uid
    name = SERIES_INSTANCE_UID if query.series_uid else STUDY_INSTANCE_UID
    return any(text(row, name) == wanted for row in (await search(transport, parent, 1, 0, None)).rows)
