"""An index of five archives of four networks in which every identifying value is a canary.

The archive that most people must not see ranks first, so that a slip would show its copies.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import orjson
from pydicom.datadict import dictionary_VR, tag_for_keyword

from access.pseudonyms import Pseudonymiser, patient_of
from access.scope import AccessLevel
from archives.client import Row
from archives.errors import ServerFailed
from config.archives_file import ArchiveConfig
from db.archives import sync_archives
from db.declared import apply_declared
from db.listener import Bell
from db.pool import Database
from db.writing import representatives
from db.writing.projections import Projections
from model.attributes import Level
from model.cursors import Position
from model.declared import Declared
from model.errors import GoingAway
from model.paths import parse_path
from reads.services import Services
from reads.subscribers import Subscribers
from tests.federation import Federation, load
from tests.leaks.canaries import Canaries
from tests.resolvers.memory_archive import MemoryArchive
from tests.resolvers.runtime import open_services
from tests.rows import instance, series, study

ERNS = ("ERN-EURACAN", "ERN-RND", "ERN-EYE", "VASCERN")
PRIVATE = "ERNFED TEST"
SINCE = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
"""When it was found that studies are gone."""
_PLACES = (("eura", ERNS[0]), ("rnd", ERNS[1]), ("eye", ERNS[2]), ("vasc", ERNS[3]), ("eye2", ERNS[2]))
_SHARED = (("eura", "eye"), ("rnd", "eye"), ("vasc", "eye2"), ("eye", "eye2"), ("rnd", "vasc"))
_DOWN = ("eura", "vasc", "eye2")
_MR = "1.2.840.10008.5.1.4.1.1.4"
_TEXTS = (
    "PatientComments OtherPatientNames InstitutionName InstitutionAddress StationName DeviceSerialNumber "
    "PatientAddress RequestingService AdmissionID EthnicGroup Occupation DerivationDescription "
    "PerformedProcedureStepDescription ReasonForStudy ImageComments"
)


@dataclass
class Seeded:
    """A loaded index and what is hidden in it."""

    database: Database
    services: Services
    canaries: Canaries
    clients: list[MemoryArchive]

    async def cursor_of_changes(self, number: int) -> str:
        """From which on there are so many events of each projection."""
        sql = "select (select max(sequence) from study_event), (select max(sequence) from {0}), now()"
        (row,) = await self.database.fetch("seed", sql.format("pseudonymised.study_event"))
        place = (row[0] - number, row[1] - number, row[2])
        return self.services.cursors.seal("studyChanged", Position(place, ""))


class CaughtUp(Subscribers):
    """Ends a subscription when it has told what there was; all archives change their health once before."""

    @classmethod
    def following(cls, other: Subscribers, database: Database) -> "CaughtUp":
        made = cls(other.listener, other.most, other.patience, other.retention_hours)
        made.database, made.changed = database, set()
        return made

    database: Database
    changed: set[int]

    async def news(self, bell: Bell) -> None:
        if id(bell) in self.changed or not any(kind == "health" for kind, _ in bell.topics):
            raise GoingAway("No more in this test.")
        self.changed.add(id(bell))
        health = "case health_state when 'DOWN' then 'DEGRADED' else 'DOWN' end"
        await self.database.execute("seed", f"update archive set health_state = {health}")  # noqa: S608


class Seeder:
    """Writes the rows of copies; each value is its copy's own."""

    def __init__(self) -> None:
        self.canaries = Canaries()
        self.configs = [
            ArchiveConfig(
                code=self.canaries.text([ern], "code", AccessLevel.COUNTS),
                ern=ern,
                title=f"{name} {self.canaries.text([ern], 'title', AccessLevel.COUNTS)}",
                kind="orthanc",
                url="http://127.0.0.1:1/dicom-web",
            )
            for name, ern in _PLACES
        ]
        self.rows: dict[tuple[str, Level], list[Row]] = {}

    def fill(self) -> None:
        names = [name for name, _ in _PLACES]
        for holders in [*([name] for name in names for _ in range(3)), *map(list, _SHARED), names]:
            self._study(holders)

    def _study(self, holders: list[str]) -> None:
        erns = {dict(_PLACES)[name] for name in holders}
        study_uid = self.canaries.uid(erns, "StudyInstanceUID")
        for number in range(2):
            series_uid = self.canaries.uid(erns, "SeriesInstanceUID")
            sop_uids = [self.canaries.uid(erns, "SOPInstanceUID") for _ in range(2)]
            for name in holders:
                self._series(name, study_uid, series_uid, sop_uids, number)
        # Those that are held twice come first in lists, so that every page shows what copies disagree on.
        year = 2003 if len(holders) > 1 else 1958
        for name in holders:
            own = self._own(name, "StudyID IssuerOfPatientID PatientID AccessionNumber StudyDescription")
            self._add(name, Level.STUDY, {"StudyInstanceUID": study_uid, **own, **self._person(name, year)})

    def _series(self, name: str, study: str, series: str, sops: list[str], number: int) -> None:
        uids = {"StudyInstanceUID": study, "SeriesInstanceUID": series}
        own = self._own(name, "SeriesDescription ProtocolName OperatorsName")
        ern = [dict(_PLACES)[name]]
        own |= {
            "SeriesDate": self.canaries.date(ern, "SeriesDate", 1974) if number else None,
            "SeriesTime": self.canaries.time(ern, "SeriesTime"),
            "Modality": "MR" if number else self._code(name, "Modality"),
            "BodyPartExamined": "EYE" if number else self._code(name, "BodyPartExamined"),
            "SeriesNumber": number,
            "NumberOfSeriesRelatedInstances": len(sops),
        }
        self._add(name, Level.SERIES, uids | own)
        for sop in sops:
            more = {"SOPInstanceUID": sop, "SOPClassUID": _MR, "InstanceNumber": 1, "Rows": 256}
            self._add(name, Level.INSTANCE, uids | more)

    def _person(self, name: str, year: int) -> dict[str, Any]:
        ern = [dict(_PLACES)[name]]
        return {
            "PatientName": "^".join(self.canaries.text(ern, "PatientName") for _ in range(5)),
            "ReferringPhysicianName": self.canaries.text(ern, "ReferringPhysicianName"),
            "PatientBirthDate": self.canaries.date(ern, "PatientBirthDate", 1931),
            "StudyDate": self.canaries.date(ern, "StudyDate", year),
            "StudyTime": self.canaries.time(ern, "StudyTime"),
            "PatientSex": self._code(name, "PatientSex"),
            "ModalitiesInStudy": ["MR", self._code(name, "ModalitiesInStudy")],
        }

    def _own(self, name: str, keywords: str) -> dict[str, Any]:
        ern = [dict(_PLACES)[name]]
        return {keyword: self.canaries.text(ern, keyword) for keyword in keywords.split()}

    def _code(self, name: str, keyword: str) -> str:
        """No CS that is one: a name in a place for codes."""
        return self.canaries.text([dict(_PLACES)[name]], keyword) + "^x"

    def _add(self, name: str, level: Level, values: dict[str, Any]) -> None:
        ern = [dict(_PLACES)[name]]
        if level is Level.STUDY:
            values["AcquisitionDateTime"] = self.canaries.date(ern, "AcquisitionDateTime", 1989)
        row = dict(_elements(values)) | dict(self._rest(ern))
        self.rows.setdefault((name, level), []).append(row)

    def _rest(self, ern: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        """What has no column: text of many kinds, a sequence, private elements, numbers, references."""
        text, new = self.canaries.text, self.canaries
        yield from _elements({keyword: text(ern, keyword) for keyword in _TEXTS.split()})
        yield "00201070", {"vr": "IS", "Value": [new.number(ern, "OtherStudyNumbers")]}
        yield "00280008", {"vr": "IS", "Value": [str(new.number(ern, "NumberOfFrames"))]}
        yield "00090010", {"vr": "LO", "Value": [PRIVATE]}
        yield "00091001", {"vr": "LO", "Value": [text(ern, "private")]}
        yield "00091002", {"vr": "UN", "Value": [text(ern, "private")]}
        yield "FFFFFFFA", {"vr": "LO", "Value": [text(ern, "unknown")]}
        item = dict(_elements({"PatientName": text(ern, "inside"), "PatientID": text(ern, "inside")}))
        code = {
            "00080100": {"vr": "SH", "Value": [text(ern, "local code")]},
            "00080102": {"vr": "SH", "Value": ["99LOCAL"]},
        }
        reference = {"00081155": {"vr": "UI", "Value": [new.uid(ern, "ReferencedSOPInstanceUID")]}}
        for tag in ("00400275", "00081115", "00081140", "0040A730"):
            yield tag, {"vr": "SQ", "Value": [item | code | reference | {tag: {"vr": "SQ", "Value": [item]}}]}


async def seed(database: Database) -> Seeded:
    """Loads an empty index; its pseudonymised copies are made under fixed keys."""
    seeder = Seeder()
    seeder.fill()
    ids = await sync_archives(database, seeder.configs)
    by_name = {name: ids[config.code] for (name, _), config in zip(_PLACES, seeder.configs, strict=True)}
    makers = {ids[c.code]: each for c, each in zip(seeder.configs, _makers(seeder), strict=True)}
    projections = Projections(database, makers, {each: code for code, each in ids.items()})
    database.after_write.append(projections.drain)
    made = Federation(list(ids.values()))
    made.rows = {(by_name[name], level): rows for (name, level), rows in seeder.rows.items()}
    for n in range(24):  # enough people to be counted
        uid = f"1.2.3.{n}"
        patient = {
            "PatientID": f"P{n}",
            "StudyDate": "18990101",
            "PatientSex": "F",
            "StudyDescription": "common",
        }
        made.rows[by_name["vasc"], Level.STUDY].append(study(uid, **patient))
        made.rows[by_name["vasc"], Level.SERIES].append(series(uid, f"{uid}.1", BodyPartExamined="EYE"))
        made.rows[by_name["vasc"], Level.INSTANCE].append(instance(uid, f"{uid}.1", f"{uid}.1.1"))
    await load(database, made)
    await _represent(database, made)
    await apply_declared(database, [Declared(parse_path("ALineRate"), Level.SERIES)])
    clients = []
    for (name, ern), config in zip(_PLACES, seeder.configs, strict=True):
        client = MemoryArchive.of(config, made, by_name[name])
        if name in _DOWN:
            client.down = ServerFailed(f"it said {seeder.canaries.text([ern], 'archive error')}")
        clients.append(client)
        await _sore_points(database, seeder.canaries, ern, by_name[name])
    agreed = (
        "insert into consent (archive_id, study_uid, care, registry, research, changed_by)"
        " select archive_id, study_uid, true, true, true, 'seed' from study on conflict do nothing"
    )
    await database.execute("seed", agreed)
    everything = "select distinct study_uid from study on conflict do nothing"
    await database.execute("seed", f"insert into pseudonymised.waiting (study_uid) {everything}")
    await projections.drain()
    services = await open_services(database, clients)
    services = replace(services, subscribers=CaughtUp.following(services.subscribers, database))
    return Seeded(database, services, seeder.canaries, clients)


def _makers(seeder: Seeder) -> list[Pseudonymiser]:
    """Under the first key of some that shifts no date onto another canary."""
    for number in range(200):
        makers = [Pseudonymiser(bytes([number]) * 32, each.ern, key_id="fixed") for each in seeder.configs]
        if not any(_collides(seeder, name, maker) for (name, _), maker in zip(_PLACES, makers, strict=True)):
            return makers
    raise AssertionError("every key shifts some date onto a canary")


def _collides(seeder: Seeder, name: str, maker: Pseudonymiser) -> bool:
    patients = {}
    for row in seeder.rows[name, Level.STUDY]:
        patients[row["0020000D"]["Value"][0]] = patient_of(row, name)
    shown = [
        maker.row(row, patient=patients[row["0020000D"]["Value"][0]])
        for level in (Level.STUDY, Level.SERIES)
        for row in seeder.rows[name, level]
    ]
    return any(each.token.startswith("19") for each in seeder.canaries.found_in(orjson.dumps(shown)))


async def _represent(database: Database, made: Federation) -> None:
    """Each series gets one of its instances, with all that is hidden in that."""
    found = await database.fetch("seed", "select series_pk, archive_id, series_uid from series")
    instances = {
        (archive_id, row["0020000E"]["Value"][0]): orjson.dumps(row).decode()
        for (archive_id, level), rows in made.rows.items()
        if level is Level.INSTANCE
        for row in rows
    }
    told = [(row["series_pk"], instances.get((row["archive_id"], row["series_uid"]))) for row in found]
    await representatives.store(database, told)


async def _sore_points(database: Database, canaries: Canaries, ern: str, archive_id: int) -> None:
    """Errors with words of the archive, a removal that waits, a rejected row, one study that is not indexed deeper."""
    said = canaries.text([ern], "archive error")
    await database.execute(
        "seed",
        "update archive set health_state = 'DOWN', health_error_code = 'BAD_ANSWER', health_error_message = $2,"
        " capabilities = jsonb_build_object('offset', 'no: ' || $2::text) where archive_id = $1",
        archive_id,
        said,
    )
    await database.execute(
        "seed",
        "insert into index_run (archive_id, kind, state, done, total, error_code, error_message)"
        " values ($1, 'full', 'failed', 1, 3, 'BAD_ANSWER', $2)",
        archive_id,
        canaries.text([ern], "archive error"),
    )
    await database.execute(
        "seed",
        "insert into suspicious_removal (archive_id, gone, total, since) values ($1, 977, 1000, $2)",
        archive_id,
        SINCE,
    )
    await database.execute(
        "seed",
        "insert into rejected_record (archive_id, level, uid, reason, data)"
        " values ($1, 'study', $2, $2, jsonb_build_object('a', $2::text))",
        archive_id,
        canaries.text([ern], "rejected", None),
    )
    await database.execute(
        "seed",
        "with one as (select study_uid from study where archive_id = $1 and not shared order by study_pk limit 1),"
        " gone as (delete from series where archive_id = $1 and study_uid in (select * from one)),"
        " lost as (delete from instance where archive_id = $1 and study_uid in (select * from one))"
        " update study set series_synced_at = null where archive_id = $1 and study_uid in (select * from one)",
        archive_id,
    )


def _elements(values: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for keyword, value in values.items():
        tag = tag_for_keyword(keyword)
        assert tag is not None
        if value is None:
            continue
        vr = dictionary_VR(tag)
        given = value if isinstance(value, list) else [value]
        yield f"{tag:08X}", {"vr": vr, "Value": [_value(vr, each) for each in given]}


def _value(vr: str, value: Any) -> Any:
    if isinstance(value, date):
        return f"{value:%Y%m%d}" + ("114713.000001" if vr == "DT" else "")
    return {"Alphabetic": value, "Ideographic": value, "Phonetic": value} if vr == "PN" else value
