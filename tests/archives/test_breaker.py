"""The breaker by itself, with a clock of its own, and in front of an archive that fails and recovers."""

import asyncio
import time
from dataclasses import replace

import pytest

from archives.breaker import LONGEST_REST, LONGEST_WISH, Breaker, BreakerState
from archives.client import Selection
from archives.dicomweb import DicomWebArchive
from archives.errors import (
    ArchiveError,
    BadAnswer,
    CircuitOpen,
    NotSupported,
    Rejected,
    ServerFailed,
    TimedOut,
    TooLarge,
    Unreachable,
)
from config.archives_file import ArchiveConfig
from tests.archives.by_name import by_name
from tests.archives.faulty import Behaviour, Exchange, faulty, first, holds, says, studies

CLOSED, OPEN, HALF_OPEN = BreakerState
SICK = TimedOut("x: no complete answer inside the deadline")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker("x", limit=3, rest=10.0, clock=clock)


def ask(breaker: Breaker, error: ArchiveError | None = None, *, trial: bool = False) -> str:
    """What comes of a request that ends so: 'ok', or the code of its error."""
    try:
        with breaker.guard(trial=trial):
            if error is not None:
                raise error
    except ArchiveError as caught:
        return caught.code
    return "ok"


def opened(breaker: Breaker) -> None:
    for _ in range(3):
        ask(breaker, SICK)


@pytest.mark.parametrize(
    ("error", "opens"),
    [
        (Unreachable("x: connection refused"), True),
        (SICK, True),
        (ServerFailed("x: answered 503", 503), True),
        (BadAnswer("x: HTML"), True),
        (Rejected("x: answered 429", 429), True),
        (Rejected("x: answered 400", 400), False),
        (Rejected("x: answered 401", 401), False),
        (TooLarge("x: too large"), False),
        (NotSupported("x: cannot"), False),
    ],
)
def test_what_opens_it(breaker: Breaker, error: ArchiveError, opens: bool) -> None:
    assert [ask(breaker, error) for _ in range(3)] == [error.code] * 3
    assert breaker.state is (OPEN if opens else CLOSED)
    assert ask(breaker) == ("CIRCUIT_OPEN" if opens else "ok")


def test_only_failures_in_a_row_open_it(breaker: Breaker) -> None:
    for outcome in (SICK, SICK, None, SICK, SICK, Rejected("x: answered 404", 404), SICK, SICK):
        ask(breaker, outcome)
    assert breaker.state is CLOSED
    ask(breaker, SICK)
    assert breaker.state is OPEN


