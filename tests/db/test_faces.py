"""The pseudonymised rows are those of a recomputation, whatever was written, removed, killed or rotated."""

import random
from typing import Any

import asyncpg
import orjson
import pytest

from access.keyed_pseudonyms import Patient
from access.profile import Options
from access.pseudonyms import Pseudonymiser
from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.consent import StudyConsent, set_consents
from db.faces import Faces, rows_by_key, waiting
from db.pool import Database
from model.attributes import Level
from model.dicom_json import parse_row
from model.records import Record
from tests.db.ingesting import delete, rows, store
from tests.rows import instance, series, study

CODES = {1: "eye", 2: "eye2", 3: "rnd"}
ERNS = {1: "ERN-EYE", 2: "ERN-EYE", 3: "ERN-RND"}
PK = {Level.STUDY: "study_pk", Level.SERIES: "series_pk", Level.INSTANCE: "instance_pk"}
UID = {Level.STUDY: "study_uid", Level.SERIES: "series_uid", Level.INSTANCE: "sop_uid"}


def makers(key: bytes = bytes(range(32)), key_id: str = "k1", **options: bool) -> dict[int, Pseudonymiser]:
    return {
        each: Pseudonymiser(key, ern, Options(**options), key_id=key_id) for each, ern in ERNS.items()
    }


@pytest.fixture
async def faces(database: Database) -> Faces:
    """Two archives of one network and one of another; each write is followed by its pseudonymised rows."""
    configs = [
        ArchiveConfig(code=code, ern=ERNS[each], title=code, kind="folder") for each, code in CODES.items()
    ]
    assert await sync_archives(database, configs) == {code: each for each, code in CODES.items()}
    made = Faces(database, makers(), CODES)
    database.after_write.append(made.drain)
    return made


def with_makers(faces: Faces, new: dict[int, Pseudonymiser]) -> Faces:
    """The same house with other keys or options; writes are followed by these."""
    changed = Faces(faces.database, new, CODES)
    faces.database.after_write[:] = [changed.drain]
    return changed


async def expected(faces: Faces) -> dict[Level, dict[int, dict[str, Any]]]:
    """From the stored rows alone: what each pseudonymised row must say, by source."""
    database = faces.database
    studies = await database.fetch("t", "select * from study order by study_pk desc")
    owner = {(row["archive_id"], row["study_uid"]): row for row in studies}  # the first row wins
    told = await database.fetch("t", "select * from consent")
    research = {(row["archive_id"], row["study_uid"]) for row in told if row["research"]}
    found: dict[Level, dict[int, dict[str, Any]]] = {level: {} for level in Level}
    for level in Level:
        for row in await database.fetch("t", f"select *, data::text as text from {level}"):  # noqa: S608
            copy = (row["archive_id"], row["study_uid"])
            first = owner[copy]
            issuer = first["issuer_of_patient_id"] or CODES[row["archive_id"]]
            patient = Patient(first["patient_id"], issuer) if first["patient_id"] is not None else None
            maker = faces.makers[row["archive_id"]]
            stored = parse_row(level, orjson.loads(row["text"]))
            assert isinstance(stored, Record)
            made = maker.record(stored, patient)
            found[level][row[PK[level]]] = {
                "uids": (made.study_uid, made.uid),
                "data": orjson.loads(made.data),
                "archive_id": row["archive_id"],
                "synced_at": row["synced_at"],
                "key_id": maker.mark,
                "made_for": maker.patient_id(*patient) if patient else "",
                "research": copy in research,
            }
    return found


async def actual(database: Database) -> dict[Level, dict[int, dict[str, Any]]]:
    return {
        level: {
            row["source_pk"]: {
                "uids": (row["study_uid"], row[UID[level]]),
                "data": orjson.loads(row["text"]),
                **{
                    name: row[name]
                    for name in ("archive_id", "synced_at", "key_id", "made_for", "research")
                },
            }
            for row in await database.fetch(
                "t",
                f"select *, data::text as text from pseudonymised.{level}",  # noqa: S608
            )
        }
        for level in Level
    }


