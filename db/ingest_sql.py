"""The statements of ingest.sql with the columns of the attribute table in their places.

A placeholder is `:level_form`: the level's columns as a list, prefixed (`t`, `l`, `excluded`), cut or merged.
All of them are staged; the derived ones are left out of the others.
"""

import re
from functools import cache

from db.statements import statements
from model.attributes import Attribute, Kind, Level
from model.records import INSTANCE_COLUMNS, SERIES_COLUMNS, STUDY_COLUMNS

# A btree entry holds 2,704 bytes and folding can lengthen a text: what is longer is whole only in `data`.
MAX_TEXT = 400

_COLUMNS = {Level.STUDY: STUDY_COLUMNS, Level.SERIES: SERIES_COLUMNS, Level.INSTANCE: INSTANCE_COLUMNS}
# These follow from more than the archive's word: the statements name them where they are set.
DERIVED = frozenset({"modalities", "number_of_series", "number_of_instances"})
_PLACEHOLDER = re.compile(r"(?<!:):(study|series|instance)_(staged|columns|cut|t|l|excluded|merged)\b")


@cache
def ingest_sql(name: str) -> str:
    """The statement of that name, ready to run."""
    return _PLACEHOLDER.sub(lambda found: _columns(Level(found[1]), found[2]), statements("ingest")[name])


def _columns(level: Level, form: str) -> str:
    return ", ".join(
        _column(column, form)
        for column in _COLUMNS[level]
        if form in ("staged", "cut") or column.column not in DERIVED
    )


def _column(column: Attribute, form: str) -> str:
    name = column.column
    match form:
        case "t" | "l" | "excluded":
            return f"{form}.{name}"
        case "cut" if column.kind in (Kind.TEXT, Kind.NAME):
            return f"left({name}, {MAX_TEXT}) as {name}"
        case "merged":
            return f"coalesce(excluded.{name}, t.{name})"
        case _:
            return name
