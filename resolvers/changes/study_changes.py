"""Changes of studies and of archives' health, as a subscriber gets them."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime

import strawberry

from reads import changes
from reads.changes import ChangeKind
from reads.ids import to_id
from resolvers.archives.archive import Archive, archive_of
from resolvers.context import Context
from resolvers.descriptions import described
from resolvers.engine import enum_of
from resolvers.filters.inputs import StudyFilter, condition_of
from resolvers.records.nodes import Study, study_of
from resolvers.scalars import UID

enum_of(
    ChangeKind,
    "What became of a study in your list.",
    {
        ChangeKind.ADDED: "It is in the list, and is new to the index.",
        ChangeKind.UPDATED: "It is in the list, as `study` says; it may be new to the list.",
        ChangeKind.REMOVED: "It is not in the list: gone, or changed so that it does not match, or not yours to see "
        "any more. Told also of studies that changed and never were in it.",
    },
)


@strawberry.type(description="A change of a study: apply it to your list by `studyInstanceUid`.")
class StudyChange:
    kind: ChangeKind = described("Put it in (ADDED, UPDATED), or take it out (REMOVED).")
    study: Study | None = described("The study as it is now; null when REMOVED.")
    study_instance_uid: UID = described("StudyInstanceUID (0020,000D).")
    archive: Archive = described("The archive whose copy changed.")
    at: datetime = described("When the index was changed.")
    cursor: str = described("Give it to `since`, and this event and what came before is not sent again.")

    @strawberry.field(description="Global id of the study.")
    def id(self) -> strawberry.ID:
        return strawberry.ID(to_id("Study", (self.study_instance_uid,)))


async def study_changes(
    context: Context, given: StudyFilter | None, archives: Sequence[str] | None, since: str | None
) -> AsyncGenerator[StudyChange, None]:
    """Raises InputError of many kinds (model/errors.py)."""
    async with aclosing(changes.study_changes(context, condition_of(given), archives, since)) as stream:
        async for change in stream:
            event = change.event
            yield StudyChange(
                kind=change.kind,
                study=study_of(event.node) if event.node is not None else None,
                study_instance_uid=UID(event.study_uid),
                archive=archive_of(context, change.archive),
                at=event.at,
                cursor=change.cursor,
            )


async def health_changes(context: Context, archives: Sequence[str] | None) -> AsyncGenerator[Archive, None]:
    """Each archive whose health is another than it was last told, from now on."""
    async with aclosing(changes.health_changes(context, archives)) as stream:
        async for row in stream:
            yield archive_of(context, row)
