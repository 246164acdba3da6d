"""One study, series or instance by its UID. UIDs below a study name something within it: the same one may stand in
several."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from db.lists import nodes
from db.lists.listing import Listing, Page
from db.lists.nodes import Row
from model.attributes import Key, Level, attribute
from model.errors import BadInput
from model.filters import AllOf, Condition, Op, Related, Test
from reads.list_query import list_query_of
from refresh.live import Fresh as Asked
from resolvers.depth import go_deep_enough
from resolvers.freshness import Freshness, checked, refreshed, warn_of_failures
from resolvers.info import Info
from resolvers.records.instance import Instance, instance_of
from resolvers.records.series import Series, series_of
from resolvers.records.study import Study, study_of
from resolvers.scalars import UID

if TYPE_CHECKING:
    from resolvers.context import Context

Fresh = Annotated[
    Freshness | None, strawberry.argument(description="How fresh the answer must be; default: CACHED.")
]
_ENOUGH = 3  # to see that there are two, though one of them may be seen as stored and as a pseudonym


def _argument(description: str) -> Any:
    return strawberry.argument(description=description)


@strawberry.type
class Lookups:
    """Root fields."""

    @strawberry.field(description="One study; null when no archive that you may see is known to hold it.")
    async def study(
        self,
        info: Info,
        study_instance_uid: Annotated[UID, _argument("StudyInstanceUID.")],
        freshness: Fresh = None,
    ) -> Study | None:
        wanted, condition = checked(freshness), Test(attribute("StudyInstanceUID"), Op.EQ, study_instance_uid)
        list_query = list_query_of(info.context.access_scope, None, condition, ())
        list_query = await refreshed(info.context, list_query, Level.STUDY, condition, wanted)
        if list_query.fresh is not None:
            info.context.touched.asked(archive.archive_id for archive in list_query.asked)
            warn_of_failures(info.context, list_query)
        row = await find(info.context, Level.STUDY, (study_instance_uid,))
        return study_of(row, list_query.fresh) if row is not None else None

    @strawberry.field(
        description="One series; null when no archive that you may see is known to hold it. A UID that stands in "
        "several studies is BAD_INPUT without the study's."
    )
    async def series_by_uid(
        self,
        info: Info,
        series_instance_uid: Annotated[UID, _argument("SeriesInstanceUID.")],
        study_instance_uid: Annotated[
            UID | None, _argument("The study's UID; null: whichever it is.")
        ] = None,
        freshness: Fresh = None,
    ) -> Series | None:
        row, fresh = await series_named(info.context, series_instance_uid, study_instance_uid, freshness)
        return series_of(row, fresh) if row is not None else None

    @strawberry.field(
        description="One instance; null when no archive that you may see is known to hold it. A UID that stands in "
        "several series is BAD_INPUT without theirs."
    )
    async def instance_by_uid(
        self,
        info: Info,
        sop_instance_uid: Annotated[UID, _argument("SOPInstanceUID.")],
        series_instance_uid: Annotated[
            UID | None, _argument("The series' UID; null: whichever it is.")
        ] = None,
        study_instance_uid: Annotated[
            UID | None, _argument("The study's UID; null: whichever it is.")
        ] = None,
        freshness: Fresh = None,
    ) -> Instance | None:
        row, fresh = await instance_named(
            info.context, sop_instance_uid, series_instance_uid, study_instance_uid, freshness
        )
        return instance_of(row, fresh) if row is not None else None


async def find(context: "Context", level: Level, key: Key) -> Row | None:
    """A node by its UIDs, as stored or as pseudonyms: whichever projection knows it."""
    projections = [context.loaders[scope.projection] for scope in context.access_scope.scopes]
    rows = await asyncio.gather(*(loaders.nodes[level].load(key) for loaders in projections))
    return next((row for row in rows if row is not None), None)


async def series_named(
    context: "Context", uid: str, study_uid: str | None, freshness: Freshness | None
) -> tuple[Row | None, Asked | None]:
    """The series with this UID, of this study where it is given. Raises BadInput where that names several."""
    condition = _all(_is("SeriesInstanceUID", uid), _of_study(study_uid))
    hint = "Give studyInstanceUid as well, or list them: series(filter: {seriesInstanceUid: {eq: …}})."
    return await _one(
        context, Level.SERIES, condition, freshness, f"seriesInstanceUid: in several studies. {hint}"
    )


async def instance_named(
    context: "Context",
    uid: str,
    series_uid: str | None,
    study_uid: str | None,
    freshness: Freshness | None,
) -> tuple[Row | None, Asked | None]:
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
        context, Level.INSTANCE, condition, freshness, f"sopInstanceUid: in several series. {hint}"
    )


async def _one(
    context: "Context",
    level: Level,
    condition: Condition | None,
    freshness: Freshness | None,
    ambiguous: str,
) -> tuple[Row | None, Asked | None]:
    wanted, condition = checked(freshness), condition or AllOf(())
    list_query = list_query_of(context.access_scope, None, condition, ())
    list_query = await refreshed(context, list_query, level, condition, wanted)
    list_query = await go_deep_enough(context, list_query, level, condition)
    context.touched.asked(archive.archive_id for archive in list_query.asked)
    warn_of_failures(context, list_query)
    lacks = list_query.shortfall
    rows = await nodes.page(context.database, Listing(list_query.scopes, level, condition), Page(_ENOUGH))
    if len({nodes.key_of(row, level) for row in rows}) > 1:
        raise BadInput(ambiguous)
    if not rows and (lacks.failures or lacks.not_indexed):
        context.warnings["NOT_INDEXED"] = (
            "Not every archive is indexed that deep, or could be asked: give the study's UID, whose archives are asked."
        )
    context.touched.add(rows[:1])
    return (rows[0] if rows else None), list_query.fresh


def _is(keyword: str, uid: str | None) -> Condition | None:
    return None if uid is None else Test(attribute(keyword), Op.EQ, uid)


def _of_study(uid: str | None) -> Condition | None:
    named = _is("StudyInstanceUID", uid)
    return None if named is None else Related(Level.STUDY, named)


def _all(*conditions: Condition | None) -> Condition | None:
    given = tuple(each for each in conditions if each is not None)
    return (given[0] if len(given) == 1 else AllOf(given)) if given else None
