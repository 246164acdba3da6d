"""Named SQL: each `.sql` file of db/queries holds statements that start with `-- name: …`."""

import re
from enum import StrEnum
from functools import cache
from pathlib import Path

from access.scope import Projection

_FOLDER = Path(__file__).parent / "queries"
_SCHEMA = re.compile(r"(?<!:):schema\b")
_NAME = re.compile(r"^-- name: (\w+)[^\n]*\n", re.MULTILINE)


@cache
def statements(file: str) -> dict[str, str]:
    """Every statement of `db/queries/<file>.sql` by its name."""
    text = (_FOLDER / f"{file}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)
    return {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}


class Schema(StrEnum):
    """Where a statement reads that serves the owner's connection and a viewer's: tables as stored, or views of the
    session's scope."""

    STORED = "public"
    SCOPED = "counts"


def within(schema: Schema | Projection, file: str, name: str) -> str:
    """A statement whose relations are of a schema that the caller chooses: `:schema` in its text."""
    return _SCHEMA.sub(str(schema), statements(file)[name])
