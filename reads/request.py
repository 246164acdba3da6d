"""One request, whatever the face: who asks, what they may see, what is read once for all of it, what it has to say."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Self

from access.audit import Touched
from access.scope import AccessScope, Viewer
from db.archives import ArchiveRow, IndexState, index_states, list_archives
from db.declared import DeclaredState, declared_states
from db.indexing.jobs import JobState, job_states
from db.indexing.removals import WaitingRemoval, waiting
from db.pool import Reader
from db.statements import Schema
from db.writing.data_sets import searched_only
from model.cursors import Cursors
from model.errors import EventsExpired
from reads.services import Services
from refresh.single_flight import SingleFlight


@dataclass
class Request:
    """One request. touched: what the answer shows so far, for its audit line. warnings: by code."""

    services: Services
    viewer: Viewer
    access_scope: AccessScope
    database: Reader
    viewer_now: Callable[[], Viewer] | None = None
    """What the same person may see by now; None where nothing changes that."""
    touched: Touched = field(default_factory=Touched)
    warnings: dict[str, str] = field(default_factory=dict)
    slow: set[str] = field(default_factory=set)
    """Attributes that filters of this request look at without an index."""
    unasked: dict[str, set[str]] = field(default_factory=dict)
    """Codes of archives that were not asked, by the code of the reason."""
    cursors: Cursors = field(init=False)
    """Of pages of lists, for this viewer alone."""
    once: SingleFlight[object, object] = field(init=False)
    """What is read once, however many parts of the answer want it."""

    def __post_init__(self) -> None:
        self.cursors = self.services.cursors.of(self.viewer.subject)
        self._begin()

    def _begin(self) -> None:
        self.once = SingleFlight(remembers=True)

    @classmethod
    def for_request(
        cls, services: Services, viewer: Viewer, viewer_now: Callable[[], Viewer] | None = None
    ) -> Self:
        """`viewer`: who is asking, as the server found out."""
        access_scope = services.access_scope_of(viewer)
        return cls(services, viewer, access_scope, services.database.within(access_scope), viewer_now)

    def still_holds(self) -> bool:
        """False where the viewer may by now see more or less than when this began."""
        now = self.viewer_now() if self.viewer_now is not None else self.viewer
        return now == self.viewer and self.services.access_scope_of(now) == self.access_scope

    def renew(self) -> None:
        """Forgets what was read, for the next event of a stream. Raises EventsExpired where the viewer may by
        now see more or less than when it began."""
        if not self.still_holds():
            raise EventsExpired("What you may see has changed: list again, then subscribe anew.")
        self.warnings.clear()
        self.slow.clear()
        self.unasked.clear()
        self._begin()

    async def archives(self) -> dict[int, ArchiveRow]:
        """The visible archives by archive_id, as the database has them now."""
        return await self.once.shared("archives", self._read_archives)

    async def declared(self) -> list[DeclaredState]:
        """Declared attributes and how far their indexes are."""
        return await self.once.shared("declared", partial(declared_states, self.database))

    async def index_state(self, archive_id: int) -> IndexState:
        """How far an archive's index has come."""
        states = await self.once.shared("index_states", partial(index_states, self.database, Schema.SCOPED))
        return states.get(archive_id, IndexState())

    async def job_state(self, archive_id: int) -> JobState:
        """When an archive is due, and its job."""
        states = await self.once.shared("job_states", partial(job_states, self.database))
        return states.get(archive_id, JobState())

    async def searched_only(self) -> dict[int, int]:
        """By archive: instances of which the index has no whole data set."""
        return await self.once.shared("searched_only", partial(searched_only, self.database, Schema.SCOPED))

    async def removals(self) -> dict[int, WaitingRemoval]:
        """What waits to be confirmed, by archive_id: for administrators."""
        return await self.once.shared("removals", partial(waiting, self.services.owner))

    async def _read_archives(self) -> dict[int, ArchiveRow]:
        access_scope = self.access_scope
        visible = {*access_scope.full_ids, *access_scope.pseudonymised_ids, *access_scope.counted_ids}
        rows = await list_archives(self.database, Schema.SCOPED)
        return {row.archive_id: row for row in rows if row.archive_id in visible}
