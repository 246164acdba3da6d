"""The condition tree: what a filter means, free of GraphQL and of SQL.

A node (study, series or instance) is seen through its visible copies. A test holds when it holds for
at least one of them; IS_NULL holds when no copy has a value; `Not` is the complement on nodes. Tests of one
attribute that have to hold at once hold for one copy's value (`conjunction`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from model.attributes import UNITED, Attribute, Level
from model.errors import BadInput
from model.paths import AttributePath

MAX_DEPTH = 20
MAX_TESTS = 500
MAX_TEXT = 1024


class Op(StrEnum):
    """What a test asks of a value. Text is folded (case, accents) except in EQ and IN."""

    EQ = "eq"
    IN = "in"
    STARTS_WITH = "startsWith"
    CONTAINS = "contains"
    WILDCARD = "wildcard"
    FUZZY = "fuzzy"
    GTE = "gte"
    LTE = "lte"
    IS_NULL = "isNull"
    HAS = "has"  # a list column holds the value


Value = str | int | bool | date | tuple[str, ...] | tuple[int, ...] | tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison of a typed attribute of the level at hand.

    `scanned`: so many pass that it is asked of row after row in the list's order, not of an index. `known`: the rows
    (study_pk) that pass, where they were looked up already.
    """

    attribute: Attribute
    op: Op
    value: Value
    scanned: bool = False
    known: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class PathTest:
    """Some value at a path, of any attribute of the data set, passes every comparison (none: exists)."""

    path: AttributePath
    comparisons: tuple[tuple[Op, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class TextTest:
    """Texts of the node (descriptions, body parts, protocol names; of a study its series' too) hold this.

    Each of `words` begins a word there, each of `phrases` stands there, none of the excluded does; or one of
    `others` holds. `scanned`: as in Test; `common`: those of the words of which that is true.
    """

    words: tuple[str, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    excluded_words: tuple[str, ...] = ()
    excluded_phrases: tuple[tuple[str, ...], ...] = ()
    others: tuple["TextTest", ...] = ()
    scanned: bool = False
    common: tuple[str, ...] = ()

    @property
    def ranks(self) -> bool:
        """Whether anything is sought that could be there more or less."""
        return bool(self.words or self.phrases) or any(other.ranks for other in self.others)


class Consent(StrEnum):
    """What a patient can agree to; the value is the column of the table consent."""

    CARE = "care"
    REGISTRY = "registry"
    RESEARCH = "research"


@dataclass(frozen=True, slots=True)
class ConsentTest:
    """The patient of the study agreed to this, in an archive that holds it."""

    consent: Consent


EACH_VERSION = "each"
"""In place of a version's id: each of the versions that one statement is about."""


@dataclass(frozen=True, slots=True)
class CohortTest:
    """The study is in a version of a cohort. `cohort`: the id as given, of either; `version` is found when it is
    opened, with the (projection, archive_id) pairs in which it can be read."""

    cohort: str
    version: str | None = None
    readable: frozenset[tuple[str, int]] = frozenset()


@dataclass(frozen=True, slots=True)
class ChangedTest:
    """A copy that a version has is not what it was then; in `until`, another version, where that is given."""

    since: str
    until: str | None = None


@dataclass(frozen=True, slots=True)
class AllOf:
    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    condition: "Condition"


@dataclass(frozen=True, slots=True)
class Related:
    """The parent at `level` matches, or at least one child at `level` does."""

    level: Level
    condition: "Condition"


Condition = (
    Test | PathTest | TextTest | ConsentTest | CohortTest | ChangedTest | AllOf | AnyOf | Not | Related
)

EVERYTHING = AllOf(())


def all_of(conditions: list[Condition]) -> Condition:
    """AllOf, without a wrapper around a single condition."""
    return conditions[0] if len(conditions) == 1 else AllOf(tuple(conditions))


def apart(conditions: list[Condition]) -> Condition:
    """All of them, each by whichever copy: of what one asks of a value another one asks nothing."""
    if len(conditions) == 1:
        return conditions[0]
    return AllOf(tuple(AnyOf((condition,)) for condition in conditions))


def conjunction(condition: AllOf) -> list[tuple[Condition, ...]]:
    """What has to hold at once, nested conjunctions included. Tests that one copy's value of an attribute has to
    pass are in one group, any other condition is alone: a range is met by one date, not by the dates of two copies."""
    groups: dict[object, list[Condition]] = {}
    for number, part in enumerate(conjuncts(condition)):
        match part:
            case Test(_, Op.IS_NULL, True):
                groups[number] = [part]
            case Test(attribute) if attribute.keyword not in UNITED:
                groups.setdefault(attribute, []).append(part)
            case _:
                groups[number] = [part]
    return [tuple(group) for group in groups.values()]


def conjuncts(condition: Condition) -> Iterator[Condition]:
    """What has to hold at once, nested conjunctions included; a condition that is none is its only part."""
    if isinstance(condition, AllOf):
        for part in condition.conditions:
            yield from conjuncts(part)
    else:
        yield condition


def walk(condition: Condition) -> Iterator[Condition]:
    """Every condition of the tree, in no particular order."""
    stack = [condition]
    while stack:
        here = stack.pop()
        yield here
        match here:
            case AllOf(children) | AnyOf(children):
                stack.extend(children)
            case Not(child) | Related(_, child):
                stack.append(child)
            case _:
                pass


def replaced(condition: Condition, change: Callable[[Condition], Condition]) -> Condition:
    """The tree with every leaf changed."""
    match condition:
        case AllOf(children):
            return AllOf(tuple(replaced(child, change) for child in children))
        case AnyOf(children):
            return AnyOf(tuple(replaced(child, change) for child in children))
        case Not(child):
            return Not(replaced(child, change))
        case Related(level, child):
            return Related(level, replaced(child, change))
        case _:
            return change(condition)


def check_size(condition: Condition) -> None:
    """Refuses a filter that has too many tests. Raises BadInput."""
    tests = sum(
        isinstance(here, Test | PathTest | TextTest | ConsentTest | CohortTest) for here in walk(condition)
    )
    if tests > MAX_TESTS:
        raise BadInput(
            f"filter: {tests} conditions, at most {MAX_TESTS} are allowed; use `in` for long lists."
        )


def path_tests(condition: Condition, level: Level) -> Iterator[tuple[Level, PathTest]]:
    """Every test by path, with the level whose data sets it looks into."""
    stack = [(condition, level)]
    while stack:
        here, at = stack.pop()
        match here:
            case PathTest():
                yield at, here
            case AllOf(children) | AnyOf(children):
                stack.extend((child, at) for child in children)
            case Not(child):
                stack.append((child, at))
            case Related(other, child):
                stack.append((child, other))
            case _:
                pass


def ranked_by(condition: Condition) -> Condition | None:
    """The fuzzy name or text test that orders by relevance: the first one that must hold."""
    match condition:
        case Test(_, Op.FUZZY, _):
            return condition
        case TextTest():
            return condition if condition.ranks else None
        case AllOf(children):
            return next((found for child in children if (found := ranked_by(child)) is not None), None)
        case _:
            return None
