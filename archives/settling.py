"""Whether a page that comes again for every offset is all there is: what its length alone cannot tell."""

from archives.abilities import Learner
from archives.errors import BadAnswer, NotSupported, Rejected, ServerFailed
from archives.queries import OF_NOBODY, OWN_KEYWORD, SearchQuery


async def settled(archive: Learner, query: SearchQuery, rows: int) -> bool:
    """True where a page of this level can be longer than `rows`, or where a server looks at nothing that it is asked,
    as one does that serves files. Two small requests at the most. What it does not answer settles nothing."""
    try:
        return await _can_be_longer(archive, query, rows) or await _looks_at_nothing(archive, query, rows)
    except (Rejected, BadAnswer, ServerFailed, NotSupported):
        return False


async def _can_be_longer(archive: Learner, query: SearchQuery, rows: int) -> bool:
    """Asks for one more row of all that there are."""
    everything = SearchQuery(query.level)
    if query == everything:
        return False
    return len((await archive.qido(everything, rows + 1, 0, None)).rows) > rows


async def _looks_at_nothing(archive: Learner, query: SearchQuery, rows: int) -> bool:
    nobody = {OWN_KEYWORD[query.level]: OF_NOBODY}
    asked = SearchQuery(query.level, query.study_uid, query.series_uid, nobody)
    return len((await archive.qido(asked, 2 if rows == 1 else 1, 0, None)).rows) >= rows
