"""Who saw a record: found with the real id and the key, not from the tables alone."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

from access.audit import AuditLine, AuditRecord, Touched, study_key
from access.keyed_pseudonyms import KeyedPseudonyms
from access.pseudonyms import Pseudonymiser
from config.archives_file import ArchiveConfig
from config.pseudonym_keys import derived_key
from db.archives import sync_archives
from db.audit.lines import who_saw_patient, who_saw_study
from db.audit.log import AuditLog, audit_secret
from db.audit.past_pseudonyms import MASTER_KEY, past_pseudonyms
from db.pool import Database
from db.secrets import shared_secret
from db.writing.projections import Projections
from tests.db.audit.test_audit import CANARY, log, written  # noqa: F401
from tests.db.writing.ingesting import store
from tests.rows import series, study


async def test_who_saw(log: AuditLog, database: Database) -> None:  # noqa: F811
    for name, touched in {
        "anna": Touched(studies={"1.2.3"}, patients={(CANARY, "HOSPITAL")}),
        "bert": Touched(studies={"1.2.4"}, patients={(CANARY, None)}),
        "carl": Touched(studies={"1.2.5"}, patients={("P2", None)}),
    }.items():
        await log.write(
            AuditRecord(datetime.now(UTC), name, None, "/graphql", "OK", None, "-", touched=touched)
        )

    async def people(*asked: str | None) -> list[str]:
        found = (
            await who_saw_patient(database, asked[0] or "", asked[1])
            if len(asked) == 2
            else await who_saw_study(database, asked[0] or "")
        )
        return [line.said["subject"] for line in found]

    assert await people("1.2.3") == ["anna"]
    assert await people("1.2.9") == []
    assert await people(CANARY, None) == ["anna", "bert"]
    assert await people(CANARY, "HOSPITAL") == ["anna"]
    assert await people(CANARY, "OTHER") == []


async def test_the_tables_alone_name_nobody(log: AuditLog, database: Database) -> None:  # noqa: F811
    await written(log)
    rows = await database.fetch(
        "all",
        "select e::text from audit_event e union all select t::text from audit_touch t",
    )
    text = "\n".join(row[0] for row in rows)
    assert CANARY not in text
    assert CANARY.encode().hex() not in text
    assert "1.2.3" not in text
    key = study_key(await audit_secret(database), "1.2.3.0")
    assert key.hex() in text


async def test_views_of_pseudonyms_are_found_under_every_key(
    log: AuditLog,  # noqa: F811
    database: Database,
    tmp_path: Path,
) -> None:
    await sync_archives(database, [ArchiveConfig(code="eye", ern="ERN-EYE", title="Eye", kind="folder")])
    master = await shared_secret(database, MASTER_KEY, lambda: bytes(range(32)))
    file = tmp_path / "keys.json"
    told = {"old": bytes(32), "new": bytes(range(1, 33))}
    days = {"old": "2020-01-01", "new": "2999-01-01"}
    entries = [
        {"id": name, "key": b64encode(key).decode(), "since": days[name]} for name, key in told.items()
    ]
    file.write_text(json.dumps({"ERN-EYE": entries}), encoding="utf-8")
    file.chmod(0o600)
    keys = {name: KeyedPseudonyms(key, "ERN-EYE") for name, key in told.items()}
    keys["derived"] = KeyedPseudonyms(derived_key(master, "ERN-EYE").key, "ERN-EYE")
    for name, key in keys.items():
        patients: set[tuple[str, str | None]] = {(key.patient_id(CANARY, "eye"), None)}
        await written_by(log, name, Touched(studies={key.uid("1.2.3")}, patients=patients))
        other: set[tuple[str, str | None]] = {(key.patient_id(CANARY, "HOSPITAL"), None)}
        await written_by(log, f"{name} issued", Touched(studies={key.uid("1.2.4")}, patients=other))
    past = await past_pseudonyms(database, file)

    def people(lines: list[AuditLine]) -> set[str]:
        return {line.said["subject"] for line in lines}

    assert people(await who_saw_study(database, "1.2.3", past)) == {*keys}
    assert people(await who_saw_study(database, "1.2.3")) == set()
    assert people(await who_saw_patient(database, CANARY, None, past)) == {*keys}
    issued = await who_saw_patient(database, CANARY, "HOSPITAL", past)
    assert people(issued) == {f"{name} issued" for name in keys}
    without_file = await past_pseudonyms(database, None)
    assert people(await who_saw_study(database, "1.2.3", without_file)) == {"derived"}


async def test_real_views_and_pseudonyms_of_the_index_are_one(
    log: AuditLog,  # noqa: F811
    database: Database,
) -> None:
    """By the real UID and by the pseudonym; series of a pseudonymised study count for its patient."""
    config = ArchiveConfig(code="eye", ern="ERN-EYE", title="Eye", kind="folder")
    ids = await sync_archives(database, [config])
    master = await shared_secret(database, MASTER_KEY, lambda: bytes(range(32)))
    maker = Pseudonymiser(derived_key(master, "ERN-EYE").key, "ERN-EYE", key_id="db-1")
    database.after_write.append(Projections(database, {ids["eye"]: maker}, {ids["eye"]: "eye"}).drain)
    await store(database, ids["eye"], [study("1.2.3", PatientID=CANARY)], [series("1.2.3", "1.2.3.1")])
    shown = maker.uid("1.2.3")
    await written_by(log, "doctor", Touched(studies={"1.2.3"}))
    await written_by(log, "reader", Touched(studies={shown}, copies={(shown, ids["eye"])}))
    past = await past_pseudonyms(database, None)
    for name in ("1.2.3", shown):
        found = await who_saw_study(database, name, past)
        assert [line.said["subject"] for line in found] == ["doctor", "reader"]
    assert [line.said["patients"] for line in found] == [0, 1]
    found = await who_saw_patient(database, CANARY, None, past)
    assert [line.said["subject"] for line in found] == ["doctor", "reader"]


async def written_by(log: AuditLog, subject: str, touched: Touched) -> None:  # noqa: F811
    at = datetime.now(UTC)
    await log.write(AuditRecord(at, subject, None, "/graphql", "OK", None, "-", touched=touched))
