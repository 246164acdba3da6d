"""One request for whole data sets (WADO-RS RetrieveMetadata, PS3.18 10.4.1), without bulk data."""

from functools import partial
from typing import Any

from archives.client import Row
from archives.errors import Rejected
from archives.queries import segment
from archives.rows import as_rows, without_bulk
from archives.transport import Transport


async def metadata(
    transport: Transport, study_uid: str, series_uid: str | None, sop_uid: str | None
) -> list[Row] | None:
    """Of a study, a series or an instance; None for a 404. Raises ArchiveError."""
    web = transport.web
    work: partial[Any]
    if series_uid is None:
        work = partial(web.retrieve_study_metadata, segment(study_uid))
    elif sop_uid is None:
        work = partial(web.retrieve_series_metadata, segment(study_uid), segment(series_uid))
    else:
        work = partial(_of_instance, transport, segment(study_uid), segment(series_uid), segment(sop_uid))
    try:
        reply = await transport.ask(lambda: [without_bulk(row) for row in as_rows(work())])
    except Rejected as error:
        if error.status == 404:
            return None
        raise
    return reply.value


def _of_instance(transport: Transport, study_uid: str, series_uid: str, sop_uid: str) -> Any:
    """All that is answered: dicomweb-client takes the first row, which may be any, and there may be none."""
    url = f"{transport.url}/studies/{study_uid}/series/{series_uid}/instances/{sop_uid}/metadata"
    answered = transport.session.get(url, headers={"Accept": "application/dicom+json, application/json"})
    return answered.json() if answered.content else []
