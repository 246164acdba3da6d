"""Who saw a record: found with the real id and the key, not from the tables alone."""

from datetime import UTC, datetime

from access.audit import AuditRecord, Touched, study_key
from db.audit import AuditLog, audit_secret
from db.audit_lines import who_saw_patient, who_saw_study
from db.pool import Database
from tests.db.test_audit import CANARY, log, written  # noqa: F401


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
