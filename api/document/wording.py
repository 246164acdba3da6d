"""What graphql-core says of wrong input, without the values that it quotes.

Its messages repeat the value ("… found: { eq: \"Müller\" }."), and values here are patient data. Kept is
what matches a known form: names of types and fields, which the schema has published anyway. Where the
value stands is said instead: a line and column of the document, or a path into a variable.
"""

import re

from graphql import GraphQLError, GraphQLSchema

from api.document.near_inputs import meant_by, shape_of

_NAME = r"[_A-Za-z]\w*"
_TYPE = r"'[\[\]!\w]+'"
_INVALID = r" has invalid (?:default )?value(?: at (?P<path>[.\[\]\w]+))?: (?P<what>.*)"
_VARIABLE = re.compile(rf"Variable '\$(?P<name>{_NAME})'{_INVALID}", re.DOTALL)
_ARGUMENT = re.compile(rf"Argument '(?P<name>{_NAME})'{_INVALID}", re.DOTALL)
_SUGGESTION = re.compile(rf" Did you mean(?: the enum value)? '{_NAME}'(?:,? (?:or )?'{_NAME}')*\?$")
# A form that may be said as it is; what follows it in the message is dropped.
_FORMS = tuple(
    re.compile(form, re.ASCII)
    for form in (
        rf"Expected a value of non-null type {_TYPE} to be provided",
        rf"Expected value of non-null type {_TYPE} not to be (?:None|null)",
        rf"Expected value of type {_TYPE} to be an object",
        rf"Expected value of type {_TYPE} to include required field '{_NAME}'",
        rf"Expected value of type {_TYPE} not to include unknown field(?: '{_NAME}')?",
        rf"Expected value of type {_TYPE}",
        rf"Expected variable '\${_NAME}' provided to (?:non-null )?type {_TYPE}(?: not to be None)?",
        rf"Within OneOf Input Object type {_TYPE}, exactly one field must be specified",
        rf"Enum '{_NAME}' cannot represent non-(?:string|enum) value",
        r"(?:Int|Float|String|Boolean|ID) cannot represent [-\w ]*value",
        rf"Value cannot represent a {_NAME}",
    )
)
_UNKNOWN_FIELD = re.compile(
    rf"Expected value of type '(?P<of>{_NAME})!?' not to include unknown field '(?P<field>{_NAME})'", re.ASCII
)
_NO_OBJECT = re.compile(rf"Expected value of type '(?P<of>{_NAME})!?' to be an object", re.ASCII)
_UNKNOWN_ENUM = re.compile(rf"Value '.*' does not exist in '(?P<enum>{_NAME})' enum", re.DOTALL)
_TOKEN = re.compile(r"\b(BlockString|String|Name|Int|Float) '.*", re.DOTALL)
_QUOTING = re.compile(r"(, did you mean '0\.|: '|, expected digit but got).*", re.DOTALL)


def input_problem(
    error: GraphQLError, said: str | None = None, schema: GraphQLSchema | None = None
) -> str | None:
    """Where the wrong input is and what was expected; None when the message is not about a value.

    `said`: words of our own about the value, used instead of graphql-core's.
    """
    for form, kind in ((_VARIABLE, "Variable '$"), (_ARGUMENT, "Argument '")):
        if found := form.match(error.message):
            path = found["path"]
            inside = f" at {path.lstrip('.')}" if path else ""
            return f"{kind}{found['name']}'{inside}: {said or value_problem(found['what'], schema)}"
    return None


def value_problem(message: str, schema: GraphQLSchema | None = None) -> str:
    """What graphql-core said of one value, the value left out; of the schema's inputs what may have been meant."""
    if schema is not None and (found := _UNKNOWN_FIELD.match(message)):
        return f"{found[0]}.{meant_by(schema, found['of'], found['field'])}"
    if schema is not None and (found := _NO_OBJECT.match(message)):
        return f"{found[0]}.{shape_of(schema, found['of'])}"
    hint = _SUGGESTION.search(message)
    ending = f".{hint[0]}" if hint else "."
    if unknown := _UNKNOWN_ENUM.match(message):
        return f"The value does not exist in the enum '{unknown['enum']}'{ending}"
    for form in _FORMS:
        if found := form.match(message):
            return f"{found[0]}{ending}"
    return "The value is not allowed here."


def syntax_problem(error: GraphQLError) -> str:
    """A syntax error with its position; what the token held is left out."""
    said = _QUOTING.sub("", _TOKEN.sub(r"\1", error.message)).rstrip(".")
    return f"{said} ({position(error)})."


def position(error: GraphQLError) -> str:
    """`line 3, column 14` of the document."""
    if not error.locations:
        return "in the document"
    return f"line {error.locations[0].line}, column {error.locations[0].column}"
