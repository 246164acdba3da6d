"""What an archive can be asked for, of a condition: limits that every matching study is within.

Only what real archives answer right: UIDs, PatientID, StudyDate, modality. Everything else of a condition (names,
patterns, text, `or`, `not`) widens: the index answers it afterwards, over what was read within the bounds.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from model.attributes import Level
from model.filters import AllOf, AnyOf, Condition, Op, Related, Test, TextTest, walk

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

    A node may meet two conditions by two copies, so that sets are never intersected: one of them is kept.
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
    for test in _tests(condition):
        bounds = _narrowed(bounds, test)
    return bounds


def depth_of(level: Level, condition: Condition) -> Level:
    """How deep the answer looks: its own level, or below where the filter does."""
    levels = {level} | {here.level for here in walk(condition) if isinstance(here, Related)}
    if any(isinstance(here, TextTest) for here in walk(condition)):
        levels.add(Level.SERIES)  # words of series are searched too
    return max(levels, key=_DEPTH.index)


def _tests(condition: Condition) -> list[Test]:
    """Tests that must hold, of the node itself, of a parent or of some child."""
    match condition:
        case Test():
            return [condition]
        case AllOf(children):
            return [test for child in children for test in _tests(child)]
        case AnyOf((child,)) | Related(_, child):
            return _tests(child)
        case _:
            return []


def _narrowed(bounds: Bounds, test: Test) -> Bounds:
    keyword, op, value = test.attribute.keyword, test.op, test.value
    if keyword in _SETS and op in (Op.EQ, Op.IN):
        return _kept(bounds, _SETS[keyword], value)
    if keyword == "StudyDate":
        return _dated(bounds, op, value)
    if (keyword, op) in (("ModalitiesInStudy", Op.HAS), ("Modality", Op.EQ)) and bounds.modality is None:
        return replace(bounds, modality=str(value))
    return bounds


def _kept(bounds: Bounds, name: str, value: Any) -> Bounds:
    """The smaller set of the one there is and this one."""
    found = frozenset(value) if isinstance(value, tuple) else frozenset({value})
    known: frozenset[str] = getattr(bounds, name)
    smaller: dict[str, Any] = {} if known and len(known) <= len(found) else {name: found}
    return replace(bounds, **smaller)


def _dated(bounds: Bounds, op: Op, value: Any) -> Bounds:
    match op:
        case Op.EQ:
            return replace(bounds, first=value, last=value)
        case Op.GTE:
            return replace(bounds, first=max(value, bounds.first or value))
        case Op.LTE:
            return replace(bounds, last=min(value, bounds.last or value))
        case Op.IS_NULL:
            return replace(bounds, undated=bool(value))
        case _:
            return bounds
