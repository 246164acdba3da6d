"""Pages of studies that start at a value of their series (0011_values.sql), and so need no walk of all studies.

A filter may ask for more than the value: it is all asked of what the value finds. Which of the ways is taken, from
the value or from something rarer in the filter, is the planner's choice.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from access.scope import Projection
from db.lists.where import text_test
from db.params import Params
from model.attributes import Level, attribute
from model.filters import Condition, Op, Related, Test, conjuncts
from model.vocabulary import CODE_COLUMNS

_NAMES = (
    *("manufacturer_model_name", "series_description", "protocol_name", "study_description"),
    *("body_part_examined", "laterality", "series_month", "manufacturer", "modality", "instances_bits"),
)
"""The kinds of values of 0011_values.sql, those first that are likely to be of few studies."""

_CODED = {column.column: attribute(coded).column for coded, column in CODE_COLUMNS.items()}
"""Column of a code → that of the values that it is made of, by the function of the code's name."""
_PATTERNS = (Op.STARTS_WITH, Op.CONTAINS, Op.WILDCARD)

MOST = 64
"""So many values are followed at most: what more of them pass is left to a walk of all studies."""
LOOKED_UP = 2000
"""So many values are looked up at most, the same one of several archives counted for each."""


@dataclass(frozen=True, slots=True)
class ByValue:
    """The studies of the list have one of `values`, or else one that passes `lookup`, a pattern or a code."""

    name: str
    values: tuple[str, ...] = ()
    lookup: Test | None = None

    def looked_up(self, params: Params, projection: Projection) -> str | None:
        """The common table expression of the values, in a column `value`; None where there is one value only.

        Those of a lookup: LOOKED_UP and one of them at most, which may be the same one of several archives.
        """
        if len(self.values) == 1:
            return None
        if self.lookup is None:
            values = f"select value from unnest({params.add(self.values, 'text[]')}) value"
        else:
            values = (
                f"select k.value from {projection}.study_value_count k"
                f" where k.name = '{self.name}' and {_passes(params, self.lookup)} limit {LOOKED_UP + 1}"
            )
        return f"{_values_of(projection)} as materialized ({values})"

    def branches(
        self, params: Params, projection: Projection, page: tuple[str, str], select: "Select"
    ) -> list[str]:
        """Queries that together find the first rows of `page`: its order, that of n.k0 and n.uid, and its limit."""
        order, limit = page
        table, named = f"{projection}.study_by_value", f"s.name = '{self.name}' and s.value ="
        if len(self.values) == 1:
            return [select(table, f"{named} {params.add(self.values[0], 'text')} and ")]
        values = _values_of(projection)
        of_each = select(table, f"{named} w.value and ")
        # a study that has two of the values is found by both
        found = (
            f"select distinct on (n.k0, n.uid) n.* from (select distinct value from {values}) w"
            f" cross join lateral ({of_each} limit {limit}) n"
        )
        if self.lookup is None:
            return [f"{found} order by {order}"]
        too_many = f"(select count(*) > {LOOKED_UP} or count(distinct value) > {MOST} from {values})"
        return [
            f"{found} where not {too_many} order by {order}",
            select(f"{projection}.study", f"{too_many} and "),
        ]


Select = Callable[[str, str], str]
"""The query of a page's rows from a table, with one more condition in front of those of the list."""


def _values_of(projection: Projection) -> str:
    return f"values_of_{projection}"


def _passes(params: Params, test: Test) -> str:
    if test.attribute.column in _CODED:
        codes = _listed(test)
        return f"{test.attribute.column}(k.value) = any({params.add(codes, 'text[]')})"
    return text_test(params, "value", test)("k")


def by_value(condition: Condition, projection: Projection) -> ByValue | None:
    """The best start that a condition gives; None where there is none, or a better one than any value.

    Nothing is looked up among pseudonyms: which values there are is counted for records only.
    """
    parts = list(conjuncts(condition))
    if any(isinstance(part, Test) and part.attribute.keyword == "StudyInstanceUID" for part in parts):
        return None
    starts = [start for part in parts for start in _starts(part)]
    usable = [
        start
        for start in starts
        if len(start.values) <= MOST and (start.lookup is None or projection is Projection.IDENTIFIED)
    ]
    return min(usable, key=_cost, default=None)


def _cost(start: ByValue) -> tuple[bool, bool, int]:
    return start.lookup is not None, len(start.values) > 1, _NAMES.index(start.name)


def _starts(condition: Condition) -> Iterator[ByValue]:
    match condition:
        case Related(Level.SERIES, of_series):
            tests = [part for part in conjuncts(of_series) if isinstance(part, Test)]
            for test in tests:
                yield from _of_text(test)
            yield from _of_month(_bounds(tests, "series_date"))
            yield from _of_bits(_bounds(tests, "number_of_instances"))
        case Test(column, Op.HAS, value) if column.keyword == "ModalitiesInStudy":
            yield ByValue("modality", (str(value),))
        case Test(column) if column.column == "study_description":
            yield from _of_text(condition)


def _of_text(test: Test) -> Iterator[ByValue]:
    column = test.attribute.column
    if column in _CODED and test.op in (Op.EQ, Op.IN):
        yield ByValue(_CODED[column], lookup=test)
    elif column in _NAMES and test.op in (Op.EQ, Op.IN) and test.value:
        yield ByValue(column, tuple(_listed(test)))
    elif column in _NAMES and test.op in _PATTERNS:
        yield ByValue(column, lookup=test)


def _listed(test: Test) -> list[str]:
    """The values of EQ or IN, each once."""
    given = test.value if isinstance(test.value, tuple) else (test.value,)
    return [str(value) for value in dict.fromkeys(given)]


Bounds = tuple[Any | None, Any | None]


def _bounds(tests: Iterable[Test], column: str) -> Bounds:
    """What a column's value is within when it passes these tests."""
    here = [test for test in tests if test.attribute.column == column]
    low = [test.value for test in here if test.op in (Op.EQ, Op.GTE)]
    high = [test.value for test in here if test.op in (Op.EQ, Op.LTE)]
    return max(low, default=None), min(high, default=None)


def _of_month(bounds: Bounds) -> Iterator[ByValue]:
    match bounds:
        case (date() as low, date() as high) if low <= high:
            months = range(low.year * 12 + low.month - 1, high.year * 12 + high.month)
            if len(months) <= MOST:
                yield ByValue(
                    "series_month", tuple(f"{month // 12:04}-{month % 12 + 1:02}" for month in months)
                )


def _of_bits(bounds: Bounds) -> Iterator[ByValue]:
    low, high = bounds
    if low is None and high is None:
        return
    low, high = -1 if low is None else low, 2**31 - 1 if high is None else high
    numbers = [*range(max(low, 0).bit_length(), max(high, 0).bit_length() + 1), *([32] if low < 0 else [])]
    if low <= high:
        yield ByValue("instances_bits", tuple(str(number) for number in numbers))