def test_after_its_rest_one_request_is_the_trial(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 12.1
    assert breaker.state is HALF_OPEN
    with breaker.guard():
        assert ask(breaker) == "CIRCUIT_OPEN"
    assert breaker.state is CLOSED
    assert breaker.retry_at is None
    assert [ask(breaker, SICK) for _ in range(2)] == ["TIMEOUT"] * 2
    assert breaker.state is CLOSED  # it counts from nothing again


def test_each_failed_trial_doubles_the_rest_up_to_a_minute(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    rests = []
    for _ in range(8):
        began = clock.now
        while breaker.state is OPEN:
            clock.now += 0.1
        rests.append(clock.now - began)
        assert ask(breaker, SICK) == "TIMEOUT"
    for rest, least in zip(rests, [10, 20, 40, 60, 60, 60, 60, 60], strict=True):
        assert 0.8 * least - 0.2 <= rest <= 1.2 * least + 0.2
    assert len({round(rest / 60, 3) for rest in rests[3:]}) > 1  # jitter
    assert max(rests) <= 1.2 * LONGEST_REST + 0.2


def test_a_trial_that_refuses_the_request_closes_it(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 12.1
    assert ask(breaker, Rejected("x: answered 404", 404)) == "REJECTED"
    assert breaker.state is CLOSED


def test_a_look_at_its_health_is_let_through_and_closes_it(breaker: Breaker) -> None:
    opened(breaker)
    before = breaker.retry_at
    assert ask(breaker, SICK, trial=True) == "TIMEOUT"
    assert breaker.state is OPEN
    assert before is not None
    assert breaker.retry_at is not None
    assert abs((breaker.retry_at - before).total_seconds()) < 1  # looking does not make it rest longer
    assert ask(breaker, trial=True) == "ok"
    assert breaker.state is CLOSED


async def test_a_cancelled_trial_leaves_the_turn_to_the_next(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 12.1
    with pytest.raises(asyncio.CancelledError), breaker.guard():
        raise asyncio.CancelledError
    assert breaker.state is HALF_OPEN
    assert ask(breaker) == "ok"


@pytest.mark.parametrize(("wish", "rest"), [(30.0, 30.0), (86_400.0, LONGEST_WISH)])
def test_a_retry_after_is_respected(breaker: Breaker, clock: Clock, wish: float, rest: float) -> None:
    for _ in range(3):
        ask(breaker, ServerFailed("x: answered 503", 503, wish))
    clock.now += rest - 0.1
    assert breaker.state is OPEN
    clock.now += 0.2
    assert breaker.state is HALF_OPEN


def test_the_refusal_says_since_when_why_and_until_when(breaker: Breaker) -> None:
    opened(breaker)
    with pytest.raises(CircuitOpen) as caught, breaker.guard():
        pass
    said = caught.value.message
    assert said.startswith("x: not asked since ")
    assert "after 3 failures in a row (TIMEOUT: no complete answer inside the deadline)" in said
    assert "tried again at" in said


# ---- in front of an archive --------------------------------------------------------------------------

CONFIG = ArchiveConfig(
    "x", "ERN-EYE", "X", "dicomweb", timeout=1.0, breaker_failures=3, breaker_rest=0.2, retries=0
)


async def outcome(client: DicomWebArchive) -> str:
    try:
        await client.search_studies(Selection(study_uids=["1.2.3.1"]))
    except ArchiveError as error:
        return error.code
    return "ok"


async def test_an_open_breaker_asks_nothing_and_recovers_by_itself() -> None:
    with faulty(first(3, says(500), holds(studies(2)))) as server:
        client = DicomWebArchive(replace(CONFIG, url=server.url))
        assert [await outcome(client) for _ in range(5)] == ["SERVER_ERROR"] * 3 + ["CIRCUIT_OPEN"] * 2
        assert len(server.asked) == 3
        standing = client.standing
        assert standing.errors == {"SERVER_ERROR": 3, "CIRCUIT_OPEN": 2}
        assert (standing.asked, standing.requests, standing.answered_at) == (3, 3, None)
        while standing.breaker.state is OPEN:  # noqa: ASYNC110 (it is a clock, not an event)
            await asyncio.sleep(0.01)
        assert await outcome(client) == "ok"
        assert standing.breaker.state is CLOSED
        assert standing.answered_at is not None
        await client.close()


async def test_a_look_at_its_health_closes_the_breaker() -> None:
    with faulty(first(3, says(500), holds(studies(2)))) as server:
        client = DicomWebArchive(replace(CONFIG, url=server.url, breaker_rest=60.0))
        assert [await outcome(client) for _ in range(4)] == ["SERVER_ERROR"] * 3 + ["CIRCUIT_OPEN"]
        assert (await client.health()).state == "UP"
        assert await outcome(client) == "ok"
        await client.close()


async def test_a_cancelled_search_is_no_failure() -> None:
    with faulty(lambda exchange: exchange.hang()) as server:
        client = DicomWebArchive(replace(CONFIG, url=server.url, timeout=30.0))
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await client.search_studies(Selection())
        assert client.standing.breaker.failures == 0
        await client.close()


# ---- retries -----------------------------------------------------------------------------------------


def busy(status: int, **headers: str) -> Behaviour:
    return says(status, b"", **headers)


@pytest.mark.parametrize(
    ("bad", "times", "expected"),
    [
        (busy(502), 2, ("ok", 3)),
        (busy(503), 2, ("ok", 3)),
        (busy(504), 2, ("ok", 3)),
        (busy(429), 2, ("ok", 3)),
        (lambda exchange: exchange.reset(), 2, ("ok", 3)),
        (busy(503), 3, ("SERVER_ERROR", 3)),
        (busy(500), 1, ("SERVER_ERROR", 1)),
        (busy(501), 1, ("REJECTED", 1)),
        (busy(404), 1, ("REJECTED", 1)),
        (busy(429, **{"Retry-After": "1"}), 1, ("ok", 2)),
        (busy(429, **{"Retry-After": "3600"}), 1, ("REJECTED", 1)),
        (busy(503, **{"Retry-After": "Fri, 31 Dec 2999 23:59:59 GMT"}), 1, ("SERVER_ERROR", 1)),
        (busy(503, **{"Retry-After": "soon"}), 1, ("ok", 2)),
    ],
)
async def test_retries(bad: Behaviour, times: int, expected: tuple[str, int]) -> None:
    with faulty(first(times, bad, holds(studies(2)))) as server:
        client = by_name(DicomWebArchive(replace(CONFIG, url=server.url, timeout=4.0, retries=2)))
        begin = time.monotonic()
        found = await outcome(client)
        took = time.monotonic() - begin
        await client.close()
    assert (found, len(server.asked)) == expected
    assert client.standing.requests == len(server.asked)
    assert took < 4.0


async def test_a_retry_after_is_waited_for() -> None:
    with faulty(first(1, busy(429, **{"Retry-After": "1"}), holds(studies(2)))) as server:
        client = DicomWebArchive(replace(CONFIG, url=server.url, timeout=10.0, retries=2))
        begin = time.monotonic()
        assert await outcome(client) == "ok"
        assert time.monotonic() - begin >= 1.0
        assert client.standing.retries == 1
        await client.close()


async def test_retries_end_with_the_deadline() -> None:
    def slowly_busy(exchange: Exchange) -> None:
        exchange.stopping.wait(0.4)
        exchange.reply(503)

    with faulty(slowly_busy) as server:
        client = DicomWebArchive(replace(CONFIG, url=server.url, timeout=1.0, retries=10))
        begin = time.monotonic()
        assert await outcome(client) in ("SERVER_ERROR", "TIMEOUT")
        assert time.monotonic() - begin < 1.1 + 0.5
        assert len(server.asked) < 5
        await client.close()


async def test_waiting_for_a_free_thread_counts_into_the_deadline() -> None:
    def slow(exchange: Exchange) -> None:
        exchange.stopping.wait(0.7)
        exchange.rows(studies(1))

    with faulty(slow) as server:
        config = replace(CONFIG, url=server.url, timeout=1.0, max_connections=1, breaker_failures=100)
        client = by_name(DicomWebArchive(config))
        begin = time.monotonic()
        found = await asyncio.gather(*(outcome(client) for _ in range(4)))
        assert time.monotonic() - begin < 1.1 + 0.5
        assert sorted(found) == ["TIMEOUT"] * 3 + ["ok"]
        await client.close()


async def test_a_hung_archive_does_not_delay_another() -> None:
    with faulty(lambda exchange: exchange.hang()) as hung, faulty(holds(studies(2))) as well:
        slow = DicomWebArchive(replace(CONFIG, url=hung.url, timeout=30.0))
        quick = DicomWebArchive(replace(CONFIG, url=well.url, timeout=5.0))
        stuck = [asyncio.create_task(outcome(slow)) for _ in range(50)]
        await asyncio.sleep(0.05)
        assert [await outcome(quick) for _ in range(10)] == ["ok"] * 10
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)
        await slow.close()
        await quick.close()
