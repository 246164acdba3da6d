"""Hypothesis strategies: condition trees and orders that mean something on the generated federation."""

from datetime import date
from typing import Any

from hypothesis import strategies as st

from db.lists.orders import KEYS, Sort
from model.attributes import Level, attribute
from model.filters import AllOf, AnyOf, Condition, Not, Op, PathTest, Related, Test
from model.paths import parse_path
from model.text_search import parse_text
from model.vocabulary import CODE_COLUMNS, Coded
from tests.federation import BODY_PARTS, DESCRIPTIONS, MODALITIES, NAMES

_PIECES = st.sampled_from(
    ["m", "Mü", "mu", "CT", "ct thorax", "50%", "_", "\\", "é", "山", "", "Caf", "P", "a"]
)
_PATTERNS = st.sampled_from(
    ["*", "?T*", "m*", "*thorax*", "50%*", "*_*", "back\\*", "山田*", "P?", "", "*É*"]
)
_DAYS = st.dates(date(2019, 12, 30), date(2020, 1, 9))
_TEXTS = {
    "PatientID": ["P1", "p2", "Ä3"],
    "PatientSex": ["F", "M"],
    "AccessionNumber": ["A1", "a2"],
    "StudyID": ["1", "3"],
    "StudyDescription": [d for d in DESCRIPTIONS if d],
    "Modality": MODALITIES,
    "SeriesDescription": [d for d in DESCRIPTIONS if d],
    "BodyPartExamined": [b for b in BODY_PARTS if b],
    "ProtocolName": ["Kopf", "thorax"],
    "Manufacturer": ["ACME", "Ümlaut"],
}
_NAMED = [name for name in NAMES if name] + ["山田^太郎", "Yamada^Tarou"]
_BY_LEVEL = {
    Level.STUDY: ["PatientID", "PatientSex", "AccessionNumber", "StudyID", "StudyDescription"],
    Level.SERIES: ["Modality", "SeriesDescription", "BodyPartExamined", "ProtocolName", "Manufacturer"],
    Level.INSTANCE: [],
}
_NUMBERS = {
    Level.STUDY: ["NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"],
    Level.SERIES: ["NumberOfSeriesRelatedInstances"],
    Level.INSTANCE: ["InstanceNumber", "Rows", "NumberOfFrames"],
}
_DATES = {Level.STUDY: ["StudyDate", "PatientBirthDate"], Level.SERIES: ["SeriesDate"], Level.INSTANCE: []}
_SEARCHES = [
    *("thorax", "mr kopf", "caf", "thorax -angio", "MR OR eye", "-head", "under_score"),
    *(
        '"ct thorax"',
        '"thorax angio" -mr',
        '"mr schadel" OR "back slash"',
        'head -"ct thorax"',
        '"thorax ct"',
    ),
]
_PATHS = {
    Level.STUDY: ["PatientSize", "StudyDate", "StudyDescription", "PatientName"],
    Level.SERIES: ["SeriesNumber", "SeriesDescription"],
    Level.INSTANCE: ["Rows"],
}


@st.composite
def _text(draw: st.DrawFn, keyword: str) -> Condition:
    known = st.sampled_from(_TEXTS[keyword])
    column = attribute(keyword)
    match draw(st.sampled_from([Op.EQ, Op.IN, Op.STARTS_WITH, Op.CONTAINS, Op.WILDCARD, Op.IS_NULL])):
        case Op.EQ:
            return Test(column, Op.EQ, draw(known))
        case Op.IN:
            return Test(column, Op.IN, tuple(draw(st.lists(known, min_size=1, max_size=3))))
        case Op.WILDCARD:
            return Test(column, Op.WILDCARD, draw(_PATTERNS))
        case Op.IS_NULL:
            return Test(column, Op.IS_NULL, draw(st.booleans()))
        case op:
            return Test(column, op, draw(_PIECES))


@st.composite
def _name(draw: st.DrawFn) -> Condition:
    column = attribute(draw(st.sampled_from(["PatientName", "ReferringPhysicianName"])))
    match draw(st.sampled_from([Op.EQ, Op.STARTS_WITH, Op.WILDCARD, Op.IS_NULL])):
        case Op.EQ:
            return Test(column, Op.EQ, draw(st.sampled_from(_NAMED)))
        case Op.WILDCARD:
            return Test(column, Op.WILDCARD, draw(_PATTERNS))
        case Op.IS_NULL:
            return Test(column, Op.IS_NULL, draw(st.booleans()))
        case op:
            return Test(column, op, draw(_PIECES))


@st.composite
def _ranged(draw: st.DrawFn, keyword: str, values: st.SearchStrategy[Any]) -> Condition:
    column, op = attribute(keyword), draw(st.sampled_from([Op.EQ, Op.GTE, Op.LTE]))
    return Test(column, op, draw(values))


@st.composite
def _between(draw: st.DrawFn, keyword: str, values: st.SearchStrategy[Any]) -> Condition:
    """Both ends of a range, as one match or as two that have to hold at once."""
    column = attribute(keyword)
    low, high = Test(column, Op.GTE, draw(values)), Test(column, Op.LTE, draw(values))
    return draw(st.sampled_from([AllOf((low, high)), AllOf((AllOf((low,)), AllOf((high,))))]))


