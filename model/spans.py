"""What a number, date or time in a filter means: spans of numbers that a value must lie in.

Dates are seconds since 1970 (DA, DT; UTC where an offset is given), times seconds since midnight (TM), ages as long
as they are (AS; a year has 365.25 days), as in moment_seconds of the index. What is asked with little precision means
its whole period: 2024-05 is all of May.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from model.errors import BadInput
from model.filters import Op, Value
from model.paths import BULK_VRS, NUMERIC_VRS, TEMPORAL_VRS, AttributePath

_NUMBER = re.compile(r"[+-]?(\d{1,60}\.?\d{0,60}|\.\d{1,60})([eE][+-]?\d{1,3})?\Z", re.ASCII)
_DAY = r"(?P<year>\d{4})(?:[-.]?(?P<month>\d{2})(?:[-.]?(?P<day>\d{2})(?P<clock>[T ]?\d[\d:.]*)?)?)?"
_DATE = re.compile(rf"{_DAY}\s?(?P<offset>Z|[+-]\d{{2}}:?\d{{2}})?\Z", re.ASCII)
_CLOCK = re.compile(r"[T ]?(\d{2})(?::?(\d{2})(?::?(\d{2})(?:\.(\d{1,6}))?)?)?\Z", re.ASCII)
_AGE = re.compile(r"(\d{1,3}(?:\.\d{1,3})?)\s?([DWMYdwmy]?)\Z", re.ASCII)
_DAY_SECONDS = 86400
_AGE_DAYS = {"D": Decimal(1), "W": Decimal(7), "M": Decimal("30.4375"), "Y": Decimal("365.25")}


class ValueKind(StrEnum):
    """How the values at a path are compared. mixed: nobody knows their VR."""

    NUMBER = "number"
    MOMENT = "moment"
    AGE = "age"
    TEXT = "text"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Span:
    """From `low` to `high`, None is open; `high` itself is inside unless `ends_before`."""

    low: Decimal | None
    high: Decimal | None
    ends_before: bool = False

    @property
    def is_empty(self) -> bool:
        if self.low is None or self.high is None:
            return False
        return self.low > self.high or (self.low == self.high and self.ends_before)

    def __and__(self, other: "Span") -> "Span":
        """What lies in both."""
        lows = [each for each in (self.low, other.low) if each is not None]
        highs = [each for each in (self, other) if each.high is not None]
        # Of two ends at the same place, the one that leaves the place out is the nearer.
        nearest = min(highs, key=lambda each: (each.high, not each.ends_before), default=None)
        end = (nearest.high, nearest.ends_before) if nearest is not None else (None, False)
        return Span(max(lows, default=None), *end)


def kind_of(path: AttributePath) -> ValueKind:
    """How the values at a path compare, by the VR of its last step."""
    vr = path.last.vr
    if vr is None:
        return ValueKind.MIXED
    if vr in NUMERIC_VRS or vr == "US or SS":
        return ValueKind.NUMBER
    if vr == "AS":
        return ValueKind.AGE
    return ValueKind.MOMENT if vr in TEMPORAL_VRS else ValueKind.TEXT


_ORDERED = (Op.EQ, Op.IN, Op.GTE, Op.LTE)
_TEXT = (Op.EQ, Op.IN, Op.STARTS_WITH, Op.CONTAINS, Op.WILDCARD)
OPERATORS: dict[ValueKind, tuple[Op, ...]] = {
    ValueKind.NUMBER: _ORDERED,
    ValueKind.MOMENT: _ORDERED,
    ValueKind.AGE: _ORDERED,
    ValueKind.TEXT: _TEXT,
    ValueKind.MIXED: (*_TEXT, Op.GTE, Op.LTE),
}
"""What values can be compared with; that there is one can be asked of all."""
_WHY = {
    ValueKind.NUMBER: "is a number; use eq, in, gte or lte",
    ValueKind.MOMENT: "is a date or time; use eq, in, gte or lte",
    ValueKind.AGE: "is an age; use eq, in, gte or lte",
    ValueKind.TEXT: "has no order; gte and lte need numbers or dates",
}


def check_comparable(path: AttributePath, comparisons: Iterable[tuple[Op, Value]]) -> None:
    """Raises BadInput where the VR has no values to compare, or not in this way."""
    vr, kind = path.last.vr, kind_of(path)
    if vr in BULK_VRS or vr == "SQ":
        raise BadInput(f"attribute {path.name}: VR {vr} has no values to compare.")
    if any(op not in OPERATORS[kind] for op, _ in comparisons):
        raise BadInput(f"attribute {path.name}: VR {vr} {_WHY[kind]}.")


def spans_of(path: AttributePath, comparisons: Iterable[tuple[Op, Value]]) -> list[Span]:
    """Where one value must lie to pass all of these (eq, in, gte, lte); none: nothing passes.

    Raises BadInput for what is no number, date, time or age.
    """
    read = {ValueKind.MOMENT: _moment, ValueKind.AGE: _age}.get(kind_of(path), _number)
    found = [Span(None, None)]
    for op, value in comparisons:
        asked = [_bounded(op, span) for span in _read(read, path, value)]
        found = [both for one in found for other in asked if not (both := one & other).is_empty]
    return found


def number_of(text: str) -> Decimal | None:
    """A number as filters write it; None for what is none."""
    try:
        return Decimal(text.strip()) if _NUMBER.match(text.strip()) else None
    except InvalidOperation:
        return None


_Reader = Callable[[AttributePath, str], Span]


def _read(read: _Reader, path: AttributePath, value: Value) -> list[Span]:
    return [read(path, str(each)) for each in (value if isinstance(value, tuple) else (value,))]


def _bounded(op: Op, span: Span) -> Span:
    match op:
        case Op.GTE:
            return Span(span.low, None)
        case Op.LTE:
            return Span(None, span.high, span.ends_before)
        case _:
            return span


def _number(path: AttributePath, text: str) -> Span:
    number = number_of(text)
    if number is None:
        vr = f"VR {path.last.vr} is" if path.last.vr else "where the VR is not known, gte and lte are"
        raise BadInput(f"attribute {path.name}: {vr} compared as a number.")
    return Span(number, number)


def _age(path: AttributePath, text: str) -> Span:
    found = _AGE.match(text.strip())
    if found is None:
        raise BadInput(
            f"attribute {path.name}: VR AS is compared as an age, such as 18Y, 6M, 2W or 10D; 18 is 18 years."
        )
    seconds = Decimal(found[1]) * _AGE_DAYS[found[2].upper() or "Y"] * _DAY_SECONDS
    return Span(seconds, seconds)


def _moment(path: AttributePath, text: str) -> Span:
    try:
        span = _time(text.strip()) if path.last.vr == "TM" else _date(text.strip(), path.last.vr == "DT")
    except ValueError:
        span = None
    if span is None:
        example = {"TM": "14:30", "DT": "2024-05-31T14:30"}.get(path.last.vr or "", "2024-05-31 or 2024-05")
        raise BadInput(
            f"attribute {path.name}: VR {path.last.vr} is compared as a date or time, such as {example}."
        )
    return span


def _date(text: str, has_time: bool) -> Span | None:
    """Raises ValueError for a date that the calendar lacks."""
    found = _DATE.match(text)
    if found is None or ((found["clock"] or found["offset"]) and not has_time):
        return None
    year, month, day = (int(found[part] or 1) for part in ("year", "month", "day"))
    begin = Decimal((date(year, month, day) - date(1970, 1, 1)).days * _DAY_SECONDS)
    begin -= _offset(found["offset"])
    if found["clock"]:
        clock = _time(found["clock"])
        return clock and _shifted(clock, begin)
    if found["day"]:
        return Span(begin, begin + _DAY_SECONDS, ends_before=True)
    next_year, next_month = (year + month // 12, month % 12 + 1) if found["month"] else (year + 1, 1)
    if next_year > date.max.year:
        return Span(begin, None)
    days = (date(next_year, next_month, 1) - date(year, month, day)).days
    return Span(begin, begin + days * _DAY_SECONDS, ends_before=True)


def _time(text: str) -> Span | None:
    found = _CLOCK.match(text)
    if found is None or found[1] > "23" or (found[2] or "0") > "59" or (found[3] or "0") > "60":
        return None
    begin = Decimal(int(found[1]) * 3600 + int(found[2] or 0) * 60 + min(int(found[3] or 0), 59))
    if found[4]:
        length = Decimal(1).scaleb(-len(found[4]))
        begin += int(found[4]) * length
    else:
        length = Decimal(1 if found[3] else 60 if found[2] else 3600)
    return Span(begin, begin + length, ends_before=True)


def _shifted(span: Span, by: Decimal) -> Span:
    low, high = (None if edge is None else edge + by for edge in (span.low, span.high))
    return Span(low, high, span.ends_before)


def _offset(text: str | None) -> int:
    """Seconds east of UTC."""
    if text is None or text == "Z":
        return 0
    digits = text[1:].replace(":", "")
    return (-1 if text[0] == "-" else 1) * (int(digits[:2]) * 3600 + int(digits[2:]) * 60)
