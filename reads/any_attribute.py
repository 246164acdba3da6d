"""What `attribute: [{name: …}]` asks of which rows: the typed column where there is one, else the data sets.

Beside the data set of its level, a series has that of a representative instance (indexer/representatives.py), so
what only instances tell is looked for there from the series and the study level too.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from model.attributes import BY_KEYWORD, UNITED, Attribute, Kind, Level
from model.errors import BadInput
from model.filters import AllOf, AnyOf, Condition, Not, Op, PathTest, Related, Test, Value, all_of
from model.levels import level_of
from model.paths import AttributePath
from model.spans import Span, check_comparable, spans_of
from reads.searched import looks_below

Comparison = tuple[Op, Value]
Comparisons = tuple[Comparison, ...]

_LEAST, _MOST = -(2**31), 2**31 - 1
_DAY = Decimal(86400)


def attribute_test(
    level: Level, path: AttributePath, comparing: Iterable[Comparison], exists: bool | None = None
) -> list[Condition]:
    """The tests of one attribute at a level: that one value passes all comparisons, and that it has one or none.
    Raises BadInput."""
    _refuse_other_level(level, path)
    comparisons = tuple(comparing)
    if not comparisons and exists is None:
        raise BadInput(f"attribute {path.name}: give a condition: eq, in, startsWith, contains, … or exists.")
    check_comparable(path, comparisons)
    tests = [_test(level, path, comparisons)] if comparisons else []
    if exists is not None:
        there = _test(level, path, ())
        tests.append(there if exists else Not(there))
    return tests


def _refuse_other_level(level: Level, path: AttributePath) -> None:
    """An attribute with a column belongs to its level; a series knows those of its representative as well."""
    known = BY_KEYWORD.get(path.steps[0].keyword or "")
    if known is None or known.level is level or (level is Level.SERIES and known.level is Level.INSTANCE):
        return
    raise BadInput(
        f"attribute {known.keyword}: of the {known.level} level, asked at the {level} level; "
        f"put it into the {known.level} filter."
    )


def _test(level: Level, path: AttributePath, comparisons: Comparisons) -> Condition:
    known = BY_KEYWORD.get(path.last.keyword or "")
    here = PathTest(path, comparisons)
    if known is not None and known.level is level and len(path.steps) == 1:
        typed = _typed(known, path, comparisons)
        if typed is None:
            return here
        is_whole = len(comparisons) < 2 or known.keyword in UNITED
        # That one value passes all of them, only the data set tells.
        return typed if is_whole else AllOf((typed, here))
    if level is not Level.STUDY or not looks_below(path):
        return here
    in_series = Related(Level.SERIES, here)
    return in_series if level_of(path) is Level.INSTANCE else AnyOf((here, in_series))


def _typed(known: Attribute, path: AttributePath, comparisons: Comparisons) -> Condition | None:
    """The same as conditions on the typed column; None where it cannot say it."""
    if not comparisons:
        return Test(known, Op.IS_NULL, False)
    found: list[Condition] = []
    for op, value in comparisons:
        match known.kind:
            case Kind.TEXT | Kind.UID:
                test: Condition | None = Test(known, op, value)
            case Kind.NAME:
                test = _name(known, op, value)
            case Kind.LIST:
                test = _list(known, op, value)
            case Kind.DATE:
                test = _dates(known, spans_of(path, [(op, value)]))
            case Kind.INTEGER:
                test = _integers(known, spans_of(path, [(op, value)]))
            case Kind.TIME:
                test = None
        if test is None:
            return None
        found.append(test)
    return all_of(found)


def _name(known: Attribute, op: Op, value: Value) -> Condition | None:
    match op:
        case Op.EQ | Op.STARTS_WITH | Op.WILDCARD:
            return Test(known, op, value)
        case Op.IN if isinstance(value, tuple) and len(value) <= 20:
            return AnyOf(tuple(Test(known, Op.EQ, each) for each in value))
        case _:
            return None


def _list(known: Attribute, op: Op, value: Value) -> Condition | None:
    match op, value:
        case Op.EQ, _:
            return Test(known, Op.HAS, value)
        case Op.IN, tuple() if len(value) <= 20:
            return AnyOf(tuple(Test(known, Op.HAS, each) for each in value))
        case _:
            return None


def _dates(known: Attribute, spans: list[Span]) -> Condition | None:
    """A DA is a whole day, and so is what it is compared with: a month ends before the next one begins."""
    ranges = [
        (_day(span.low), None if span.high is None else _day(span.high - (_DAY if span.ends_before else 0)))
        for span in spans
    ]
    days = [low for low, high in ranges if low is not None and low == high]
    if len(days) == len(ranges):
        return Test(known, Op.IN, tuple(days)) if days else AnyOf(())
    return _range(known, *ranges[0]) if len(ranges) == 1 else None


def _day(edge: Decimal | None) -> date | None:
    return None if edge is None else date(1970, 1, 1) + timedelta(days=int(edge / _DAY))


def _integers(known: Attribute, spans: list[Span]) -> Condition | None:
    """Of numbers that the column cannot hold there are none."""
    ranges = []
    for span in spans:
        low = _LEAST if span.low is None else int(span.low.to_integral_value(ROUND_CEILING))
        high = _MOST if span.high is None else int(span.high.to_integral_value(ROUND_FLOOR))
        if max(low, _LEAST) <= min(high, _MOST):
            ranges.append((max(low, _LEAST), min(high, _MOST)))
    if all(low == high for low, high in ranges):
        return Test(known, Op.IN, tuple(low for low, _ in ranges)) if ranges else AnyOf(())
    return _range(known, *ranges[0]) if len(ranges) == 1 else None


def _range(known: Attribute, low: int | date | None, high: int | date | None) -> Condition:
    ends = ((Op.GTE, low), (Op.LTE, high))
    return all_of([Test(known, op, edge) for op, edge in ends if edge is not None])
