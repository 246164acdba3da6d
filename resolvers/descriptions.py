"""Descriptions of what the schema shows: fields, inputs, arguments."""

from typing import Any

import strawberry


def described(description: str, **options: Any) -> Any:
    """A field."""
    return strawberry.field(description=description, **options)


def optional(description: str, name: str | None = None) -> Any:
    """A field of an input that may be left out, which is not the same as null."""
    return strawberry.field(description=description, default=strawberry.UNSET, name=name)


def argument(description: str) -> Any:
    return strawberry.argument(description=description)
