"""How filters ask for codes: of a series' coded attributes, by value or by a word for it."""

import strawberry

from model import vocabulary
from model.attributes import Level
from model.filters import EVERYTHING, Condition, Op, Related, Test, all_of
from model.vocabulary import CODE_COLUMNS, Coded
from resolvers.descriptions import optional
from resolvers.filters.matches import checked, given_fields


@strawberry.input(
    description="All given conditions hold. A code is named by its value (816094009 or SCT:816094009), or by a "
    "term or word for it (CHEST, Thorax, poitrine); one that the vocabulary does not know is BAD_INPUT."
)
class CodeMatch:
    eq: str | None = optional("This code.")
    in_: list[str] | None = strawberry.field(
        description="One of these codes (1 to 1000).", default=strawberry.UNSET, name="in"
    )
    is_null: bool | None = optional("true: has no code, whatever the raw value. false: has one.")


def code_condition(level: Level, of: Coded, match: CodeMatch, at: str) -> Condition:
    """What a match at this path means at a level; at that of studies: of at least one series. Raises BadInput."""
    column, where = CODE_COLUMNS[of], f"{of.value} code"
    tests: list[Condition] = []
    for definition, value in given_fields(match, at, of.value):
        match definition.python_name:
            case "eq":
                tests.append(Test(column, Op.EQ, _value(of, str(checked(where, value)))))
            case "in_":
                checked(where, value)
                tests.append(Test(column, Op.IN, tuple(_value(of, each) for each in value)))
            case _:
                tests.append(Test(column, Op.IS_NULL, value))
    if not tests:
        return EVERYTHING
    condition = all_of(tests)
    return condition if level is column.level else Related(column.level, condition)


def _value(of: Coded, text: str) -> str:
    return vocabulary.find(of, text).value
