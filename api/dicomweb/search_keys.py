"""The query of a search (PS3.18 8.3.4, 10.6.1): what each parameter means as a filter of the schema. No I/O."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from api.problems import HttpProblem
from model.attributes import BY_KEYWORD, Level
from model.levels import level_of
from model.paths import AttributePath, parse_path
from model.uids import is_uid

MAX_RESULTS: Final = 1_000
"""Of one answer; a client asks on with `offset`."""
MAX_OFFSET: Final = 20_000
MAX_KEYS: Final = 50
MAX_QUERY: Final = 16_000
"""Bytes of the query: some hundred UIDs. Proxies cut longer ones, each at a place of its own."""
LEVELS: Final = (Level.STUDY, Level.SERIES, Level.INSTANCE)
_UIDS_ABOVE: Final = {Level.STUDY: "studyInstanceUid", Level.SERIES: "seriesInstanceUid"}
_FUZZY: Final = {"PatientName": "patientName", "ReferringPhysicianName": "referringPhysicianName"}
"""Names that the index knows by their keys."""
_WILD_VRS: Final = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT", None})
_RANGES: Final = frozenset({"DA", "TM", "DT"})
_DATE: Final = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})\Z")
_TIME: Final = re.compile(r"\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?\Z")
_RANGE_OF_DT: Final = re.compile(
    r"(?P<low>\d*(?:\.\d+)?(?:[+-]\d{4})?)-(?P<high>\d*(?:\.\d+)?(?:[+-]\d{4})?)\Z"
)


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked for. above: UIDs of the path. named: attributes to answer, as the query calls them."""

    level: Level
    filter: dict[str, Any]
    limit: int
    offset: int
    named: tuple[AttributePath, ...] = ()
    everything: bool = False
    above: tuple[str, ...] = ()
    unmatched_fuzzily: tuple[str, ...] = ()

    def named_at(self, level: Level) -> list[AttributePath]:
        """Those that are looked for in the data sets of a level."""
        return [path for path in self.named if _level(path, self.level) is level]


@dataclass(slots=True)
class _Filter:
    """Conditions by level, which become one filter."""

    level: Level
    conditions: dict[Level, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, level: Level, condition: dict[str, Any]) -> None:
        self.conditions.setdefault(level, []).append(condition)

    def built(self) -> dict[str, Any]:
        place = LEVELS.index(self.level)
        found = list(self.conditions.get(self.level, ()))
        outwards: dict[str, Any] | None = None
        for level in LEVELS[:place]:
            outwards = self._with(level, outwards, LEVELS[LEVELS.index(level) - 1])
        inwards: dict[str, Any] | None = None
        for level in reversed(LEVELS[place + 1 :]):
            below = LEVELS[min(LEVELS.index(level) + 1, len(LEVELS) - 1)]
            inwards = self._with(level, inwards, below)
        if outwards:
            found.append({str(LEVELS[place - 1]): outwards})
        if inwards:
            found.append({str(LEVELS[place + 1]): inwards})
        return {"and": found} if found else {}

    def _with(self, level: Level, related: dict[str, Any] | None, name: Level) -> dict[str, Any] | None:
        found = [*self.conditions.get(level, ()), *([{str(name): related}] if related else [])]
        return {"and": found} if found else None


def search_of(level: Level, above: Sequence[str], query: Iterable[tuple[str, str]]) -> Search:
    """above: UIDs of the study, and of the series, that stand in the path. Raises HttpProblem 400, BadInput."""
    wanted, made = _Parameters(), _Filter(level)
    for at, uid in zip(LEVELS, above, strict=False):
        made.add(at, {_UIDS_ABOVE[at]: {"eq": uid}})
    keys: list[tuple[AttributePath, str, str]] = []
    for name, value in query:
        if not wanted.take(name, value):
            keys.append((parse_path(name), name, value))
    if len(keys) > MAX_KEYS:
        raise HttpProblem(400, f"At most {MAX_KEYS} attributes can be matched, got {len(keys)}.")
    if len({path.codes for path, _, _ in keys}) < len(keys):
        raise HttpProblem(400, "An attribute is matched twice: give each once.")
    literal = []
    for path, name, value in keys:
        if not value or (set(value) == {"*"} and path.last.vr in _WILD_VRS):
            continue  # universal matching (PS3.4 C.2.2.2.3): it only asks for the attribute
        keyword = path.name if len(path.steps) > 1 else path.last.keyword or name
        if wanted.fuzzy and path.last.vr == "PN" and not _is_wild(value):
            if (by_sound := _FUZZY.get(keyword)) is not None:
                made.add(Level.STUDY, {by_sound: {"fuzzy": value}})
                continue
            literal.append(keyword)
        made.add(_level(path, level), {"attribute": [{"name": name, **_match(path, keyword, value)}]})
    return Search(
        level,
        made.built(),
        wanted.limit,
        wanted.offset,
        (*(path for path, _, _ in keys), *wanted.included),
        wanted.everything,
        tuple(above),
        tuple(literal),
    )


