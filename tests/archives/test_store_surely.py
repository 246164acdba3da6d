"""What became of each instance, whatever an archive answers: its sequences are believed, all else is asked for."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from tempfile import TemporaryFile
from typing import Any, cast

import pytest

from archives.client import Spooled
from archives.dicomweb import DicomWebArchive
from archives.errors import CircuitOpen
from archives.store_surely import OUT_OF_RESOURCES, PROCESSING_FAILURE, Fate, in_chunks, store_surely
from config.archives_file import ArchiveConfig
from tests.archives.faulty import Exchange, faulty
from tests.archives.files import SPLIT, instance

CONFIG = ArchiveConfig("store", "ERN-EYE", "Store", "dicomweb", url="http://127.0.0.1:1", timeout=5)
FILES = [instance(SPLIT, 1, number) for number in (1, 2, 3, 4)]
UIDS = [f"{SPLIT}.1.{number}" for number in (1, 2, 3, 4)]
REFERENCED, FAILED, OTHER = "00081199", "00081198", "0008119A"


def named(sequence: str, *uids: str, reason: int | None = None) -> dict[str, Any]:
    code = {} if reason is None else {"00081197": {"vr": "US", "Value": [reason]}}
    items = [{"00081155": {"vr": "UI", "Value": [uid]}} | code for uid in uids]
    return {sequence: {"vr": "SQ", "Value": items}}


Post = Callable[["Pacs", Exchange, list[str]], None]


@dataclass
class Pacs:
    """post: what it does with instances, which came byte for byte. holds: what it has."""

    post: Post
    holds: set[str] = field(default_factory=set)
    posts: list[list[str]] = field(default_factory=list)
    searches_fail: bool = False

    def __call__(self, exchange: Exchange) -> None:
        if exchange.method == "POST":
            came = [uid for uid, content in zip(UIDS, FILES, strict=True) if content in exchange.body]
            self.posts.append(came)
            self.post(self, exchange, came)
        elif self.searches_fail:
            exchange.reply(500)
        else:
            exchange.rows([_row(uid) for uid in sorted(self.holds) if exchange.offset == 0])


def _row(uid: str) -> dict[str, object]:
    values = {"0020000D": SPLIT, "0020000E": f"{SPLIT}.1", "00080018": uid}
    return {tag: {"vr": "UI", "Value": [value]} for tag, value in values.items()}


def said(exchange: Exchange, status: int, *answers: dict[str, Any], **headers: str) -> None:
    body: dict[str, Any] = {}
    for answer in answers:
        body |= answer
    exchange.reply(status, json.dumps(body).encode() if answers else b"", **headers)


@contextmanager
def spooled() -> Iterator[list[Spooled]]:
    with TemporaryFile() as file:
        found = []
        for uid, content in zip(UIDS, FILES, strict=True):
            found.append(Spooled(cast(Any, file), file.tell(), len(content), (SPLIT, f"{SPLIT}.1", uid)))
            file.write(content)
        file.flush()
        yield found


@asynccontextmanager
async def stored(pacs: Pacs, *, may_ask: bool = True) -> AsyncIterator[list[Fate]]:
    with faulty(pacs) as server, spooled() as instances:
        client = DicomWebArchive(replace(CONFIG, url=server.url))
        try:
            yield await store_surely(client, instances, may_ask=may_ask)
        finally:
            await client.close()


def all_named(pacs: Pacs, exchange: Exchange, came: list[str]) -> None:
    said(exchange, 200, named(REFERENCED, *came))


def one_failure_named(pacs: Pacs, exchange: Exchange, came: list[str]) -> None:
    """Of two that fail, and nothing of one that it has."""
    pacs.holds |= set(UIDS[:2])
    said(exchange, 202, named(REFERENCED, UIDS[0]), named(FAILED, UIDS[2], reason=0xC122))


def reason_in_a_header(pacs: Pacs, exchange: Exchange, came: list[str]) -> None:
    said(exchange, 409, Warning='299 pacs "Study is locked"')


def half_of_it(pacs: Pacs, exchange: Exchange, came: list[str]) -> None:
    pacs.holds |= set(UIDS[:2])
    exchange.reply(202)


def wrong_sequence(pacs: Pacs, exchange: Exchange, came: list[str]) -> None:
    pacs.holds |= set(came)
    said(exchange, 200, named(OTHER, *came))


def both_sequences(pacs: Pacs, exchange: Exchange, came: list[str]) -> None:
    pacs.holds |= set(UIDS[:3])
    said(exchange, 202, named(REFERENCED, *came), named(FAILED, UIDS[3], reason=0xA700))


def one_spoils_all(pacs: Pacs, exchange: Exchange, came: list[str]) -> None:
    if UIDS[1] in came:
        said(exchange, 400)
    else:
        pacs.holds |= set(came)
        said(exchange, 200, named(REFERENCED, *came))


def cut_after_all(pacs: Pacs, exchange: Exchange, came: list[str]) -> None:
    pacs.holds |= set(came)
    exchange.reset()


def cut_once(pacs: Pacs, exchange: Exchange, came: list[str]) -> None:
    pacs.holds |= set(UIDS[:2] if len(pacs.posts) == 1 else came)
    if len(pacs.posts) == 1:
        exchange.reset()
    else:
        said(exchange, 200, named(REFERENCED, *came))


def cut_always(pacs: Pacs, exchange: Exchange, came: list[str]) -> None:
    exchange.reset()


def busy(pacs: Pacs, exchange: Exchange, came: list[str]) -> None:
    exchange.reply(503)


def a_page(pacs: Pacs, exchange: Exchange, came: list[str]) -> None:
    pacs.holds |= set(came)
    exchange.reply(200, b"<html>stored", "text/html")


X, Y = PROCESSING_FAILURE, OUT_OF_RESOURCES


@pytest.mark.parametrize(
    ("post", "reasons", "posts"),
    [
        (all_named, [None] * 4, 1),
        (one_failure_named, [None, None, 0xC122, X], 1),
        (reason_in_a_header, [X] * 4, 5),
        (half_of_it, [None, None, X, X], 1),
        (wrong_sequence, [None] * 4, 1),
        (both_sequences, [None, None, None, 0xA700], 1),
        (one_spoils_all, [None, X, None, None], 5),
        (cut_after_all, [None] * 4, 1),
        (cut_once, [None] * 4, 2),
        (cut_always, [X] * 4, 2),
        (busy, [Y] * 4, 1),
        (a_page, [None] * 4, 1),
    ],
)
async def test_fate_of_each(post: Post, reasons: list[int | None], posts: int) -> None:
    pacs = Pacs(post)
    async with stored(pacs) as fates:
        assert [fate.instance.uids[-1] for fate in fates] == UIDS
        assert [fate.reason for fate in fates] == reasons
    assert len(pacs.posts) == posts
    assert pacs.posts[0] == UIDS
    if post is cut_once:
        assert pacs.posts[1] == UIDS[2:]  # what is there is not sent again


async def test_what_is_not_known_is_not_stored() -> None:
    pacs = Pacs(half_of_it, searches_fail=True)
    async with stored(pacs) as fates:
        assert [fate.reason for fate in fates] == [PROCESSING_FAILURE] * 4
    assert len(pacs.posts) == 1


async def test_who_may_not_know_is_told_what_the_archive_named() -> None:
    """Else one could ask for UIDs by sending what is refused."""
    pacs = Pacs(one_failure_named, holds=set(UIDS))
    async with stored(pacs, may_ask=False) as fates:
        assert [fate.reason for fate in fates] == [None, X, 0xC122, X]
    assert len(pacs.posts) == 1


async def test_an_archive_that_is_left_alone_is_sent_nothing() -> None:
    pacs = Pacs(busy)
    with faulty(pacs) as server, spooled() as instances:
        client = DicomWebArchive(replace(CONFIG, url=server.url))
        with pytest.raises(CircuitOpen):  # noqa: PT012
            for _ in range(20):
                await store_surely(client, instances, may_ask=False)
        await client.close()
        assert len(pacs.posts) < 20


def test_chunks() -> None:
    with spooled() as instances:
        [one, *_] = instances
        big = replace(one, size=2**31)
        chunks = list(in_chunks([*[one] * 45, big, one, big]))
        assert [len(chunk) for chunk in chunks] == [20, 20, 5, 1, 1, 1]
        assert not list(in_chunks([]))
