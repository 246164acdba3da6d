"""The brute-force oracle of statistics: parts, facet values and cells in plain Python, of the same copies."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from config.archives_file import ArchiveConfig
from db.statistics.facets import DateInterval, Facet
from db.statistics.stats_statement import Groups
from model.attributes import Key, Level
from model.filters import Condition
from tests.federation import Federation
from tests.oracle import Copy, Oracle

ARCHIVES = [
    ArchiveConfig(code=f"a{n}", ern=ern, title=ern, kind="folder")
    for n, ern in enumerate(("ERN-EYE", "ERN-RND", "ERN-RND", "VASCERN"))
]
"""The archives of the federation, in rank order."""


@dataclass
class Part:
    """The matching studies of one part, with their values as the part's archives have them."""

    oracle: Oracle
    keys: list[Key]

    def best(self, key: Key) -> dict[str, Any]:
        return self.oracle.node(Level.STUDY, key)[0].values

    def person(self, key: Key) -> object:
        best = self.best(key)
        return key if best["patient_id"] is None else (best["patient_id"], best["issuer_of_patient_id"])


def parts(made: Federation, groups: Groups, condition: Condition) -> tuple[Part, Part]:
    """The open and the hidden part."""
    found: list[Part] = []
    for ids in (groups.open, groups.counted):
        oracle = Oracle(made.copies, list(ids)) if ids else Oracle([], [])
        keys = oracle.matching(Level.STUDY, condition)
        taken = {key for at, key in found[0].oracle.by_key if at is Level.STUDY} if found else set()
        found.append(Part(oracle, [key for key in keys if key not in taken]))
    return found[0], found[1]


def values_of(made: Federation, part: Part, groups: Groups, facet: Facet, key: Key) -> set[Any]:
    """The values of a study for a facet; {None} when it has none."""
    code = dict(zip(made.archive_ids, ARCHIVES, strict=True))
    children = {
        level: [
            copy
            for each in part.oracle.children[Level.STUDY, level, key]
            for copy in part.oracle.by_key[level, each]
        ]
        for level in (Level.SERIES, Level.INSTANCE)
    }
    best = part.best(key)
    match facet:
        case Facet.ARCHIVE | Facet.ERN:
            holders = _holders(made.copies, key) & {*groups.open, *groups.counted}
            if part.keys and part.oracle.visible == list(groups.counted):
                holders &= set(groups.counted)
            return {code[each].code if facet is Facet.ARCHIVE else code[each].ern for each in holders}
        case Facet.PATIENT_SEX:
            return {best["patient_sex"]}
        case Facet.STUDY_DESCRIPTION:
            return {best["study_description"]}
        case Facet.AGE_BAND:
            return {_age_band(best["patient_birth_date"], best["study_date"])}
        case Facet.STUDY_YEAR:
            return {str(best["study_date"].year) if best["study_date"] else None}
        case Facet.SOP_CLASS:
            found = {copy.values["sop_class_uid"] for copy in children[Level.INSTANCE]}
        case _:
            found = {copy.values[_COLUMNS[facet]] for copy in children[Level.SERIES]}
    return (found - {None}) or {None}


_COLUMNS = {
    Facet.MODALITY: "modality",
    Facet.BODY_PART: "body_part_examined",
    Facet.BODY_PART_CODE: "body_part_code",
    Facet.MANUFACTURER: "manufacturer",
    Facet.SERIES_DESCRIPTION: "series_description",
}


def _holders(copies: list[Copy], key: Key) -> set[int]:
    return {copy.archive_id for copy in copies if copy.level is Level.STUDY and copy.key == key}


def _age_band(born: date | None, at: date | None) -> str | None:
    if born is None or at is None or at < born:
        return None
    age = at.year - born.year - ((at.month, at.day) < (born.month, born.day))
    return "90+" if age >= 90 else f"{age // 5 * 5}-{age // 5 * 5 + 4}"


Expected = dict[tuple[Any, ...], tuple[int, tuple[int, int, int] | None]]


def expected_cells(
    made: Federation, groups: Groups, condition: Condition, facets: tuple[Facet, ...]
) -> Expected:
    """(values) → (visible studies, (hidden studies, patients, largest) or None where there are none)."""
    code = dict(zip(made.archive_ids, ARCHIVES, strict=True))
    secret = {code[each].code for each in groups.counted} | {code[each].ern for each in groups.counted}
    seen: dict[tuple[Any, ...], set[Key]] = defaultdict(set)
    hidden: dict[tuple[Any, ...], dict[object, set[Key]]] = defaultdict(lambda: defaultdict(set))
    both = parts(made, groups, condition)
    for part in both:
        for key in part.keys:
            axes = [sorted(values_of(made, part, groups, each, key), key=str) for each in facets]
            for cell in _product(axes):
                named = {value for value, each in zip(cell, facets, strict=True) if each in _OF_ARCHIVES}
                if part is both[1] or named & secret:
                    hidden[cell][part.person(key)].add(key)
                else:
                    seen[cell].add(key)
    return {
        cell: (
            len(seen[cell]),
            (
                sum(map(len, hidden[cell].values())),
                len(hidden[cell]),
                max(map(len, hidden[cell].values()), default=1),
            )
            if cell in hidden
            else None,
        )
        for cell in {*seen, *hidden}
    }


_OF_ARCHIVES = (Facet.ARCHIVE, Facet.ERN)


def _product(axes: list[list[Any]]) -> list[tuple[Any, ...]]:
    cells: list[tuple[Any, ...]] = [()]
    for axis in axes:
        cells = [(*cell, value) for cell in cells for value in axis]
    return cells


def interval_start(day: date | None, interval: DateInterval) -> date | None:
    if day is None or interval is DateInterval.DAY:
        return day
    month = {"YEAR": 1, "QUARTER": (day.month - 1) // 3 * 3 + 1, "MONTH": day.month}[interval]
    return day.replace(month=month, day=1)
