"""The rate limit: a bucket a person, and one truth for several processes."""

import pytest

from db.pool import Database, StatementTimeout
from db.rate_limit import RateLimit


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def spend(limit: RateLimit, person: str, most: int = 1000) -> int:
    """How many requests pass before one does not."""
    return next((count for count in range(most) if limit.take(person)), most)


async def test_a_burst_then_a_pace(database: Database) -> None:
    clock = Clock()
    limit = RateLimit(database, 60, clock)
    assert spend(limit, "anna") == 60
    assert 0 < limit.take("anna") <= 1
    assert spend(limit, "bert") == 60
    clock.now += 10
    assert spend(limit, "anna") == 10
    clock.now += 3600
    assert spend(limit, "anna") == 60


async def test_what_one_process_hands_out_another_lacks(database: Database) -> None:
    clock = Clock()
    one, other = RateLimit(database, 60, clock), RateLimit(database, 60, clock)
    assert spend(one, "anna") == 60
    await one.share()
    assert other.take("anna") == 0.0  # it has not looked yet: the bound is a bucket a process
    await other.share()
    assert spend(other, "anna") == 0
    assert other.take("anna") > 0


async def test_the_overshoot_is_a_debt(database: Database) -> None:
    clock = Clock()
    one, other = RateLimit(database, 60, clock), RateLimit(database, 60, clock)
    assert spend(one, "anna") + spend(other, "anna") == 120
    await one.share()
    await other.share()
    await one.share()
    assert other.take("anna") > 50  # seconds until the debt is paid
    row = await database.fetchrow("test", "select tokens from rate_bucket")
    assert row is not None
    assert row["tokens"] == pytest.approx(-60, abs=1)


async def test_nothing_spent_is_nothing_asked(database: Database) -> None:
    limit = RateLimit(database, 60)
    await limit.share()
    assert await database.fetch("test", "select from rate_bucket") == []


async def test_full_buckets_are_forgotten(database: Database) -> None:
    clock = Clock()
    limit = RateLimit(database, 60, clock)
    limit.take("anna")
    await limit.share()
    clock.now += 3600
    await limit.share()
    assert not limit._buckets


async def test_without_a_database_the_process_goes_on_alone(database_url: str) -> None:
    database = await Database.open(database_url)
    limit = RateLimit(database, 60, Clock())
    limit.take("anna")
    await database.close()
    with pytest.raises(Exception, match="closed"):
        await limit.share()
    assert spend(limit, "anna") == 59
    assert limit._buckets.popitem()[1].spent == 60


async def test_a_statement_that_takes_too_long_is_ended(database_url: str) -> None:
    database = await Database.open(database_url, statement_timeout=0.2)
    with pytest.raises(StatementTimeout):
        await database.fetch("test", "select pg_sleep(5)")
    assert (await database.fetch("test", "show statement_timeout"))[0][0] == "200ms"
    await database.close()


async def test_some_requests_count_as_less_than_one(database: Database) -> None:
    clock = Clock()
    limit = RateLimit(database, 60, clock)
    passed = next(count for count in range(2000) if limit.take("anna", 0.0625))
    assert passed == 960
    assert limit.take("anna", 0.0625) == pytest.approx(0.0625)
    clock.now += 0.0625
    assert limit.take("anna", 0.0625) == 0
    assert limit.take("anna") == pytest.approx(1)
