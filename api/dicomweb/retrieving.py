"""WADO-RS: instances, frames, bulk data and pictures (PS3.18 10.4), as archives give them."""

import re
from collections.abc import Sequence
from typing import Final

from starlette.responses import Response

from api.dicomweb.asked import WebRequest
from api.dicomweb.copies import HeldCopies, Piece, find, pieces_of
from api.dicomweb.media_types import MULTIPART, Range, accepted, fits
from api.dicomweb.passing_on import How, Passing, alone, in_parts
from api.problems import HttpProblem
from archives.retrieval import AS_STORED
from model.attributes import Key

DICOM: Final = "application/dicom"
OCTETS: Final = "application/octet-stream"
PICTURES: Final = ("image/jpeg", "image/png", "image/gif", "image/jp2", "video/mp4", "video/mpeg")
FRAMES: Final = (
    *(OCTETS, "image/jpeg", "image/jls", "image/jp2", "image/jpx", "image/jphc", "image/jxl"),
    *("image/dicom-rle", "image/x-dicom-rle", "image/x-jls", "video/mpeg", "video/mp4", "video/mpeg2"),
)
MAX_FRAMES: Final = 100
_UID: Final = re.compile(r"[0-9.]{1,64}\Z")
_FRAMES: Final = re.compile(r"[1-9][0-9]{0,6}(,[1-9][0-9]{0,6})*\Z")
_BULK: Final = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*\Z")
_PARAMETERS: Final = {
    "viewport": re.compile(r"[0-9.,-]{1,64}\Z"),
    "window": re.compile(r"[0-9.eE+-]{1,24},[0-9.eE+-]{1,24},(linear|linear-exact|sigmoid)\Z"),
    "quality": re.compile(r"[0-9]{1,3}\Z"),
    "annotation": re.compile(r"(patient|technique)(,(patient|technique))?\Z"),
    "iccprofile": re.compile(r"(no|yes|srgb|adobergb|rommrgb)\Z"),
}
_NO_PIXELS: Final = (
    "You see this study under a pseudonym: images may show who it is, by what is burned into them or by the face. "
    "Its metadata is yours (…/metadata). For images ask its network for the access `full`."
)


async def instances(asked: WebRequest, uids: Key) -> Response:
    """Raises HttpProblem."""
    ranges = [each for each in accepted(asked.request) if fits(each.of, DICOM)]
    if not ranges:
        raise HttpProblem(
            406, f'This is answered as {MULTIPART}; type="{DICOM}"; an instance also as {DICOM}.'
        )
    is_alone = len(uids) == 3 and not ranges[0].is_multipart and ranges[0].type != "*/*"
    how = _in_syntaxes(ranges)
    passing = Passing(asked, await pieces_of(asked, await _with_pixels(asked, uids)), how)
    return await (alone(passing) if is_alone else in_parts(passing, DICOM))


def _in_syntaxes(ranges: Sequence[Range]) -> How:
    """As stored, unless nothing but certain transfer syntaxes is accepted."""
    syntaxes = [each.transfer_syntax for each in ranges]
    if None in syntaxes or "*" in syntaxes:
        return How(AS_STORED)
    known = [uid for uid in syntaxes if uid is not None and _UID.match(uid)]
    if not known:
        raise HttpProblem(400, "Accept: a transfer syntax is a UID, or *.")
    accepts = tuple(f'{MULTIPART}; type="{DICOM}"; transfer-syntax={uid}' for uid in known)
    return How(accepts, syntaxes=frozenset(known), may_fail=True)


async def frames(asked: WebRequest, uids: Key) -> Response:
    """Raises HttpProblem."""
    numbers = _frame_list(asked)
    ranges = [each for each in accepted(asked.request) if any(fits(each.of, known) for known in FRAMES)]
    if not ranges:
        raise HttpProblem(
            406, f'Frames are answered as {MULTIPART}; type="{OCTETS}", or as images of their syntax.'
        )
    accepts = tuple(dict.fromkeys(map(_of_frames, ranges)))
    types = frozenset(known for known in FRAMES if any(_takes(each, known) for each in ranges))
    how = How(accepts, f"frames/{numbers}", syntaxes=_asked_syntaxes(ranges), may_fail=True)
    passing = Passing(asked, await _from_one(asked, uids), how, types)
    is_alone = "," not in numbers and not ranges[0].is_multipart and ranges[0].type != "*/*"
    return await (alone(passing) if is_alone else in_parts(passing, "*/*"))


