"""The match inputs: what one attribute is compared with, and the tests that they mean.

A field of a filter that is not given is no condition; one that is null is refused (`given_fields`), or a variable
that a client forgot to fill would find everything.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, cast

import strawberry
from strawberry.types import get_object_definition
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from model.attributes import Attribute, Level, attribute
from model.errors import BadInput
from model.filters import MAX_TEXT, AllOf, AnyOf, Condition, Not, Op, Test, Value
from model.paths import parse_path
from reads.any_attribute import attribute_test
from resolvers.descriptions import optional
from resolvers.scalars import UID

MAX_LIST = 1000


@strawberry.input(
    description="All given conditions hold for one value. Case and accents are folded except for eq and in."
)
class StringMatch:
    eq: str | None = optional("Equal, to the letter.")
    in_: list[str] | None = optional("Equal to one of these, to the letter (1 to 1000).", "in")
    starts_with: str | None = optional("Begins with this.")
    contains: str | None = optional("Contains this.")
    wildcard: str | None = optional("DICOM wildcards: * for any text, ? for one character.")
    is_null: bool | None = optional("true: has no value. false: has one.")


@strawberry.input(
    description="All given conditions hold for one value. A name matches by any of its groups (alphabetic, "
    "ideographic, phonetic). fuzzy tolerates spelling (Müller, Mueller, Muller), romanisation (Γιώργος, Giorgos, "
    "Yiorgos), order, missing parts and initials; best match first."
)
class PersonNameMatch:
    eq: str | None = optional("Equal, to the letter, to the name or to one of its groups.")
    starts_with: str | None = optional("A group begins with this; case and accents folded.")
    wildcard: str | None = optional("A group matches: * for any text, ? for one character; folded.")
    fuzzy: str | None = optional(
        "A name spelled or transcribed like this; the answer is ordered by RELEVANCE."
    )
    is_null: bool | None = optional("true: has no value. false: has one.")


@strawberry.input(description="A UID, or one of several.")
class UidMatch:
    eq: UID | None = optional("This UID.")
    in_: list[UID] | None = optional("One of these (1 to 1000).", "in")


@strawberry.input(description="All given conditions hold for one value; both ends are inclusive.")
class DateRange:
    eq: date | None = optional("On this day.")
    gte: date | None = optional("On this day or later.")
    lte: date | None = optional("On this day or earlier.")
    is_null: bool | None = optional("true: has no date. false: has one.")


@strawberry.input(description="All given conditions hold for one value; both ends are inclusive.")
class IntRange:
    eq: int | None = optional("This number.")
    gte: int | None = optional("This number or more.")
    lte: int | None = optional("This number or less.")
    in_: list[int] | None = optional("One of these (1 to 1000).", "in")
    is_null: bool | None = optional("true: has no value. false: has one.")


@strawberry.input(description="All given conditions hold, to the letter.")
class ListMatch:
    any: list[str] | None = optional("Holds at least one of these.")
    all: list[str] | None = optional("Holds every one of these.")
    none: list[str] | None = optional("Holds none of these.")


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
    eq: str | None = optional("Equal; text to the letter.")
    in_: list[str] | None = optional("Equal to one of these (1 to 1000).", "in")
    starts_with: str | None = optional("Begins with this; case and accents folded.")
    contains: str | None = optional("Contains this; case and accents folded.")
    wildcard: str | None = optional("* for any text, ? for one character; case and accents folded.")
    gte: str | None = optional("This or more, of a number, date or time.")
    lte: str | None = optional("This or less, of a number, date or time.")
    exists: bool | None = optional("true: has a value. false: has none.")


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


def given_fields(
    given: object, where: str, keyword: str | None = None
) -> Iterator[tuple[StrawberryField, Any]]:
    """The fields of a filter or match that are given, with their values. Raises BadInput for one that is null.

    where: the path of the input. keyword: what it is about, where that is one attribute.
    """
    for definition in get_object_definition(type(given), strict=True).fields:
        value = getattr(given, definition.python_name)
        if value is None:
            name = definition.graphql_name or to_camel_case(definition.python_name)
            about = definition.metadata.get("keyword", keyword)
            raise BadInput(f"{where}.{name}: null is no condition.{_instead_of_null(given, about)}")
        if value is not strawberry.UNSET:
            yield definition, value


def _instead_of_null(given: object, keyword: str | None) -> str:
    """How to ask for what has no value, which somebody may mean by null."""
    if isinstance(given, AttributeMatch):
        found = "`exists: false`"
    elif keyword is not None:
        found = f'`attribute: [{{name: "{keyword}", exists: false}}]`'
        if hasattr(given, "is_null"):
            found = f"`isNull: true` or {found}"
    else:
        return " Leave it out for none."
    return f" What has no value is found by {found}; leave it out for no condition."


def tests_of(keyword: str, match: Match, where: str) -> list[Condition]:
    """The tests that a match means for one attribute of the table. where: its path. Raises BadInput."""
    column = attribute(keyword)
    given = {definition.python_name: value for definition, value in given_fields(match, where, keyword)}
    for name, value in given.items():
        checked(f"{where}.{OPS.get(name, name)}", value)
    if isinstance(match, ListMatch):
        return _list_tests(column, given)
    return [Test(column, *in_any_case(column.vr, OPS[name], _value(value))) for name, value in given.items()]


def attribute_tests(
    level: Level, matches: Sequence[AttributeMatch], where: str = "attribute"
) -> list[Condition]:
    """The tests of `attribute: […]`, which stands at this path, at one level. Raises BadInput."""
    return [test for number, match in enumerate(matches) for test in _any(level, match, f"{where}[{number}]")]


def _any(level: Level, match: AttributeMatch, where: str) -> list[Condition]:
    given = {definition.python_name: value for definition, value in given_fields(match, where)}
    path = parse_path(str(checked(f"{where}.name", given.pop("name"))))
    exists: bool | None = given.pop("exists", None)
    comparisons = (
        in_any_case(path.last.vr, OPS[name], checked(f"{where}.{OPS[name]}", value))
        for name, value in given.items()
    )
    return attribute_test(level, path, comparisons, exists)


def in_any_case(vr: str | None, op: Op, value: Value) -> tuple[Op, Value]:
    """The same comparison, of a CS with upper case as well: PS3.5 has no other, people and some archives do."""
    if vr != "CS" or op not in (Op.EQ, Op.IN):
        return op, value
    listed = value if isinstance(value, tuple) else (value,)
    spelled = tuple(dict.fromkeys(each for one in listed for each in (str(one), str(one).upper())))
    return (op, value) if len(spelled) == len(listed) else (Op.IN, spelled)


def _value(value: Any) -> Value:
    return cast(Value, tuple(value) if isinstance(value, list) else value)


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


def _list_tests(column: Attribute, given: dict[str, list[str]]) -> list[Condition]:
    conditions: list[Condition] = []
    for name, values in given.items():
        has = [_has(column, value) for value in values]
        match name:
            case "any":
                conditions.append(AnyOf(tuple(has)))
            case "all":
                conditions.append(AllOf(tuple(has)))
            case _:
                conditions.append(Not(AnyOf(tuple(has))))
    return conditions


def _has(column: Attribute, value: str) -> Condition:
    _, spelled = in_any_case(column.vr, Op.IN, (value,))
    tests = [Test(column, Op.HAS, each) for each in cast(tuple[str, ...], spelled)]
    return tests[0] if len(tests) == 1 else AnyOf(tuple(tests))
