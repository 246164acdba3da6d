"""The statements of ingest.sql with the columns of the attribute table in their places.

A placeholder is `:level_form`: the level's columns as a list, prefixed (`t`, `l`, `excluded`), cut or merged.
All of them are staged; the derived ones are left out of the others.
"""

import re
from functools import cache
from typing import Any

from db.statements import statements
from model.attributes import Attribute, Kind, Level
from model.name_keys import keys_of
from model.records import INSTANCE_COLUMNS, SERIES_COLUMNS, STUDY_COLUMNS, Record

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


# What `fuzzy` finds names by: columns beside those of the attribute table, filled from the names (model/name_keys.py).
_NAMES = [number for number, column in enumerate(STUDY_COLUMNS) if column.kind is Kind.NAME]
NAME_COLUMNS = [f"{STUDY_COLUMNS[number].column}_{part}" for number in _NAMES for part in ("keys", "forms")]


def name_values(study: Record) -> list[Any]:
    """What NAME_COLUMNS hold for a study."""
    return [part for number in _NAMES for part in keys_of(study.values[number])]


def _columns(level: Level, form: str) -> str:
    columns = [
        _column(column, form)
        for column in _COLUMNS[level]
        if form in ("staged", "cut") or column.column not in DERIVED
    ]
    if level is Level.STUDY:
        columns += [_name_column(name, form) for name in NAME_COLUMNS]
    return ", ".join(columns)


def _name_column(name: str, form: str) -> str:
    if name.endswith("_keys"):  # an array in the staging table, as the driver sends it
        return {"staged": f"null::text[] as {name}", "cut": f"array_to_tsvector({name}) as {name}"}.get(
            form, _prefixed(name, form)
        )
    return _prefixed(name, form)


def _prefixed(name: str, form: str) -> str:
    return f"{form}.{name}" if form in ("t", "l", "excluded") else name


def _column(column: Attribute, form: str) -> str:
    name = column.column
    match form:
        case "cut" if column.kind in (Kind.TEXT, Kind.NAME):
            return f"left({name}, {MAX_TEXT}) as {name}"
        case "merged":
            return f"coalesce(excluded.{name}, t.{name})"
        case _:
            return _prefixed(name, form)
