"""The brute-force oracle: what a list must answer, computed in plain Python from the same copies.

Independent of the index: values are compared as Python objects, folding is Unicode's decomposition.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from model.attributes import Attribute, Key, Kind, Level
from model.filters import (
    AllOf,
    AnyOf,
    ChangedTest,
    CohortTest,
    Condition,
    ConsentTest,
    Not,
    Op,
    PathTest,
    Related,
    Test,
    TextTest,
)

_ORDER = [Level.STUDY, Level.SERIES, Level.INSTANCE]
_COUNTS = ("NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances", "NumberOfSeriesRelatedInstances")


@dataclass(slots=True)
class Copy:
    """One copy: typed values by column, the data set, its UID and those of its ancestors."""

    level: Level
    archive_id: int
    uids: dict[Level, str]
    values: dict[str, Any]
    data: dict[str, Any]
    number: int = 0

    @property
    def uid(self) -> str:
        return self.uids[self.level]

    @property
    def key(self) -> Key:
        """What names the node: a UID alone does not, below studies."""
        return self.key_at(self.level)

    def key_at(self, level: Level) -> Key:
        """The same of what it is part of."""
        return tuple(self.uids[each] for each in _ORDER[: _ORDER.index(level) + 1])


@dataclass
class Oracle:
    """All copies; `visible` in rank order."""

    copies: list[Copy]
    visible: list[int]
    asked: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.asked = self.asked or list(self.visible)
        self.by_key: dict[tuple[Level, Key], list[Copy]] = defaultdict(list)
        self.children: dict[tuple[Level, Level, Key], set[Key]] = defaultdict(set)
        self.parents: dict[tuple[Level, Level, Key], set[Key]] = defaultdict(set)
        for copy in self.copies:
            if copy.archive_id not in self.visible:
                continue
            self.by_key[copy.level, copy.key].append(copy)
            if copy.archive_id in self.asked:
                for level in copy.uids:
                    if level is not copy.level:
                        self.children[level, copy.level, copy.key_at(level)].add(copy.key)
                        self.parents[copy.level, level, copy.key].add(copy.key_at(level))

    def node(self, level: Level, key: Key) -> list[Copy]:
        """Visible copies, best-ranked first."""
        return sorted(
            self.by_key[level, key], key=lambda copy: (self.visible.index(copy.archive_id), copy.number)
        )

    def matching(self, level: Level, condition: Condition) -> list[Key]:
        """Keys of the nodes that have an asked copy and match, unordered."""
        return [
            key
            for (at, key), copies in self.by_key.items()
            if at is level
            and any(copy.archive_id in self.asked for copy in copies)
            and self.holds(condition, level, key)
        ]

    def counts(self, level: Level, condition: Condition) -> tuple[int, dict[int, int]]:
        """Nodes in all and by asked archive."""
        keys = self.matching(level, condition)
        matched: dict[int, int] = defaultdict(int)
        for key in keys:
            for archive in {copy.archive_id for copy in self.by_key[level, key]} & set(self.asked):
                matched[archive] += 1
        return len(keys), dict(matched)

    def holds(self, condition: Condition, level: Level, key: Key) -> bool:
        """Does the node match: tests look at its asked copies."""
        match condition:
            case AllOf():
                return all(self._hold(group, level, key) for group in _at_once(condition))
            case AnyOf(parts):
                return any(self.holds(part, level, key) for part in parts)
            case Not(part):
                return not self.holds(part, level, key)
            case Related(other, part):
                related = self.children if _ORDER.index(other) > _ORDER.index(level) else self.parents
                return any(self.holds(part, other, each) for each in related[level, other, key])
            case TextTest():
                return self._has_text(condition, level, key)
            case Test(attribute, Op.IS_NULL, missing):
                return bool(missing) is not any(
                    value not in (None, []) for value in self._column(attribute, key)
                )
            case Test():
                return self._has_value([condition], key)
            case ConsentTest() | CohortTest() | ChangedTest():
                return False  # no generated federation has any
            case PathTest(path, comparisons):
                found = [
                    value
                    for copy in self._asked(level, key)
                    for value in _values_at(copy.data, [step.tag or "" for step in path.steps])
                ]
                return any(
                    all(_compares(path.last.vr, op, value, wanted) for op, wanted in comparisons)
                    for value in found
                )

    def _hold(self, group: list[Condition], level: Level, key: Key) -> bool:
        tests = [part for part in group if isinstance(part, Test)]
        return self._has_value(tests, key) if len(group) > 1 else self.holds(group[0], level, key)

    def _has_value(self, tests: list[Test], key: Key) -> bool:
        """Does one value of their attribute pass all these tests."""
        attribute = tests[0].attribute
        union = self.union_count(attribute.keyword, key)
        values = [union] if union is not None else self._column(attribute, key)
        return any(
            all(
                test.op is Op.IS_NULL or _passes(attribute.kind, test.op, value, test.value) for test in tests
            )
            for value in values
            if value is not None
        )

    def union_count(self, keyword: str, key: Key) -> int | None:
        """Counts of a node are of the union of its asked copies."""
        match keyword:
            case "NumberOfStudyRelatedSeries":
                return len(self.children[Level.STUDY, Level.SERIES, key])
            case "NumberOfStudyRelatedInstances":
                return sum(
                    self.union_count("NumberOfSeriesRelatedInstances", each) or 0
                    for each in self.children[Level.STUDY, Level.SERIES, key]
                )
            case "NumberOfSeriesRelatedInstances":
                counts = [copy.values["number_of_instances"] for copy in self._asked(Level.SERIES, key)]
                return max((count for count in counts if count is not None), default=0)
            case _:
                return None

    def union_modalities(self, key: Key) -> set[str]:
        """Those of a study are of the union of its asked copies, too."""
        return {value for copy in self._asked(Level.STUDY, key) for value in copy.values["modalities"]}

    def _asked(self, level: Level, key: Key) -> list[Copy]:
        return [copy for copy in self.by_key[level, key] if copy.archive_id in self.asked]

    def _column(self, attribute: Attribute, key: Key) -> list[Any]:
        if attribute.kind is Kind.LIST:
            return [
                sorted({copy.values["modality"] for copy in series} - {None})
                for series in self._series_by_archive(key).values()
            ]
        return [copy.values[attribute.column] for copy in self._asked(attribute.level, key)]

    def _series_by_archive(self, key: Key) -> dict[int, list[Copy]]:
        found: dict[int, list[Copy]] = {copy.archive_id: [] for copy in self._asked(Level.STUDY, key)}
        for each in self.children[Level.STUDY, Level.SERIES, key]:
            for copy in self._asked(Level.SERIES, each):
                found[copy.archive_id].append(copy)
        return found

    def _has_text(self, test: TextTest, level: Level, key: Key) -> bool:
        texts = [re.findall(r"[^\W_]+", fold(text)) for text in self._texts(level, key) if text]

        def begins(word: str) -> bool:
            return any(found.startswith(fold(word)) for text in texts for found in text)

        def stands(phrase: tuple[str, ...]) -> bool:
            wanted = [fold(word) for word in phrase]
            return any(wanted == text[n : n + len(wanted)] for text in texts for n in range(len(text)))

        return (
            all(map(begins, test.words))
            and all(map(stands, test.phrases))
            and not any(map(begins, test.excluded_words))
            and not any(map(stands, test.excluded_phrases))
        ) or any(self._has_text(other, level, key) for other in test.others)

    def _texts(self, level: Level, key: Key) -> list[str | None]:
        columns = ("series_description", "body_part_examined", "protocol_name")
        if level is Level.SERIES:
            return [copy.values[c] for copy in self._asked(Level.SERIES, key) for c in columns]
        texts = [copy.values["study_description"] for copy in self._asked(Level.STUDY, key)]
        for series in self._series_by_archive(key).values():
            texts += [copy.values[c] for copy in series for c in columns]
        return texts


def _at_once(condition: AllOf) -> list[list[Condition]]:
    """The parts of a conjunction, flattened; those together that one value has to pass. Of what a node has of
    the union of its copies (modalities and counts), every part is asked alone."""
    parts = list(condition.conditions)
    while any(isinstance(part, AllOf) for part in parts):
        parts = [each for part in parts for each in (part.conditions if isinstance(part, AllOf) else (part,))]

    def stands_alone(part: Condition) -> bool:
        return (
            not isinstance(part, Test)
            or (part.op is Op.IS_NULL and part.value is True)
            or part.attribute.kind is Kind.LIST
            or part.attribute.keyword in _COUNTS
        )

    groups = [[part] for part in parts if stands_alone(part)]
    joined: dict[str, list[Condition]] = defaultdict(list)
    for part in parts:
        if isinstance(part, Test) and not stands_alone(part):
            joined[part.attribute.column].append(part)
    return groups + list(joined.values())


def ordered(keys: Iterable[Key], key_of: Callable[[Key], list[Any]], descending: list[bool]) -> list[Key]:
    """Nulls last whatever the direction, ties by UID ascending, then by those of the series and the study."""
    result = sorted(keys, key=lambda key: key[::-1])
    for index in reversed(range(len(descending))):
        with_value = [key for key in result if key_of(key)[index] is not None]
        without = [key for key in result if key_of(key)[index] is None]
        with_value.sort(key=lambda key: key_of(key)[index], reverse=False)
        if descending[index]:
            groups: dict[Any, list[Key]] = defaultdict(list)
            for key in with_value:
                groups[key_of(key)[index]].append(key)
            with_value = [key for value in sorted(groups, reverse=True) for key in groups[value]]
        result = with_value + without
    return result


def fold(text: str) -> str:
    """Case and accents folded, by Unicode's own decomposition."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _passes(kind: Kind, op: Op, value: Any, wanted: Any) -> bool:
    if kind is Kind.LIST:
        return wanted in value
    if kind is Kind.NAME:
        groups = value.split("=")
        return (
            wanted in (*groups, value) if op is Op.EQ else any(_text(op, group, wanted) for group in groups)
        )
    if isinstance(value, str):
        return _text(op, value, wanted)
    return _ordered(op, value, wanted)


