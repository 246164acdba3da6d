"""An audit line as a FHIR R4 AuditEvent (hl7.org/fhir/R4/auditevent.html)."""

import base64
from typing import Any, Final

from access.audit import AuditLine
from access.audit_dicom import SOURCE_ID, details, event_of, outcome_indicator, plain_text

_DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_PURPOSES: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
_ROLE: Final = "http://terminology.hl7.org/CodeSystem/object-role"
_ENTITY: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_SOURCE: Final = "http://terminology.hl7.org/CodeSystem/security-source-type"


def audit_event(line: AuditLine) -> dict[str, Any]:
    """The resource, ready for JSON. Its id is the number of the line."""
    said = line.said
    code, meaning, action = event_of(said["endpoint"])
    event: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": str(line.number),
        "type": {"system": _DCM, "code": code, "display": meaning},
        "action": action,
        "recorded": said["at"],
        "outcome": outcome_indicator(said["outcome"]),
        "outcomeDesc": said["outcome"],
        "agent": [_person(said), _server()],
        "source": {
            "observer": {"display": SOURCE_ID},
            "type": [{"system": _SOURCE, "code": "4", "display": "Application Server"}],
        },
        "entity": [_asked(line, said)],
    }
    if said["purpose"]:
        event["purposeOfEvent"] = [{"coding": [{"system": _PURPOSES, "code": said["purpose"]}]}]
    return event


def _person(said: dict[str, Any]) -> dict[str, Any]:
    agent: dict[str, Any] = {
        "type": {"coding": [{"system": _DCM, "code": "110153", "display": "Source Role ID"}]},
        "who": {"identifier": {"value": plain_text(said["subject"])}},
        "requestor": True,
    }
    if said["client"]:
        agent["network"] = {"address": said["client"], "type": "2"}
    return agent


def _server() -> dict[str, Any]:
    return {
        "type": {"coding": [{"system": _DCM, "code": "110152", "display": "Destination Role ID"}]},
        "who": {"display": SOURCE_ID},
        "requestor": False,
    }


def _asked(line: AuditLine, said: dict[str, Any]) -> dict[str, Any]:
    """The endpoint, and the hash of the document in place of the document."""
    entity: dict[str, Any] = {
        "what": {"identifier": {"value": said["endpoint"]}},
        "type": {"system": _ENTITY, "code": "2", "display": "System Object"},
        "role": {"system": _ROLE, "code": "24", "display": "Query"},
        "detail": [
            {"type": name, "valueString": plain_text(value)} for name, value in details(line, said).items()
        ],
    }
    if said["document"]:
        entity["query"] = base64.b64encode(f"sha256:{said['document']}".encode()).decode()
    else:
        entity["name"] = "no document"
    return entity
