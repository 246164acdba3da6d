"""The indexes of a declared attribute: of the very expressions that db/lists/elements.py compiles a filter to."""

import hashlib
from typing import NamedTuple

from access.identifying import path_is_identifying
from db.lists.elements import Values, literal
from model.attributes import UID_COLUMN
from model.declared import Declared
from model.spans import ValueKind, kind_of


class Index(NamedTuple):
    """`create`: a statement that may not run in a transaction."""

    schema: str
    name: str
    create: str


def indexes_of(declared: Declared) -> list[Index]:
    """Of both projections; of what identifies only as stored, because pseudonymised rows are never asked for it."""
    schemas = ["public"] if path_is_identifying(declared.path) else ["public", "pseudonymised"]
    mark = hashlib.sha256("/".join(declared.path.codes).encode()).hexdigest()[:12]
    return [
        Index(schema, name, f"create index concurrently {name} on {schema}.{declared.level} {definition}")
        for schema in schemas
        for kind, definition in _definitions(declared).items()
        for name in [f"declared_{declared.level}_{mark}_{kind}"]
    ]


def _definitions(declared: Declared) -> dict[str, str]:
    written = literal(declared.path)
    if written is None:  # config/attributes_file.py refuses it
        raise ValueError(f"{declared.path.name} cannot be declared")
    values = Values.of(declared.path, declared.level, written)
    kind = kind_of(declared.path)
    found = {"has": f"({UID_COLUMN[declared.level]}) where {values.texts} <> '{{}}'"}
    if kind is not ValueKind.TEXT:
        found["in"] = f"using gist (({values.numbers}))"
    if kind in (ValueKind.TEXT, ValueKind.MIXED):
        found["eq"] = f"using gin (({values.texts}))"
        found["like"] = f"using gin (({values.words}) gin_trgm_ops)"
    return found
