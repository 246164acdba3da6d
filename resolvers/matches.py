"""The match inputs: what one attribute is compared with, and the tests that they mean."""

from datetime import date
from typing import Any, cast

import strawberry

from model.attributes import Attribute, attribute
from model.errors import BadInput
from model.filters import MAX_TEXT, AllOf, AnyOf, Condition, Not, Op, Test, Value
from resolvers.scalars import UID

MAX_LIST = 1000


def _describe(description: str, name: str | None = None) -> Any:
    return strawberry.field(description=description, default=None, name=name)


@strawberry.input(
    description="All given conditions hold for one value. Case and accents are folded except for eq and in."
)
class StringMatch:
    eq: str | None = _describe("Equal, to the letter.")
    in_: list[str] | None = _describe("Equal to one of these, to the letter (1 to 1000).", "in")
    starts_with: str | None = _describe("Begins with this.")
    contains: str | None = _describe("Contains this.")
    wildcard: str | None = _describe("DICOM wildcards: * for any text, ? for one character.")
    is_null: bool | None = _describe("true: has no value. false: has one.")


@strawberry.input(
    description="All given conditions hold for one value. A name matches by any of its groups (alphabetic, "
    "ideographic, phonetic). fuzzy tolerates spelling (Müller, Mueller, Muller), romanisation (Γιώργος, Giorgos, "
    "Yiorgos), order, missing parts and initials; best match first."
)
class PersonNameMatch:
    eq: str | None = _describe("Equal, to the letter, to the name or to one of its groups.")
    starts_with: str | None = _describe("A group begins with this; case and accents folded.")
    wildcard: str | None = _describe("A group matches: * for any text, ? for one character; folded.")
    fuzzy: str | None = _describe(
        "A name spelled or transcribed like this; the answer is ordered by RELEVANCE."
    )
    is_null: bool | None = _describe("true: has no value. false: has one.")


@strawberry.input(description="A UID, or one of several.")
class UidMatch:
    eq: UID | None = _describe("This UID.")
    in_: list[UID] | None = _describe("One of these (1 to 1000).", "in")


@strawberry.input(description="All given conditions hold for one value; both ends are inclusive.")
class DateRange:
    eq: date | None = _describe("On this day.")
    gte: date | None = _describe("On this day or later.")
    lte: date | None = _describe("On this day or earlier.")
    is_null: bool | None = _describe("true: has no date. false: has one.")


@strawberry.input(description="All given conditions hold for one value; both ends are inclusive.")
class IntRange:
    eq: int | None = _describe("This number.")
    gte: int | None = _describe("This number or more.")
    lte: int | None = _describe("This number or less.")
    in_: list[int] | None = _describe("One of these (1 to 1000).", "in")
    is_null: bool | None = _describe("true: has no value. false: has one.")


@strawberry.input(description="All given conditions hold, to the letter.")
class ListMatch:
    any: list[str] | None = _describe("Holds at least one of these.")
    all: list[str] | None = _describe("Holds every one of these.")
    none: list[str] | None = _describe("Holds none of these.")


@strawberry.input(
    description="name: keyword, GGGGEEEE, private (creator)GGxxEE, or a dotted path through sequences. "
    "All given conditions hold for one value at that path. Numeric VRs compare as numbers, dates and times "
    "in order of time."
)
class AttributeMatch:
    name: str = strawberry.field(
        description="PatientSize, 00101020, (SIEMENS CSA HEADER)0029xx10 or "
        "RequestAttributesSequence.ScheduledProcedureStepID."
    )
    eq: str | None = _describe("Equal; text to the letter.")
    in_: list[str] | None = _describe("Equal to one of these (1 to 1000).", "in")
    starts_with: str | None = _describe("Begins with this; case and accents folded.")
    contains: str | None = _describe("Contains this; case and accents folded.")
    wildcard: str | None = _describe("* for any text, ? for one character; case and accents folded.")
    gte: str | None = _describe("This or more, of a number, date or time.")
    lte: str | None = _describe("This or less, of a number, date or time.")
    exists: bool | None = _describe("true: has a value. false: has none.")


OPS = {
    "eq": Op.EQ,
    "in_": Op.IN,
    "starts_with": Op.STARTS_WITH,
    "contains": Op.CONTAINS,
    "wildcard": Op.WILDCARD,
    "fuzzy": Op.FUZZY,
    "gte": Op.GTE,
    "lte": Op.LTE,
    "is_null": Op.IS_NULL,
}

Match = StringMatch | PersonNameMatch | UidMatch | DateRange | IntRange | ListMatch


def tests_of(keyword: str, match: Match) -> list[Condition]:
    """The tests that a match means for one attribute of the table. Raises BadInput."""
    column = attribute(keyword)
    if isinstance(match, ListMatch):
        return _list_tests(column, match)
    return [
        Test(column, op, checked(f"{keyword}.{op}", value))
        for name, op in OPS.items()
        if (value := getattr(match, name, None)) is not None
    ]


def checked(where: str, value: Value | list[str] | list[int]) -> Value:
    """The value of a test, refused when Postgres or a person could not mean it. Raises BadInput."""
    if isinstance(value, list):
        if not 1 <= len(value) <= MAX_LIST:
            raise BadInput(f"{where}: needs 1 to {MAX_LIST} values, got {len(value)}.")
        for item in value:
            checked(where, item)
        return cast(Value, tuple(value))
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise BadInput(f"{where}: at most {MAX_TEXT} characters, got {len(value)}.")
        if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
            raise BadInput(
                f"{where}: holds a character (NUL or half a surrogate pair) that no DICOM text can hold."
            )
    return value


def _list_tests(column: Attribute, match: ListMatch) -> list[Condition]:
    conditions: list[Condition] = []
    if match.any is not None:
        conditions.append(AnyOf(_has(column, "any", match.any)))
    if match.all is not None:
        conditions.append(AllOf(_has(column, "all", match.all)))
    if match.none is not None:
        conditions.append(Not(AnyOf(_has(column, "none", match.none))))
    return conditions


def _has(column: Attribute, name: str, values: list[str]) -> tuple[Condition, ...]:
    checked(f"{column.keyword}.{name}", values)
    return tuple(Test(column, Op.HAS, value) for value in values)