async def check(faces: Faces) -> None:
    """Everything is as a recomputation says; counts follow the source; flags and networks are right."""
    database = faces.database
    assert await actual(database) == await expected(faces)
    await _counts_follow(database)
    await _flags_are_right(database)
    await _networks_are_apart(database)


async def _counts_follow(database: Database) -> None:
    for level, columns in (
        ("study", "modalities, number_of_series, number_of_instances, series_synced_at"),
        ("series", "number_of_instances, instances_synced_at"),
        ("instance", "metadata_synced_at"),
    ):
        source = await rows(database, f"select {level}_pk, {columns} from {level} order by 1")  # noqa: S608
        face = await rows(
            database,
            f"select source_pk, {columns} from pseudonymised.{level} order by 1",  # noqa: S608
        )
        assert face == source


async def _flags_are_right(database: Database) -> None:
    """A family is shared when a UID of it is in more than one row of its level."""
    families: dict[str, set[bool]] = {}
    shared: set[str] = set()
    for level in Level:
        found = await rows(database, f"select study_uid, {UID[level]}, shared from pseudonymised.{level}")  # noqa: S608
        uids = [uid for _, uid, _ in found]
        for family, uid, flag in found:
            families.setdefault(family, set()).add(flag)
            if uids.count(uid) > 1:
                shared.add(family)
    assert families == {family: {family in shared} for family in families}


async def _networks_are_apart(database: Database) -> None:
    for level in Level:
        found = await rows(
            database,
            f"select {UID[level]}, patient_id from pseudonymised.{level} join archive using (archive_id)"  # noqa: S608
            f" group by 1, 2 having count(distinct ern) > 1"
            if level is Level.STUDY
            else f"select {UID[level]} from pseudonymised.{level} join archive using (archive_id)"  # noqa: S608
            " group by 1 having count(distinct ern) > 1",
        )
        assert found == []


async def a_shared_study(faces: Faces, *archive_ids: int, patient: str = "P1") -> None:
    for archive_id in archive_ids:
        await store(
            faces.database,
            archive_id,
            [study("1.1", PatientID=patient)],
            [series("1.1", "5.1", SeriesDate="20200102")],
            [instance("1.1", "5.1", "8.1")],
            whole=["1.1"],
        )


@pytest.mark.parametrize("seed", range(6))
async def test_random_writes_are_as_recomputed(faces: Faces, seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(14):
        await _change(faces.database, rng)
        await check(faces)
    assert await waiting(faces.database) == (0, 0)


async def _change(database: Database, rng: random.Random) -> None:
    archive_id, uids = rng.choice([1, 2, 3]), ["1.1", "1.2", "1.3"]
    if rng.random() < 0.2:
        await delete(database, archive_id, *rng.sample(uids, rng.choice([1, 2])))
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
        instances_of=[part for _, part in parts] if rng.random() < 0.5 else (),
    )


async def test_a_study_of_two_archives_of_one_network_is_one(faces: Faces) -> None:
    await a_shared_study(faces, 1, 2, 3)
    found = await rows(
        faces.database, "select study_uid, archive_id, shared from pseudonymised.study order by archive_id"
    )
    (one, _, a), (two, _, b), (other, _, c) = found
    assert one == two != other
    assert (a, b, c) == (True, True, False)
    await delete(faces.database, 2, "1.1")
    await check(faces)


async def test_another_patient_moves_series_and_instances_too(faces: Faces) -> None:
    await a_shared_study(faces, 1)
    before = await actual(faces.database)
    await a_shared_study(faces, 1, patient="P2")
    after = await actual(faces.database)
    await check(faces)
    for level in (Level.SERIES, Level.INSTANCE):
        assert before[level].keys() == after[level].keys()
        assert before[level] != after[level]


