"""What a filter by `attribute` must find, from pydicom's data sets alone: one value that passes everything.

Shares nothing with the index: values are pydicom's, dates compare digit by digit, folding is Unicode's.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pydicom import DataElement, Dataset
from pydicom.datadict import private_dictionary_VR, tag_for_keyword
from pydicom.multival import MultiValue
from pydicom.valuerep import DT, PersonName

from tests.oracle import fold

NUMERIC = {"DS", "IS", "FL", "FD", "US", "UL", "SS", "SL", "UV", "SV"}
_PRIVATE = re.compile(r"\(([^()]+)\)([0-9A-F]{4})xx([0-9A-F]{2})\Z")


def passes(sets: list[Dataset], name: str, asked: dict[str, Any]) -> bool:
    """Some value at `name` in one of the data sets passes all that is asked."""
    compared = {op: value for op, value in asked.items() if op != "exists"}
    values = [each for data in sets for each in values_at(data, name)]
    found = not compared or any(
        all(_holds(vr, value, op, wanted) for op, wanted in compared.items()) for vr, value in values
    )
    return found and asked.get("exists", bool(values)) == bool(values)


def values_at(data: Dataset, name: str) -> Iterator[tuple[str, Any]]:
    """(VR, value) of each value that is not empty; VR '' of a private attribute that nobody knows."""
    first, *rest = re.findall(r"(?:\([^()]*\)|[^.()])+", name)
    element = _element(data, first)
    if element is None or element.value is None:
        return
    if rest:
        for item in element.value:
            yield from values_at(item, ".".join(rest))
        return
    many = element.value if isinstance(element.value, MultiValue | list) else [element.value]
    for value in many:
        for single in _groups(value) if element.VR == "PN" else [value]:
            if str(single).strip() != "":
                yield _vr(first, element), single


def _element(data: Dataset, step: str) -> DataElement | None:
    if private := _PRIVATE.match(step):
        try:
            return data.private_block(int(private[2], 16), private[1])[int(private[3], 16)]
        except KeyError:
            return None
    tag = int(step, 16) if re.fullmatch("[0-9A-F]{8}", step) else tag_for_keyword(step)
    assert tag is not None
    return data.get(tag)


def _vr(step: str, element: DataElement) -> str:
    if (private := _PRIVATE.match(step)) is None:
        return element.VR
    try:
        return private_dictionary_VR(int(f"{private[2]}10{private[3]}", 16), private[1])
    except KeyError:
        return ""


def _groups(name: PersonName) -> list[str]:
    return [name.alphabetic, name.ideographic, name.phonetic]


def _holds(vr: str, value: Any, op: str, wanted: Any) -> bool:
    if op == "in":
        return any(_holds(vr, value, "eq", each) for each in wanted)
    if vr in NUMERIC:
        return _ordered(_decimal(value), op, Decimal(wanted))
    if vr == "AS":
        age, asked = _days(str(value)), _days(wanted)
        return age is not None and asked is not None and _ordered(age, op, asked)
    if vr in ("DA", "TM", "DT"):
        return _digits_hold(_digits(vr, value), op, re.sub(r"\D", "", wanted))
    text = _text(vr, value)
    if vr == "":
        number, asked = _maybe_decimal(text), _maybe_decimal(str(wanted))
        if op in ("gte", "lte") or (op == "eq" and number is not None and asked is not None):
            return number is not None and asked is not None and _ordered(number, op, asked)
    match op:
        case "eq":
            return text == wanted or (vr == "CS" and text == wanted.upper())
        case "startsWith":
            return fold(text).startswith(fold(wanted))
        case "contains":
            return fold(wanted) in fold(text)
        case "wildcard":
            pattern = "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in fold(wanted))
            return re.fullmatch(pattern, fold(text), re.DOTALL) is not None
    raise AssertionError(op)


def _days(age: str) -> Decimal | None:
    found = re.fullmatch(r"([0-9]{1,3})([DWMY]?)", age.upper())
    units = {"D": "1", "W": "7", "M": "30.4375", "Y": "365.25", "": "365.25"}
    return Decimal(found[1]) * Decimal(units[found[2]]) if found else None


def _decimal(value: Any) -> Decimal:
    return Decimal(value) if isinstance(value, int) else Decimal(repr(float(value)))


def _maybe_decimal(text: str) -> Decimal | None:
    return Decimal(text) if re.fullmatch(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?", text) else None


def _ordered(value: Decimal, op: str, wanted: Decimal) -> bool:
    return {"eq": value == wanted, "gte": value >= wanted, "lte": value <= wanted}[op]


def _text(vr: str, value: Any) -> str:
    return f"{int(value):08X}" if vr == "AT" else str(value).strip()


_FULL = {"DA": "19000101", "TM": "000000000000", "DT": "19000101000000000000"}


def _digits(vr: str, value: Any) -> str:
    """All digits down to microseconds; what the value leaves out is the beginning of it."""
    if vr == "DT" and (moment := DT(str(value))) is not None and moment.tzinfo is not None:
        return f"{datetime.astimezone(moment, UTC):%Y%m%d%H%M%S%f}"
    digits = re.sub(r"[^0-9]", "", str(value))
    return digits + _FULL[vr][len(digits) :]


def _digits_hold(value: str, op: str, wanted: str) -> bool:
    """What is asked names a period: the value is in it, not before it, or not after it."""
    begin = value[: len(wanted)]
    return {"eq": begin == wanted, "gte": begin >= wanted, "lte": begin <= wanted}[op]
