"""Facets: what nodes are counted by, as SQL over the matching nodes `m` of db/statistics/stats_statement.py.

A facet of the node or of what it is part of is a column of `m`. One of its series or instances is a join that
gives a node each of its values once, or null when it has none.
"""

from dataclasses import dataclass
from enum import StrEnum

from db.lists.where import same_node
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
class Dimension:
    """One axis. `column`: SQL on the node `s` that `m` carries, or on its row `above`; `join`: FROM items after
    `m`; `value`: of either.

    {f} stands for the axis's alias, {ids} for the archives of the node's part, {held} for all that are asked.
    """

    value: str
    column: str | None = None
    join: str = ""
    above: Level | None = None
    repeats: bool = False  # a node can give the same value twice

    @property
    def by_archive(self) -> bool:
        return "{f}a.archive_id" in self.join


# The study and the series that a copy `s` belongs to; of two rows of a study in one archive the older.
ABOVE = {
    Level.STUDY: "select * from counts.study p where p.study_uid = s.study_uid and p.archive_id = s.archive_id"
    " order by p.study_pk limit 1",
    Level.SERIES: "select * from counts.series p where p.series_uid = s.series_uid and p.archive_id = s.archive_id"
    " and p.study_uid = s.study_uid",
}
DEPTH = {Level.STUDY: 0, Level.SERIES: 1, Level.INSTANCE: 2}


def _held(level: Level) -> str:
    return (
        f"case when s.shared then array(select distinct h.archive_id from counts.{level} h"
        f" where {same_node(level, 'h', 's')} and h.archive_id = any({{held}})) else array[s.archive_id] end"
    )


_MODALITIES = Dimension(
    "{f}u.modality",
    "case when s.shared then array(select distinct v.modality from counts.study u, unnest(u.modalities) v (modality)"
    " where u.study_uid = s.study_uid and u.archive_id = any({ids})) else s.modalities end",
    "left join lateral unnest(m.{f}) {f}u (modality) on true",
)
_BY_ARCHIVE = (
    "cross join unnest(m.{f}) {f}u (archive_id) join archive {f}a on {f}a.archive_id = {f}u.archive_id"
)
# Where each facet lives, and its value there: {r} is the row.
_VALUES = {
    Facet.PATIENT_SEX: (Level.STUDY, "{r}.patient_sex"),
    Facet.AGE_BAND: (Level.STUDY, "age_band({r}.study_date, {r}.patient_birth_date)"),
    Facet.STUDY_YEAR: (Level.STUDY, "extract(year from {r}.study_date)::integer::text"),
    Facet.STUDY_DESCRIPTION: (Level.STUDY, "{r}.study_description"),
    Facet.MODALITY: (Level.SERIES, "{r}.modality"),
    Facet.BODY_PART: (Level.SERIES, "{r}.body_part_examined"),
    Facet.BODY_PART_CODE: (Level.SERIES, "{r}.body_part_code"),
    Facet.MANUFACTURER: (Level.SERIES, "{r}.manufacturer"),
    Facet.SERIES_DESCRIPTION: (Level.SERIES, "{r}.series_description"),
    Facet.SOP_CLASS: (Level.INSTANCE, "{r}.sop_class_uid"),
}
_DATES = {
    DateFacet.STUDY_DATE: (Level.STUDY, "study_date"),
    DateFacet.PATIENT_BIRTH_DATE: (Level.STUDY, "patient_birth_date"),
    DateFacet.SERIES_DATE: (Level.SERIES, "series_date"),
}


def level_of_facet(facet: Facet) -> Level:
    """Where its values are read; studies know their modalities themselves."""
    home = _VALUES.get(facet, (Level.STUDY, ""))[0]
    return Level.STUDY if facet is Facet.MODALITY else home


def dimension(facet: Facet, level: Level) -> Dimension:
    """The axis of a facet over nodes at `level`."""
    match facet:
        case Facet.ARCHIVE:
            return Dimension("{f}a.code", _held(level), _BY_ARCHIVE)
        case Facet.ERN:
            return Dimension("{f}a.ern", _held(level), _BY_ARCHIVE, repeats=True)
        case Facet.MODALITY if level is Level.STUDY:
            return _MODALITIES
    home, value = _VALUES[facet]
    return _of(home, value, level)


def date_dimension(by: DateFacet, interval: DateInterval, level: Level) -> Dimension:
    """First days of the intervals; null for no date."""
    home, column = _DATES[by]
    return _of(home, f"date_trunc('{interval.lower()}', {{r}}.{column}::timestamp)::date", level)


def _of(home: Level, value: str, level: Level) -> Dimension:
    """A value of the node itself, of the study or series above it, or of each child that has one."""
    if home is level:
        return Dimension("m.{f}", column=value.replace("{r}", "s"))
    if DEPTH[home] < DEPTH[level]:
        return Dimension("m.{f}", column=value.replace("{r}", f"{home}_above"), above=home)
    told = value.replace("{r}", "{f}x")
    join = (
        f"left join counts.{home} {{f}}x on {same_node(level, '{f}x', 'm')} and {told} is not null"
        " and {f}x.archive_id = any({ids})"
    )
    return Dimension(told, join=join, repeats=True)
