"""A generated federation: copies in several archives as DICOM JSON, and the same copies for the oracle.

Deterministic by seed. Small vocabularies make ties, nulls, shared families and disagreements common; with `twins`
also UIDs of series and instances that others have too, in other studies and series, here and in other archives.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from db.pool import Connection, Database
from db.writing import ingest
from model.attributes import ATTRIBUTES, Kind, Level, attribute
from model.dicom_json import parse
from tests.oracle import Copy

NAMES = [
    "Müller^Hans", "MUELLER^Hans", "Muller^Anna", "Yamada^Tarou=山田^太郎=やまだ^たろう", "Nováková^Eva",
    "O'Brien^Sean", "Ärzte^50%_x", "Παππάς^Γιώργος", None,
]  # fmt: skip
DESCRIPTIONS = ["MR Schädel", "CT Thorax", "ct thorax angio", "Café 100%", "back\\slash", "under_score", None]
BODY_PARTS = ["HEAD", "CHEST", "EYE", None]
CODES = {"HEAD": "69536005", "CHEST": "816094009", "EYE": "81745001"}
MODALITIES = ["MR", "CT", "OP", "OPT", "RTPLAN"]


@dataclass(slots=True)
class Federation:
    """Rows of every archive and level, and the oracle's copies of them."""

    archive_ids: list[int]
    rows: dict[tuple[int, Level], list[dict[str, Any]]] = field(default_factory=dict)
    copies: list[Copy] = field(default_factory=list)

    def study_uids(self) -> list[str]:
        return sorted({copy.uid for copy in self.copies if copy.level is Level.STUDY})


def generate(
    seed: int, archive_ids: list[int], studies: int, *, disputed_dates: bool = False, twins: bool = False
) -> Federation:
    """`studies` studies over the archives; about one in four is held by more than one of them.

    disputed_dates: copies of a study may be of different days.
    """
    rng = random.Random(seed)
    made = Federation(archive_ids)
    for number in range(studies):
        holders = rng.sample(archive_ids, rng.choice([1, 1, 1, 2, min(3, len(archive_ids))]))
        _study(made, rng, f"1.2.{seed}.{number}", holders, disputed_dates=disputed_dates, twins=twins)
    return made


async def load(database: Database, made: Federation) -> None:
    """Writes the federation to the index as an indexing run would; all its instances are indexed."""

    async def work(connection: Connection) -> None:
        for archive_id in made.archive_ids:
            for level, store in _STORES:
                records, rejected = parse(level, made.rows.get((archive_id, level), []))
                assert not rejected
                await store(connection, archive_id, records)
        await ingest.derive(connection, made.study_uids())
        await connection.execute(
            "update study set series_synced_at = now(); update series set instances_synced_at = now();"
            "update archive set last_completed_at = now()"
        )

    await ingest.write(database, "load", work)
    # Not the catalogue, which takes five times as long.
    await database.execute("analyze", _ANALYZE)


_ANALYZE = """do $$ declare named text; begin
    for named in select relid::regclass from pg_stat_user_tables loop
        execute 'analyze ' || named;
    end loop;
end $$"""
_STORES = (
    (Level.STUDY, ingest.store_studies),
    (Level.SERIES, ingest.store_series),
    (Level.INSTANCE, ingest.store_instances),
)


def _study(
    made: Federation, rng: random.Random, uid: str, holders: list[int], *, disputed_dates: bool, twins: bool
) -> None:
    whole = _study_values(rng, uid)
    plan = [(f"{uid}.{n}", _series_values(rng), rng.randint(1, 3)) for n in range(rng.randint(1, 3))]
    sops = {series_uid: [f"{series_uid}.{n}" for n in range(count)] for series_uid, _, count in plan}
    if twins:
        names = _twins(rng, [series_uid for series_uid, *_ in plan], "1.9")
        sops = {names[each]: list(_twins(rng, of, "1.8").values()) for each, of in sops.items()}
        plan = [(names[series_uid], series, count) for series_uid, series, count in plan]
    for archive_id in holders:
        values = dict(whole)
        if rng.random() < 0.3:
            values |= {
                "StudyDescription": rng.choice(DESCRIPTIONS),
                "PatientID": rng.choice(["P1", "P9", None]),
            }
        if disputed_dates and rng.random() < 0.5:
            values["StudyDate"] = date(2020, 1, 1) + timedelta(days=rng.randint(0, 6))
        held = [series for series in plan if rng.random() < 0.8] or plan[:1]
        values["ModalitiesInStudy"] = sorted({series[1]["Modality"] for series in held})
        _add(made, archive_id, Level.STUDY, {Level.STUDY: uid}, values)
        for series_uid, series, instances in held:
            uids = {Level.STUDY: uid, Level.SERIES: series_uid}
            counted = {"NumberOfSeriesRelatedInstances": instances}
            _add(made, archive_id, Level.SERIES, uids, series | counted)
            for n in range(instances):
                sop = {**uids, Level.INSTANCE: sops[series_uid][n]}
                _add(made, archive_id, Level.INSTANCE, sop, _instance_values(rng, n))


