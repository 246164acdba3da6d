"""The values that a filter by `attribute` looks at (any_attribute.py).

The data set of the row itself comes first. Where it lacks an attribute, a series has its representative, and a study
its series with theirs, unless the attribute is one that studies themselves tell.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from archives.fields import returned_keywords
from db.pool import Row
from model.attributes import Level
from model.errors import BadInput
from model.paths import AttributePath
from reads.named_elements import NamedElement, attributes_of

OfSeries = tuple[str, str, str]
"""StudyInstanceUID, SeriesInstanceUID, name of the attribute."""
OfStudy = tuple[str, str]
"""StudyInstanceUID, name of the attribute."""


def names_of(keywords: Sequence[str] | None) -> Sequence[str]:
    """Raises BadInput without any."""
    if keywords is None:
        raise BadInput("searched: goes with `keywords`, which name the attributes.")
    return keywords


def looks_below(path: AttributePath) -> bool:
    """Whether a filter on studies looks for it in their series too: what studies tell themselves it does not."""
    return path.steps[0].keyword not in returned_keywords(Level.STUDY)


def first_of(data_sets: Iterable[Mapping[str, Any]], name: str) -> list[NamedElement]:
    """The attribute in the first data set that has it."""
    return next((found for each in data_sets if (found := attributes_of(each, [name]))), [])


def by_series(rows: Iterable[Row], keys: Iterable[OfSeries]) -> dict[OfSeries, list[NamedElement]]:
    """rows: as db/lists/searched.py answers."""
    copies = _grouped(rows, lambda row: (row["study_uid"], row["series_uid"]))
    return {key: first_of(copies.get(key[:2], ()), key[2]) for key in keys}


def by_study(rows: Iterable[Row], keys: Iterable[OfStudy]) -> dict[OfStudy, list[NamedElement]]:
    """Each different value once, in the order of the series."""
    copies = _grouped(rows, lambda row: (row["study_uid"], row["series_uid"]))
    series: dict[str, list[list[Mapping[str, Any]]]] = defaultdict(list)
    for (study_uid, _), data_sets in copies.items():
        series[study_uid].append(data_sets)
    found: dict[OfStudy, list[NamedElement]] = {}
    for uid, name in keys:
        attributes = [one for data_sets in series.get(uid, ()) for one in first_of(data_sets, name)]
        found[uid, name] = list({orjson.dumps(one.value): one for one in reversed(attributes)}.values())[::-1]
    return found


def _grouped(
    rows: Iterable[Row], key: Callable[[Row], tuple[str, str]]
) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    """What copies say, their searches before their representatives."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        parts = (row["data"], row["representative"])
        groups[key(row)] += [orjson.loads(part) for part in parts if part is not None]
    return groups
