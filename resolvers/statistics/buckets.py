"""What statistics are counted by, in the schema, and the buckets that come of it."""

from datetime import date
from typing import Final

import strawberry

from access.small_counts import Published
from db.statistics.facets import DateFacet, DateInterval, Facet
from resolvers.archives.archive import Count
from resolvers.descriptions import described
from resolvers.engine import enum_of

MOST: Final = 2**31 - 1
"""The largest Int of GraphQL."""


enum_of(
    Facet,
    "What is counted by. Of a series or instance: what its study or series says; of a study or "
    "series: each value of its series or instances.",
    {
        Facet.ARCHIVE: "Code of an archive that holds it.",
        Facet.ERN: "Code of a European Reference Network whose archives hold it.",
        Facet.MODALITY: "Modality (0008,0060) of a series; of studies ModalitiesInStudy (0008,0061).",
        Facet.BODY_PART: "BodyPartExamined (0018,0015) of a series.",
        Facet.BODY_PART_CODE: "SNOMED CT code of a series' BodyPartExamined; null where the vocabulary has none.",
        Facet.MANUFACTURER: "Manufacturer (0008,0070) of a series.",
        Facet.PATIENT_SEX: "PatientSex (0010,0040).",
        Facet.AGE_BAND: "Completed years at the StudyDate, by PatientBirthDate: 0-4, 5-9, …, 90+.",
        Facet.STUDY_YEAR: "Year of the StudyDate (0008,0020).",
        Facet.STUDY_DESCRIPTION: "StudyDescription (0008,1030).",
        Facet.SERIES_DESCRIPTION: "SeriesDescription (0008,103E) of a series.",
        Facet.SOP_CLASS: "SOPClassUID (0008,0016) of an instance, of those in the index.",
    },
)
enum_of(
    DateFacet,
    "Which date is counted by.",
    {
        DateFacet.STUDY_DATE: "StudyDate (0008,0020).",
        DateFacet.PATIENT_BIRTH_DATE: "PatientBirthDate (0010,0030).",
        DateFacet.SERIES_DATE: "SeriesDate (0008,0021) of a series.",
    },
)
enum_of(
    DateInterval,
    "How wide a bucket of a histogram is.",
    {
        DateInterval.YEAR: "From 1 January.",
        DateInterval.QUARTER: "From the first day of January, April, July and October.",
        DateInterval.MONTH: "From the first day of the month.",
        DateInterval.DAY: "Each day.",
    },
)
_COUNT = "How many: studies in studyStats, series in seriesStats, instances in instanceStats."


@strawberry.type(description="How many have a value.")
class FacetBucket:
    value: str | None = described("The value; null for those that have none.")
    meaning: str | None = described("What the value means, of BODY_PART_CODE and MODALITY; else null.")
    count: Count = described(_COUNT)


@strawberry.type(description="How many are of an interval of time.")
class DateBucket:
    start: date | None = described("First day of the interval; null for what has no date.")
    count: Count = described(_COUNT)


@strawberry.type(description="How many have a number between two edges.")
class NumberBucket:
    from_: float | None = strawberry.field(
        description="Lower edge, which is in the bucket; null for what is in none.", name="from"
    )
    to: float | None = described(
        "Upper edge, which is in the next bucket; in the last one it is in this; null for what is in none."
    )
    count: Count = described(_COUNT)


@strawberry.type(description="How many have a pair of values.")
class CrossTabCell:
    row: str | None = described("Value of the rows' facet; null for those that have none.")
    column: str | None = described("Value of the columns' facet; null for those that have none.")
    count: Count = described(_COUNT)


@strawberry.type(description="How many have a combination of values.")
class CubeCell:
    values: list[str | None] = described("One value for each facet, in order; null for those without one.")
    count: Count = described(_COUNT)


def count_of(published: Published) -> Count:
    """The GraphQL type of what may be told."""
    value = None if is_too_large(published) else published.value
    return Count(value=value, at_most=published.at_most, suppressed=published.suppressed)


def is_too_large(published: Published) -> bool:
    """Whether no Int can tell it."""
    return published.value is not None and published.value > MOST
