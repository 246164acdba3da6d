"""Bind parameters of one composed statement: the only way a value gets into SQL."""

from typing import Any, NamedTuple

from db.pool import Reader, Row


class Compiled(NamedTuple):
    """A composed statement, and the values of its placeholders."""

    sql: str
    values: list[Any]

    async def fetch(self, database: Reader, name: str, *, seconds: float | None = None) -> list[Row]:
        """All its rows, as Reader.fetch gives them."""
        return await database.fetch(name, self.sql, *self.values, seconds=seconds)


class Params:
    """Collects values and hands out their placeholders ($1, $2, …).

    A value that is added again has the placeholder that it has already: whatever needs one asks for it, and the order
    in which the parts of a statement are composed does not matter.
    """

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._placeholders: dict[tuple[Any, str], str] = {}

    def add(self, value: Any, sql_type: str) -> str:
        """The placeholder of `value`, with its type, so that no statement depends on inference."""
        key = (tuple(value) if isinstance(value, list) else value, sql_type)
        if key not in self._placeholders:
            self.values.append(value)
            self._placeholders[key] = f"${len(self.values)}::{sql_type}"
        return self._placeholders[key]

    def compiled(self, sql: str) -> Compiled:
        """The statement that was composed with these parameters."""
        return Compiled(sql, self.values)
