"""Records: what one row of DICOM JSON becomes before it is written to the index.

`values` are in the order of `columns_of(level)`, ready for COPY; `data` is the whole data set as
DICOM JSON text, so that nothing an archive said is lost.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from model.attributes import Attribute, Key, Level, columns_of

STUDY_COLUMNS: tuple[Attribute, ...] = columns_of(Level.STUDY)
SERIES_COLUMNS: tuple[Attribute, ...] = columns_of(Level.SERIES)
INSTANCE_COLUMNS: tuple[Attribute, ...] = columns_of(Level.INSTANCE)


@dataclass(frozen=True, slots=True)
class Record:
    """One copy of a study, series or instance as an archive told it. Parent UIDs are '' above the level.

    suspect: tags of attributes that the archive did not decode rightly (decoding.py), or ''. notes: what
    of the row could not be kept or is not what its VR wants (odd_json.py), or ''.
    """

    level: Level
    uid: str
    study_uid: str
    series_uid: str
    values: tuple[Any, ...]
    data: str
    suspect: str = ""
    notes: str = ""

    @property
    def key(self) -> Key:
        """What names it."""
        match self.level:
            case Level.STUDY:
                return (self.study_uid,)
            case Level.SERIES:
                return self.study_uid, self.uid
            case Level.INSTANCE:
                return self.study_uid, self.series_uid, self.uid


_CHILDREN = {
    level: next(n for n, column in enumerate(columns) if column.keyword == keyword)
    for level, columns, keyword in (
        (Level.STUDY, STUDY_COLUMNS, "NumberOfStudyRelatedSeries"),
        (Level.SERIES, SERIES_COLUMNS, "NumberOfSeriesRelatedInstances"),
    )
}


def child_counts(records: Iterable[Record]) -> dict[str, int]:
    """How many series studies have, or instances series, as their archive says; without those of which it does not.
    A UID that stands in several records has the children of all."""
    counts: dict[str, int] = {}
    unsaid: set[str] = set()
    for record in records:
        count = record.values[_CHILDREN[record.level]]
        if count is None:
            unsaid.add(record.uid)
        else:
            counts[record.uid] = counts.get(record.uid, 0) + count
    return {uid: count for uid, count in counts.items() if uid not in unsaid}


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that could not become a record: the reason, and the row kept aside as JSON text.

    lost: False where the record is in the index, and the reason says what of it is not right.
    """

    level: Level
    uid: str | None
    reason: str
    data: str
    lost: bool = True
