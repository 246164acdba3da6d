"""Subscriptions to changes: what each person is told, in which order, and what is not lost."""

import asyncio
import random
from typing import Any

import pytest

from db.listener import CHECK_SECONDS
from db.pool import Connection, Database
from db.writing import ingest
from db.writing.consent import StudyConsent, set_consents
from model.attributes import Level
from resolvers.filters.inputs import InstanceFilter, SeriesFilter, StudyFilter
from resolvers.filters.matches import AttributeMatch, ListMatch, StringMatch
from tests.db.writing.ingesting import delete, store
from tests.db.writing.test_ingest_random import Batch, write
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
from tests.rows import instance, records, series, study

EVERYTHING = viewer(FULL, FULL, FULL)
MIXED = viewer(FULL, PSEUDONYMISED, COUNTS)
CONSENTED = viewer(PSEUDONYMISED, PSEUDONYMISED, FULL, "ERN-EYE", "ERN-RND")
MR = StudyFilter(modalities_in_study=ListMatch(any=["MR"]))


def batch(rng: random.Random) -> Batch:
    def some(most: int, *choices: list[Any]) -> list[Any]:
        return [tuple(map(rng.choice, choices)) for _ in range(rng.randint(0, most))]

    uids, parts, sops = ["1.1", "1.2", "1.3"], ["5.1", "5.2", "5.3"], ["8.1", "8.2", "8.3"]
    kinds, counts = ["MR", "CT", None], [None, 1, 2, 3]
    return Batch(
        archive=rng.choice([1, 2, 3]),
        studies=some(3, uids, ["A", "B"], kinds, counts),
        serieses=some(4, uids, parts, kinds, counts),
        instances=some(4, uids, parts, sops),
        whole=rng.sample(uids, rng.randint(0, 1)),
        series_of=rng.sample(uids, rng.randint(0, 2)),
        instances_of=some(1, uids, parts),
        deleted=rng.sample(uids, rng.choice([0, 0, 1])),
    )


@pytest.mark.parametrize("seed", [1, 2])
async def test_events_make_every_list_what_it_is(database: Database, seed: int) -> None:
    """Random writes and consents; lists that know nothing but events are equal to lists that are read."""
    rng = random.Random(seed)
    ids = await with_projections(database)
    async with two_services(database) as (one, other):
        followers = [
            Follower(services, who, given, archives)
            for services, who, given, archives in [
                (one, EVERYTHING, None, None),
                (other, EVERYTHING, MR, ["a1", "a2"]),
                (one, MIXED, None, None),
                (other, MIXED, StudyFilter(not_=MR), None),
                (other, CONSENTED, None, None),
                (one, CONSENTED, MR, None),
            ]
        ]
        async with following(*followers):
            for _ in range(25):
                made = batch(rng)
                await ingest.write(database, "batch", lambda conn, made=made: write(conn, made))  # type: ignore[misc]
                if rng.random() < 0.5:
                    given = StudyConsent(rng.choice(["1.1", "1.2", "1.3"]), False, False, rng.random() < 0.6)
                    await set_consents(database, rng.choice(list(ids.values())), [given], "test")
            for each in followers:
                wanted = await each.listed()
                await until(lambda each=each, wanted=wanted: each.seen == wanted)  # type: ignore[misc]
                assert each.seen == wanted
        assert any(len(each.seen) for each in followers)
        # Who comes later and asks since the beginning gets the same events, each once, in order.
        again = Follower(other, EVERYTHING)
        task = asyncio.create_task(again.follow(await _beginning(one, database)))
        await until(lambda: len(again.changes) >= 2 and again.seen == followers[0].seen)
        task.cancel()
        assert again.seen == followers[0].seen
        events = await database.fetch("t", "select at from study_event order by sequence")
        times = [row["at"] for row in events]
        assert times == sorted(times)
        told = [change.at for change in followers[0].changes]
        assert told == sorted(told)
        assert len(set(told)) == len(told)
        assert set(told) <= set(times)


async def _beginning(services: Any, database: Database) -> str:
    """A cursor of before the first event."""
    from model.cursors import Position

    (row,) = await database.fetch("t", "select now() as at")
    return str(services.cursors.seal("studyChanged", Position((0, 0, row["at"]), "")))


async def test_a_change_is_one_event_and_no_change_is_none(database: Database) -> None:
    await with_projections(database)
    rows = [study("1.1")], [series("1.1", "5.1")], [instance("1.1", "5.1", "8.1")]
    for _ in range(3):
        await store(database, 1, *rows, whole=["1.1"], series_of=["1.1"], instances_of=[("1.1", "5.1")])
    await store(database, 1, [study("1.1", StudyDescription="new")], [series("1.1", "5.2")])
    await store(database, 2, [study("1.1", StudyDescription="other")])  # no change of the first one's copy
    await delete(database, 1, "1.1")
    found = await database.fetch("t", "select archive_id, study_uid, kind from study_event order by sequence")
    assert [tuple(row) for row in found] == [
        (1, "1.1", "added"), (1, "1.1", "updated"), (2, "1.1", "added"), (1, "1.1", "removed"),
    ]  # fmt: skip
    found = await database.fetch(
        "t", "select archive_id, kind from pseudonymised.study_event order by sequence"
    )
    assert [tuple(row) for row in found] == [(1, "added"), (1, "updated"), (2, "added"), (1, "removed")]


