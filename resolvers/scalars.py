"""The scalars of the schema: DICOM UIDs and values in the DICOM JSON model; dates as ISO 8601."""

import re
from datetime import date, datetime, time
from typing import Any, NewType

import strawberry

from model.errors import BadInput
from model.uids import MAX_LENGTH, is_uid

UID = NewType("UID", str)
DicomJson = NewType("DicomJson", object)

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")


def _parse_uid(value: Any) -> UID:
    if not is_uid(value):
        raise BadInput(
            f"expected a DICOM UID: 1-{MAX_LENGTH} printable ASCII characters without spaces, backslashes, * and ?"
        )
    return UID(value)


def _parse_date(value: Any) -> date:
    try:
        # fromisoformat also reads weeks (2024-W22-5) and 20240531: the scalar promises one form.
        if isinstance(value, str) and _DATE.match(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise BadInput("expected an ISO 8601 date such as 2024-05-31")


def _parse_time(value: Any) -> time:
    try:
        return time.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadInput("expected an ISO 8601 time such as 13:45:00") from None


def _parse_instant(value: Any) -> datetime:
    try:
        instant = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        instant = None
    if instant is None or instant.tzinfo is None:
        raise BadInput("expected an ISO 8601 instant with offset such as 2024-05-31T13:45:00Z")
    return instant


SCALARS: dict[object, Any] = {
    UID: strawberry.scalar(
        name="UID",
        description="DICOM UI value: 1-64 characters of digits and dots (PS3.5 section 9); of archives that break this "
        "rule up to 128 printable ASCII characters without spaces, backslashes, * and ?.",
        serialize=str,
        parse_value=_parse_uid,
    ),
    DicomJson: strawberry.scalar(
        name="DicomJson",
        description="A value in the DICOM JSON model (PS3.18 Annex F).",
        serialize=lambda value: value,
        parse_value=lambda value: value,
    ),
    date: strawberry.scalar(
        name="Date",
        description="ISO 8601 date (DICOM DA). An unparsable DA is null here and kept raw in attributes.",
        serialize=date.isoformat,
        parse_value=_parse_date,
    ),
    time: strawberry.scalar(
        name="Time",
        description="ISO 8601 local time (DICOM TM).",
        serialize=time.isoformat,
        parse_value=_parse_time,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="ISO 8601 instant with offset.",
        serialize=datetime.isoformat,
        parse_value=_parse_instant,
    ),
}