async def test_what_a_killed_process_left_is_made_with_the_next_write(faces: Faces) -> None:
    follow = faces.database.after_write.pop()
    await a_shared_study(faces, 1)
    assert await rows(faces.database, "select from pseudonymised.study") == []
    assert await waiting(faces.database) == (1, 0)
    faces.database.after_write.append(follow)
    await store(faces.database, 2, [study("1.2")])
    assert await waiting(faces.database) == (0, 0)
    await check(faces)


async def test_a_failure_to_make_rows_does_not_fail_the_write(
    faces: Faces, capsys: pytest.CaptureFixture[str]
) -> None:
    async def broken() -> None:
        raise RuntimeError("Zzyzx^Canary")

    faces.database.after_write.insert(0, broken)
    await a_shared_study(faces, 1)
    await check(faces)
    said = capsys.readouterr()
    assert "RuntimeError" in said.out + said.err
    assert "Canary" not in said.out + said.err


async def test_a_kill_while_rows_are_made_loses_nothing(
    faces: Faces, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Pseudonymiser, "record", _die)
        with pytest.raises(KeyboardInterrupt):
            await a_shared_study(faces, 1)
    assert await rows(faces.database, "select study_uid from pseudonymised.waiting") == [("1.1",)]
    await faces.drain()
    await check(faces)


def _die(*_: object) -> None:
    raise KeyboardInterrupt


