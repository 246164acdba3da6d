"""The representative of a series: the data set of one of its instances, cut to what an index can carry.

Bulk data is gone already (archives/rows.py). Enhanced images tell each frame in a sequence of its own: of what is
too long the first item stands for all, and what is too long even then is left out.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from model.attributes import Level
from model.dicom_json import parse_row
from model.records import Record

MAX_BYTES = 32_000
MAX_ELEMENT_BYTES = 6_000
"""As JSON text; a usual header has 5 to 15 kB."""

Element = Mapping[str, Any]


def representative_of(study_uid: str, series_uid: str, data_set: Mapping[str, Any]) -> str | None:
    """The data set as JSON text for the index; None for one that is not of this series or cannot be told."""
    record = parse_row(Level.INSTANCE, shortened(data_set))
    if not isinstance(record, Record) or (record.study_uid, record.series_uid) != (study_uid, series_uid):
        return None
    return record.data


def shortened(data_set: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is too long; the longest elements go first until the whole is short enough."""
    kept: dict[str, tuple[int, Any]] = {}
    for tag, element in data_set.items():
        short = _element(element)
        if short is not None:
            kept[tag] = (_size(short), short)
    surplus = sum(size for size, _ in kept.values()) - MAX_BYTES
    for tag in sorted(kept, key=lambda each: -kept[each][0]):
        if surplus <= 0:
            break
        surplus -= kept.pop(tag)[0]
    return {tag: element for tag, (_, element) in kept.items()}


def _element(element: Any) -> Any:
    if _size(element) <= MAX_ELEMENT_BYTES:
        return element
    items = element.get("Value") if isinstance(element, Mapping) and element.get("vr") == "SQ" else None
    if not isinstance(items, list) or not isinstance(items[0], Mapping):
        return None
    first = shortened(items[0])
    made = {"vr": "SQ", "Value": [first]}
    return made if first and _size(made) <= MAX_ELEMENT_BYTES else None


def _size(value: Any) -> int:
    try:
        return len(orjson.dumps(value))
    except (TypeError, ValueError):
        return MAX_BYTES + 1
