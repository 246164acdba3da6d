"""Storing instances, and knowing of each whether it is there: by the archive's answer, and where that does not say, by
asking for it.

Archives name one failed instance of several, answer 409 with the reason in a header, 202 with half of it stored, or
nothing at all. What their sequences name is believed; of all else it is asked whether it is there. Nothing is sent
again unless it is known not to be there.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from archives.client import ArchiveClient, Selection, Spooled
from archives.errors import (
    ArchiveError,
    CircuitOpen,
    NotSupported,
    Rejected,
    ServerFailed,
    TooLarge,
    Unreachable,
)
from archives.rows import SOP_INSTANCE_UID, text

AT_ONCE: Final = 20
BYTES_AT_ONCE: Final = 32 * 1024**2
"""Of one request: a larger instance is sent alone."""
PROCESSING_FAILURE: Final = 0x0110
OUT_OF_RESOURCES: Final = 0xA700


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of an instance. reason: FailureReason (PS3.18 table 10.5.3-2) of one that is not stored."""

    instance: Spooled
    reason: int | None = None

    @property
    def is_stored(self) -> bool:
        return self.reason is None


def in_chunks(instances: Sequence[Spooled]) -> Iterator[list[Spooled]]:
    """What is sent together."""
    chunk: list[Spooled] = []
    size = 0
    for each in instances:
        if chunk and (len(chunk) == AT_ONCE or size + each.size > BYTES_AT_ONCE):
            yield chunk
            chunk, size = [], 0
        chunk.append(each)
        size += each.size
    if chunk:
        yield chunk


async def store_surely(client: ArchiveClient, chunk: Sequence[Spooled], *, may_ask: bool) -> list[Fate]:
    """may_ask: whether somebody may be told that the archive has what its answer does not name. Raises ArchiveError
    where nothing was sent, as the archive is left alone just now or takes nothing."""
    fates = [fate async for fate in _fates(client, list(chunk), may_ask=may_ask, again=True)]
    of = {fate.instance: fate for fate in fates}
    return [of[each] for each in chunk]


async def _fates(
    client: ArchiveClient, chunk: list[Spooled], *, may_ask: bool, again: bool
) -> AsyncIterator[Fate]:
    failure: ArchiveError | None = None
    codes: dict[str, int | None] = {}
    stored: set[str] = set()
    try:
        result = await client.store(chunk)
        stored, codes = set(result.stored), result.codes
    except (CircuitOpen, NotSupported):
        raise
    except ArchiveError as error:
        failure = error
    # One that is named twice, as stored and as failed, is looked for as well.
    unsaid = [each for each in chunk if (each.uids[-1] in stored) == (each.uids[-1] in codes)]
    there = await _there(client, unsaid) if may_ask and unsaid else set()
    lacking: list[Spooled] = []
    for each in chunk:
        if each in unsaid and there is not None and each.uids not in there:
            lacking.append(each)
        elif each in unsaid:
            yield Fate(each, PROCESSING_FAILURE if there is None else None)
        elif each.uids[-1] in stored:
            yield Fate(each)
        else:
            yield Fate(each, codes[each.uids[-1]] or PROCESSING_FAILURE)
    groups = _groups(lacking, failure) if may_ask and again else []
    for group in groups:
        try:
            async for fate in _fates(client, group, may_ask=may_ask, again=len(group) < len(chunk)):
                yield fate
        except ArchiveError:  # it is left alone by now; nothing of this group was told of
            for each in group:
                yield Fate(each, OUT_OF_RESOURCES)
    otherwise = OUT_OF_RESOURCES if failure is not None and failure.is_busy else PROCESSING_FAILURE
    for each in [] if groups else lacking:
        yield Fate(each, codes.get(each.uids[-1]) or otherwise)


def _groups(lacking: list[Spooled], failure: ArchiveError | None) -> list[list[Spooled]]:
    """How what is known not to be there is sent again: each alone, where one of them may have spoilt the others; once
    more, where the connection broke. What an archive is silent about, it may still be at work on."""
    if isinstance(failure, Rejected | ServerFailed | TooLarge) and not failure.is_busy and len(lacking) > 1:
        return [[each] for each in lacking]
    return [lacking] if isinstance(failure, Unreachable) and lacking else []


async def _there(client: ArchiveClient, instances: Sequence[Spooled]) -> set[tuple[str, ...]] | None:
    """The UIDs of those that the archive has; None where it does not tell."""
    found: set[tuple[str, ...]] = set()
    for series in {each.uids[:2] for each in instances}:
        wanted = sorted({each.uids[-1] for each in instances if each.uids[:2] == series})
        try:
            answer = await client.search_instances(Selection([series[0]], [series[1]], wanted))
        except ArchiveError:
            return None
        if not answer.complete:
            return None
        found |= {(*series, uid) for row in answer.rows if (uid := text(row, SOP_INSTANCE_UID))}
    return found
