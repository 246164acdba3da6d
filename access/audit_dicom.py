"""An audit line as a DICOM audit message (PS3.15 A.5), in the XML of A.5.1. One line of text a message.

A line about the audit log itself is "Audit Log Used" (A.5.3.2), one about a file "Export" (A.5.3.5), about instances
that somebody sends "Import" (A.5.3.6), every other one a "Query" (A.5.3.10) or "DICOM Instances Transferred" (A.5.3.7).
The schema has no place for the purpose of use and for counts: they are ParticipantObjectDetails.
"""

import base64
import re
from collections.abc import Mapping
from typing import Any, Final
from xml.etree import ElementTree as ET

from access.audit import BEGUN, EXPORT_PATH, IMPORTING, AuditLine

SOURCE_ID: Final = "ernfed"
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ON_AUDIT = "ernfed audit"


def audit_message(line: AuditLine) -> str:
    """The AuditMessage element as text."""
    said = line.said
    message = ET.Element("AuditMessage")
    _event(message, said)
    _participant(
        message, said["subject"], requestor=True, role=("110153", "Source Role ID"), at=said["client"]
    )
    _participant(message, SOURCE_ID, requestor=False, role=("110152", "Destination Role ID"))
    source = ET.SubElement(message, "AuditSourceIdentification", AuditSourceID=SOURCE_ID)
    ET.SubElement(source, "AuditSourceTypeCode", {"csd-code": "4"})  # application server
    _object(message, line, said)
    return ET.tostring(message, encoding="unicode")


_RETRIEVAL = re.compile(r"/dicom-web/studies/\{study\}(?!.*/(series|instances)\Z)")
"""Of DICOMweb what is no search."""


def outcome_indicator(outcome: str) -> str:
    """EventOutcomeIndicator: 0 success, 4 minor failure (of the caller, or in part), 8 serious (of ours)."""
    if outcome in ("OK", BEGUN):
        return "0"
    return "8" if outcome in ("INTERNAL", "CUT_OFF", "TIMEOUT") else "4"


def event_of(endpoint: str) -> tuple[str, str, str]:
    """EventID (code, meaning) and EventActionCode."""
    if endpoint.startswith(_ON_AUDIT):
        return "110101", "Audit Log Used", "R"
    if endpoint.startswith(EXPORT_PATH):
        return "110106", "Export", "R"
    if endpoint.startswith(IMPORTING):
        return "110107", "Import", "C"
    if _RETRIEVAL.search(endpoint):
        return "110104", "DICOM Instances Transferred", "R"
    return "110112", "Query", "E"


def _event(message: ET.Element, said: Mapping[str, Any]) -> None:
    code, meaning, action = event_of(said["endpoint"])
    event = ET.SubElement(
        message,
        "EventIdentification",
        EventActionCode=action,
        EventDateTime=said["at"],
        EventOutcomeIndicator=outcome_indicator(said["outcome"]),
    )
    _coded(event, "EventID", code, "DCM", meaning)
    if said["outcome"] != "OK":
        ET.SubElement(event, "EventOutcomeDescription").text = plain_text(said["outcome"])


def _participant(
    message: ET.Element, user: str, *, requestor: bool, role: tuple[str, str], at: str | None = None
) -> None:
    participant = ET.SubElement(
        message, "ActiveParticipant", UserID=plain_text(user), UserIsRequestor=str(requestor).lower()
    )
    if at:
        participant.set("NetworkAccessPointID", plain_text(at))
        participant.set("NetworkAccessPointTypeCode", "2")
    _coded(participant, "RoleIDCode", role[0], "DCM", role[1])


def _object(message: ET.Element, line: AuditLine, said: Mapping[str, Any]) -> None:
    """What was asked: the endpoint, and the hash of the document in place of the document."""
    asked = ET.SubElement(
        message,
        "ParticipantObjectIdentification",
        ParticipantObjectID=plain_text(said["endpoint"]),
        ParticipantObjectTypeCode="2",
        ParticipantObjectTypeCodeRole="24" if said["document"] else "13",
    )
    _coded(asked, "ParticipantObjectIDTypeCode", "12", "RFC-3881", "URI")
    if said["document"]:
        ET.SubElement(asked, "ParticipantObjectQuery").text = _base64(f"sha256:{said['document']}")
    else:
        ET.SubElement(asked, "ParticipantObjectName").text = "no document"
    for name, value in details(line, said).items():
        ET.SubElement(asked, "ParticipantObjectDetail", type=name, value=_base64(value))


def details(line: AuditLine, said: Mapping[str, Any]) -> dict[str, str]:
    """What neither standard has a place for, by name; what is not known is left out."""
    known = {
        "PurposeOfUse": said["purpose"],
        "Operation": said["operation"],
        "Archives": " ".join(said["archives"]),
        "NumberOfPatients": str(said["patients"]),
        "NumberOfStudies": str(said["studies"]),
        "Outcome": said["outcome"],
        "RequestID": said["request"],
        "LineNumber": str(line.number),
        "LineDigest": line.digest.hex(),
    }
    return {name: value for name, value in known.items() if value}


def _coded(parent: ET.Element, name: str, code: str, system: str, meaning: str) -> None:
    ET.SubElement(parent, name, {"csd-code": code, "codeSystemName": system, "originalText": meaning})


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()


def plain_text(text: str) -> str:
    """Without what neither XML nor a string of FHIR may hold."""
    return _NOT_XML.sub("\ufffd", text)
