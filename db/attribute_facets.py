"""Any attribute as an axis of statistics: its values as texts, or its numbers in bins.

An attribute of the attribute table is its column. Any other is read from the data sets of its level: the node's
own, that of what it is part of, or those of its children in the index.
"""

from dataclasses import dataclass

from access.scope import Face
from db.facets import DEPTH, Dimension
from db.params import Params
from db.where import union_count
from model.attributes import BY_KEYWORD, UID_COLUMN, Attribute, Kind, Level
from model.errors import BadInput
from model.paths import BULK_VRS, NUMERIC_VRS, AttributePath, Step, parse_path

MAX_TEXT = 400
"""Characters of a value by which is counted; typed columns are cut at the same length."""
_STUDY_GROUP = "0010"


@dataclass(frozen=True, slots=True)
class Named:
    """An attribute, where it lives, and its column if it has one."""

    path: AttributePath
    level: Level
    column: Attribute | None

    @property
    def is_number(self) -> bool:
        return self.path.last.vr in NUMERIC_VRS


def named(name: str) -> Named:
    """The attribute that `name` means. Raises BadInput for an unknown one and for one without values."""
    path = parse_path(name)
    if path.last.vr in BULK_VRS or path.last.vr == "SQ":
        raise BadInput(f"attribute {path.name}: VR {path.last.vr} has no values to count by.")
    known = BY_KEYWORD.get(path.last.keyword or "") if len(path.steps) == 1 else None
    if known is not None:
        return Named(path, known.level, known)
    in_study = (path.steps[0].tag or "").startswith(_STUDY_GROUP)
    return Named(path, Level.STUDY if in_study else Level.INSTANCE, None)


def numeric(name: str) -> Named:
    """The same, of numbers only. Raises BadInput."""
    found = named(name)
    if not found.is_number:
        vr = found.path.last.vr
        what = f"its VR is {vr}, which is no number" if vr else "it has no VR in the dictionary"
        raise BadInput(f"attribute {found.path.name}: {what}; count it with facetOf.")
    return found


def texts(params: Params, attribute: Named, level: Level) -> Dimension:
    """Its values as texts; null for nodes without one."""
    return _dimension(attribute, level, _rows(params, attribute, level), "{f}u.value")


def numbers(params: Params, attribute: Named, level: Level) -> Dimension:
    """Its numbers as they are."""
    rows = _rows(params, attribute, level)
    return _dimension(attribute, level, _as_numbers(rows), "{f}u.value")


def bins(params: Params, attribute: Named, level: Level, low: float, high: float, count: int) -> Dimension:
    """The bin, from 1, that its numbers are in; the last one includes `high`. Null outside. One value is one
    bin."""
    least, largest = params.add(low, "float8"), params.add(high, "float8")
    bin_of = "1"
    if low < high:
        most = params.add(count, "integer")
        bin_of = f"least(width_bucket({{f}}u.value, {least}, {largest}, {most}), {most})"
    value = f"case when {{f}}u.value between {least} and {largest} then {bin_of} end"
    found = _dimension(attribute, level, _as_numbers(_rows(params, attribute, level)), value)
    return Dimension(found.value, found.column, found.join, found.above, repeats=True)


def _rows(params: Params, attribute: Named, level: Level) -> str:
    """SELECT of the distinct values as text `value`, of a row {r}."""
    if attribute.column is None:
        steps = attribute.path.steps
        return f"select distinct left(v.text, {MAX_TEXT}) as value from {_walk(params, steps)} where v.text <> ''"
    column = f"{{r}}.{attribute.column.column}"
    if attribute.column.kind is Kind.LIST:
        of_all = "counts.study_union_modalities({r}.study_uid, {ids})"
        whole = (
            f"case when {{r}}.shared then {of_all} else {column} end" if attribute.level is level else column
        )
        return f"select unnest({whole}) as value"
    if attribute.level is level:
        union = union_count(attribute.column, Face.COUNTS, "{r}", "{ids}")
        column = f"case when {{r}}.shared then {union} else {column} end" if union else column
    return f"select v.value from (values (({column})::text)) v (value) where v.value is not null"


def _as_numbers(rows: str) -> str:
    """The numbers among the values; numbers beyond the range of a float are none."""
    number = "numeric_value(t.value)"
    return (
        f"select distinct {number}::float8 as value from ({rows}) t"
        f" where abs({number}) < 1e300 and (abs({number}) > 1e-300 or {number} = 0)"
    )


def _dimension(attribute: Named, level: Level, rows: str, value: str) -> Dimension:
    home = attribute.level
    if DEPTH[home] <= DEPTH[level]:
        of = "s" if home is level else f"{home}_above"
        column = f"array({rows.replace('{r}', of)})"
        join = "left join lateral unnest(m.{f}) {f}u (value) on true"
        return Dimension(value, column, join, None if home is level else home)
    below = (
        f"select distinct t.value from counts.{home} {{f}}x cross join lateral ({rows.replace('{r}', '{f}x')}) t"
        f" where {{f}}x.{UID_COLUMN[level]} = m.uid and {{f}}x.archive_id = any({{ids}})"
    )
    return Dimension(value, join=f"left join lateral ({below}) {{f}}u on true")


def _walk(params: Params, steps: tuple[Step, ...]) -> str:
    """The FROM list that walks a path through {r}.data: one call a step, then each value as text `v.text`."""
    item, parts = "{r}.data", []
    for number, step in enumerate(steps):
        if step.tag is not None:
            call = f"element_values({item}, {params.add(step.tag, 'text')})"
        else:
            names = ", ".join(params.add(name, "text") for name in (step.creator, step.group, step.element))
            call = f"private_values({item}, {names})"
        parts.append(f"{call} e{number} (item)")
        item = f"e{number}.item"
    return ", ".join([*parts, f"value_texts({item}) v (text)"])
