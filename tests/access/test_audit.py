"""Audit lines on their own: purposes, digests, keys, the chain, and what an export says."""

import base64
import hashlib
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from access import audit
from access.audit import GENESIS, AuditLine, AuditRecord, Touched
from access.audit_dicom import audit_message
from access.audit_fhir import audit_event
from model.errors import BadInput

SECRET = bytes(32)
CANARY = "Zzyzx^Canary"


def record(number: int = 1, **changes: Any) -> AuditRecord:
    values: dict[str, Any] = {
        "at": datetime(2024, 5, 31, 12, 0, 0, number, UTC),
        "subject": f"person-{number}",
        "purpose": "TREAT",
        "endpoint": "/graphql",
        "outcome": "OK",
        "client": "192.0.2.0/24",
        "request_id": f"request-{number}",
        "document": "ab" * 32,
        "archives": ("b", "a"),
        "touched": Touched(studies={f"1.2.{number}"}, patients={(f"P{number}", "ISSUER")}),
    }
    return AuditRecord(**values | changes)


def chain(records: list[AuditRecord]) -> list[AuditLine]:
    made, head = [], GENESIS
    for number, each in enumerate(records, 1):
        keys = audit.touch_keys(SECRET, each.touched)
        payload = audit.payload_of(each, keys)
        head = audit.chained(head, payload)
        made.append(AuditLine(number, each.at, head, payload, tuple(keys)))
    return made


def first_flaw(lines: list[AuditLine]) -> str | None:
    head = GENESIS
    for number, line in enumerate(lines, 1):
        if wrong := audit.flaw(line, number, head):
            return wrong
        head = line.digest
    return None


@pytest.mark.parametrize(
    ("header", "code"), [(None, None), ("TREAT", "TREAT"), (" hresch ", "HRESCH"), ("PATRQT", "PATRQT")]
)
def test_purposes(header: str | None, code: str | None) -> None:
    assert audit.purpose_of(header) == code


@pytest.mark.parametrize("header", ["", "CURIOSITY", "TREAT,HRESCH", CANARY, "PurposeOfUse"])
def test_what_is_no_purpose_is_refused_without_repeating_it(header: str) -> None:
    with pytest.raises(BadInput, match="X-Purpose-Of-Use") as refused:
        audit.purpose_of(header)
    assert CANARY not in refused.value.message


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("testclient", None),
        (None, None),
    ],
)
def test_addresses_are_cut(address: str | None, network: str | None) -> None:
    assert audit.network_of(address) == network


def test_a_document_without_words_has_its_plain_digest() -> None:
    document = "query($f: StudyFilter) { studies(filter: $f, first: 20) { totalCount } }"
    assert audit.document_digest(document) == hashlib.sha256(document.encode()).hexdigest()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{ a(x: "Müller") }', '{ a(x: "") }'),
        (r'{ a(x: "M\"üller") }', '{ a(x: "") }'),
        ('{ a(x: """Mü"l\n\\"""ler""") b }', '{ a(x: "") b }'),
        ("{ a # Müller\n }", "{ a #\n }"),
        ('{ a(x: "Müller', '{ a(x: "'),
        ('{ a(x: """Müller', '{ a(x: """'),
    ],
)
def test_words_of_a_document_are_not_in_its_digest(one: str, other: str) -> None:
    assert audit.document_digest(one) == audit.document_digest(other)


def test_a_hostile_document_is_digested_in_linear_time() -> None:
    for text in ('"' * 1_000_000, '"""' + '\\"' * 500_000, "#" * 1_000_000, '"\\' * 500_000):
        assert len(audit.document_digest(text)) == 64


def test_touched_rows_of_every_level_and_a_second_event() -> None:
    touched = Touched()
    touched.add([{"uid": "1.2", "archive_id": 1, "patient_id": "P", "issuer_of_patient_id": None}])
    touched.add([{"uid": "1.3", "archive_id": 1, "patient_id": None, "issuer_of_patient_id": None}])
    touched.add([{"uid": "1.2.9", "study_uid": "1.4", "archive_id": 2}])
    taken = touched.take()
    assert taken.studies == {"1.2", "1.3", "1.4"}
    assert (taken.patients, taken.copies, taken.archive_ids) == ({("P", None)}, {("1.4", 2)}, {1, 2})
    assert touched == Touched()


def test_keys_need_the_secret_and_say_no_kind() -> None:
    touched = Touched(studies={"1.2"}, patients={("P", "I")})
    keys = audit.touch_keys(SECRET, touched)
    assert keys == sorted(
        [
            audit.study_key(SECRET, "1.2"),
            audit.patient_key(SECRET, "P", None),
            audit.patient_key(SECRET, "P", "I"),
        ]
    )
    assert not set(keys) & set(audit.touch_keys(b"other", touched))
    assert {len(key) for key in keys} == {16}
    assert audit.patient_key(SECRET, "1.2", None) != audit.study_key(SECRET, "1.2")


def test_a_line_names_nobody() -> None:
    touched = Touched(studies={"1.2.999"}, patients={(CANARY, CANARY)})
    [line] = chain([record(touched=touched)])
    assert CANARY not in line.payload
    assert "1.2.999" not in line.payload
    assert (line.said["patients"], line.said["studies"], line.said["archives"]) == (1, 1, ["a", "b"])


def test_a_whole_chain() -> None:
    assert first_flaw(chain([record(number) for number in range(1, 9)])) is None