async def test_what_the_index_learns_of_a_study_is_an_event(database: Database) -> None:
    """Nothing changed in the archive when a whole data set was fetched on demand, but lists did: filters find it."""
    await with_projections(database)
    thin = AttributeMatch(name="SliceThickness", eq="2.5")
    given = StudyFilter(series=SeriesFilter(instance=InstanceFilter(attribute=[thin])))
    await store(database, 1, [study("1.1")], [series("1.1", "5.1")], [instance("1.1", "5.1", "8.1")])
    whole = instance("1.1", "5.1", "8.1") | {"00180050": {"vr": "DS", "Value": [2.5]}}

    async def keep(conn: Connection) -> None:
        await ingest.store_instances(conn, 1, records(Level.INSTANCE, [whole]), (), full=True)
        await ingest.derive(conn)

    async with two_services(database) as (one, _):
        follower = Follower(one, EVERYTHING, given)
        async with following(follower):
            for _again in range(2):
                await ingest.write(database, "keep", keep)
            await until(lambda: bool(follower.changes))
            await asyncio.sleep(0.1)
        assert follower.kinds == ["UPDATED"]
        assert follower.seen.keys() == (await follower.listed()).keys() == {"1.1"}


async def test_kinds_by_what_the_viewer_may_see(database: Database) -> None:
    """The copy that another archive holds decides nothing where that archive is not to be seen."""
    await with_projections(database)
    async with two_services(database) as (one, other):
        whole = Follower(one, EVERYTHING)
        partly = Follower(other, viewer(COUNTS, FULL, COUNTS))
        real = Follower(one, EVERYTHING, StudyFilter(patient_id=StringMatch(eq="P1")))
        # Step by step: an event tells of the study as it is when it is read.
        async with following(whole, partly, real):
            await store(database, 1, [study("1.1")])
            await until(lambda: (len(whole.changes), len(partly.changes), len(real.changes)) == (1, 0, 1))
            await store(database, 2, [study("1.1")])
            await until(lambda: (len(whole.changes), len(partly.changes), len(real.changes)) == (2, 1, 2))
            await store(database, 2, [study("1.1", StudyDescription="x")])
            await until(lambda: (len(whole.changes), len(partly.changes), len(real.changes)) == (3, 2, 3))
            await delete(database, 2, "1.1")
            await until(lambda: (len(whole.changes), len(partly.changes), len(real.changes)) == (4, 3, 4))
            await store(database, 1, [study("1.1", PatientID="P2")], whole=["1.1"])
            await until(lambda: (len(whole.changes), len(partly.changes), len(real.changes)) == (5, 3, 5))
    assert whole.kinds == ["ADDED", "UPDATED", "UPDATED", "UPDATED", "UPDATED"]
    assert partly.kinds == ["ADDED", "UPDATED", "REMOVED"]
    assert real.kinds == ["ADDED", "UPDATED", "UPDATED", "UPDATED", "REMOVED"]


async def test_a_withdrawn_consent_takes_the_study_away(database: Database) -> None:
    await with_projections(database)
    agreed, withdrawn = (StudyConsent("1.1", True, True, research) for research in (True, False))
    async with two_services(database) as (one, other):
        outsider, member = Follower(one, CONSENTED), Follower(other, MIXED)
        async with following(outsider, member):
            await store(database, 2, [study("1.1")])
            await until(lambda: len(member.changes) == 1)
            await set_consents(database, 2, [agreed], "test")
            await until(lambda: (len(outsider.changes), len(member.changes)) == (1, 2))
            assert outsider.kinds == ["UPDATED"]
            await set_consents(database, 2, [withdrawn], "test")
            await until(lambda: (len(outsider.changes), len(member.changes)) == (2, 3))
            await store(database, 2, [study("1.1", StudyDescription="not theirs")])
            await until(lambda: len(member.changes) == 4)
            await delete(database, 2, "1.1")
            await until(lambda: len(member.changes) == 5)
    assert outsider.kinds == ["UPDATED", "REMOVED"]
    assert member.kinds == ["ADDED", "UPDATED", "UPDATED", "UPDATED", "REMOVED"]
    assert {change.study_instance_uid for change in member.changes} != {"1.1"}


async def test_pseudonymised_events_wait_for_their_rows(database: Database) -> None:
    """The maker of the rows is held up: no event, and none is lost."""
    await with_projections(database)
    held = database.after_write.pop()
    async with two_services(database) as (one, _):
        researcher, clinician = (
            Follower(one, viewer(PSEUDONYMISED, COUNTS, COUNTS)),
            Follower(one, EVERYTHING),
        )
        async with following(researcher, clinician):
            await store(database, 1, [study("1.1")])
            await until(lambda: len(clinician.changes) == 1)
            assert researcher.changes == []
            await held()
            await until(lambda: len(researcher.changes) == 1)
    assert researcher.kinds == ["ADDED"]
    assert researcher.changes[0].study is not None


async def test_an_ended_connection_loses_nothing(database: Database) -> None:
    """Every connection of the database is ended, the listener's and the readers', while writes go on."""
    await with_projections(database)
    async with two_services(database) as (one, other):
        followers = [Follower(one, EVERYTHING), Follower(other, MIXED)]
        async with following(*followers):
            for number in range(8):
                await store(database, 1, [study(f"1.{number}")])
                if number % 3 == 1:
                    await database.fetch(
                        "t",
                        "select pg_terminate_backend(pid) from pg_stat_activity"
                        " where datname = current_database() and pid <> pg_backend_pid()"
                        " and (query ilike '%listen%' or usename = current_user and state = 'idle')",
                    )
                    await asyncio.sleep(0.1)
            # A connection that died without a word is found by the listener's next look.
            await until(lambda: all(len(each.changes) >= 8 for each in followers), 2 * CHECK_SECONDS + 5)
        assert one.subscribers.listener.connections > 1
    for each in followers:
        assert [c.study_instance_uid for c in each.changes] == [f"1.{number}" for number in range(8)]
