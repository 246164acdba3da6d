"""Facets: what nodes are counted by, as SQL over the matching nodes `m` of db/statistics/stats_statement.py.

A facet of the node or of what it is part of is a column of `m`. One of its series or instances is a join that
gives a node each of its values once, or null when it has none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from db.lists.where import same_node
from db.params import Params
from model.attributes import Level


class Facet(StrEnum):
    """What studies, series and instances can be counted by."""

    ARCHIVE = "ARCHIVE"
    ERN = "ERN"
    MODALITY = "MODALITY"
    BODY_PART = "BODY_PART"
    BODY_PART_CODE = "BODY_PART_CODE"
    MANUFACTURER = "MANUFACTURER"
    PATIENT_SEX = "PATIENT_SEX"
    AGE_BAND = "AGE_BAND"
    STUDY_YEAR = "STUDY_YEAR"
    STUDY_DESCRIPTION = "STUDY_DESCRIPTION"
    SERIES_DESCRIPTION = "SERIES_DESCRIPTION"
    SOP_CLASS = "SOP_CLASS"


class DateFacet(StrEnum):
    """Dates that they can be counted by."""

    STUDY_DATE = "STUDY_DATE"
    PATIENT_BIRTH_DATE = "PATIENT_BIRTH_DATE"
    SERIES_DATE = "SERIES_DATE"


class DateInterval(StrEnum):
    """How wide a bucket of dates is."""

    YEAR = "YEAR"
    QUARTER = "QUARTER"
    MONTH = "MONTH"
    DAY = "DAY"


OF_ARCHIVES = frozenset({Facet.ARCHIVE, Facet.ERN})
"""Facets whose values are known without a look at any record: their buckets are shown even when hidden."""


@dataclass(frozen=True, slots=True)
class At:
    """Where SQL of an axis stands: the axis's alias, and the archives there, as SQL of their ids.

    of_part: of the node's part; of_all: all that are asked. Read where they are named: a parameter that a statement
    does not mention is an error.
    """

    params: Params
    alias: str
    of_part: Callable[[], str]
    of_all: Callable[[], str]

    @property
    def ids(self) -> str:
        return self.of_part()

    @property
    def held(self) -> str:
        return self.of_all()


Sql = Callable[[At], str]


def carried(at: At) -> str:
    """The axis's column of `m`."""
    return f"m.{at.alias}"


@dataclass(frozen=True, slots=True)
class Dimension:
    """One axis. `column`: SQL on the node `s` that `m` carries, or on its row `above`; `join`: FROM items after
    `m`; `value`: of either. by_archive: `join` has the archive, as the axis's alias with an `a`."""

    value: Sql = carried
    column: Sql | None = None
    join: Sql | None = None
    above: Level | None = None
    repeats: bool = False  # a node can give the same value twice
    by_archive: bool = False


# The study and the series that a copy `s` belongs to; of two rows of a study in one archive the older.
ABOVE = {
    Level.STUDY: "select * from counts.study p where p.study_uid = s.study_uid and p.archive_id = s.archive_id"
    " order by p.study_pk limit 1",
    Level.SERIES: "select * from counts.series p where p.series_uid = s.series_uid and p.archive_id = s.archive_id"
    " and p.study_uid = s.study_uid",
}
DEPTH = {Level.STUDY: 0, Level.SERIES: 1, Level.INSTANCE: 2}


def _held(level: Level) -> Sql:
    same = same_node(level, "h", "s")
    return lambda at: (
        f"case when s.shared then array(select distinct h.archive_id from counts.{level} h"
        f" where {same} and h.archive_id = any({at.held})) else array[s.archive_id] end"
    )


def _modalities(at: At) -> str:
    return (
        "case when s.shared then array(select distinct v.modality from counts.study u,"
        " unnest(u.modalities) v (modality)"
        f" where u.study_uid = s.study_uid and u.archive_id = any({at.ids})) else s.modalities end"
    )


def _each_modality(at: At) -> str:
    return f"left join lateral unnest(m.{at.alias}) {at.alias}u (modality) on true"


def _each_archive(at: At) -> str:
    f = at.alias
    return (
        f"cross join unnest(m.{f}) {f}u (archive_id) join archive {f}a on {f}a.archive_id = {f}u.archive_id"
    )


def _column(name: str) -> "RowSql":
    return lambda row: f"{row}.{name}"


RowSql = Callable[[str], str]
"""SQL on a row with an alias."""
# Where each facet lives, and its value there.
_VALUES: dict[Facet, tuple[Level, RowSql]] = {
    Facet.PATIENT_SEX: (Level.STUDY, _column("patient_sex")),
    Facet.AGE_BAND: (Level.STUDY, lambda row: f"age_band({row}.study_date, {row}.patient_birth_date)"),
    Facet.STUDY_YEAR: (Level.STUDY, lambda row: f"extract(year from {row}.study_date)::integer::text"),
    Facet.STUDY_DESCRIPTION: (Level.STUDY, _column("study_description")),
    Facet.MODALITY: (Level.SERIES, _column("modality")),
    Facet.BODY_PART: (Level.SERIES, _column("body_part_examined")),
    Facet.BODY_PART_CODE: (Level.SERIES, _column("body_part_code")),
    Facet.MANUFACTURER: (Level.SERIES, _column("manufacturer")),
    Facet.SERIES_DESCRIPTION: (Level.SERIES, _column("series_description")),
    Facet.SOP_CLASS: (Level.INSTANCE, _column("sop_class_uid")),
}
_DATES = {
    DateFacet.STUDY_DATE: (Level.STUDY, "study_date"),
    DateFacet.PATIENT_BIRTH_DATE: (Level.STUDY, "patient_birth_date"),
    DateFacet.SERIES_DATE: (Level.SERIES, "series_date"),
}


def level_of_facet(facet: Facet) -> Level:
    """Where its values are read; studies know their modalities themselves."""
    home = _VALUES[facet][0] if facet in _VALUES else Level.STUDY
    return Level.STUDY if facet is Facet.MODALITY else home


def dimension(facet: Facet, level: Level) -> Dimension:
    """The axis of a facet over nodes at `level`."""
    match facet:
        case Facet.ARCHIVE:
            return Dimension(lambda at: f"{at.alias}a.code", _held(level), _each_archive, by_archive=True)
        case Facet.ERN:
            return Dimension(
                lambda at: f"{at.alias}a.ern", _held(level), _each_archive, repeats=True, by_archive=True
            )
        case Facet.MODALITY if level is Level.STUDY:
            return Dimension(lambda at: f"{at.alias}u.modality", _modalities, _each_modality)
    home, value = _VALUES[facet]
    return _of(home, value, level)


def date_dimension(by: DateFacet, interval: DateInterval, level: Level) -> Dimension:
    """First days of the intervals; null for no date."""
    home, column = _DATES[by]
    return _of(home, lambda row: f"date_trunc('{interval.lower()}', {row}.{column}::timestamp)::date", level)


def _of(home: Level, value: RowSql, level: Level) -> Dimension:
    """A value of the node itself, of the study or series above it, or of each child that has one."""
    if home is level:
        return Dimension(column=lambda _: value("s"))
    if DEPTH[home] < DEPTH[level]:
        return Dimension(column=lambda _: value(f"{home}_above"), above=home)

    def told(at: At) -> str:
        return value(f"{at.alias}x")

    def join(at: At) -> str:
        child = f"{at.alias}x"
        return (
            f"left join counts.{home} {child} on {same_node(level, child, 'm')} and {told(at)} is not null"
            f" and {child}.archive_id = any({at.ids})"
        )

    return Dimension(told, join=join, repeats=True)
