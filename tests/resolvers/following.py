"""Subscribers in this process: somebody's list, kept up to date by nothing but the events that they get."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from access.pseudonyms import Pseudonymiser
from access.scope import AccessLevel, Grant, Viewer
from db.archives import list_archives
from db.definitions import sync_archives
from db.lists import nodes
from db.lists.listing import Listing, Window
from db.pool import Database, Row
from db.writing.projections import Projections
from model.attributes import Level
from reads.changes import ChangeKind
from reads.list_query import list_query_of
from reads.services import Services
from resolvers.changes.study_changes import StudyChange, study_changes
from resolvers.context import Context
from resolvers.filters.inputs import StudyFilter, condition_of
from tests.resolvers.runtime import CONFIGS, open_services

FULL, PSEUDONYMISED, COUNTS = AccessLevel.FULL, AccessLevel.PSEUDONYMISED, AccessLevel.COUNTS


def viewer(eye: AccessLevel, rnd: AccessLevel, vasc: AccessLevel, *needs_consent: str) -> Viewer:
    """What somebody may see of the three archives' networks."""
    levels = {"ERN-EYE": eye, "ERN-RND": rnd, "VASCERN": vasc}
    grants = tuple(Grant(ern, level) for ern, level in levels.items() if level is not AccessLevel.NONE)
    return Viewer("somebody", None, grants, frozenset(needs_consent))


async def with_projections(database: Database) -> dict[str, int]:
    """Registers the archives; whatever is written is followed by its pseudonymised rows."""
    ids = await sync_archives(database, CONFIGS)
    makers = {ids[c.code]: Pseudonymiser(bytes(range(32)), c.ern, key_id="k1") for c in CONFIGS}
    codes = {row.archive_id: row.code for row in await list_archives(database)}
    database.after_write.append(Projections(database, makers, codes).drain)
    return ids


@asynccontextmanager
async def two_services(database: Database) -> AsyncIterator[tuple[Services, Services]]:
    """As two server processes have them: each with its own listener."""
    both = await open_services(database), await open_services(database)
    try:
        yield both
    finally:
        for services in both:
            await services.close()


Seen = dict[str, tuple[Any, ...]]


@dataclass
class Follower:
    """One subscriber. seen: their list. changes: everything that came."""

    services: Services
    who: Viewer
    filter: StudyFilter | None = None
    archives: list[str] | None = None
    seen: Seen = field(default_factory=dict)
    changes: list[StudyChange] = field(default_factory=list)

    def context(self) -> Context:
        return Context.for_request(self.services, self.who)

    async def follow(self, since: str | None = None) -> None:
        async for change in study_changes(self.context(), self.filter, self.archives, since):
            self.apply(change)

    def apply(self, change: StudyChange) -> None:
        self.changes.append(change)
        if change.kind is ChangeKind.REMOVED:
            assert change.study is None
            self.seen.pop(change.study_instance_uid, None)
        else:
            assert change.study is not None
            assert change.study.row["uid"] == change.study_instance_uid
            self.seen[change.study_instance_uid] = _facts(change.study.row)

    @property
    def kinds(self) -> list[str]:
        return [change.kind.name for change in self.changes]

    async def listed(self) -> Seen:
        """What `studies` answers now."""
        context, condition = self.context(), condition_of(self.filter)
        list_query = list_query_of(context.access_scope, self.archives, condition, ())
        listing = Listing(list_query.scopes, Level.STUDY, condition)
        rows = await nodes.page(context.database, listing, Window(1000))
        return {row["uid"]: _facts(row) for row in rows}


def _facts(row: Row) -> tuple[Any, ...]:
    return (
        row["modalities"],
        row["number_of_series"],
        row["number_of_instances"],
        row["study_date"],
        row["patient_id"],
    )


async def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Returns when it holds, or after so long: the caller then says what is wrong."""
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:  # noqa: ASYNC110
        await asyncio.sleep(0.02)


@asynccontextmanager
async def following(*followers: Follower) -> AsyncIterator[None]:
    """All of them at once, from now on: whatever is written in the block, they are told."""
    tasks = [asyncio.create_task(each.follow(await _now(each))) for each in followers]
    try:
        yield
    finally:
        ended = [task for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for task in ended:
            task.result()  # what ended it


async def _now(follower: Follower) -> str:
    from reads.changes import changes_cursor

    return await changes_cursor(follower.context())