def test_every_kind_of_tampering_breaks_the_chain_where_it_happened() -> None:
    lines = chain([record(number) for number in range(1, 9)])
    removed = lines[:3] + lines[4:]
    assert first_flaw(removed) == "line 4 is missing"
    assert first_flaw(lines[:3] + lines[6:]) == "lines 4 to 6 are missing"
    renumbered = lines[:3] + [_but(line, number=line.number - 1) for line in lines[4:]]
    assert first_flaw(renumbered) == "line 4 was changed, inserted or moved"
    swapped = [*lines[:2], _but(lines[3], number=3), _but(lines[2], number=4), *lines[4:]]
    assert first_flaw(swapped) == "line 3 was changed, inserted or moved"
    changed = _but(lines[4], payload=lines[4].payload.replace("person-5", "person-6"))
    assert first_flaw([*lines[:4], changed]) == "line 5 was changed, inserted or moved"
    assert first_flaw([*lines[:4], _but(lines[4], at=datetime(2020, 1, 1, tzinfo=UTC))]) == (
        "the time of line 5 was changed"
    )
    assert first_flaw([*lines[:4], _but(lines[4], keys=lines[4].keys[1:])]) == (
        "what line 5 says it touched was changed"
    )
    assert first_flaw([lines[0], lines[0]]) == "line 1 is there twice"


def test_any_changed_character_is_found() -> None:
    rng = random.Random(5)
    lines = chain([record(number) for number in range(1, 5)])
    for _ in range(200):
        at, place = rng.randrange(4), rng.randrange(len(lines[0].payload))
        payload = lines[at].payload
        place %= len(payload)
        other = payload[:place] + chr((ord(payload[place]) + 1) % 128) + payload[place + 1 :]
        broken = [*lines[:at], _but(lines[at], payload=other), *lines[at + 1 :]]
        assert first_flaw(broken) == f"line {at + 1} was changed, inserted or moved"


# ---- exports -----------------------------------------------------------------------------------------

CASES = [
    record(1),
    record(2, outcome="PARTIAL", purpose=None, client=None),
    record(3, outcome="INTERNAL", document=None, archives=()),
    record(4, subject="a\x00b<&>\ud800", endpoint="ernfed audit who-saw", operation="Worklist"),
    record(5, endpoint="/export/studies.csv", operation=None),
]


@pytest.mark.parametrize("case", CASES, ids=["ok", "partial", "failed", "odd", "export"])
def test_a_dicom_message_has_what_a_5_1_requires(case: AuditRecord) -> None:
    [line] = chain([case])
    text = audit_message(line)
    text.encode()
    message = ET.fromstring(text)  # noqa: S314
    assert "\n" not in text
    assert [child.tag for child in message] == [
        "EventIdentification",
        "ActiveParticipant",
        "ActiveParticipant",
        "AuditSourceIdentification",
        "ParticipantObjectIdentification",
    ]
    event, person, server, source, asked = message
    assert event.get("EventActionCode") in ("E", "R")
    assert datetime.fromisoformat(event.get("EventDateTime", "")).utcoffset() == timedelta(0)
    assert event.get("EventOutcomeIndicator") in ("0", "4", "8", "12")
    assert event[0].attrib in (
        {"csd-code": "110112", "codeSystemName": "DCM", "originalText": "Query"},
        {"csd-code": "110101", "codeSystemName": "DCM", "originalText": "Audit Log Used"},
        {"csd-code": "110106", "codeSystemName": "DCM", "originalText": "Export"},
    )
    assert (person.get("UserIsRequestor"), server.get("UserIsRequestor")) == ("true", "false")
    assert person.get("UserID")
    assert source.get("AuditSourceID")
    assert asked.get("ParticipantObjectID") == case.endpoint
    assert asked[0].tag == "ParticipantObjectIDTypeCode"
    assert asked[1].tag in ("ParticipantObjectName", "ParticipantObjectQuery")
    said = {
        detail.get("type"): base64.b64decode(detail.get("value", "")).decode(errors="replace")
        for detail in asked.findall("ParticipantObjectDetail")
    }
    assert said["NumberOfStudies"] == "1"
    assert said.get("PurposeOfUse") == case.purpose
    for coded in message.iter():
        if "codeSystemName" in coded.attrib:
            assert {"csd-code", "codeSystemName", "originalText"} <= set(coded.attrib)


@pytest.mark.parametrize("case", CASES, ids=["ok", "partial", "failed", "odd", "export"])
def test_a_fhir_event_has_what_r4_requires(case: AuditRecord) -> None:
    [line] = chain([case])
    event = audit_event(line)
    assert event["resourceType"] == "AuditEvent"
    assert {"system", "code"} <= set(event["type"])
    assert datetime.fromisoformat(event["recorded"]).tzinfo is not None
    assert event["action"] in "CRUDE"
    assert event["outcome"] in ("0", "4", "8", "12")
    assert event["agent"]
    assert all(isinstance(agent["requestor"], bool) for agent in event["agent"])
    assert event["source"]["observer"]
    [entity] = event["entity"]
    assert ("name" in entity) != ("query" in entity)  # constraint sev-1
    assert all({"type", "valueString"} == set(detail) for detail in entity["detail"])
    assert all(detail["valueString"] for detail in entity["detail"])
    assert ("purposeOfEvent" in event) == (case.purpose is not None)


def _but(line: AuditLine, **changes: Any) -> AuditLine:
    values = {name: getattr(line, name) for name in ("number", "at", "digest", "payload", "keys")}
    return AuditLine(**values | changes)
