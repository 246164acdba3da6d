"""The root fields that go on answering."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from resolvers.archives.archive import Archive
from resolvers.changes.study_changes import StudyChange, health_changes, study_changes
from resolvers.context import Info
from resolvers.descriptions import argument
from resolvers.filters.arguments import Archives
from resolvers.filters.inputs import StudyFilter


@strawberry.type(description="What can be subscribed to, over graphql-transport-ws or server-sent events.")
class Subscription:
    @strawberry.subscription(
        description="Studies that come into, change in, or leave the list that `studies` with these arguments "
        "answers, in the order of the changes, none left out and none twice. An archive whose records you may not "
        "see has no events; one that the filter may not be asked of (SKIPPED in a list) neither."
    )
    async def study_changed(
        self,
        info: Info,
        filter: Annotated[StudyFilter | None, argument("Which studies; null: all.")] = None,
        archives: Archives = None,
        since: Annotated[
            str | None,
            argument(
                "A `cursor` of a change, or `changesCursor`: first what came after it. null: from now on."
            ),
        ] = None,
    ) -> AsyncGenerator[StudyChange, None]:
        async with aclosing(study_changes(info.context, filter, archives, since)) as changes:
            async for change in changes:
                yield change

    @strawberry.subscription(
        description="Archives whose health changes (`state`, or the code of `error`), as they are then."
    )
    async def archive_health_changed(
        self,
        info: Info,
        archives: Annotated[list[str] | None, argument("Only these archives, by code; null: all.")] = None,
    ) -> AsyncGenerator[Archive, None]:
        async with aclosing(health_changes(info.context, archives)) as changes:
            async for archive in changes:
                yield archive