@st.composite
def _path(draw: st.DrawFn, level: Level) -> Condition:
    path = parse_path(draw(st.sampled_from(_PATHS[level])))
    match path.last.vr:
        case "DS" | "IS" | "US":
            low = draw(st.sampled_from(["1", "1.5", "1.75", "2", "256"]))
            return PathTest(
                path, draw(st.sampled_from([(), ((Op.EQ, low),), ((Op.GTE, low),), ((Op.LTE, low),)]))
            )
        case "DA":
            day = draw(_DAYS).isoformat()
            return PathTest(
                path, draw(st.sampled_from([((Op.EQ, day),), ((Op.GTE, day), (Op.LTE, "2020-01-05"))]))
            )
        case _:
            return PathTest(path, draw(st.sampled_from([(), ((Op.CONTAINS, "m"),), ((Op.WILDCARD, "*T*"),)])))


def _coded() -> st.SearchStrategy[Condition]:
    column = CODE_COLUMNS[Coded.BODY_PART]
    one = st.sampled_from(["69536005", "816094009", "10200004"]).map(lambda each: Test(column, Op.EQ, each))
    return one | st.just(Test(column, Op.IN, ("69536005", "81745001")))


def _leaves(level: Level) -> list[st.SearchStrategy[Condition]]:
    numbers = st.sampled_from(_NUMBERS[level])
    found: list[st.SearchStrategy[Condition]] = [
        _path(level),
        numbers.flatmap(lambda keyword: _ranged(keyword, st.sampled_from([0, 1, 2, 3, 256, 512]))),
        numbers.flatmap(lambda keyword: _between(keyword, st.sampled_from([0, 1, 2, 3, 256, 512]))),
    ]
    if level is not Level.INSTANCE:
        found.append(st.sampled_from(_SEARCHES).map(parse_text))
    if _BY_LEVEL[level]:
        found.append(st.sampled_from(_BY_LEVEL[level]).flatmap(_text))
        found.append(st.sampled_from(_DATES[level]).flatmap(lambda keyword: _ranged(keyword, _DAYS)))
        found.append(st.sampled_from(_DATES[level]).flatmap(lambda keyword: _between(keyword, _DAYS)))
    if level is Level.SERIES:
        found += [
            _coded(),
            st.booleans().map(lambda missing: Test(CODE_COLUMNS[Coded.BODY_PART], Op.IS_NULL, missing)),
        ]
    if level is Level.STUDY:
        modality = attribute("ModalitiesInStudy")
        sequence = parse_path("RequestAttributesSequence.ScheduledProcedureStepID")
        found += [
            _name(),
            st.sampled_from(MODALITIES).map(lambda value: Test(modality, Op.HAS, value)),
            st.sampled_from(["S1", "S2"]).map(lambda value: PathTest(sequence, ((Op.EQ, value),))),
        ]
    return found


_NEIGHBOURS = {
    Level.STUDY: [Level.SERIES],
    Level.SERIES: [Level.STUDY, Level.INSTANCE],
    Level.INSTANCE: [Level.SERIES],
}


def conditions(level: Level, depth: int = 2) -> st.SearchStrategy[Condition]:
    """Condition trees on a level, into its neighbours too."""
    leaf = st.one_of(_leaves(level))
    if depth == 0:
        return leaf
    inner = st.deferred(lambda: conditions(level, depth - 1))
    several = st.lists(inner, max_size=3).map(tuple)
    related = [_related(other, depth - 1) for other in _NEIGHBOURS[level]]
    return st.one_of(leaf, leaf, several.map(AllOf), several.map(AnyOf), inner.map(Not), *related)


def _related(level: Level, depth: int) -> st.SearchStrategy[Condition]:
    return st.deferred(lambda: conditions(level, depth)).map(lambda condition: Related(level, condition))


def sorts(level: Level) -> st.SearchStrategy[tuple[Sort, ...]]:
    """Orders of one to three fields; none means the default order."""
    sort = st.builds(Sort, st.sampled_from([*KEYS[level]]), st.booleans())
    return st.lists(sort, max_size=3, unique_by=lambda each: each.field).map(tuple)


@st.composite
def by_value(draw: st.DrawFn) -> Condition:
    """A condition on studies that a value of a series, or a pattern of values, is a part of."""
    counts = st.sampled_from([0, 1, 2, 3, 4, 256])
    tests = st.one_of(
        *(_text(keyword) for keyword in _BY_LEVEL[Level.SERIES]),
        _coded(),
        *(made("SeriesDate", _DAYS) for made in (_ranged, _between)),
        *(made("NumberOfSeriesRelatedInstances", counts) for made in (_ranged, _between)),
    )
    modality = st.sampled_from(MODALITIES).map(
        lambda value: Test(attribute("ModalitiesInStudy"), Op.HAS, value)
    )
    described = _text("StudyDescription")
    parts = draw(
        st.lists(
            st.one_of(tests.map(lambda test: Related(Level.SERIES, test)), modality, described),
            min_size=1,
            max_size=2,
        )
    )
    more = draw(st.lists(conditions(Level.STUDY, depth=1), max_size=1))
    return AllOf((*parts, *more))
