"""What an archive can be asked for, of a condition: limits that every matching study is within.

Only what real archives answer right: UIDs, PatientID, StudyDate, modality. Everything else of a condition (names,
patterns, text, `or`, `not`) widens: the index answers it afterwards, over what was read within the bounds.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from model.attributes import Level
from model.filters import AllOf, AnyOf, Condition, Op, Related, Test, TextTest, conjunction, walk

_DEPTH = list(Level)
_SETS = {
    "StudyInstanceUID": "study_uids",
    "SeriesInstanceUID": "series_uids",
    "SOPInstanceUID": "sop_uids",
    "PatientID": "patient_ids",
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """Each empty or None where it does not bound. first, last: StudyDate, both inclusive.

    A node may meet two conditions by two copies, so that they are never intersected: one of them is kept. Only
    tests that one copy's value has to pass (`conjunction`) narrow each other.
    """

    study_uids: frozenset[str] = frozenset()
    series_uids: frozenset[str] = frozenset()
    sop_uids: frozenset[str] = frozenset()
    patient_ids: frozenset[str] = frozenset()
    first: date | None = None
    last: date | None = None
    undated: bool = False
    modality: str | None = None

    @property
    def by_uid(self) -> bool:
        """True where it names what it is about."""
        return bool(self.study_uids or self.series_uids or self.sop_uids)

    @property
    def study_date(self) -> tuple[date | None, date | None] | None:
        """The range to ask for; an empty one is made one day."""
        if self.first is None and self.last is None:
            return None
        if self.first is not None and self.last is not None:
            return self.first, max(self.first, self.last)
        return self.first, self.last


def bounds_of(condition: Condition) -> Bounds:
    """The bounds of the studies that can hold a node which matches, whatever its level."""
    bounds = Bounds()
    for group in _groups(condition):
        if group[0].attribute.keyword == "StudyDate":
            bounds = _dated(bounds, group)
        else:
            for test in group:
                bounds = _narrowed(bounds, test)
    return bounds


def depth_of(level: Level, condition: Condition) -> Level:
    """How deep the answer looks: its own level, or below where the filter does."""
    levels = {level} | {here.level for here in walk(condition) if isinstance(here, Related)}
    if any(isinstance(here, TextTest) for here in walk(condition)):
        levels.add(Level.SERIES)  # words of series are searched too
    return max(levels, key=_DEPTH.index)


def _groups(condition: Condition) -> Iterator[tuple[Test, ...]]:
    """Tests that must hold, of the node itself, of a parent or of some child; together what one value must pass."""
    match condition:
        case Test():
            yield (condition,)
        case AllOf():
            for group in conjunction(condition):
                tests = tuple(test for test in group if isinstance(test, Test))
                if tests:
                    yield tests
                else:
                    yield from _groups(group[0])
        case AnyOf((child,)) | Related(_, child):
            yield from _groups(child)
        case _:
            pass


def _narrowed(bounds: Bounds, test: Test) -> Bounds:
    keyword, op, value = test.attribute.keyword, test.op, test.value
    if keyword in _SETS and op in (Op.EQ, Op.IN):
        return _kept(bounds, _SETS[keyword], value)
    if (keyword, op) in (("ModalitiesInStudy", Op.HAS), ("Modality", Op.EQ)) and bounds.modality is None:
        return replace(bounds, modality=str(value))
    return bounds


def _kept(bounds: Bounds, name: str, value: Any) -> Bounds:
    """The smaller set of the one there is and this one."""
    found = frozenset(value) if isinstance(value, tuple) else frozenset({value})
    known: frozenset[str] = getattr(bounds, name)
    smaller: dict[str, Any] = {} if known and len(known) <= len(found) else {name: found}
    return replace(bounds, **smaller)


def _dated(bounds: Bounds, group: tuple[Test, ...]) -> Bounds:
    """With the days that one date must be of, unless others are known; a range with both ends is better than one
    without."""
    found = Bounds()
    for test in group:
        found = _within(found, test.op, test.value)
    known, new = bounds.study_date, found.study_date
    if new is not None and (known is None or (None in known and None not in new)):
        return replace(bounds, first=found.first, last=found.last)
    return replace(bounds, undated=bounds.undated or found.undated)


def _within(bounds: Bounds, op: Op, value: Any) -> Bounds:
    match op:
        case Op.EQ:
            return replace(bounds, first=value, last=value)
        case Op.IN:
            return replace(bounds, first=min(value), last=max(value))
        case Op.GTE:
            return replace(bounds, first=max(value, bounds.first or value))
        case Op.LTE:
            return replace(bounds, last=min(value, bounds.last or value))
        case Op.IS_NULL:
            return replace(bounds, undated=bool(value))
        case _:
            return bounds
