"""RetrieveMetadata (PS3.18 10.4.1.1.2): whole data sets, as their archive has them or under pseudonyms; URLs name this
server."""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final

import orjson
from starlette.responses import Response

from api.admission.leaving import ClosedStream, unless_gone
from api.dicomweb.asked import WebRequest
from api.dicomweb.copies import HeldCopies, Piece, find, series_of
from api.dicomweb.media_types import XML, accepted, chosen
from api.dicomweb.native_xml import to_xml
from api.dicomweb.passing_on import RetrievalCutShort, refusal
from api.dicomweb.search_rows import row_of_attributes, url_of
from api.dicomweb.written_parts import content_type, new_boundary, part_head, tail
from api.problems import HttpProblem
from archives.errors import ArchiveError, NotSupported, Rejected
from archives.retrieval import Retrieving
from model.attributes import Key

Row = dict[str, Any]

_PAGE: Final = 100
_BULK: Final = re.compile(
    r"(series/[^/?#]+/instances/[^/?#]+)/(bulk|bulkdata)/([A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*)\Z"
)
_SOP, _STUDY, _SERIES = "00080018", "0020000D", "0020000E"
_CHARACTER_SET, _RETRIEVE_URL = "00080005", "00081190"
_NOT_WHOLE: Final = "The archives that hold it did not give whole data sets just now."
_DOCUMENT: Final = (
    "query Metadata($filter: InstanceFilter, $archives: [String!], $first: Int, $after: String) {"
    " page: instances(filter: $filter, archives: $archives, first: $first, after: $after) {"
    " pageInfo { hasNextPage endCursor } sources { archive { code } state }"
    " nodes { sopInstanceUid attributes { tag vr value } series { seriesInstanceUid study { studyInstanceUid } } } } }"
)


async def metadata(asked: WebRequest, uids: Key) -> Response:
    """Raises HttpProblem."""
    media_type = chosen(accepted(asked.request))
    found = await find(asked, uids)
    lists = _pseudonymised(asked, found) if found.is_pseudonymised else _stored(asked, found)
    try:
        first = await unless_gone(asked.request.receive, anext(lists))
    except StopAsyncIteration:
        raise HttpProblem(404, "There are no instances.") from None
    except BaseException:
        await lists.aclose()
        raise
    if media_type == XML:
        boundary = new_boundary()
        return ClosedStream(
            _in_xml(first, lists, boundary),
            headers={"Content-Type": content_type(XML, boundary), **asked.warning()},
        )
    return ClosedStream(_in_json(first, lists), headers=asked.warning(), media_type=media_type)


async def _in_json(first: list[Row], lists: AsyncGenerator[list[Row], None]) -> AsyncGenerator[bytes, None]:
    """One array, list by list."""
    async with aclosing(lists):
        yield b"[" + orjson.dumps(first)[1:-1]
        async for rows in lists:
            yield b"," + orjson.dumps(rows)[1:-1]
        yield b"]"


async def _in_xml(
    first: list[Row], lists: AsyncGenerator[list[Row], None], boundary: str
) -> AsyncGenerator[bytes, None]:
    async with aclosing(lists):
        for number, row in enumerate(first):
            yield part_head(boundary, XML, is_first=not number) + to_xml(row)
        async for rows in lists:
            for row in rows:
                yield part_head(boundary, XML, is_first=False) + to_xml(row)
        yield tail(boundary)


async def _stored(asked: WebRequest, found: HeldCopies) -> AsyncGenerator[list[Row], None]:
    """Series by series, so that no study is too large; none of the lists is empty."""
    begun = False
    for piece in await series_of(asked, found):
        try:
            rows = await _described(asked, piece)
        except HttpProblem:
            if begun:
                raise RetrievalCutShort from None
            raise
        begun = True
        yield rows


async def _described(asked: WebRequest, piece: Piece) -> list[Row]:
    """From the first archive that has them. Raises HttpProblem."""
    failures: list[ArchiveError] = []
    for code in piece.archives:
        client = asked.context.services.archives.get(code)
        try:
            if not isinstance(client, Retrieving):
                raise NotSupported(f"{code}: gives no metadata")
            rows = [
                row
                for row in await client.described(piece.uids)
                if _uids(row)[: len(piece.uids)] == piece.uids
            ]
            if not rows:
                raise Rejected(f"{code}: does not have it", 404)
        except ArchiveError as error:
            failures.append(error)
        else:
            return [_ours(row, asked) for row in rows]
    raise refusal(failures)


async def _pseudonymised(asked: WebRequest, found: HeldCopies) -> AsyncGenerator[list[Row], None]:
    """From the schema, which has the pseudonyms of all that a data set names."""
    uids, after, begun = found.uids, None, False
    given: dict[str, Any] = {"series": {"study": {"studyInstanceUid": {"eq": uids[0]}}}}
    if len(uids) > 1:
        given["series"]["seriesInstanceUid"] = {"eq": uids[1]}
    if len(uids) > 2:
        given["sopInstanceUid"] = {"eq": uids[2]}
    while True:
        variables = {"filter": given, "archives": asked.archives, "first": _PAGE, "after": after}
        page = (await asked.run(_DOCUMENT, variables))["page"]
        asked.note(page["sources"], found.archives)
        if asked.failed:
            if begun:
                raise RetrievalCutShort
            raise HttpProblem(503, _NOT_WHOLE, headers={"Retry-After": "30"})
        if page["nodes"]:
            begun = True
            yield [_pseudonym(node, asked) for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


def _pseudonym(node: Any, asked: WebRequest) -> Row:
    row = row_of_attributes(node["attributes"])
    names = (
        (_STUDY, node["series"]["study"]["studyInstanceUid"]),
        (_SERIES, node["series"]["seriesInstanceUid"]),
        (_SOP, node["sopInstanceUid"]),
    )
    row |= {tag: {"vr": "UI", "Value": [uid]} for tag, uid in names}
    return dict(sorted((row | _told_here(asked, tuple(uid for _, uid in names))).items()))


def _ours(row: Row, asked: WebRequest) -> Row:
    uids = _uids(row)
    study = url_of(asked.root, uids[:1])
    return {tag: _with_our_urls(element, study) for tag, element in row.items()} | _told_here(asked, uids)


def _with_our_urls(element: Any, study: str) -> Any:
    """study: the URL below which bulk data is."""
    if element.get("vr") == "SQ":
        items = [
            {tag: _with_our_urls(inside, study) for tag, inside in item.items()}
            for item in element.get("Value", ())
        ]
        return {**element, "Value": items} if items else element
    if (uri := element.get("BulkDataURI")) is None:
        return element
    rest = {name: value for name, value in element.items() if name != "BulkDataURI"}
    return rest | ({"BulkDataURI": f"{study}/{uri}"} if _BULK.match(uri) else {})


def _told_here(asked: WebRequest, uids: Key) -> Row:
    """What is true of this answer, whatever it was in the archive: JSON and XML are in UTF-8."""
    return {
        _CHARACTER_SET: {"vr": "CS", "Value": ["ISO_IR 192"]},
        _RETRIEVE_URL: {"vr": "UR", "Value": [url_of(asked.root, uids)]},
    }


def _uids(row: Row) -> Key:
    return tuple(str((row.get(tag, {}).get("Value") or [""])[0]) for tag in (_STUDY, _SERIES, _SOP))
