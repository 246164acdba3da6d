"""Bind parameters of one composed statement: the only way a value gets into SQL."""

from typing import Any


class Params:
    """Collects values and hands out their placeholders ($1, $2, …)."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def add(self, value: Any, sql_type: str) -> str:
        """The placeholder of `value`, with its type, so that no statement depends on inference."""
        self.values.append(value)
        return f"${len(self.values)}::{sql_type}"
