"""The root fields of one study, series or instance by its UID; and a node by its key."""

import asyncio
from typing import Annotated

import strawberry

from db.pool import Row
from model.attributes import Key, Level
from reads.lookup import instance_named, refreshed_study, series_named
from resolvers.context import Context, Info
from resolvers.descriptions import argument
from resolvers.freshness import Fresh, refresh_of
from resolvers.records.nodes import Instance, Series, Study, instance_of, series_of, study_of
from resolvers.scalars import UID


@strawberry.type
class Lookups:
    """Root fields."""

    @strawberry.field(description="One study; null when no archive that you may see is known to hold it.")
    async def study(
        self,
        info: Info,
        study_instance_uid: Annotated[UID, argument("StudyInstanceUID.")],
        freshness: Fresh = None,
    ) -> Study | None:
        fresh = await refreshed_study(info.context, study_instance_uid, refresh_of(freshness))
        row = await find(info.context, Level.STUDY, (study_instance_uid,))
        return study_of(row, fresh) if row is not None else None

    @strawberry.field(
        description="One series; null when no archive that you may see is known to hold it. A UID that stands in "
        "several studies is BAD_INPUT without the study's."
    )
    async def series_by_uid(
        self,
        info: Info,
        series_instance_uid: Annotated[UID, argument("SeriesInstanceUID.")],
        study_instance_uid: Annotated[UID | None, argument("The study's UID; null: whichever it is.")] = None,
        freshness: Fresh = None,
    ) -> Series | None:
        row, fresh = await series_named(
            info.context, series_instance_uid, study_instance_uid, refresh_of(freshness)
        )
        return series_of(row, fresh) if row is not None else None

    @strawberry.field(
        description="One instance; null when no archive that you may see is known to hold it. A UID that stands in "
        "several series is BAD_INPUT without theirs."
    )
    async def instance_by_uid(
        self,
        info: Info,
        sop_instance_uid: Annotated[UID, argument("SOPInstanceUID.")],
        series_instance_uid: Annotated[
            UID | None, argument("The series' UID; null: whichever it is.")
        ] = None,
        study_instance_uid: Annotated[UID | None, argument("The study's UID; null: whichever it is.")] = None,
        freshness: Fresh = None,
    ) -> Instance | None:
        row, fresh = await instance_named(
            info.context, sop_instance_uid, series_instance_uid, study_instance_uid, refresh_of(freshness)
        )
        return instance_of(row, fresh) if row is not None else None


async def find(context: Context, level: Level, key: Key) -> Row | None:
    """A node by its UIDs, as stored or as pseudonyms: whichever projection knows it."""
    projections = [context.loaders[scope.projection] for scope in context.access_scope.scopes]
    rows = await asyncio.gather(*(loaders.nodes(level).load(key) for loaders in projections))
    return next((row for row in rows if row is not None), None)
