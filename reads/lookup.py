"""One node by its UID. UIDs below a study name something within it: the same one may stand in several."""

from db.lists import nodes
from db.lists.listing import Listing, Window
from db.pool import Row
from model.attributes import Level, attribute
from model.errors import BadInput
from model.filters import AllOf, Condition, Op, Related, Test
from reads.backfill import go_deep_enough
from reads.freshness import Refresh, refreshed, warn_of_failures
from reads.list_query import list_query_of
from reads.request import Request
from refresh.live import Fresh

_ENOUGH = 3  # to see that there are two, though one of them may be seen as stored and as a pseudonym


async def refreshed_study(request: Request, uid: str, refresh: Refresh | None) -> Fresh | None:
    """What asking the archives for a study has brought; None where nobody was to be asked."""
    condition = Test(attribute("StudyInstanceUID"), Op.EQ, uid)
    list_query = list_query_of(request.access_scope, None, condition, ())
    list_query = await refreshed(request, list_query, Level.STUDY, condition, refresh)
    if list_query.fresh is not None:
        request.touched.asked(archive.archive_id for archive in list_query.asked)
        warn_of_failures(request, list_query)
    return list_query.fresh


async def series_named(
    request: Request, uid: str, study_uid: str | None, refresh: Refresh | None
) -> tuple[Row | None, Fresh | None]:
    """The series with this UID, of this study where it is given. Raises BadInput where that names several."""
    condition = _all(_is("SeriesInstanceUID", uid), _of_study(study_uid))
    hint = "Give studyInstanceUid as well, or list them: series(filter: {seriesInstanceUid: {eq: …}})."
    return await _one(
        request, Level.SERIES, condition, refresh, f"seriesInstanceUid: in several studies. {hint}"
    )


async def instance_named(
    request: Request, uid: str, series_uid: str | None, study_uid: str | None, refresh: Refresh | None
) -> tuple[Row | None, Fresh | None]:
    """The same of an instance: of this series, of this study."""
    of_series = _all(_is("SeriesInstanceUID", series_uid), _of_study(study_uid))
    condition = _all(
        _is("SOPInstanceUID", uid), None if of_series is None else Related(Level.SERIES, of_series)
    )
    hint = (
        "Give seriesInstanceUid and studyInstanceUid as well, or list them: "
        "instances(filter: {sopInstanceUid: {eq: …}})."
    )
    return await _one(
        request, Level.INSTANCE, condition, refresh, f"sopInstanceUid: in several series. {hint}"
    )


async def _one(
    request: Request, level: Level, condition: Condition | None, refresh: Refresh | None, ambiguous: str
) -> tuple[Row | None, Fresh | None]:
    condition = condition or AllOf(())
    list_query = list_query_of(request.access_scope, None, condition, ())
    list_query = await refreshed(request, list_query, level, condition, refresh)
    list_query = await go_deep_enough(request, list_query, level, condition)
    request.touched.asked(archive.archive_id for archive in list_query.asked)
    warn_of_failures(request, list_query)
    lacks = list_query.shortfall
    rows = await nodes.page(request.database, Listing(list_query.scopes, level, condition), Window(_ENOUGH))
    if len({nodes.key_of(row, level) for row in rows}) > 1:
        raise BadInput(ambiguous)
    if not rows and (lacks.failures or lacks.not_indexed):
        request.warnings["NOT_INDEXED"] = (
            "Not every archive is indexed that deep, or could be asked: give the study's UID, whose archives are asked."
        )
    request.touched.add(rows[:1])
    return (rows[0] if rows else None), list_query.fresh


def _is(keyword: str, uid: str | None) -> Condition | None:
    return None if uid is None else Test(attribute(keyword), Op.EQ, uid)


def _of_study(uid: str | None) -> Condition | None:
    named = _is("StudyInstanceUID", uid)
    return None if named is None else Related(Level.STUDY, named)


def _all(*conditions: Condition | None) -> Condition | None:
    given = tuple(each for each in conditions if each is not None)
    return (given[0] if len(given) == 1 else AllOf(given)) if given else None
