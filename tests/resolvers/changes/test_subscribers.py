"""Subscriptions at their edges: where they begin, what is refused, who is too slow or too many, and health."""

import asyncio
from typing import Any

import pytest

from db.archives import save_health
from db.pool import Database
from db.writing.events import prune
from model.errors import BadCursor, BadInput, EventsExpired, Forbidden, InputError, NotFound
from reads.changes import changes_cursor
from reads.subscribers import Subscribers
from resolvers.changes.study_changes import StudyChange, health_changes, study_changes
from resolvers.filters.inputs import StudyFilter
from resolvers.filters.matches import DateRange, ListMatch, StringMatch
from tests.db.writing.ingesting import store
from tests.resolvers.following import (
    COUNTS,
    FULL,
    PSEUDONYMISED,
    Follower,
    following,
    two_services,
    until,
    viewer,
    with_projections,
)
from tests.rows import study

EVERYTHING = viewer(FULL, FULL, FULL)
MIXED = viewer(FULL, PSEUDONYMISED, COUNTS)
MR = StudyFilter(modalities_in_study=ListMatch(any=["MR"]))


async def test_since_gives_what_was_missed_once(database: Database) -> None:
    await with_projections(database)
    async with two_services(database) as (one, other):
        first = Follower(one, EVERYTHING)
        async with following(first):
            for number in range(6):
                await store(database, 1, [study(f"1.{number}")])
            await until(lambda: len(first.changes) == 6)
        for number, change in enumerate(first.changes):
            late = Follower(other, EVERYTHING)
            task = asyncio.create_task(late.follow(change.cursor))
            await until(lambda late=late, number=number: len(late.changes) == 5 - number)  # type: ignore[misc]
            await asyncio.sleep(0.1)
            task.cancel()
            assert [c.study_instance_uid for c in late.changes] == [f"1.{n}" for n in range(number + 1, 6)]


async def first_of(follower: Follower, since: str | None = None) -> StudyChange:
    stream = study_changes(follower.context(), follower.filter, follower.archives, since)
    return await asyncio.wait_for(anext(stream), 10)


async def test_what_is_refused(database: Database) -> None:
    await with_projections(database)
    name = StudyFilter(study_description=StringMatch(contains="x"))
    nobody = viewer(COUNTS, COUNTS, COUNTS)
    cases: list[tuple[Follower | None, Any, type[InputError]]]
    async with two_services(database) as (one, _):
        cases = [
            (Follower(one, EVERYTHING, None, ["nowhere"]), None, NotFound),
            (Follower(one, MIXED, None, ["a2"]), None, Forbidden),
            (Follower(one, nobody), None, Forbidden),
            (Follower(one, viewer(PSEUDONYMISED, COUNTS, COUNTS), name), None, Forbidden),
            (Follower(one, MIXED, name, ["a1"]), None, BadInput),
            (Follower(one, EVERYTHING, StudyFilter(study_date=DateRange())), "AAAA", BadCursor),
            (Follower(one, EVERYTHING), "x" * 70_000, BadCursor),
            (Follower(one, EVERYTHING), one.cursors.seal("study:STUDY_DATE-", _position()), BadCursor),
        ]
        for follower, since, error in cases:
            assert follower is not None
            with pytest.raises(error):
                await first_of(follower, since)
        assert not one.subscribers._open


def _position() -> Any:
    from model.cursors import Position

    return Position((None,), "1.2")


async def test_old_cursors_and_old_events(database: Database) -> None:
    await with_projections(database)
    async with two_services(database) as (one, _):
        cursor = await changes_cursor(Follower(one, EVERYTHING).context())
        await store(database, 1, [study("1.1")])
        await prune(database, 73)
        assert len(await database.fetch("t", "select from study_event")) == 1
        assert (await first_of(Follower(one, EVERYTHING), cursor)).study_instance_uid == "1.1"
        one.subscribers.retention_hours = -1  # as if it had been given out long ago
        with pytest.raises(EventsExpired):
            await first_of(Follower(one, EVERYTHING), cursor)
        for table in ("study_event", "pseudonymised.study_event"):
            await database.execute("t", f"update {table} set at = at - interval '4 days'")  # noqa: S608
        await prune(database, 73)
        assert await database.fetch("t", "select from study_event") == []


async def test_a_slow_reader_is_told_so(database: Database) -> None:
    """And nothing is read ahead for one who does not take what is there."""
    await with_projections(database)
    async with two_services(database) as (one, _):
        one.subscribers.patience = 0.2
        follower = Follower(one, EVERYTHING)
        stream = study_changes(follower.context(), None, None, await changes_cursor(follower.context()))
        for number in range(3):
            await store(database, 1, [study(f"1.{number}")])
        assert (await anext(stream)).study_instance_uid == "1.0"
        await asyncio.sleep(0.5)
        with pytest.raises(InputError) as told:
            await anext(stream)
        assert told.value.code == "SLOW_CONSUMER"
        assert not one.subscribers._open


async def test_so_many_and_no_more_and_the_end_of_all(database: Database) -> None:
    await with_projections(database)
    async with two_services(database) as (one, other):
        one.subscribers.most = 2
        open_ones = [asyncio.create_task(first_of(Follower(one, EVERYTHING))) for _ in range(2)]
        await until(lambda: one.subscribers._open["somebody"] == 2)
        with pytest.raises(InputError) as refused:
            await first_of(Follower(one, EVERYTHING))
        assert refused.value.code == "TOO_MANY_SUBSCRIPTIONS"
        one.subscribers.stop()
        ended = await asyncio.gather(*open_ones, return_exceptions=True)
        assert [getattr(each, "code", None) for each in ended] == ["GOING_AWAY"] * 2
        assert isinstance(other.subscribers, Subscribers)


async def test_health(database: Database) -> None:
    """Told when it changes, whoever looked, and not when it does not."""
    ids = await with_projections(database)
    told: list[tuple[str, str]] = []
    async with two_services(database) as (one, _):
        context = Follower(one, viewer(FULL, COUNTS, COUNTS)).context()

        async def follow() -> None:
            async for archive in health_changes(context, ["a0", "a1"]):
                told.append((archive.row.code, archive.row.health_state))

        task = asyncio.create_task(follow())
        await until(lambda: one.subscribers.listener.connections == 1)
        await context.archives()  # as the follower reads them first
        for code, state, seen in (
            ("a0", "UP", 1),
            ("a0", "UP", 1),
            ("a1", "DOWN", 2),
            ("a2", "DOWN", 2),
            ("a0", "DOWN", 3),
        ):
            await save_health(database, ids[code], state)
            await until(lambda seen=seen: len(told) == seen)  # type: ignore[misc]
        task.cancel()
    assert told == [("a0", "UP"), ("a1", "DOWN"), ("a0", "DOWN")]
