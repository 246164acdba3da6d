"""Enums of rooms below as enums of the schema."""

from collections.abc import Mapping
from enum import Enum
from typing import cast

import strawberry
from strawberry.types.enum import WithStrawberryEnumDefinition


def described(of: type[Enum], description: str, said: Mapping[Enum, str]) -> None:
    """Makes it one. said: the description of each member."""
    strawberry.enum(of, description=description)
    for value in cast(WithStrawberryEnumDefinition, of).__strawberry_definition__.values:
        value.description = said[of(value.value)]
