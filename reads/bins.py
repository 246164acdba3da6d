"""Where the buckets of histograms begin and end: of numbers by edges, of dates by intervals."""

from collections.abc import Iterator
from datetime import date

from db.statistics.facets import DateInterval
from model.errors import BadInput

MOST_NUMBER = 1e300
_MONTHS = {DateInterval.YEAR: 12, DateInterval.QUARTER: 3, DateInterval.MONTH: 1}


def check_edges(low: float | None, high: float | None) -> None:
    """Raises BadInput for edges that no number lies between."""
    for name, edge in (("min", low), ("max", high)):
        if edge is not None and not abs(edge) < MOST_NUMBER:
            raise BadInput(f"{name}: a number between -1e300 and 1e300.")
    if low is not None and high is not None and low >= high:
        raise BadInput("min: has to be less than max.")


def ends(edges: tuple[float, float], count: int, n: int) -> tuple[float, float]:
    """The edges of bin `n`, from 1, of `count` bins of equal width."""
    width = (edges[1] - edges[0]) / count
    return edges[0] + (n - 1) * width, edges[1] if n == count else edges[0] + n * width


def starts(first: date, last: date, interval: DateInterval) -> Iterator[date]:
    """First days of the intervals from `first`, which is one, to `last`."""
    here = first
    while here <= last:
        yield here
        try:
            here = _after(here, interval)
        except (OverflowError, ValueError):  # the end of the calendar
            return


def _after(here: date, interval: DateInterval) -> date:
    if interval is DateInterval.DAY:
        return date.fromordinal(here.toordinal() + 1)
    years, month = divmod(here.month - 1 + _MONTHS[interval], 12)
    return here.replace(year=here.year + years, month=month + 1)
