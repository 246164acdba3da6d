"""WADO-RS (PS3.18 10.4) for whoever passes it on: an answer comes in parts, and each part in pieces."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from io import BytesIO
from typing import Final, Protocol, runtime_checkable

from archives.client import Row
from archives.errors import ArchiveError, BadAnswer, Rejected, TooLarge
from archives.file_frames import frames_of
from archives.flow import Flow
from archives.multipart import Begin, Event, Parts, media_type_of
from archives.part_ten import checked
from archives.queries import segment
from archives.transport import Transport
from archives.wado import SEGMENTS
from model.attributes import Key

DICOM: Final = 'multipart/related; type="application/dicom"'
AS_STORED: Final = (f"{DICOM}; transfer-syntax=*", DICOM, "*/*")
"""Instances, byte for byte."""
_FRAMES: Final = re.compile(r"frames/([0-9,]+)\Z")
_REFUSED_ACCEPT: Final = frozenset({400, 406, 415})


@dataclass(frozen=True, slots=True)
class WantedObject:
    """uids: of a study, of a series in it, of an instance in that. below: what of it, as the end of a path
    (`frames/1,2`, `rendered`); empty: the instances themselves. accepts: headers that mean the same to us, the first
    that the archive takes counts. query: parameters, as they stand in a URL. syntaxes: transfer syntaxes of which each
    part must have one; none: any. may_fail: what is asked for is made on the way (decoded, drawn), and a server that
    cannot do it for these pixels, and answers 500, is not sick."""

    uids: Key
    accepts: tuple[str, ...]
    below: str = ""
    query: str = ""
    syntaxes: frozenset[str] = frozenset()
    may_fail: bool = False


@runtime_checkable
class Retrieving(Protocol):
    """An archive that gives what it holds."""

    def retrieve(self, wanted: WantedObject) -> AsyncGenerator[Event, None]:
        """A Begin for each part, then its content. Of instances each is one that was asked for, and its Begin has the
        transfer syntax that it has. Raises ArchiveError: Rejected with 404 for what is not there, and with 406 for a
        media type that there is not."""
        ...

    async def described(self, uids: Key) -> list[Row]:
        """Whole data sets, bulk data as paths below the study at this archive (`BulkDataURI`) where it has any; []
        when it is not there."""
        ...


async def from_dicomweb(transport: Transport, wanted: WantedObject) -> AsyncGenerator[Event, None]:
    path = "".join(f"/{name}/{segment(uid)}" for name, uid in zip(SEGMENTS, wanted.uids, strict=False))
    below = f"/{wanted.below}" if wanted.below else ""
    query = f"?{wanted.query}" if wanted.query else ""
    try:
        flow = await _begun(transport, f"{transport.url}{path}{below}{query}", wanted)
    except Rejected:
        if (frames := _FRAMES.match(wanted.below)) is None:
            raise
        async with aclosing(in_syntaxes(_cut_out(transport, wanted.uids, frames[1]), wanted)) as cut:
            async for event in cut:
                yield event
        return
    async with aclosing(flow):
        events = _stating(_events(flow)) if wanted.below else checked(_events(flow), wanted.uids)
        async with aclosing(in_syntaxes(events, wanted)) as told:
            try:
                async for event in told:
                    yield event
            except (BadAnswer, Rejected) as error:
                raise named(transport.code, error) from None


async def _cut_out(transport: Transport, uids: Key, numbers: str) -> AsyncGenerator[Event, None]:
    """Frames of an archive that gives none, or none of these: out of the instance, as they are stored."""
    content = bytearray()
    async with aclosing(from_dicomweb(transport, WantedObject(uids, AS_STORED))) as events:
        async for event in events:
            content += b"" if isinstance(event, Begin) else event
            if len(content) > transport.session.max_bytes:
                raise TooLarge(f"{transport.code}: an instance too large to take frames out of it")
    for begin, frame in await asyncio.to_thread(frames_of, BytesIO(content), numbers):
        yield begin
        yield frame


def named(code: str, error: ArchiveError) -> ArchiveError:
    """The same of an archive."""
    if error.message.startswith(f"{code}: "):
        return error
    return type(error)(f"{code}: {error.message}", error.status)


def _is_in(begin: Begin, syntaxes: frozenset[str]) -> bool:
    return not syntaxes or begin.parameters.get("transfer-syntax") in syntaxes


async def _stating(events: AsyncGenerator[Event, None]) -> AsyncGenerator[Event, None]:
    """The same parts, none of which says of its transfer syntax that it is any."""
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Begin) and event.parameters.get("transfer-syntax") == "*":
                yield Begin(event.type, {})
            else:
                yield event


async def _begun(transport: Transport, url: str, wanted: WantedObject) -> Flow:
    """The same may have to be asked for in other words: there are archives that refuse them."""
    for accept in wanted.accepts[:-1]:
        try:
            return await transport.stream(url, accept, may_fail=wanted.may_fail)
        except Rejected as error:
            if error.status not in _REFUSED_ACCEPT:
                raise
    return await transport.stream(url, wanted.accepts[-1], may_fail=wanted.may_fail)


async def in_syntaxes(
    events: AsyncGenerator[Event, None], wanted: WantedObject
) -> AsyncGenerator[Event, None]:
    """Raises Rejected 406 for a part in another transfer syntax than was asked for."""
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Begin) and not _is_in(event, wanted.syntaxes):
                raise Rejected("answers another transfer syntax", 406)
            yield event


async def _events(flow: Flow) -> AsyncGenerator[Event, None]:
    whole = media_type_of(flow.headers.get("Content-Type", "application/octet-stream"))
    if whole.type != "multipart/related":
        yield whole
        async for piece in flow:
            yield piece
        return
    boundary = whole.parameters.get("boundary")
    if not boundary:
        raise BadAnswer("parts without a boundary")
    parts = Parts(boundary)
    async for piece in flow:
        for event in parts.feed(piece):
            yield event
    parts.end()
