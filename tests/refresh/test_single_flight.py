"""Work that askers share: one read for all who want it, remembered for a request, and read again after a failure."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from db.pool import StatementTimeout
from refresh.single_flight import SingleFlight
from tests.resolvers.runtime import Runtime


class _Reads:
    """Fails as often as told, and then answers how often it was asked."""

    def __init__(self, failures: int = 0) -> None:
        self.asked, self._failures = 0, failures

    async def __call__(self) -> int:
        self.asked += 1
        await asyncio.sleep(0)
        if self.asked <= self._failures:
            raise StatementTimeout(StatementTimeout.message)
        return self.asked


def _once(reads: _Reads) -> Callable[[], Coroutine[Any, Any, int]]:
    flight: SingleFlight[None, int] = SingleFlight(remembers=True)
    return lambda: flight.shared(None, reads)


async def test_all_who_want_it_share_one_read() -> None:
    reads = _Reads()
    once = _once(reads)
    assert list(await asyncio.gather(once(), once())) == [1, 1]
    assert (await once(), reads.asked) == (1, 1)


async def test_a_failure_is_shared_by_those_who_wait_and_not_kept() -> None:
    once = _once(_Reads(failures=1))
    told = await asyncio.gather(once(), once(), return_exceptions=True)
    assert [type(each) for each in told] == [StatementTimeout, StatementTimeout]
    assert (await once(), await once()) == (2, 2)


async def test_one_who_goes_away_leaves_it_to_the_others() -> None:
    once = _once(_Reads())
    first, second = asyncio.ensure_future(once()), asyncio.ensure_future(once())
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 1
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_what_is_not_remembered_is_shared_on_its_way_alone() -> None:
    reads, flight = _Reads(), SingleFlight[None, int]()
    assert list(await asyncio.gather(flight.shared(None, reads), flight.shared(None, reads))) == [1, 1]
    assert await flight.shared(None, reads) == 2


async def test_totals_of_coverage_are_counted_once_a_level(runtime: Runtime) -> None:
    ask = """{ attributeDefinitions(search: "Study", first: 6) { nodes { coverage { level total { value } } } } }"""
    answer = await runtime.ask(ask)
    levels = [
        node["coverage"][0]["level"]
        for node in answer.data["attributeDefinitions"]["nodes"]
        if node["coverage"]
    ]
    assert Counter(levels) == {"study": 2, "series": 2}
    counted = [name for name in answer.statements if name.startswith("stats_")]
    # what has a value for each definition; all there are, and all that are searched, for each level
    assert len(counted) == len(levels) + 2 * len(set(levels))
