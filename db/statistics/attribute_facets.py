"""Any attribute as an axis of statistics: its values as texts, or its numbers in bins.

An attribute of the attribute table is its column. Any other is read from the data sets of its level: the node's
own, that of what it is part of, or those of its series. Studies and series know what only instances tell from the
representatives of series.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from access.scope import Projection
from db.lists.elements import Values, written_in
from db.lists.where import same_node, union_of
from db.statistics.facets import DEPTH, At, Dimension, Sql
from model.attributes import BY_KEYWORD, Attribute, Kind, Level
from model.errors import BadInput
from model.levels import level_of
from model.paths import BULK_VRS, NUMERIC_VRS, AttributePath, parse_path

MAX_TEXT = 400
"""Characters of a value by which is counted; typed columns are cut at the same length."""

_YEAR_SECONDS = 31_557_600
"""Of 365.25 days, as in moment_seconds."""


@dataclass(frozen=True, slots=True)
class CountedBy:
    """An attribute, whose rows tell it to nodes at the level that is counted, and its column there if it has one."""

    path: AttributePath
    home: Level
    column: Attribute | None


def named(name: str, level: Level) -> CountedBy:
    """The attribute that `name` means at a level. Raises BadInput for an unknown one and one without values."""
    path = parse_path(name)
    if path.last.vr in BULK_VRS or path.last.vr == "SQ":
        raise BadInput(f"attribute {path.name}: VR {path.last.vr} has no values to count by.")
    known = BY_KEYWORD.get(path.last.keyword or "") if len(path.steps) == 1 else None
    at = known.level if known is not None else level_of(path)
    if at is None:  # private: anywhere
        home: Level = Level.SERIES if level is Level.STUDY else level
    else:
        home = Level.SERIES if at is Level.INSTANCE and level is not Level.INSTANCE else at
    return CountedBy(path, home, known if known is not None and known.level is home else None)


def numeric(name: str, level: Level) -> CountedBy:
    """The same, of numbers, and ages in years, only. Raises BadInput."""
    found = named(name, level)
    vr = found.path.last.vr
    if vr not in NUMERIC_VRS and vr != "AS":
        what = f"its VR is {vr}, which is no number" if vr else "it has no VR in the dictionary"
        raise BadInput(f"attribute {found.path.name}: {what}; count it with facetOf.")
    return found


def texts(attribute: CountedBy, level: Level) -> Dimension:
    """Its values as texts; null for nodes without one."""
    return _dimension(attribute, level, _rows(attribute, level), _value)


def numbers(attribute: CountedBy, level: Level) -> Dimension:
    """Its numbers as they are."""
    return _dimension(attribute, level, _as_numbers(attribute, level), _value)


def bins(attribute: CountedBy, level: Level, low: float, high: float, count: int) -> Dimension:
    """The bin, from 1, that its numbers are in; the last one includes `high`. Null outside. One value is one
    bin."""

    def bin_of(at: At) -> str:
        value, number = _value(at), "1"
        least, largest = at.params.add(low, "float8"), at.params.add(high, "float8")
        if low < high:
            most = at.params.add(count, "integer")
            number = f"least(width_bucket({value}, {least}, {largest}, {most}), {most})"
        return f"case when {value} between {least} and {largest} then {number} end"

    return replace(_dimension(attribute, level, _as_numbers(attribute, level), bin_of), repeats=True)


def _value(at: At) -> str:
    return f"{at.alias}u.value"


Rows = Callable[[At, str], str]
"""SELECT of the distinct values, as `value`, of the row with an alias."""


def _rows(attribute: CountedBy, level: Level) -> Rows:
    """Values as texts."""
    return partial(_of_column if attribute.column is not None else _of_data_set, attribute, level)


def _of_data_set(attribute: CountedBy, level: Level, at: At, row: str) -> str:
    found = Values.of(attribute.path, attribute.home, written_in(at.params, attribute.path), f"{row}.").texts
    text = "v.text"
    if attribute.path.last.vr in NUMERIC_VRS:  # some archives send 5.0 where others send 5
        text = "coalesce(trim_scale(path_number(v.text))::text, v.text)"
    return f"select distinct left({text}, {MAX_TEXT}) as value from unnest({found}) v (text)"


def _of_column(attribute: CountedBy, level: Level, at: At, row: str) -> str:
    known = attribute.column
    assert known is not None  # noqa: S101 - as _rows says
    column = f"{row}.{known.column}"
    if attribute.home is level and (union := union_of(known, Projection.COUNTS, row, at.ids)) is not None:
        column = f"case when {row}.shared then {union} else {column} end"
    if known.kind is Kind.LIST:
        return f"select unnest({column}) as value"
    return f"select v.value from (values (({column})::text)) v (value) where v.value is not null"


def _as_numbers(attribute: CountedBy, level: Level) -> Rows:
    """The numbers among the values; numbers beyond the range of a float are none."""
    rows, number = _rows(attribute, level), "path_number(t.value)"
    if attribute.path.last.vr == "AS":
        number = f"(moment_seconds('AS', t.value) / {_YEAR_SECONDS})"
    return lambda at, row: (
        f"select distinct {number}::float8 as value from ({rows(at, row)}) t"
        f" where abs({number}) < 1e300 and (abs({number}) > 1e-300 or {number} = 0)"
    )


def _dimension(attribute: CountedBy, level: Level, rows: Rows, value: Sql) -> Dimension:
    home = attribute.home
    if DEPTH[home] <= DEPTH[level]:
        of = "s" if home is level else f"{home}_above"
        above = None if home is level else home
        return Dimension(value, lambda at: f"array({rows(at, of)})", _each, above)

    def join(at: At) -> str:
        child = f"{at.alias}x"
        below = (
            f"select distinct t.value from counts.{home} {child} cross join lateral ({rows(at, child)}) t"
            f" where {same_node(level, child, 'm')} and {child}.archive_id = any({at.ids})"
        )
        return f"left join lateral ({below}) {at.alias}u on true"

    return Dimension(value, join=join)


def _each(at: At) -> str:
    return f"left join lateral unnest(m.{at.alias}) {at.alias}u (value) on true"
