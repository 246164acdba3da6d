"""Lists by relevance, and what stands in for it where too many match: the newest first, with a warning.

The order of a list is settled by its first page, and by its cursors from then on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from db.lists.listing import Listing
from db.lists.orders import RELEVANCE, Sort
from db.lists.ranking import MOST_RANKED, looked_up
from model.attributes import Level
from model.errors import BadCursor
from model.filters import Condition, Test, TextTest, ranked_by, replaced
from reads.list_query import ListQuery
from reads.page_arguments import PageArguments
from reads.request import Request
from reads.slow import ListWarning

NOT_RANKED = "NOT_RANKED"


@dataclass(frozen=True, slots=True)
class Ordered:
    """A list's filter and order: as asked, or by date in place of relevance; and the filter that counts it."""

    condition: Condition
    sorts: Sequence[Sort]
    counted: Condition
    warning: ListWarning | None = None

    def listing(self, list_query: ListQuery, level: Level) -> Listing:
        return Listing(list_query.scopes, level, self.condition, tuple(self.sorts))


async def ordered(
    request: Request,
    list_query: ListQuery,
    level: Level,
    condition: Condition,
    sorts: Sequence[Sort],
    page: PageArguments,
) -> Ordered:
    """The order of a page. Raises BadCursor, BadInput."""
    ranked = ranked_by(condition) if level is Level.STUDY else None
    by_relevance = not sorts or any(sort.field == RELEVANCE for sort in sorts)
    if ranked is None or not by_relevance:
        return Ordered(condition, sorts, condition)
    newest = newest_first(condition, sorts, ranked)
    is_later = page.cursor is not None
    if not (is_later and _is_of(newest.listing(list_query, level), page, request)):
        found = await looked_up(request.database, list_query.scopes, ranked, whole=is_later)
        if found is not None:
            known = replaced(condition, lambda leaf: found if leaf == ranked else leaf)
            return Ordered(known, sorts, known)
    if newest.warning is not None:
        request.warnings[NOT_RANKED] = newest.warning.message
    return newest


def newest_first(condition: Condition, sorts: Sequence[Sort], ranked: Condition) -> Ordered:
    """What is asked, newest first in place of the best; the test that so many pass is asked of each row."""

    def scanned(leaf: Condition) -> Condition:
        return replace(leaf, scanned=True) if leaf == ranked and isinstance(leaf, Test | TextTest) else leaf

    dated = any(sort.field == "STUDY_DATE" for sort in sorts)
    by_date = [
        Sort("STUDY_DATE", sort.descending) if sort.field == RELEVANCE else sort
        for sort in sorts or (Sort(RELEVANCE, descending=True),)
        if not (dated and sort.field == RELEVANCE)
    ]
    what = f"{ranked.attribute.keyword}.fuzzy" if isinstance(ranked, Test) else "text"
    message = (
        f"{what}: more than {MOST_RANKED:,} studies match, so they are in the order of their dates and not of how well "
        "they match. Add another word, or other filters, for the best first."
    )
    return Ordered(
        replaced(condition, scanned), by_date, condition, ListWarning(code=NOT_RANKED, message=message)
    )


def _is_of(listing: Listing, page: PageArguments, request: Request) -> bool:
    """Whether the page's cursor is of this list."""
    try:
        page.window(listing.order, request.cursors)
    except BadCursor:
        return False
    return True