def _of_frames(wanted: Range) -> str:
    """A media range, as an archive is asked for it: as stored, where everything is taken."""
    if wanted.of.endswith("/*"):
        return f'{MULTIPART}; type="{OCTETS}"; transfer-syntax=*'
    syntax = wanted.transfer_syntax
    known = f"; transfer-syntax={syntax}" if syntax and (syntax == "*" or _UID.match(syntax)) else ""
    return f'{MULTIPART}; type="{wanted.of}"{known}'


def _takes(wanted: Range, known: str) -> bool:
    """Of octets in any transfer syntax archives answer the media type of that, which says more."""
    return fits(wanted.of, known) or (wanted.of == OCTETS and wanted.transfer_syntax == "*")


def _asked_syntaxes(ranges: Sequence[Range]) -> frozenset[str]:
    syntaxes = [each.transfer_syntax for each in ranges]
    return frozenset() if None in syntaxes or "*" in syntaxes else frozenset(filter(None, syntaxes))


async def rendered(asked: WebRequest, uids: Key, *, small: bool = False) -> Response:
    """A picture, drawn by the archive. small: a thumbnail. Raises HttpProblem."""
    frame = f"frames/{_frame_list(asked)}/" if "frames" in asked.request.path_params else ""
    ranges = [each for each in accepted(asked.request) if not each.is_multipart]
    types = [known for each in ranges for known in PICTURES if fits(each.type, known)]
    if not types:
        raise HttpProblem(406, f"Pictures are {', '.join(PICTURES)}.")
    query = _drawn(asked)
    pieces = await _from_one(asked, uids)
    accepts = tuple(dict.fromkeys(types))[:3]
    words = [
        ("thumbnail", query),
        ("rendered", query if "viewport" in query else f"{query}&viewport=128,128".lstrip("&")),
    ]
    known = frozenset(PICTURES)
    for name, given in words[:1] if small else ():
        try:
            return await alone(
                Passing(asked, pieces, How(accepts, frame + name, given, may_fail=True), known)
            )
        except HttpProblem as refused:  # few archives have any: then a small picture
            if refused.status not in (404, 406):
                raise
    given = words[1][1] if small else query
    return await alone(Passing(asked, pieces, How(accepts, f"{frame}rendered", given, may_fail=True), known))


async def thumbnail(asked: WebRequest, uids: Key) -> Response:
    """Raises HttpProblem."""
    return await rendered(asked, uids, small=True)


async def bulk(asked: WebRequest, uids: Key, *, kind: str) -> Response:
    """What metadata refer to, below `bulk` or whatever its archive calls it. Raises HttpProblem."""
    path = str(asked.request.path_params["path"])
    if len(path) > 256 or not _BULK.match(path):
        raise HttpProblem(400, "Bulk data is named by BulkDataURI of the metadata.")
    ranges = [each for each in accepted(asked.request) if fits(each.of, OCTETS) or each.of in FRAMES]
    if not ranges:
        raise HttpProblem(406, f"Bulk data is answered as {OCTETS}, alone or in {MULTIPART}.")
    accepts = (f'{MULTIPART}; type="{OCTETS}"; transfer-syntax=*', f'{MULTIPART}; type="{OCTETS}"', "*/*")
    passing = Passing(
        asked, await _from_one(asked, uids), How(accepts, f"{kind}/{path}", may_fail=True), frozenset(FRAMES)
    )
    return await (in_parts(passing, "*/*") if ranges[0].is_multipart else alone(passing))


async def _with_pixels(asked: WebRequest, uids: Key) -> HeldCopies:
    """Raises HttpProblem 403 for who sees a pseudonym."""
    found = await find(asked, uids)
    if found.is_pseudonymised:
        raise HttpProblem(403, _NO_PIXELS)
    return found


async def _from_one(asked: WebRequest, uids: Key) -> list[Piece]:
    """Of a picture there is one, from whichever copy."""
    found = await _with_pixels(asked, uids)
    return [Piece(uids, found.archives)]


def _frame_list(asked: WebRequest) -> str:
    given = str(asked.request.path_params["frames"])
    if len(given) > 8 * MAX_FRAMES or not _FRAMES.match(given) or given.count(",") >= MAX_FRAMES:
        raise HttpProblem(400, f"Frames: at most {MAX_FRAMES} numbers from 1, with commas between.")
    return given


def _drawn(asked: WebRequest) -> str:
    """The parameters of PS3.18 8.3.5 that an archive is told."""
    told = []
    for name, value in asked.request.query_params.multi_items():
        if name in ("accept", "charset"):
            continue
        if (form := _PARAMETERS.get(name)) is None or not form.match(value):
            raise HttpProblem(
                400, f"{name[:32]}: not a parameter of pictures, or not a value of it (PS3.18 8.3.5)."
            )
        told.append(f"{name}={value.replace('+', '%2B')}")
    return "&".join(told)
