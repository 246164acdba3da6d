"""What archives give, passed on as it comes: from the best copy that answers, in as little memory as a piece takes."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Final

import structlog
from starlette.responses import Response

from api.admission.leaving import ClosedStream, unless_gone
from api.dicomweb.asked import WebRequest
from api.dicomweb.copies import HeldCopies, Piece, series_of
from api.dicomweb.written_parts import content_type, new_boundary, part_head, tail
from api.identity.auth import seconds_left
from api.problems import HttpProblem
from archives.errors import ArchiveError, NotSupported
from archives.multipart import Begin, Event
from archives.retrieval import Retrieving, WantedObject

_NOT_THERE: Final = frozenset({400, 404, 410})
_NOT_SO: Final = frozenset({406, 415, 501})
_GONE: Final = "The archives that held it when they were indexed do not have it, or not this part of it."
_OTHERWISE: Final = (
    "No archive that holds it gives it in this form: {}. Accept another media type or transfer syntax."
)
_DOWN: Final = "No archive that holds it gives it now: {}."
_log = structlog.stdlib.get_logger("api.dicomweb")


class RetrievalCutShort(Exception):
    """An archive failed when a part was on its way: the connection is closed, so that nobody takes a part for all."""


@dataclass(frozen=True, slots=True)
class How:
    """accepts, below, query, syntaxes, may_fail: of archives.retrieval.Wanted."""

    accepts: tuple[str, ...]
    below: str = ""
    query: str = ""
    syntaxes: frozenset[str] = frozenset()
    may_fail: bool = False


@dataclass(slots=True)
class Passing:
    """Pieces from their archives, as parts of one answer. types: media types that may be passed on."""

    asked: WebRequest
    pieces: Sequence[Piece]
    how: How
    types: frozenset[str] | None = None

    async def events(self) -> AsyncGenerator[Event, None]:
        """Raises HttpProblem where nothing of a piece came from any archive, RetrievalCutShort later."""
        has_begun = False
        waiting = list(reversed(self.pieces))
        while waiting:
            piece = waiting.pop()
            try:
                events, begun = await self._begun(piece)
            except HttpProblem as refused:
                if refused.status == 404 and (smaller := await self._smaller(piece)):
                    waiting += reversed(smaller)
                    continue
                if has_begun:
                    raise RetrievalCutShort from None
                raise
            async with aclosing(events):
                for event in begun:
                    yield event
                has_begun = True
                try:
                    async for event in events:
                        if isinstance(event, Begin) and not self._may_go_on(event):
                            raise RetrievalCutShort
                        yield event
                except ArchiveError as error:
                    _log.warning("dicomweb.cut_short", code=error.code)
                    raise RetrievalCutShort from None

    async def _smaller(self, piece: Piece) -> list[Piece]:
        """The series of a study that an archive does not give as one: Orthanc, where it stands under two patients."""
        if self.how.below or len(piece.uids) > 1:
            return []
        return await series_of(self.asked, HeldCopies(piece.uids, "", piece.archives))

    def _may_go_on(self, begin: Begin) -> bool:
        """Whether the right to it holds still, and the part is one of these types."""
        is_known = self.types is None or begin.type in self.types
        return is_known and seconds_left(self.asked.request) != 0.0 and self.asked.context.still_holds()

    async def _begun(self, piece: Piece) -> tuple[AsyncGenerator[Event, None], list[Event]]:
        """What the first archive gives that gives something: nothing of it has been sent yet."""
        failures: list[ArchiveError] = []
        how = self.how
        for code in piece.archives:
            client = self.asked.context.services.archives.get(code)
            if not isinstance(client, Retrieving):
                failures.append(NotSupported(f"{code}: gives no instances"))
                continue
            wanted = WantedObject(piece.uids, how.accepts, how.below, how.query, how.syntaxes, how.may_fail)
            events = client.retrieve(wanted)
            try:
                begun = [event async for event in _first(events)]
                first = begun[0] if begun else None
                if not isinstance(first, Begin) or not self._may_go_on(first):
                    raise NotSupported(f"{code}: answers another media type")
            except ArchiveError as error:
                failures.append(error)
                await events.aclose()
            except BaseException:
                await events.aclose()
                raise
            else:
                return events, begun
        raise refusal(failures)


async def _first(events: AsyncIterator[Event]) -> AsyncIterator[Event]:
    """Up to the first bytes: an archive that fails before these has not begun."""
    with suppress(StopAsyncIteration):
        while True:
            event = await anext(events)
            yield event
            if isinstance(event, bytes):
                return


def refusal(failures: Sequence[ArchiveError]) -> HttpProblem:
    """Of what no archive gave."""
    told = ", ".join(dict.fromkeys(f"{error.message.partition(':')[0]} {error.code}" for error in failures))
    here = [error for error in failures if error.status not in _NOT_THERE]
    if not here:
        return HttpProblem(404, _GONE)
    if all(error.status in _NOT_SO or isinstance(error, NotSupported) for error in here):
        return HttpProblem(406, _OTHERWISE.format(told))
    return HttpProblem(503, _DOWN.format(told), headers={"Retry-After": "30"})


async def in_parts(passing: Passing, of: str) -> Response:
    """multipart/related. of: the media type that the answer says, where its parts are of another one each."""
    boundary = new_boundary()
    events = _placed(passing)
    first = await _opened(passing, events)

    async def body() -> AsyncGenerator[bytes, None]:
        async with aclosing(events):
            yield part_head(boundary, written(first), is_first=True)
            async for event in events:
                yield (
                    part_head(boundary, written(event), is_first=False) if isinstance(event, Begin) else event
                )
            yield tail(boundary)

    said = first.type if of == "*/*" else of
    return ClosedStream(
        body(), headers={"Content-Type": content_type(said, boundary), **passing.asked.warning()}
    )


async def alone(passing: Passing) -> Response:
    """One part as the whole answer."""
    events = _placed(passing)
    first = await _opened(passing, events)

    async def body() -> AsyncGenerator[bytes, None]:
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Begin):
                    raise RetrievalCutShort
                yield event

    return ClosedStream(body(), headers={"Content-Type": written(first)})


async def _placed(passing: Passing) -> AsyncGenerator[Event, None]:
    """When it is the asker's turn: answers of one person that are on their way are so many at most."""
    async with passing.asked.turn_to_stream(), aclosing(passing.events()) as events:
        async for event in events:
            yield event


async def _opened(passing: Passing, events: AsyncGenerator[Event, None]) -> Begin:
    """The first part, for a client that is there. Raises HttpProblem."""
    try:
        first = await unless_gone(passing.asked.request.receive, anext(events))
    except BaseException:
        await events.aclose()
        raise
    if not isinstance(first, Begin):
        raise TypeError("content before its part")
    return first


def written(begin: Begin) -> str:
    """A media type as a header says it."""
    syntax = begin.parameters.get("transfer-syntax")
    return f"{begin.type}; transfer-syntax={syntax}" if syntax else begin.type