def _ordered(op: Op, value: Any, wanted: Any) -> bool:
    match op:
        case Op.EQ:
            return bool(value == wanted)
        case Op.IN:
            return value in wanted
        case Op.GTE:
            return bool(value >= wanted)
        case _:
            return bool(value <= wanted)


def _text(op: Op, value: str, wanted: Any) -> bool:
    match op:
        case Op.EQ:
            return bool(value == wanted)
        case Op.IN:
            return value in wanted
        case Op.STARTS_WITH:
            return fold(value).startswith(fold(wanted))
        case Op.CONTAINS:
            return fold(wanted) in fold(value)
        case _:
            pattern = "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in fold(wanted))
            return re.fullmatch(pattern, fold(value), re.DOTALL) is not None


def _compares(vr: str | None, op: Op, value: Any, wanted: Any) -> bool:
    if vr in ("DS", "IS", "FD", "US"):
        return _ordered(op, float(value), tuple(map(float, wanted)) if op is Op.IN else float(wanted))
    if vr == "DA":
        return _ordered(op, date.fromisoformat(value), date.fromisoformat(wanted))
    return _text(op, str(value), wanted)


def _values_at(item: dict[str, Any], tags: list[str]) -> list[Any]:
    values = item.get(tags[0], {}).get("Value", [])
    if len(tags) == 1:
        return [part for v in values for part in (v.values() if isinstance(v, dict) else [v])]
    return [found for value in values for found in _values_at(value, tags[1:])]
