"""The pseudonymised rows are those of a recomputation, whatever was written, removed, killed or rotated."""

import asyncio
import random
from typing import Any

import asyncpg
import orjson
import pytest
from structlog.testing import capture_logs

from access.keyed_pseudonyms import Patient
from access.pseudonyms import Pseudonymiser
from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.locks import Lock
from db.pool import Database
from db.statements import statements
from db.writing import representatives
from db.writing.consent import StudyConsent, set_consents
from db.writing.projections import Projections, rows_by_key, waiting
from model.attributes import Level
from model.records import Record
from tests.db.writing.ingesting import delete, rows, store
from tests.db.writing.projecting import CODES, ERNS, a_shared_study, actual, check, makers, with_makers
from tests.rows import instance, series, study


@pytest.fixture
async def projections(database: Database) -> Projections:
    """Two archives of one network and one of another; each write is followed by its pseudonymised rows."""
    configs = [
        ArchiveConfig(code=code, ern=ERNS[each], title=code, kind="folder") for each, code in CODES.items()
    ]
    assert await sync_archives(database, configs) == {code: each for each, code in CODES.items()}
    made = Projections(database, makers(), CODES)
    database.after_write.append(made.drain)
    return made


@pytest.mark.parametrize("seed", range(6))
async def test_random_writes_are_as_recomputed(projections: Projections, seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(14):
        await _change(projections.database, rng)
        await check(projections)
    assert await waiting(projections.database) == (0, 0)


async def _change(database: Database, rng: random.Random) -> None:
    archive_id, uids = rng.choice([1, 2, 3]), ["1.1", "1.2", "1.3"]
    if rng.random() < 0.2:
        await delete(database, archive_id, *rng.sample(uids, rng.choice([1, 2])))
        return
    if rng.random() < 0.25:
        told = {"PatientName": "CANARY", "InstanceNumber": rng.randint(1, 9), "PatientBirthDate": "19310101"}
        lacking = await representatives.lacking(database, archive_id, 0, 3)
        found = [(row["study_uid"], row["series_uid"], row["series_pk"]) for row in lacking]
        rows_of = [(pk, instance(study_uid, uid, f"{uid}.1", **told)) for study_uid, uid, pk in found]
        await representatives.store(database, [(pk, orjson.dumps(row).decode()) for pk, row in rows_of])
        return
    if rng.random() < 0.2:
        given = [StudyConsent(uid, True, False, rng.random() < 0.5) for uid in rng.sample(uids, 2)]
        await set_consents(database, archive_id, given, "tester")
        return
    held = rng.sample(uids, rng.choice([1, 2, 3]))
    parts = [(uid, part) for uid in held for part in rng.sample(["5.1", "5.2", "5.3"], rng.choice([0, 1, 2]))]
    issuer = rng.choice(["HOSPITAL", None])
    await store(
        database,
        archive_id,
        [
            study(uid, PatientID=rng.choice(["A", "B", None]), IssuerOfPatientID=issuer, StudyTime="101010")
            for uid in held
        ],
        [series(uid, part, SeriesDate=rng.choice(["20200102", "20200103"])) for uid, part in parts],
        [instance(uid, part, rng.choice(["8.1", "8.2", "8.3"])) for uid, part in parts],
        whole=held if rng.random() < 0.7 else (),
        series_of=held if rng.random() < 0.5 else (),
        instances_of=parts if rng.random() < 0.5 else (),
    )


async def test_a_study_of_two_archives_of_one_network_is_one(projections: Projections) -> None:
    await a_shared_study(projections, 1, 2, 3)
    found = await rows(
        projections.database,
        "select study_uid, archive_id, shared from pseudonymised.study order by archive_id",
    )
    (one, _, a), (two, _, b), (other, _, c) = found
    assert one == two != other
    assert (a, b, c) == (True, True, False)
    await delete(projections.database, 2, "1.1")
    await check(projections)


async def test_another_patient_moves_series_and_instances_too(projections: Projections) -> None:
    await a_shared_study(projections, 1)
    before = await actual(projections.database)
    await a_shared_study(projections, 1, patient="P2")
    after = await actual(projections.database)
    await check(projections)
    for level in (Level.SERIES, Level.INSTANCE):
        assert before[level].keys() == after[level].keys()
        assert before[level] != after[level]


async def test_what_a_killed_process_left_is_made_with_the_next_write(projections: Projections) -> None:
    follow = projections.database.after_write.pop()
    await a_shared_study(projections, 1)
    assert await rows(projections.database, "select from pseudonymised.study") == []
    assert await waiting(projections.database) == (1, 0)
    projections.database.after_write.append(follow)
    await store(projections.database, 2, [study("1.2")])
    assert await waiting(projections.database) == (0, 0)
    await check(projections)


async def test_a_failure_to_make_rows_does_not_fail_the_write(projections: Projections) -> None:
    async def broken() -> None:
        raise RuntimeError("Zzyzx^Canary")

    projections.database.after_write.insert(0, broken)
    with capture_logs() as said:
        await a_shared_study(projections, 1)
    await check(projections)
    assert "RuntimeError" in str(said)
    assert "Canary" not in str(said)


async def test_a_kill_while_rows_are_made_loses_nothing(
    projections: Projections, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Pseudonymiser, "record", _die)
        with pytest.raises(KeyboardInterrupt):
            await a_shared_study(projections, 1)
    assert await rows(projections.database, "select study_uid from pseudonymised.waiting") == [("1.1",)]
    await projections.drain()
    await check(projections)


def _die(*_: object) -> None:
    raise KeyboardInterrupt


async def test_a_row_that_cannot_be_made_keeps_nothing_waiting(
    projections: Projections, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Pseudonymiser.record

    def record(self: Pseudonymiser, stored: Record, *patients: Patient | None) -> Record:
        if stored.study_uid == "1.1" and stored.level is Level.STUDY:
            raise ValueError("no")
        return real(self, stored, *patients)

    await a_shared_study(projections, 1)
    monkeypatch.setattr(Pseudonymiser, "record", record)
    changed = [study("1.1", StudyDate="20210101"), study("1.2")]
    await store(projections.database, 1, changed, [series("1.2", "5.1")])  # a series of 1.1 has that UID too
    assert await waiting(projections.database) == (0, 0)
    shown = await rows(projections.database, "select source_pk from pseudonymised.study")
    wanted = await rows(projections.database, "select study_pk from study where study_uid = '1.2'")
    assert shown == wanted
    # nothing stands without its study
    assert len(await rows(projections.database, "select from pseudonymised.series")) == 1
    assert await rows(projections.database, "select from pseudonymised.instance") == []


async def test_a_row_that_the_database_refuses_keeps_no_other_out(
    projections: Projections, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Pseudonymiser.record

    def record(self: Pseudonymiser, stored: Record, *patients: Patient | None) -> Record:
        made = real(self, stored, *patients)
        if stored.level is Level.SERIES and stored.uid == "5.2":
            object.__setattr__(made, "data", '{"x": "\\u0000"}')
        return made

    monkeypatch.setattr(Pseudonymiser, "record", record)
    await store(projections.database, 1, [study("1.1")], [series("1.1", f"5.{n}") for n in range(1, 6)])
    assert len(await rows(projections.database, "select from pseudonymised.series")) == 4
    assert await waiting(projections.database) == (0, 0)


@pytest.mark.parametrize("new", [{"key": bytes(32), "key_id": "k2"}, {"clean_descriptors": True}])
async def test_rotation_makes_all_rows_anew(projections: Projections, new: dict[str, Any]) -> None:
    await a_shared_study(projections, 1, 2, 3)
    await set_consents(projections.database, 1, [StudyConsent("1.1", True, True, True)], "tester")
    turned = with_makers(projections, makers(**new))
    eye = [1, 2]
    assert await turned.enqueue_stale(eye) == (0, 1)
    assert await turned.enqueue_stale(eye) == (0, 1)  # again changes nothing
    await turned.drain()
    assert await waiting(projections.database) == (0, 1)  # waits for its turn
    done: list[int] = []
    assert await turned.drain(rotating=True, told=done.append) == (1, 0)
    assert done == [1]
    await check(turned)
    assert await turned.enqueue_all() == (0, 0)
    made_with = {maker.made_with for maker in turned.makers.values()}
    assert {row["key_id"] for row in await rows_by_key(projections.database)} == made_with


async def test_a_rotation_that_was_killed_goes_on(
    projections: Projections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.writing.projections.FAMILIES_AT_ONCE", 2)
    await store(projections.database, 1, [study(f"1.{n}") for n in range(7)], [series("1.1", "5.1")])
    turned = with_makers(projections, makers(bytes(32), "k2"))
    await turned.enqueue_all()

    def killed(_families: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await turned.drain(rotating=True, told=killed)
    assert await waiting(projections.database) == (0, 5)
    await turned.drain(rotating=True)
    await check(turned)


async def test_what_is_written_does_not_wait_for_a_rotation(projections: Projections) -> None:
    await store(projections.database, 1, [study("1.1"), study("1.2")])
    turned = with_makers(projections, makers(bytes(32), "k2"))
    await turned.enqueue_all()
    await store(projections.database, 1, [study("1.1", StudyDate="20210101")])
    assert await waiting(projections.database) == (0, 1)
    marks = await rows(projections.database, "select key_id from pseudonymised.study order by source_pk")
    assert marks == [(turned.makers[1].made_with,), (projections.makers[1].made_with,)]


async def test_a_process_leaves_what_it_does_not_know_to_others(projections: Projections) -> None:
    stranger = Projections(projections.database, {1: projections.makers[1]}, {1: "eye"})
    projections.database.after_write[:] = [stranger.drain]
    await a_shared_study(projections, 1, 3)
    await store(projections.database, 1, [study("1.2")])
    assert await rows(projections.database, "select study_uid from pseudonymised.waiting") == [("1.1",)]
    await projections.drain()
    await check(projections)


async def test_a_change_between_take_and_commit_is_not_lost(projections: Projections) -> None:
    """A writer that found the family on the list keeps it from makers until its commit."""
    projections.database.after_write.clear()
    await store(projections.database, 1, [study("1.1")])
    writer = await asyncpg.connect(projections.database.url)
    try:
        change = writer.transaction()
        await change.start()
        await writer.execute(
            "create temp table dirty (study_uid text); insert into dirty values ('1.1');"
            "update study set synced_at = now()"
        )
        await writer.execute(statements("projections")["enqueue"])
        async with projections.database.transaction("t") as maker:
            assert await maker.fetch(statements("projections")["take"], 9, [1, 2, 3], False) == []
        await change.commit()
    finally:
        await writer.close()
    await projections.drain()
    await check(projections)


async def test_consent_outlives_its_study(projections: Projections) -> None:
    consent = StudyConsent("1.1", True, False, True)
    assert await set_consents(projections.database, 1, [consent], "tester") == set()  # kept for later
    await a_shared_study(projections, 1)
    research = "select research from pseudonymised.{0}"
    for level in Level:
        assert await rows(projections.database, research.format(level)) == [(True,)]
    await delete(projections.database, 1, "1.1")
    for level in Level:
        assert await rows(projections.database, research.format(level)) == []  # with its source
    await a_shared_study(projections, 1)
    for level in Level:
        assert await rows(projections.database, research.format(level)) == [(True,)]
    await check(projections)


async def test_a_withdrawal_waits_for_makers_that_read_the_old_consent(projections: Projections) -> None:
    """Else what they commit after it would show the study for good."""
    await a_shared_study(projections, 1)
    await set_consents(projections.database, 1, [StudyConsent("1.1", True, True, True)], "tester")
    async with projections.database.transaction("maker") as maker:
        await maker.execute("select pg_advisory_xact_lock_shared($1)", Lock.CONSENTS)
        gone = StudyConsent("1.1", False, False, False)
        withdrawal = asyncio.create_task(set_consents(projections.database, 1, [gone], "tester"))
        await asyncio.sleep(0.2)
        assert not withdrawal.done()
    await withdrawal
    assert await rows(projections.database, "select research from pseudonymised.study") == [(False,)]
