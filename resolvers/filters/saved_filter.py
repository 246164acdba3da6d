"""Saved filters: an input of the schema as JSON text, and back. The text is what a client would send."""

import dataclasses
from datetime import date
from typing import Any

import orjson
import strawberry
from graphql import GraphQLError
from strawberry.types import get_object_definition
from strawberry.utils.str_converters import to_camel_case

from model.errors import BadInput
from resolvers.engine import input_of
from resolvers.filters.inputs import StudyFilter


def text_of(given: StudyFilter) -> str:
    """Canonical JSON; what was not given is left out."""
    return orjson.dumps(_plain(given), option=orjson.OPT_SORT_KEYS).decode()


def filter_of(info: strawberry.Info, text: str) -> StudyFilter:
    """The input that a text means in this version's schema. Raises BadInput."""
    try:
        return input_of(info.schema, orjson.loads(text), StudyFilter)
    except GraphQLError:
        raise BadInput("cohort: its filter was saved by another version and means nothing now.") from None


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if dataclasses.is_dataclass(value):
        fields = get_object_definition(type(value), strict=True).fields
        named = {each.graphql_name or to_camel_case(each.python_name): each.python_name for each in fields}
        given = {name: getattr(value, python) for name, python in named.items()}
        return {name: _plain(each) for name, each in given.items() if each is not strawberry.UNSET}
    return value.isoformat() if isinstance(value, date) else value
