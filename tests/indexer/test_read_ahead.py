"""Reading ahead: what comes while a batch is written is the next one, in order and nothing lost."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from archives.errors import Unreachable
from indexer import read_ahead
from indexer.batch import Batch
from indexer.read_ahead import reading_ahead
from model.attributes import Level
from model.dicom_json import parse
from tests.rows import study


def _batch(*uids: str) -> Batch:
    records, rejected = parse(Level.STUDY, [study(uid) for uid in uids])
    assert not rejected
    return Batch(asked=list(uids), studies=records, studies_whole=set(uids), shortfalls=[f"of {uids[0]}"])


async def _told(*items: tuple[Batch, str]) -> AsyncGenerator[tuple[Batch, str], None]:
    for item in items:
        yield item


async def _all(source: AsyncGenerator[tuple[Batch, str], None]) -> list[tuple[list[str], str]]:
    return [(batch.asked, checkpoint) async for batch, checkpoint in reading_ahead(source)]


async def test_what_is_at_hand_is_one_batch_with_the_last_checkpoint() -> None:
    source = _told((_batch("1.1", "1.2"), "a"), (_batch("1.3"), "b"), (_batch("1.4"), ""))
    ((batch, checkpoint),) = [item async for item in reading_ahead(source)]
    assert (batch.asked, checkpoint) == (["1.1", "1.2", "1.3", "1.4"], "b")
    assert [record.uid for record in batch.studies] == batch.asked
    assert batch.studies_whole == set(batch.asked)
    assert batch.shortfalls == ["of 1.1", "of 1.3", "of 1.4"]


async def test_a_slow_source_is_passed_on_item_by_item() -> None:
    written = asyncio.Event()

    async def slow() -> AsyncGenerator[tuple[Batch, str], None]:
        for number in range(3):
            yield _batch(f"1.{number}"), str(number)
            await written.wait()
            written.clear()

    found = []
    async for batch, checkpoint in reading_ahead(slow()):
        found.append((batch.asked, checkpoint))
        written.set()
    assert found == [(["1.0"], "0"), (["1.1"], "1"), (["1.2"], "2")]


async def test_a_study_that_is_told_again_is_written_again() -> None:
    source = _told(
        (_batch("1.1"), "a"), (_batch("1.2"), "b"), (_batch("1.1", "1.3"), "c"), (_batch("1.4"), "d")
    )
    assert await _all(source) == [(["1.1", "1.2"], "b"), (["1.1", "1.3", "1.4"], "d")]


async def test_no_more_is_read_ahead_than_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_ahead, "ROWS_AT_ONCE", 3)
    read = []

    async def source() -> AsyncGenerator[tuple[Batch, str], None]:
        for number in range(10):
            read.append(number)
            yield _batch(f"1.{number}.0", f"1.{number}.1"), str(number)

    async with aclosing(reading_ahead(source())) as batches:
        first = await anext(batches)
        for _ in range(20):
            await asyncio.sleep(0)
        assert (len(first[0].asked), read) == (4, [0, 1, 2, 3])
        sizes = [len(batch.asked) async for batch, _ in batches]
    assert sizes == [4, 4, 4, 4]
    assert read == list(range(10))


async def test_what_was_read_before_an_error_comes_first() -> None:
    async def source() -> AsyncGenerator[tuple[Batch, str], None]:
        yield _batch("1.1"), "a"
        yield _batch("1.2"), "b"
        raise Unreachable("connection reset")

    async with aclosing(reading_ahead(source())) as batches:
        assert (await anext(batches))[0].asked == ["1.1", "1.2"]
        with pytest.raises(Unreachable):
            await anext(batches)


async def test_closing_ends_the_reading() -> None:
    ended = []

    async def source() -> AsyncGenerator[tuple[Batch, str], None]:
        try:
            yield _batch("1.1"), "a"
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async with aclosing(reading_ahead(source())) as batches:
        assert (await anext(batches))[1] == "a"
    assert ended == [True]


async def test_nothing() -> None:
    assert await _all(_told()) == []
