"""The values of an export's columns: which type a column has, and what of it a value of DICOM JSON is."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Final

from api.export.parquet import Column, Field
from model.attributes import BY_KEYWORD, Kind
from model.dicom_json import name_text, parse_date, parse_time
from model.paths import NUMERIC_VRS, AttributePath, has_one_value, parse_path
from reads.searched import looks_below

ARCHIVES: Final = "Archives"
_INT64: Final = range(-(2**63), 2**63)
_FRACTIONS: Final = frozenset({"DS", "FL", "FD"})
_KINDS: Final = {Kind.INTEGER: Column.NUMBER, Kind.DATE: Column.DATE, Kind.TIME: Column.TIME}
_VRS: Final = {"DA": Column.DATE, "TM": Column.TIME, "DT": Column.MOMENT}
# PS3.5 6.2: YYYY[MM[DD[HH[MM[SS[.F{1,6}]]]]]][+-ZZXX]
_MOMENT: Final = re.compile(
    r"(\d{4})(\d\d)?(\d\d)?(\d\d(?:\d\d(?:\d\d(?:\.\d{1,6})?)?)?)?(?:([+-])(\d\d)(\d\d))?\Z", re.ASCII
)


def column_of(name: str) -> Field:
    """A column that the attribute table has."""
    if name == ARCHIVES:
        return Field(name, Column.TEXT, many=True)
    known = BY_KEYWORD[name]
    return Field(name, _KINDS.get(known.kind, Column.TEXT), many=known.kind is Kind.LIST)


def attribute_column(of: str, name: str) -> Field:
    """A column of an attribute that a request names: by its VR, a list where there may be several values.
    Raises BadInput."""
    path = parse_path(name)
    below = of == "studies" and looks_below(path)  # each series may have another one
    return Field(name, _kind(path), many=below or not has_one_value(path))


def _kind(path: AttributePath) -> Column:
    vr = path.last.vr or ""
    if vr in _FRACTIONS:
        return Column.DECIMAL
    return Column.NUMBER if vr in NUMERIC_VRS or vr == "US or SS" else _VRS.get(vr, Column.TEXT)


def text_of(value: Any) -> str:
    """A value as it stands."""
    if isinstance(value, Mapping):
        return name_text(value) or ""
    # Some archives send 5.0 where others send 5.
    whole = isinstance(value, float) and abs(value) < 1e15 and value.is_integer()
    return str(int(value)) if whole else str(value)


def typed(kind: Column, value: Any) -> Any:
    """A value as JSON has one of the column's type; None for what is none."""
    match kind:
        case Column.TEXT:
            return text_of(value)
        case Column.NUMBER:
            return _number(value)
        case Column.DECIMAL:
            return _decimal(value)
    text = value.strip() if isinstance(value, str) else ""
    match kind:
        case Column.DATE:
            day = parse_date(text) or _iso(text)
            return None if day is None else day.isoformat()
        case Column.TIME:
            at = parse_time(text)
            return None if at is None else at.isoformat()
    return _moment(text)


def _number(value: Any) -> int | None:
    if isinstance(value, str):
        try:
            value = int(value)
        except ValueError:
            return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and value in _INT64 else None


def _decimal(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _iso(text: str) -> date | None:
    """As the schema writes dates."""
    try:
        return date.fromisoformat(text) if text.count("-") == 2 else None
    except ValueError:
        return None


def _moment(text: str) -> str | None:
    """A DT, in UTC where it names an offset. What it leaves out is the beginning, as for filters."""
    found = _MOMENT.match(text)
    clock = parse_time(found[4] or "00") if found else None
    if found is None or clock is None:
        return None
    try:
        at = datetime.combine(date(int(found[1]), int(found[2] or 1), int(found[3] or 1)), clock, UTC)
        if found[5]:
            east = timedelta(hours=int(found[6]), minutes=int(found[7]))
            at = at.replace(tzinfo=timezone(-east if found[5] == "-" else east)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at.replace(tzinfo=None).isoformat()
