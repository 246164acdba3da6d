"""Reading DICOM JSON rows (PS3.18 Annex F) that nobody has checked yet: values, keys, dates. No I/O.

Whatever an archive sends, these functions do not raise (but `as_rows`, on what is no list of rows).
"""

from datetime import date, datetime
from typing import Final, Literal

from archives.client import Row
from archives.errors import BadAnswer
from model.odd_json import DataSet, data_set_of, has_a_tag, like

Level = Literal["studies", "series", "instances"]
Key = tuple[str | None, ...]

STUDY_DATE = "00080020"
SOP_INSTANCE_UID = "00080018"
MODALITY = "00080060"
MODALITIES_IN_STUDY = "00080061"
PATIENT_ID = "00100020"
ISSUER_OF_PATIENT_ID = "00100021"
STUDY_INSTANCE_UID = "0020000D"
SERIES_INSTANCE_UID = "0020000E"
AVAILABLE_TRANSFER_SYNTAX_UID = "00083002"
RETRIEVE_URL = "00081190"

KEYS: dict[Level, tuple[str, ...]] = {
    "studies": (STUDY_INSTANCE_UID, PATIENT_ID, ISSUER_OF_PATIENT_ID),
    "series": (SERIES_INSTANCE_UID, STUDY_INSTANCE_UID),
    "instances": (SOP_INSTANCE_UID, SERIES_INSTANCE_UID, STUDY_INSTANCE_UID),
}
PARENT_UID: Final[dict[Level, str | None]] = {
    "studies": None,
    "series": STUDY_INSTANCE_UID,
    "instances": SERIES_INSTANCE_UID,
}
OWN_UID: Final[dict[Level, str]] = {
    "studies": STUDY_INSTANCE_UID,
    "series": SERIES_INSTANCE_UID,
    "instances": SOP_INSTANCE_UID,
}


def as_rows(answer: object) -> list[Row]:
    """The rows of a QIDO-RS or metadata answer, as the standard writes them. A single data set is taken for a list of
    one; among others, what is none is one without attributes."""
    rows = [answer] if isinstance(answer, dict) else answer
    if not isinstance(rows, list):
        raise BadAnswer("not a list of DICOM JSON objects")
    if rows and not any(isinstance(row, dict) and has_a_tag(row) for row in rows):
        raise BadAnswer("not a list of DICOM JSON objects")
    return [data_set_of(row) if isinstance(row, dict) else DataSet(notes={"": "no object"}) for row in rows]


def values(row: Row, tag: str) -> list[object]:
    """All values of an attribute, [] where it is absent, empty or malformed."""
    element = row.get(tag)
    found = element.get("Value") if isinstance(element, dict) else None
    return [one for one in found if one is not None] if isinstance(found, list) else []


def text(row: Row, tag: str) -> str | None:
    """First value as text without padding (PS3.5 6.2), None where there is none."""
    found = values(row, tag)
    return str(found[0]).strip(" \0") or None if found else None


def put(row: Row, tag: str, vr: str, *found: object) -> None:
    """Set an attribute."""
    row[tag] = {"vr": vr, "Value": list(found)} if found else {"vr": vr}


def key(level: Level, row: Row) -> Key | None:
    """What makes a row one of its kind, None for a row without its own UID.

    A StudyInstanceUID under two patients (PatientID and its issuer) is two rows, and both are kept. The UID of a
    series or an instance is one only within what it is part of: two patients may have series of one UID.
    """
    names = [text(row, tag) for tag in KEYS[level]]
    return None if names[0] is None else tuple(names)


def study_date(row: Row) -> date | None:
    """StudyDate; also the old form YYYY.MM.DD (PS3.5 6.2, DA). What is no date counts as undated."""
    written = (text(row, STUDY_DATE) or "").replace(".", "")
    try:
        return datetime.strptime(written, "%Y%m%d").date() if len(written) == 8 else None  # noqa: DTZ007
    except ValueError:
        return None


def without_bulk(row: Row) -> Row:
    """A data set without binary values and without what is the server's own, in sequences too."""
    kept: Row = like(row, {})
    own = _servers_own(row)
    for tag, element in row.items():
        if tag == RETRIEVE_URL or not isinstance(element, dict):
            continue
        if own and tag[:4] == _DCM4CHEE and _block(tag) in own:
            continue
        if "BulkDataURI" in element or "InlineBinary" in element:
            continue
        if element.get("vr") == "SQ":
            items = [without_bulk(item) for item in values(row, tag) if isinstance(item, dict)]
            element = {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}
        kept[tag] = element
    return kept


_DCM4CHEE = (
    "7777"  # group of what dcm4chee says of its own work: when a study was last read, where it is stored
)


def _servers_own(row: Row) -> set[str]:
    """The blocks of that group which are dcm4chee's: these change whenever somebody looks."""
    return {
        tag[6:]
        for tag in row
        if tag[:6] == f"{_DCM4CHEE}00" and (text(row, tag) or "").startswith("DCM4CHEE Archive")
    }


def _block(tag: str) -> str:
    """The block of a private attribute; of its creator, the one that it reserves (PS3.5 7.8.1)."""
    return tag[6:] if tag[4:6] == "00" else tag[4:6]