def _twins(rng: random.Random, uids: list[str], root: str) -> dict[str, str]:
    """Each UID, or else one of a few."""
    few = rng.sample([f"{root}.{n}" for n in range(6)], len(uids))
    return {uid: rng.choice([uid, twin]) for uid, twin in zip(uids, few, strict=True)}


def _study_values(rng: random.Random, uid: str) -> dict[str, Any]:
    day = date(2020, 1, 1) + timedelta(days=rng.randint(0, 6))
    return {
        "StudyDate": rng.choice([day, day, None]),
        "PatientName": rng.choice(NAMES),
        "PatientID": rng.choice(["P1", "P2", "p2", "Ä3", None]),
        "PatientSex": rng.choice(["F", "M", "O", None]),
        "PatientBirthDate": rng.choice([date(1990, 5, 1), date(1991, 6, 2), None]),
        "AccessionNumber": rng.choice(["A1", "A2", f"A{uid}", None]),
        "StudyID": rng.choice(["1", "2", None]),
        "StudyDescription": rng.choice(DESCRIPTIONS),
        "ReferringPhysicianName": rng.choice([*NAMES[:3], None]),
        "PatientSize": rng.choice([1.5, 1.75, 2, None]),
        "RequestAttributesSequence": rng.choice([["S1"], ["S1", "S2"], None]),
    }


def _series_values(rng: random.Random) -> dict[str, Any]:
    return {
        "Modality": rng.choice(MODALITIES),
        "SeriesNumber": rng.choice([1, 2, 3, None]),
        "SeriesDate": rng.choice([date(2020, 1, 3), None]),
        "SeriesDescription": rng.choice(DESCRIPTIONS),
        "BodyPartExamined": rng.choice(BODY_PARTS),
        "ProtocolName": rng.choice(["Kopf", "Thorax", None]),
        "Manufacturer": rng.choice(["ACME", "Ümlaut", None]),
    }


def _instance_values(rng: random.Random, number: int) -> dict[str, Any]:
    return {
        "SOPClassUID": rng.choice(["1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.2"]),
        "InstanceNumber": rng.choice([number, number, None]),
        "Rows": rng.choice([256, 512]),
        "Columns": rng.choice([256, 512]),
        "NumberOfFrames": rng.choice([1, 10, None]),
    }


_UID_KEYWORDS = {
    Level.STUDY: "StudyInstanceUID",
    Level.SERIES: "SeriesInstanceUID",
    Level.INSTANCE: "SOPInstanceUID",
}


def _add(
    made: Federation, archive_id: int, level: Level, uids: dict[Level, str], values: dict[str, Any]
) -> None:
    row = dict(_elements(values))
    for at, uid in uids.items():
        row[attribute(_UID_KEYWORDS[at]).tag] = {"vr": "UI", "Value": [uid]}
    made.rows.setdefault((archive_id, level), []).append(row)
    typed = {a.column: values.get(a.keyword) for a in ATTRIBUTES if a.level is level}
    typed[attribute(_UID_KEYWORDS[level]).column] = uids[level]
    if level is Level.SERIES:
        typed |= {
            "body_part_code": CODES.get(values["BodyPartExamined"]),
            "modality_code": values["Modality"],
            "laterality_code": None,
        }
    made.copies.append(Copy(level, archive_id, uids, typed, _plain_dates(row), len(made.copies)))


def _elements(values: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for keyword, value in values.items():
        if value is None:
            continue
        match keyword:
            case "PatientSize":
                yield "00101020", {"vr": "DS", "Value": [value]}
            case "RequestAttributesSequence":
                items = [{"00400009": {"vr": "SH", "Value": [each]}} for each in value]
                yield "00400275", {"vr": "SQ", "Value": items}
            case _:
                yield _typed_element(keyword, value)


def _typed_element(keyword: str, value: Any) -> tuple[str, dict[str, Any]]:
    known = attribute(keyword)
    match known.kind:
        case Kind.NAME:
            groups = zip(("Alphabetic", "Ideographic", "Phonetic"), value.split("="), strict=False)
            return known.tag, {"vr": "PN", "Value": [dict(groups)]}
        case Kind.DATE:
            return known.tag, {"vr": "DA", "Value": [f"{value:%Y%m%d}"]}
        case Kind.LIST:
            return known.tag, {"vr": known.vr, "Value": value}
        case _:
            return known.tag, {"vr": known.vr, "Value": [value]}


def _plain_dates(row: dict[str, Any]) -> dict[str, Any]:
    """The oracle reads dates as ISO 8601."""
    plain = dict(row)
    for tag, element in row.items():
        if element["vr"] == "DA":
            plain[tag] = {"vr": "DA", "Value": [f"{v[:4]}-{v[4:6]}-{v[6:]}" for v in element["Value"]]}
    return plain
