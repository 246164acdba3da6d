"""Going deeper than the index: what a list of series or instances lacks is fetched when it is little.

Where more lacks than a query may fetch, the answer is PARTIAL and says so, never silently short.
"""

from typing import TYPE_CHECKING

from access.scope import Scope
from archives.errors import ArchiveError
from db import nodes
from model.attributes import Level
from model.filters import EVERYTHING, AllOf, Condition, Related, TextTest, all_of, walk
from resolvers.on_demand import Failures, Missing
from resolvers.sources import Shortfall

if TYPE_CHECKING:
    from resolvers.context import Context

FETCHABLE = 200  # copies whose children one query may fetch

_ABOVE = {Level.STUDY: (), Level.SERIES: (Level.STUDY,), Level.INSTANCE: (Level.STUDY, Level.SERIES)}


async def go_deep_enough(context: "Context", scope: Scope, level: Level, condition: Condition) -> Shortfall:
    """Fetches what the list needs and the index lacks; what it still lacks afterwards."""
    failures: dict[int, ArchiveError] = {}
    gaps: set[int] = set()
    for parent in _ABOVE[level]:
        wanted = _known(all_of(_about(condition, parent)), parent)
        lacking = await nodes.unindexed(context.services.database, scope, parent, wanted, FETCHABLE + 1)
        missing = [Missing(row["archive_id"], row["study_uid"], row["series_uid"]) for row in lacking]
        if len(missing) <= FETCHABLE:
            failures |= _by_archive(await _fetch(context, parent, missing))
        else:
            gaps |= await nodes.archives_with_gaps(context.services.database, scope, parent)
    for parent in _looked_into(level, condition):
        gaps |= await nodes.archives_with_gaps(context.services.database, scope, parent)
    return Shortfall(failures, frozenset(gaps))


async def gaps_of_children(context: "Context", level: Level, condition: Condition) -> frozenset[int]:
    """The archives where a filter on one parent's children looks into what is neither there nor fetched."""
    if level is Level.SERIES:
        parents = [Level.SERIES] if _looks_below(condition, Level.SERIES) else []
    else:
        around = [here for here in walk(condition) if isinstance(here, Related) and here.level is Level.STUDY]
        beyond = any(_looks_below(here.condition, Level.STUDY) for here in around)
        parents = [Level.STUDY, Level.SERIES] if beyond else []
    found = await context.loaders.gaps_by_level.load_many(parents)
    return frozenset().union(*found)


async def _fetch(context: "Context", parent: Level, missing: list[Missing]) -> Failures:
    on_demand = context.services.on_demand
    return await (on_demand.series(missing) if parent is Level.STUDY else on_demand.instances(missing))


def _by_archive(failures: Failures) -> dict[int, ArchiveError]:
    return {archive: error for errors in failures.values() for archive, error in errors.items()}


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
