"""Going deeper than the index: what a list of series or instances lacks is fetched when it is little.

Where more lacks than a query may fetch, the answer is PARTIAL and says so, never silently short.
"""

from collections.abc import Awaitable, Callable
from itertools import product

from archives.errors import ArchiveError
from archives.fields import returned_keywords
from db.lists import gaps
from model.attributes import Level
from model.filters import (
    EVERYTHING,
    AllOf,
    Condition,
    Related,
    TextTest,
    apart,
    path_tests,
    walk,
)
from reads.list_query import ListQuery
from reads.request import Request
from refresh.live import Fresh
from refresh.on_demand import Failures, Missing

FETCHABLE = 200  # copies whose children one query may fetch

_ABOVE = {Level.STUDY: (), Level.SERIES: (Level.STUDY,), Level.INSTANCE: (Level.STUDY, Level.SERIES)}


async def go_deep_enough(
    request: Request, list_query: ListQuery, level: Level, condition: Condition
) -> ListQuery:
    """Fetches what the list needs and the index lacks; the list query, with what it still lacks afterwards.

    Archives that were asked just now (`list_query.fresh`) gave all that the list looks at, or cannot be asked.
    """
    failures: dict[int, ArchiveError] = {}
    incomplete: set[int] = set()
    fresh = list_query.fresh
    for scope, parent in product(list_query.scopes, _ABOVE[level]):
        about = apart([_known(each, parent) for each in _about(condition, parent)])
        lacking = await gaps.unindexed(request.database, scope, parent, about, FETCHABLE + 1)
        missing = [
            Missing.of(row, parent) for row in lacking if not fresh or row["archive_id"] not in fresh.outcomes
        ]
        if len(lacking) <= FETCHABLE:
            failures |= _by_archive(await _fetch(request, parent, missing, fresh))
        else:
            incomplete |= await gaps.archives_with_gaps(request.database, scope, parent)
    for scope, parent in product(list_query.scopes, _looked_into(level, condition)):
        incomplete |= await gaps.archives_with_gaps(request.database, scope, parent)
    if fresh:
        incomplete -= fresh.outcomes.keys()
    unsearched = await _unsearched(request, list_query, level, condition)
    return list_query.lacking(failures, frozenset(incomplete), unsearched)


async def _unsearched(
    request: Request, list_query: ListQuery, level: Level, condition: Condition
) -> frozenset[int]:
    async def read(at: Level) -> set[int]:
        found = [await gaps.archives_unsearched(request.database, scope, at) for scope in list_query.scopes]
        return set().union(*found)

    found = await unsearched(request, level, condition, read)
    return frozenset(found & {archive.archive_id for archive in list_query.asked})


async def unsearched(
    request: Request, level: Level, condition: Condition, read: Callable[[Level], Awaitable[set[int]]]
) -> set[int]:
    """Archives whose rows may lack an attribute that the filter names by path. read: of a level below the study, those
    where the index lacks some of what searches do not bring.

    What an archive's search does not return is in the index only where whole data sets were fetched: of
    instances beside the runs that go down to them, or when somebody asked; of series that of a representative.
    """
    beyond = {
        (at, test.path)
        for at, test in path_tests(condition, level)
        if test.path.steps[0].keyword not in returned_keywords(at)
    }
    # What studies do not tell themselves is looked for in the representatives of their series.
    levels = {at for at, path in beyond if at is not Level.STUDY or (Level.SERIES, path) not in beyond}
    if Level.STUDY in levels:
        rows = await request.archives()
        return {archive_id for archive_id, row in rows.items() if row.kind != "folder"}
    return set().union(*[await read(at) for at in Level if at in levels])


def looked_into_below(level: Level, condition: Condition) -> list[Level]:
    """The levels whose children a filter on one parent's children looks into, beyond those that are fetched."""
    if level is Level.SERIES:
        return [Level.SERIES] if _looks_below(condition, Level.SERIES) else []
    around = [here for here in walk(condition) if isinstance(here, Related) and here.level is Level.STUDY]
    beyond = any(_looks_below(here.condition, Level.STUDY) for here in around)
    return [Level.STUDY, Level.SERIES] if beyond else []


async def _fetch(request: Request, parent: Level, missing: list[Missing], fresh: Fresh | None) -> Failures:
    on_demand, within = request.services.on_demand, fresh.within if fresh else None
    fetch = on_demand.series if parent is Level.STUDY else on_demand.instances
    return await fetch(missing, within)


def _by_archive(failures: Failures) -> dict[int, ArchiveError]:
    return {archive: error for errors in failures.values() for archive, error in errors.items()}


def known_about(level: Level, condition: Condition) -> list[Condition]:
    """What the index can say of the studies that a list at `level` is about, whatever is indexed below them."""
    about = [condition] if level is Level.STUDY else _about(condition, Level.STUDY)
    return [_known(each, Level.STUDY) for each in about]


def _about(condition: Condition, level: Level) -> list[Condition]:
    """What must hold of the ancestor at `level`: the conditions on it that are not under `or` or `not`."""
    match condition:
        case Related(other, child) if other is level:
            return [child]
        case Related(_, child):
            return _about(child, level)
        case AllOf(children):
            return [found for child in children for found in _about(child, level)]
        case _:
            return []


def _known(condition: Condition, level: Level) -> Condition:
    """What the index can say of a copy at `level` whose children it lacks: nothing that looks at those."""
    if isinstance(condition, AllOf):
        return AllOf(tuple(_known(child, level) for child in condition.conditions))
    return EVERYTHING if _looks_below(condition, level) else condition


def _looks_below(condition: Condition, level: Level) -> bool:
    """Whether the answer depends on children of nodes at `level`."""
    return any(
        (isinstance(here, Related) and len(_ABOVE[here.level]) > len(_ABOVE[level]))
        or (isinstance(here, TextTest) and level is Level.STUDY)
        for here in walk(condition)
    )


def _looked_into(level: Level, condition: Condition) -> set[Level]:
    """The levels whose children a filter looks into, below what the list itself goes down to."""
    below = {here.level for here in walk(condition) if isinstance(here, Related)} - {level, *_ABOVE[level]}
    if level is Level.STUDY and any(isinstance(here, TextTest) for here in walk(condition)):
        below.add(Level.SERIES)
    return {parent for deeper in below for parent in _ABOVE[deeper]}