async def test_a_row_that_cannot_be_made_keeps_nothing_waiting(
    faces: Faces, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Pseudonymiser.record

    def record(self: Pseudonymiser, stored: Record, patient: Patient | None = None) -> Record:
        if stored.study_uid == "1.1" and stored.level is Level.STUDY:
            raise ValueError("no")
        return real(self, stored, patient)

    await a_shared_study(faces, 1)
    monkeypatch.setattr(Pseudonymiser, "record", record)
    await store(faces.database, 1, [study("1.1", StudyDate="20210101"), study("1.2")], [series("1.2", "5.2")])
    assert await waiting(faces.database) == (0, 0)
    shown = await rows(faces.database, "select source_pk from pseudonymised.study")
    wanted = await rows(faces.database, "select study_pk from study where study_uid = '1.2'")
    assert shown == wanted
    # nothing stands without its study
    assert len(await rows(faces.database, "select from pseudonymised.series")) == 1
    assert await rows(faces.database, "select from pseudonymised.instance") == []


async def test_a_row_that_the_database_refuses_keeps_no_other_out(
    faces: Faces, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Pseudonymiser.record

    def record(self: Pseudonymiser, stored: Record, patient: Patient | None = None) -> Record:
        made = real(self, stored, patient)
        if stored.level is Level.SERIES and stored.uid == "5.2":
            object.__setattr__(made, "data", '{"x": "\\u0000"}')
        return made

    monkeypatch.setattr(Pseudonymiser, "record", record)
    await store(faces.database, 1, [study("1.1")], [series("1.1", f"5.{n}") for n in range(1, 6)])
    assert len(await rows(faces.database, "select from pseudonymised.series")) == 4
    assert await waiting(faces.database) == (0, 0)


@pytest.mark.parametrize("new", [{"key": bytes(32), "key_id": "k2"}, {"clean_descriptors": True}])
async def test_rotation_makes_all_rows_anew(faces: Faces, new: dict[str, Any]) -> None:
    await a_shared_study(faces, 1, 2, 3)
    await set_consents(faces.database, 1, [StudyConsent("1.1", True, True, True)], "tester")
    turned = with_makers(faces, makers(**new))
    eye = [1, 2]
    assert await turned.enqueue_stale(eye) == (0, 1)
    assert await turned.enqueue_stale(eye) == (0, 1)  # again changes nothing
    await turned.drain()
    assert await waiting(faces.database) == (0, 1)  # waits for its turn
    done: list[int] = []
    assert await turned.drain(rotating=True, told=done.append) == (1, 0)
    assert done == [1]
    await check(turned)
    assert await turned.enqueue_all() == (0, 0)
    assert {row["key_id"] for row in await rows_by_key(faces.database)} == {turned.makers[1].mark}


async def test_a_rotation_that_was_killed_goes_on(faces: Faces, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.faces.FAMILIES_AT_ONCE", 2)
    await store(faces.database, 1, [study(f"1.{n}") for n in range(7)], [series("1.1", "5.1")])
    turned = with_makers(faces, makers(bytes(32), "k2"))
    await turned.enqueue_all()

    def killed(_families: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await turned.drain(rotating=True, told=killed)
    assert await waiting(faces.database) == (0, 5)
    await turned.drain(rotating=True)
    await check(turned)


async def test_what_is_written_does_not_wait_for_a_rotation(faces: Faces) -> None:
    await store(faces.database, 1, [study("1.1"), study("1.2")])
    turned = with_makers(faces, makers(bytes(32), "k2"))
    await turned.enqueue_all()
    await store(faces.database, 1, [study("1.1", StudyDate="20210101")])
    assert await waiting(faces.database) == (0, 1)
    marks = await rows(faces.database, "select key_id from pseudonymised.study order by source_pk")
    assert marks == [(turned.makers[1].mark,), (faces.makers[1].mark,)]


async def test_a_process_leaves_what_it_does_not_know_to_others(faces: Faces) -> None:
    stranger = Faces(faces.database, {1: faces.makers[1]}, {1: "eye"})
    faces.database.after_write[:] = [stranger.drain]
    await a_shared_study(faces, 1, 3)
    await store(faces.database, 1, [study("1.2")])
    assert await rows(faces.database, "select study_uid from pseudonymised.waiting") == [("1.1",)]
    await faces.drain()
    await check(faces)


async def test_a_change_between_take_and_commit_is_not_lost(faces: Faces) -> None:
    """A writer that found the family on the list keeps it from makers until its commit."""
    faces.database.after_write.clear()
    await store(faces.database, 1, [study("1.1")])
    writer = await asyncpg.connect(faces.database.url)
    try:
        change = writer.transaction()
        await change.start()
        await writer.execute(
            "create temp table touched (study_uid text); insert into touched values ('1.1');"
            "update study set synced_at = now()"
        )
        from db.statements import statements

        await writer.execute(statements("faces")["enqueue"])
        async with faces.database.transaction("t") as maker:
            assert await maker.fetch(statements("faces")["take"], 9, [1, 2, 3], False) == []
        await change.commit()
    finally:
        await writer.close()
    await faces.drain()
    await check(faces)


async def test_consent_outlives_its_study(faces: Faces) -> None:
    consent = StudyConsent("1.1", True, False, True)
    assert await set_consents(faces.database, 1, [consent], "tester") == set()  # kept for later
    await a_shared_study(faces, 1)
    research = "select research from pseudonymised.{0}"
    for level in Level:
        assert await rows(faces.database, research.format(level)) == [(True,)]
    await delete(faces.database, 1, "1.1")
    for level in Level:
        assert await rows(faces.database, research.format(level)) == []  # with its source
    await a_shared_study(faces, 1)
    for level in Level:
        assert await rows(faces.database, research.format(level)) == [(True,)]
    await check(faces)


async def test_a_withdrawal_waits_for_makers_that_read_the_old_consent(faces: Faces) -> None:
    """Else what they commit after it would show the study for good."""
    import asyncio

    from db.faces import LOCK

    await a_shared_study(faces, 1)
    await set_consents(faces.database, 1, [StudyConsent("1.1", True, True, True)], "tester")
    async with faces.database.transaction("maker") as maker:
        await maker.execute("select pg_advisory_xact_lock_shared($1)", LOCK)
        gone = StudyConsent("1.1", False, False, False)
        withdrawal = asyncio.create_task(set_consents(faces.database, 1, [gone], "tester"))
        await asyncio.sleep(0.2)
        assert not withdrawal.done()
    await withdrawal
    assert await rows(faces.database, "select research from pseudonymised.study") == [(False,)]
