"""Any attribute as an axis of statistics: its values as texts, or its numbers in bins.

An attribute of the attribute table is its column. Any other is read from the data sets of its level: the node's
own, that of what it is part of, or those of its series. Studies and series know what only instances tell from the
representatives of series.
"""

from dataclasses import dataclass

from access.scope import Projection
from db.lists.elements import Values, literal
from db.lists.where import same_node, union_count
from db.params import Params
from db.statistics.facets import DEPTH, Dimension
from model.attributes import BY_KEYWORD, Attribute, Kind, Level
from model.errors import BadInput
from model.levels import level_of
from model.paths import BULK_VRS, NUMERIC_VRS, AttributePath, parse_path

MAX_TEXT = 400
"""Characters of a value by which is counted; typed columns are cut at the same length."""

_YEAR_SECONDS = 31_557_600
"""Of 365.25 days, as in moment_seconds."""


@dataclass(frozen=True, slots=True)
class Named:
    """An attribute, whose rows tell it to nodes at the level that is counted, and its column there if it has one."""

    path: AttributePath
    home: Level
    column: Attribute | None


def named(name: str, level: Level) -> Named:
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
    return Named(path, home, known if known is not None and known.level is home else None)


def numeric(name: str, level: Level) -> Named:
    """The same, of numbers, and ages in years, only. Raises BadInput."""
    found = named(name, level)
    vr = found.path.last.vr
    if vr not in NUMERIC_VRS and vr != "AS":
        what = f"its VR is {vr}, which is no number" if vr else "it has no VR in the dictionary"
        raise BadInput(f"attribute {found.path.name}: {what}; count it with facetOf.")
    return found


def texts(params: Params, attribute: Named, level: Level) -> Dimension:
    """Its values as texts; null for nodes without one."""
    return _dimension(attribute, level, _rows(params, attribute, level), "{f}u.value")


def numbers(params: Params, attribute: Named, level: Level) -> Dimension:
    """Its numbers as they are."""
    rows = _rows(params, attribute, level)
    return _dimension(attribute, level, _as_numbers(rows, attribute), "{f}u.value")


def bins(params: Params, attribute: Named, level: Level, low: float, high: float, count: int) -> Dimension:
    """The bin, from 1, that its numbers are in; the last one includes `high`. Null outside. One value is one
    bin."""
    least, largest = params.add(low, "float8"), params.add(high, "float8")
    bin_of = "1"
    if low < high:
        most = params.add(count, "integer")
        bin_of = f"least(width_bucket({{f}}u.value, {least}, {largest}, {most}), {most})"
    value = f"case when {{f}}u.value between {least} and {largest} then {bin_of} end"
    found = _dimension(attribute, level, _as_numbers(_rows(params, attribute, level), attribute), value)
    return Dimension(found.value, found.column, found.join, found.above, repeats=True)


def _rows(params: Params, attribute: Named, level: Level) -> str:
    """SELECT of the distinct values as text `value`, of a row {r}."""
    if attribute.column is None:
        written = literal(attribute.path) or params.add(list(attribute.path.codes), "text[]")
        found = Values.of(attribute.path, attribute.home, written).texts.replace("{a}", "{r}")
        text = "v.text"
        if attribute.path.last.vr in NUMERIC_VRS:  # some archives send 5.0 where others send 5
            text = "coalesce(trim_scale(path_number(v.text))::text, v.text)"
        return f"select distinct left({text}, {MAX_TEXT}) as value from unnest({found}) v (text)"
    column = f"{{r}}.{attribute.column.column}"
    if attribute.column.kind is Kind.LIST:
        of_all = "counts.study_union_modalities({r}.study_uid, {ids})"
        whole = (
            f"case when {{r}}.shared then {of_all} else {column} end" if attribute.home is level else column
        )
        return f"select unnest({whole}) as value"
    if attribute.home is level:
        union = union_count(attribute.column, Projection.COUNTS, "{r}", "{ids}")
        column = f"case when {{r}}.shared then {union} else {column} end" if union else column
    return f"select v.value from (values (({column})::text)) v (value) where v.value is not null"


def _as_numbers(rows: str, attribute: Named) -> str:
    """The numbers among the values; numbers beyond the range of a float are none."""
    number = "path_number(t.value)"
    if attribute.path.last.vr == "AS":
        number = f"(moment_seconds('AS', t.value) / {_YEAR_SECONDS})"
    return (
        f"select distinct {number}::float8 as value from ({rows}) t"
        f" where abs({number}) < 1e300 and (abs({number}) > 1e-300 or {number} = 0)"
    )


def _dimension(attribute: Named, level: Level, rows: str, value: str) -> Dimension:
    home = attribute.home
    if DEPTH[home] <= DEPTH[level]:
        of = "s" if home is level else f"{home}_above"
        column = f"array({rows.replace('{r}', of)})"
        join = "left join lateral unnest(m.{f}) {f}u (value) on true"
        return Dimension(value, column, join, None if home is level else home)
    below = (
        f"select distinct t.value from counts.{home} {{f}}x cross join lateral ({rows.replace('{r}', '{f}x')}) t"
        f" where {same_node(level, '{f}x', 'm')} and {{f}}x.archive_id = any({{ids}})"
    )
    return Dimension(value, join=f"left join lateral ({below}) {{f}}u on true")
