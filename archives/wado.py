"""One request for whole data sets (WADO-RS RetrieveMetadata, PS3.18 10.4.1), without bulk data."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final
from urllib.parse import urljoin

from archives.client import Row
from archives.errors import Rejected
from archives.queries import segment
from archives.rows import as_rows, values, without_bulk
from archives.transport import Transport
from model.attributes import Key

SEGMENTS: Final = ("studies", "series", "instances")


async def metadata(
    transport: Transport,
    study_uid: str,
    series_uid: str | None,
    sop_uid: str | None,
    cut: Callable[[Row], Row] = without_bulk,
) -> list[Row] | None:
    """Of a study, a series or an instance; None for a 404. cut: what is left of each data set. Raises ArchiveError."""
    web = transport.web
    work: partial[Any]
    if series_uid is None:
        work = partial(web.retrieve_study_metadata, segment(study_uid))
    elif sop_uid is None:
        work = partial(web.retrieve_series_metadata, segment(study_uid), segment(series_uid))
    else:
        work = partial(_of_instance, transport, segment(study_uid), segment(series_uid), segment(sop_uid))
    try:
        reply = await transport.ask(lambda: [cut(row) for row in as_rows(work())])
    except Rejected as error:
        if error.status == 404:
            return None
        raise
    return reply.value


async def described(transport: Transport, uids: Key) -> list[Row] | None:
    """The same with bulk data: its URIs are paths below the archive, of the asked study; others are left out."""
    study, series, sop = (*uids, None, None)[:3]
    path = "".join(f"/{name}/{segment(uid)}" for name, uid in zip(SEGMENTS, uids, strict=False))
    base = f"{transport.url}{path}/metadata"
    below = f"{transport.url}/studies/{segment(uids[0])}/"
    return await metadata(transport, str(study), series, sop, partial(_placed, base=base, below=below))


def _placed(row: Row, base: str, below: str) -> Row:
    """PS3.18 8.7.3 allows URIs that are relative to the request."""
    placed: Row = {}
    for tag, element in row.items():
        if not isinstance(element, dict):
            continue
        if element.get("vr") == "SQ":
            items = [_placed(item, base, below) for item in values(row, tag) if isinstance(item, dict)]
            placed[tag] = {"vr": "SQ", **({"Value": items} if items else {})}
        elif "BulkDataURI" in element:
            uri = urljoin(base, str(element["BulkDataURI"]))
            kept = {"BulkDataURI": uri.removeprefix(below)} if uri.startswith(below) else {}
            placed[tag] = {"vr": element.get("vr", "UN"), **kept}
        else:
            placed[tag] = element
    return placed


def _of_instance(transport: Transport, study_uid: str, series_uid: str, sop_uid: str) -> Any:
    """All that is answered: dicomweb-client takes the first row, which may be any, and there may be none."""
    url = f"{transport.url}/studies/{study_uid}/series/{series_uid}/instances/{sop_uid}/metadata"
    answered = transport.session.get(url, headers={"Accept": "application/dicom+json, application/json"})
    return answered.json() if answered.content else []