def _level(path: AttributePath, deepest: Level) -> Level:
    """Where an attribute is looked for: of what has no column, no deeper than the search itself."""
    known = BY_KEYWORD.get(path.steps[0].keyword or "")
    if known is not None:
        return known.level
    found = level_of(path) or deepest
    return LEVELS[min(LEVELS.index(found), LEVELS.index(deepest))]


def _match(path: AttributePath, keyword: str, value: str) -> dict[str, Any]:
    """The comparisons that a value means (PS3.4 C.2.2.2)."""
    vr = path.last.vr
    if vr == "UI":
        uids = [uid for uid in re.split(r"[,\\]", value) if uid]
        if not uids or not all(map(is_uid, uids)):
            raise HttpProblem(400, f"{keyword}: a UID, or several with commas between.")
        return {"in": uids} if len(uids) > 1 else {"eq": uids[0]}
    if vr in _RANGES:
        return _span(vr, keyword, value)
    if vr == "PN" or (vr in _WILD_VRS and _is_wild(value)):
        return {"wildcard": value}
    return {"eq": value}


def _is_wild(value: str) -> bool:
    return "*" in value or "?" in value


def _span(vr: str, keyword: str, value: str) -> dict[str, Any]:
    """A day or time, or a range of them of which an end may be open."""
    if vr == "DT":
        ends = _RANGE_OF_DT.match(value)
        low, high = (ends["low"], ends["high"]) if ends else (value, None)
        parsed = (low, high)
    else:
        low, dash, high = value.partition("-")
        check = _day if vr == "DA" else _clock
        parsed = (check(keyword, low), check(keyword, high) if dash else None)
    if parsed[1] is None:
        return {"eq": parsed[0]}
    found = {name: end for name, end in zip(("gte", "lte"), parsed, strict=True) if end}
    if not found:
        raise HttpProblem(400, f"{keyword}: a range needs a beginning, an end, or both.")
    return found


def _day(keyword: str, text: str) -> str:
    if not text:
        return ""
    parts = _DATE.match(text)
    try:
        return date(*map(int, parts.groups())).strftime("%Y%m%d") if parts else _refuse(keyword, "YYYYMMDD")
    except ValueError:
        return _refuse(keyword, "YYYYMMDD")


def _clock(keyword: str, text: str) -> str:
    return text if not text or _TIME.match(text) else _refuse(keyword, "HHMMSS.FFFFFF")


def _refuse(keyword: str, form: str) -> str:
    raise HttpProblem(400, f"{keyword}: {form}, or a range of two with - between; an end may be left out.")


@dataclass(slots=True)
class _Parameters:
    """Those that are no attributes (PS3.18 8.3.4)."""

    limit: int = MAX_RESULTS
    offset: int = 0
    fuzzy: bool = False
    everything: bool = False
    included: list[AttributePath] = field(default_factory=list)

    def take(self, name: str, value: str) -> bool:
        """Whether it is one of them. Raises HttpProblem 400."""
        match name:
            case "limit":
                self.limit = min(_number(name, value, 1), MAX_RESULTS)
            case "offset":
                self.offset = _number(name, value, 0)
                if self.offset > MAX_OFFSET:
                    words = f"offset: at most {MAX_OFFSET}; narrow the search, by dates for example."
                    raise HttpProblem(400, words)
            case "fuzzymatching":
                if value not in ("true", "false"):
                    raise HttpProblem(400, "fuzzymatching: true or false.")
                self.fuzzy = value == "true"
            case "includefield":
                self._include(value)
            case "accept" | "charset":
                pass  # media_types.py
            case _:
                return False
        return True

    def _include(self, value: str) -> None:
        for name in _names(value):
            if name == "all":
                self.everything = True
            else:
                self.included.append(parse_path(name))
        if len(self.included) > 4 * MAX_KEYS:
            raise HttpProblem(400, f"includefield: at most {4 * MAX_KEYS} attributes.")


def _names(value: str) -> Iterator[str]:
    """Between commas, those inside the creator of a private attribute excepted."""
    return (name for name in re.split(r",(?![^()]*\))", value) if name)


def _number(name: str, value: str, least: int) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", value) or int(value) < least:
        raise HttpProblem(400, f"{name}: a whole number, {least} or more.")
    return int(value)
