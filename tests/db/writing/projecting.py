"""Pseudonymised rows, recomputed from the stored ones in plain Python, and compared with what stands there."""

from collections import defaultdict
from typing import Any

import orjson

from access.keyed_pseudonyms import Patient
from access.profile import Options
from access.pseudonyms import Pseudonymiser
from db.pool import Database
from db.writing.projections import Projections
from model.attributes import Level
from model.dicom_json import parse_row
from model.records import Record
from tests.db.writing.ingesting import rows, store
from tests.rows import instance, series, study

CODES = {1: "eye", 2: "eye2", 3: "rnd"}
ERNS = {1: "ERN-EYE", 2: "ERN-EYE", 3: "ERN-RND"}
PK = {Level.STUDY: "study_pk", Level.SERIES: "series_pk", Level.INSTANCE: "instance_pk"}
UID = {Level.STUDY: "study_uid", Level.SERIES: "series_uid", Level.INSTANCE: "sop_uid"}


def makers(key: bytes = bytes(range(32)), key_id: str = "k1", **options: bool) -> dict[int, Pseudonymiser]:
    return {each: Pseudonymiser(key, ern, Options(**options), key_id=key_id) for each, ern in ERNS.items()}


def with_makers(projections: Projections, new: dict[int, Pseudonymiser]) -> Projections:
    """The same runtime with other keys or options; writes are followed by these."""
    changed = Projections(projections.database, new, CODES)
    projections.database.after_write[:] = [changed.drain]
    return changed


async def expected(projections: Projections) -> dict[Level, dict[int, dict[str, Any]]]:
    """From the stored rows alone: what each pseudonymised row must say, by source."""
    database = projections.database
    owners: dict[tuple[int, str], list[Patient | None]] = defaultdict(list)
    for row in await database.fetch("t", "select * from study order by study_pk"):
        owners[row["archive_id"], row["study_uid"]].append(_owner(row))
    told = await database.fetch("t", "select * from consent")
    research = {(row["archive_id"], row["study_uid"]) for row in told if row["research"]}
    found: dict[Level, dict[int, dict[str, Any]]] = {level: {} for level in Level}
    for level in Level:
        for row in await database.fetch("t", f"select *, data::text as text from {level}"):  # noqa: S608
            copy = (row["archive_id"], row["study_uid"])
            patient, *others = owners[
                copy
            ]  # whose dates the family has; several rows: each its own PatientID
            maker = projections.makers[row["archive_id"]]
            stored = parse_row(level, orjson.loads(row["text"]))
            assert isinstance(stored, Record)
            own = _owner(row) if others and level is Level.STUDY else None
            made = maker.record(stored, patient, own)
            found[level][row[PK[level]]] = {
                "uids": (made.study_uid, made.uid),
                "data": orjson.loads(made.data),
                "archive_id": row["archive_id"],
                "synced_at": row["synced_at"],
                "key_id": maker.made_with,
                "made_for": " ".join(maker.patient_id(*each) if each else "" for each in owners[copy]),
                "research": copy in research,
            }
            if level is Level.SERIES:
                found[level][row[PK[level]]]["representative"] = _representative(row, maker, patient)
    return found


def _owner(study: Any) -> Patient | None:
    issuer = study["issuer_of_patient_id"] or CODES[study["archive_id"]]
    return None if study["patient_id"] is None else Patient(study["patient_id"], issuer)


def _representative(row: Any, maker: Pseudonymiser, patient: Patient | None) -> Any:
    """An instance like any other."""
    if row["representative"] is None:
        return None
    stored = parse_row(Level.INSTANCE, orjson.loads(row["representative"]))
    assert isinstance(stored, Record)
    return orjson.loads(maker.record(stored, patient).data), row["representative_synced_at"]


async def actual(database: Database) -> dict[Level, dict[int, dict[str, Any]]]:
    return {
        level: {
            row["source_pk"]: {
                "uids": (row["study_uid"], row[UID[level]]),
                "data": orjson.loads(row["text"]),
                **{name: row[name] for name in ("archive_id", "synced_at", "key_id", "made_for", "research")},
                **({"representative": _shown(row)} if level is Level.SERIES else {}),
            }
            for row in await database.fetch(
                "t",
                f"select *, data::text as text from pseudonymised.{level}",  # noqa: S608
            )
        }
        for level in Level
    }


def _shown(row: Any) -> Any:
    text = row["representative"]
    return None if text is None else (orjson.loads(text), row["representative_synced_at"])


async def check(projections: Projections) -> None:
    """Everything is as a recomputation says; counts follow the source; flags and networks are right."""
    database = projections.database
    assert await actual(database) == await expected(projections)
    await _counts_follow(database)
    await _flags_are_right(database)
    await _networks_are_apart(database)
    await _values_are_those_of_the_series(database)


async def _values_are_those_of_the_series(database: Database) -> None:
    """Of each copy, and of the others of its family where it is shared."""
    columns = "study_pk, archive_id, name::text, value, study_date, study_uid, shared"
    wanted = await rows(
        database,
        "select p.study_pk, v.archive_id, v.name::text, v.value, p.study_date, p.study_uid, p.shared"
        " from pseudonymised.study p"
        " cross join lateral pseudonymised.study_values(p.study_uid, p.archive_id, p.shared) v order by 1, 2, 3, 4",
    )
    there = f"select {columns} from pseudonymised.study_value order by 1, 2, 3, 4"  # noqa: S608
    assert await rows(database, there) == wanted


async def _counts_follow(database: Database) -> None:
    for level, columns in (
        ("study", "modalities, number_of_series, number_of_instances, series_synced_at"),
        ("series", "number_of_instances, instances_synced_at"),
        ("instance", "metadata_synced_at"),
    ):
        source = await rows(database, f"select {level}_pk, {columns} from {level} order by 1")  # noqa: S608
        projection = await rows(
            database,
            f"select source_pk, {columns} from pseudonymised.{level} order by 1",  # noqa: S608
        )
        assert projection == source


async def _flags_are_right(database: Database) -> None:
    """A family is shared when its study is in more than one row."""
    families: dict[str, set[bool]] = {}
    studies = [uid for (uid,) in await rows(database, "select study_uid from pseudonymised.study")]
    for level in Level:
        for family, flag in await rows(database, f"select study_uid, shared from pseudonymised.{level}"):  # noqa: S608
            families.setdefault(family, set()).add(flag)
    assert families == {family: {studies.count(family) > 1} for family in families}


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


async def a_shared_study(projections: Projections, *archive_ids: int, patient: str = "P1") -> None:
    for archive_id in archive_ids:
        await store(
            projections.database,
            archive_id,
            [study("1.1", PatientID=patient)],
            [series("1.1", "5.1", SeriesDate="20200102")],
            [instance("1.1", "5.1", "8.1")],
            whole=["1.1"],
        )
