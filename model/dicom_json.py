"""DICOM JSON (PS3.18 Annex F) → records. A bad row becomes a Rejected, never an exception.

What is only odd is made right first (odd_json.py), where rows come in or else here.
A value that its VR forbids (a DA of 'unknown', an IS of 'x') is None in its typed column and stays raw
in `data`: only a missing or invalid UID, or a row that is no object, rejects the row. The same for a group of a
name that the archive did not decode (decoding.py); the record says so.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, time
from typing import Any

import orjson

from model.attributes import Attribute, Key, Kind, Level, attribute
from model.decoding import suspects, without_suspect_groups
from model.odd_json import data_set_of, told_of
from model.records import INSTANCE_COLUMNS, SERIES_COLUMNS, STUDY_COLUMNS, Record, Rejected
from model.uids import conforms, is_uid

DataSet = Mapping[str, Any]

_STUDY_UID = attribute("StudyInstanceUID").tag
_SERIES_UID = attribute("SeriesInstanceUID").tag
_SOP_UID = attribute("SOPInstanceUID").tag
_MODALITIES = attribute("ModalitiesInStudy").tag
_INT32 = range(-(2**31), 2**31)

_COLUMNS = {Level.STUDY: STUDY_COLUMNS, Level.SERIES: SERIES_COLUMNS, Level.INSTANCE: INSTANCE_COLUMNS}
_UIDS = {
    Level.STUDY: (_STUDY_UID,),
    Level.SERIES: (_SERIES_UID, _STUDY_UID),
    Level.INSTANCE: (_SOP_UID, _SERIES_UID, _STUDY_UID),
}


def parse(level: Level, rows: Iterable[Any]) -> tuple[list[Record], list[Rejected]]:
    """Records and rejected rows of one level, in the order given."""
    records: list[Record] = []
    rejected: list[Rejected] = []
    for row in rows:
        outcome = parse_row(level, row)
        if isinstance(outcome, Record):
            records.append(outcome)
        else:
            rejected.append(outcome)
    return records, rejected


def parse_row(level: Level, row: Any) -> Record | Rejected:
    """One row. The reason of a Rejected names the attribute, never its value."""
    if not isinstance(row, dict):
        return Rejected(level, None, f"expected a JSON object, got {type(row).__name__}", _text(row))
    row = data_set_of(row)
    uids = [first(row, tag) for tag in _UIDS[level]]
    for tag, uid in zip(_UIDS[level], uids, strict=True):
        if not is_uid(uid):
            known = uids[0] if is_uid(uids[0]) else None
            return Rejected(level, known, f"{tag} is {'missing' if uid is None else 'not a UID'}", _text(row))
    values = tuple([convert(row, column) for convert, column in _CONVERTED[level]])
    text = _text(row)
    return Record(
        level=level,
        uid=uids[0],
        study_uid=uids[-1],
        series_uid=uids[1] if level is Level.INSTANCE else "",
        values=values,
        data=text,
        suspect=", ".join(suspects(row, text)),
        notes=_notes(level, uids, row.notes),
    )


def parent_of(level: Level, row: Any) -> Key | None:
    """The UIDs of the study, or at the instance level of the series, that a row says it belongs to."""
    tags = (_STUDY_UID, _SERIES_UID) if level is Level.INSTANCE else (_STUDY_UID,)
    uids = [first(row, tag) for tag in tags] if isinstance(row, dict) else []
    return tuple(uids) if uids and all(map(is_uid, uids)) else None


def _notes(level: Level, uids: list[str], notes: Mapping[str, str]) -> str:
    if conforms(uids[0]):
        return told_of(notes) if notes else ""
    return told_of({**notes, _UIDS[level][0]: "does not conform (PS3.5 9.1)"})


def values_of(row: DataSet, tag: str) -> list[Any]:
    """The Value array of an attribute; [] when it is absent, empty or malformed."""
    element = row.get(tag)
    if element is None:
        return []
    # a dict is what JSON has; to ask for Mapping alone costs ten times as much
    values = element.get("Value") if isinstance(element, (dict, Mapping)) else None
    return values if isinstance(values, list) else []


def first(row: DataSet, tag: str) -> Any:
    """The first value, a padded string stripped (PS3.5 6.2); None when there is none."""
    values = values_of(row, tag)
    if not values:
        return None
    value = values[0]
    return (clean(value) or None) if isinstance(value, str) else value


def clean(text: str) -> str:
    """Without NUL (Postgres refuses it, archives send it), lone surrogates and padding."""
    if "\0" in text:
        text = text.replace("\0", "")
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")
    return text.strip()


def parse_date(text: str) -> date | None:
    """A DA (YYYYMMDD, or the retired YYYY.MM.DD); None when it is no date."""
    digits = text.replace(".", "") if len(text) == 10 else text
    if len(digits) != 8 or not digits.isascii() or not digits.isdigit():
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def parse_time(text: str) -> time | None:
    """A TM (HH[MM[SS[.F{1,6}]]], or the retired HH:MM:SS); None when it is no time."""
    whole, _, fraction = text.replace(":", "").partition(".")
    if len(whole) not in (2, 4, 6) or not (whole + fraction).isascii() or not (whole + fraction).isdigit():
        return None
    parts = [int(whole[i : i + 2]) for i in range(0, len(whole), 2)] + [0, 0]
    try:
        # A leap second (60) is legal in TM and unknown to time.
        return time(parts[0], parts[1], min(parts[2], 59), int(fraction[:6].ljust(6, "0")) if fraction else 0)
    except ValueError:
        return None


def parse_integer(value: Any) -> int | None:
    """An IS or US as a 32 bit integer; archives send numbers, strings and decimals."""
    if isinstance(value, str):
        try:
            value = float(value) if "." in value or "e" in value.lower() else int(value)
        except ValueError:
            return None
    if isinstance(value, float):
        value = int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value in _INT32 else None


def name_text(value: Any) -> str | None:
    """A PN as DICOM writes it, 'alphabetic=ideographic=phonetic' (PS3.5 6.2.1.1)."""
    if isinstance(value, str):
        return clean(value) or None
    if not isinstance(value, Mapping):
        return None
    groups = [value.get(group) for group in ("Alphabetic", "Ideographic", "Phonetic")]
    text = "=".join(clean(group) if isinstance(group, str) else "" for group in groups).rstrip("=")
    return text or None


def _text_value(row: DataSet, column: Attribute) -> str | None:
    """A multi-valued text attribute keeps its values as DICOM does, joined by a backslash."""
    values = values_of(row, column.tag)
    if not values:
        return None
    return "\\".join([clean(v) if isinstance(v, str) else str(v) for v in values if v is not None]) or None


def _integer(row: DataSet, column: Attribute) -> int | None:
    number = parse_integer(first(row, column.tag))
    return None if number is not None and number < 0 and column.keyword.startswith("NumberOf") else number


def _date(row: DataSet, column: Attribute) -> date | None:
    value = first(row, column.tag)
    return parse_date(value) if isinstance(value, str) else None


def _time(row: DataSet, column: Attribute) -> time | None:
    value = first(row, column.tag)
    return parse_time(value) if isinstance(value, str) else None


def _name(row: DataSet, column: Attribute) -> str | None:
    return name_text(without_suspect_groups(first(row, column.tag)))


def _list(row: DataSet, column: Attribute) -> list[str]:
    texts = {clean(value) for value in values_of(row, column.tag) if isinstance(value, str)}
    return sorted(texts - {""})


def _uid(row: DataSet, column: Attribute) -> str | None:
    value = first(row, column.tag)
    return value if is_uid(value) else None


_CONVERT: dict[Kind, Callable[[DataSet, Attribute], Any]] = {
    Kind.TEXT: _text_value,
    Kind.UID: _uid,
    Kind.NAME: _name,
    Kind.DATE: _date,
    Kind.TIME: _time,
    Kind.INTEGER: _integer,
    Kind.LIST: _list,
}


_CONVERTED = {
    level: [(_CONVERT[column.kind], column) for column in columns] for level, columns in _COLUMNS.items()
}


def _text(row: Any) -> str:
    """JSON text that jsonb accepts: no NUL, no lone surrogates, string keys, bounded depth."""
    try:
        text = orjson.dumps(row).decode()
    except (TypeError, ValueError):
        text = _plain_text(row)
    return _plain_text(row) if "\\u0000" in text else text


def _plain_text(row: Any) -> str:
    try:
        return orjson.dumps(_plain(row), default=str).decode()
    except (TypeError, ValueError, RecursionError):
        return '{"unreadable": true}'


def _plain(value: Any) -> Any:
    match value:
        case Mapping():
            return {clean(str(key)): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case str():
            return clean(value)
        case int() if value not in range(-(2**63), 2**64):
            return str(value)
        case _:
            return value


def elements(row: DataSet) -> Iterator[tuple[str, DataSet]]:
    """(tag, element) of every well-formed attribute, in tag order."""
    for tag in sorted(row):
        element = row[tag]
        if isinstance(element, Mapping):
            yield tag, element
