"""Facets: what studies are counted by, as SQL over the matching studies `m` of db/stats.py.

A facet of the study is a column of `m`. One of its series or instances is a join that gives a study each of
its values once, or null when it has none.
"""

from dataclasses import dataclass
from enum import StrEnum

from model.attributes import Level


class Facet(StrEnum):
    """What studies can be counted by."""

    ARCHIVE = "ARCHIVE"
    ERN = "ERN"
    MODALITY = "MODALITY"
    BODY_PART = "BODY_PART"
    MANUFACTURER = "MANUFACTURER"
    PATIENT_SEX = "PATIENT_SEX"
    AGE_BAND = "AGE_BAND"
    STUDY_YEAR = "STUDY_YEAR"
    STUDY_DESCRIPTION = "STUDY_DESCRIPTION"
    SERIES_DESCRIPTION = "SERIES_DESCRIPTION"
    SOP_CLASS = "SOP_CLASS"


class DateFacet(StrEnum):
    """Dates that studies can be counted by."""

    STUDY_DATE = "STUDY_DATE"
    PATIENT_BIRTH_DATE = "PATIENT_BIRTH_DATE"


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
    """One axis. `column`: SQL on the study `s` that `m` carries; `join`: FROM items after `m`; `value`: of
    either.

    {f} stands for the axis's alias, {ids} for the archives of the study's part, {held} for all that are
    asked.
    """

    value: str
    column: str | None = None
    join: str = ""
    repeats: bool = False  # a study can give the same value twice

    @property
    def by_archive(self) -> bool:
        return "{f}a.archive_id" in self.join


_HELD = (
    "case when s.shared then array(select distinct h.archive_id from counts.study h where h.study_uid = s.study_uid"
    " and h.archive_id = any({held})) else array[s.archive_id] end"
)
_MODALITIES = (
    "case when s.shared then counts.study_union_modalities(s.study_uid, {ids}) else s.modalities end"
)
_BY_ARCHIVE = (
    "cross join unnest(m.{f}) {f}u (archive_id) join archive {f}a on {f}a.archive_id = {f}u.archive_id"
)


def _of_study(expression: str) -> Dimension:
    return Dimension("m.{f}", column=expression)


def _of_child(level: Level, column: str) -> Dimension:
    """Values of the copies of children in the archives of the study's part."""
    join = (
        f"left join counts.{level} {{f}}x on {{f}}x.study_uid = m.study_uid and {{f}}x.{column} is not null"
        " and {f}x.archive_id = any({ids})"
    )
    return Dimension(f"{{f}}x.{column}", join=join, repeats=True)


DIMENSIONS = {
    Facet.ARCHIVE: Dimension("{f}a.code", _HELD, _BY_ARCHIVE),
    Facet.ERN: Dimension("{f}a.ern", _HELD, _BY_ARCHIVE, repeats=True),
    Facet.MODALITY: Dimension(
        "{f}u.modality", _MODALITIES, "left join lateral unnest(m.{f}) {f}u (modality) on true"
    ),
    Facet.BODY_PART: _of_child(Level.SERIES, "body_part_examined"),
    Facet.MANUFACTURER: _of_child(Level.SERIES, "manufacturer"),
    Facet.PATIENT_SEX: _of_study("s.patient_sex"),
    Facet.AGE_BAND: _of_study("age_band(s.study_date, s.patient_birth_date)"),
    Facet.STUDY_YEAR: _of_study("extract(year from s.study_date)::integer::text"),
    Facet.STUDY_DESCRIPTION: _of_study("s.study_description"),
    Facet.SERIES_DESCRIPTION: _of_child(Level.SERIES, "series_description"),
    Facet.SOP_CLASS: _of_child(Level.INSTANCE, "sop_class_uid"),
}

_DATES = {DateFacet.STUDY_DATE: "s.study_date", DateFacet.PATIENT_BIRTH_DATE: "s.patient_birth_date"}


def date_dimension(by: DateFacet, interval: DateInterval) -> Dimension:
    """First days of the intervals; null for no date."""
    return _of_study(f"date_trunc('{interval.lower()}', {_DATES[by]}::timestamp)::date")
