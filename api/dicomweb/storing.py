"""STOW-RS (PS3.18 10.5) into one archive, for who may upload there: of each instance it is known what became of it.

An upload waits on the disk until all of it is here; what breaks off before that was never sent to the archive.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final

import orjson
from starlette.responses import Response

from access.audit import BEGUN, IMPORTING
from access.scope import AccessLevel, ScopedArchive
from api.admission.leaving import takes_longer
from api.admission.trail import asking
from api.dicomweb.asked import WebRequest, warned
from api.dicomweb.media_types import XML, accepted, chosen
from api.dicomweb.search_rows import url_of
from api.dicomweb.spooling import Spool, fill, parts_of, spool
from api.problems import HttpProblem, refusal_of
from archives.client import ArchiveClient, Spooled
from archives.errors import ArchiveError, NotSupported
from archives.store_surely import OUT_OF_RESOURCES, Fate, in_chunks, store_surely
from archives.stow import FAILED_SOP_SEQUENCE, REFERENCED_SOP_SEQUENCE, seconds_for
from db.audit.log import AuditUnavailable
from model.attributes import Level
from model.bounds import Bounds
from refresh.reading import Wanted

Row = dict[str, Any]

VERB: Final = "upload"
INDEXED_WITHIN: Final = 20.0
"""Seconds that an answer waits for what was stored to be in lists; it comes there later all the same."""
_STUDIES_AT_ONCE: Final = 50
_DEPTHS: Final = {"study": Level.STUDY, "series": Level.SERIES, "instance": Level.INSTANCE}
_OTHER_FAILURES, _RETRIEVE_URL, _FAILURE_REASON = "0008119A", "00081190", "00081197"
_SOP_CLASS, _SOP_INSTANCE = "00081150", "00081155"
_NOT_THERE: Final = "There is no such archive that you may see."
_NOT_YOURS: Final = (
    "To send images to this archive its network must grant you the verb upload: "
    "`viewer { grants { ern access verbs } }` at /graphql tells yours."
)
_ONLY_READ: Final = "This archive takes no images: it is only read."
_LATE: Final = "Stored, but not yet in lists: it will be with the next run of the index."


async def store(asked: WebRequest) -> Response:
    """Raises HttpProblem."""
    _is_import()
    archive = _may_upload(asked)
    if chosen(accepted(asked.request)) == XML:
        raise HttpProblem(406, "This is answered as application/dicom+json.")
    client, parts = _client_of(asked, archive), parts_of(asked.request)
    settings = asked.context.services.settings
    async with asked.turn_to_stream():
        with spool(settings, asked.request.path_params.get("study")) as found:
            await fill(found, asked.request, parts)
            if not (found.instances or found.failed or found.others):
                raise HttpProblem(400, "There is no instance in this upload.")
            _touched(asked, archive, found)
            await _told(asked, BEGUN)
            try:
                fates = await _sent(asked, archive, client, found.instances)
            except HttpProblem as refused:
                await _told(asked, refused.code)
                raise
            fates += [Fate(instance, reason) for instance, reason in found.failed]
            is_indexed = await _indexed(asked, archive, client, fates)
            _touched(asked, archive, found)
            await _told(asked, _outcome(fates, found.others))
            return _answer(asked.root, fates, found.others, [] if is_indexed else [_LATE])


def _is_import() -> None:
    """In the audit trail: searches have the same path."""
    request = asking.get()
    if request is not None:
        request.endpoint = f"{IMPORTING}{request.endpoint.removeprefix(IMPORTING)}"


def _may_upload(asked: WebRequest) -> ScopedArchive:
    """The archive. Raises HttpProblem: 404 where there is none that they may see, 403 without the verb."""
    of = asked.context.access_scope.archives
    archive = next((each for each in of if each.code == asked.archive), None)
    if archive is None:
        raise HttpProblem(404, _NOT_THERE)
    if not any(grant.ern == archive.ern and VERB in grant.verbs for grant in asked.context.viewer.grants):
        raise HttpProblem(403, _NOT_YOURS)
    return archive


def _client_of(asked: WebRequest, archive: ScopedArchive) -> ArchiveClient:
    client = asked.context.services.archives.get(archive.code)
    if client is None:
        raise HttpProblem(404, _NOT_THERE)
    if client.config.kind == "folder":
        raise HttpProblem(501, _ONLY_READ, code=NotSupported.code)
    return client


async def _sent(
    asked: WebRequest, archive: ScopedArchive, client: ArchiveClient, instances: Sequence[Spooled]
) -> list[Fate]:
    """A chunk at a time. Raises HttpProblem 503 where the archive was not even asked."""
    may_ask = asked.context.viewer.access_to(archive.ern) is AccessLevel.FULL
    fates: list[Fate] = []
    for chunk in in_chunks(instances):
        timeout = client.config.timeout
        size = sum(each.size for each in chunk)
        takes_longer(2 * seconds_for(timeout, size) + (len(chunk) + 2) * timeout)
        try:
            fates += await store_surely(client, chunk, may_ask=may_ask)
        except ArchiveError:
            if not fates:
                raise HttpProblem(
                    503, "The archive takes nothing just now.", headers={"Retry-After": "10"}
                ) from None
            fates += [Fate(each, OUT_OF_RESOURCES) for each in chunk]
    return fates


async def _indexed(
    asked: WebRequest, archive: ScopedArchive, client: ArchiveClient, fates: Iterable[Fate]
) -> bool:
    """Reads what was stored into the index; whether it is there."""
    studies = sorted({fate.instance.uids[0] for fate in fates if fate.is_stored})
    depth = _DEPTHS[client.config.index]
    takes_longer(INDEXED_WITHIN + asked.context.services.settings.request_timeout)
    until = asyncio.get_running_loop().time() + INDEXED_WITHIN
    are_whole = True
    for start in range(0, len(studies), _STUDIES_AT_ONCE):
        bounds = Bounds(study_uids=frozenset(studies[start : start + _STUDIES_AT_ONCE]))
        within = max(until - asyncio.get_running_loop().time(), 0.0)
        outcome = await asked.context.services.live.reread(archive.archive_id, Wanted(bounds, depth), within)
        are_whole = are_whole and outcome.code is None
    return are_whole


def _touched(asked: WebRequest, archive: ScopedArchive, found: Spool) -> None:
    """For the next line of the audit trail."""
    touched = asked.context.touched
    touched.asked([archive.archive_id])
    touched.studies.update(instance.uids[0] for instance in found.instances)
    touched.patients.update(found.patients)


async def _told(asked: WebRequest, outcome: str) -> None:
    """Raises HttpProblem where the line is not safe."""
    try:
        await asked.admission.trail.transferred(asked.context, outcome)
    except AuditUnavailable as error:
        raise refusal_of(error.code, error.message) from None


def _outcome(fates: Sequence[Fate], others: Sequence[int]) -> str:
    if others or not all(fate.is_stored for fate in fates):
        return "PARTIAL" if any(fate.is_stored for fate in fates) else "REJECTED"
    return "OK"


def _answer(root: str, fates: Sequence[Fate], others: Sequence[int], warnings: Sequence[str]) -> Response:
    """PS3.18 10.5.3."""
    stored = [_item(fate) | _url(root, fate) for fate in fates if fate.is_stored]
    failed = [_item(fate) | _reason(fate.reason) for fate in fates if fate.reason is not None]
    studies = {fate.instance.uids[0] for fate in fates if fate.is_stored}
    body: Row = {}
    if len(studies) == 1:
        body[_RETRIEVE_URL] = {"vr": "UR", "Value": [url_of(root, tuple(studies))]}
    sequences = {
        REFERENCED_SOP_SEQUENCE: stored,
        FAILED_SOP_SEQUENCE: failed,
        _OTHER_FAILURES: [_reason(reason) for reason in others],
    }
    body |= {tag: {"vr": "SQ", "Value": items} for tag, items in sequences.items() if items}
    status = 409 if not stored else 202 if failed or others or warnings else 200
    return Response(orjson.dumps(body), status, headers=warned(warnings), media_type="application/dicom+json")


def _item(fate: Fate) -> Row:
    named = (
        {}
        if fate.instance.sop_class is None
        else {_SOP_CLASS: {"vr": "UI", "Value": [fate.instance.sop_class]}}
    )
    return named | {_SOP_INSTANCE: {"vr": "UI", "Value": [fate.instance.uids[-1]]}}


def _url(root: str, fate: Fate) -> Row:
    return {_RETRIEVE_URL: {"vr": "UR", "Value": [url_of(root, fate.instance.uids)]}}


def _reason(reason: int | None) -> Row:
    return {_FAILURE_REASON: {"vr": "US", "Value": [reason]}}
