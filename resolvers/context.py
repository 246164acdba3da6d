"""What a request has at hand: the services of the process, who asks, and the loaders of this request."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from strawberry.dataloader import DataLoader

from access.audit import Touched
from access.scope import AccessScope, Projection, ScopedArchive, Viewer, access_scope_of
from access.small_counts import Policies, Policy, new_secret
from archives.client import ArchiveClient
from archives.errors import NotSupported
from archives.registry import Archives
from config.access_file import AccessRules
from config.settings import Settings
from db.archives import SCOPED, ArchiveRow, IndexState, index_states, list_archives
from db.cohorts import cohorts
from db.declared import DeclaredState, declared_states
from db.indexing.jobs import JobState, job_states
from db.indexing.removals import Waiting, waiting
from db.lists.nodes import Row, data_set, key_of
from db.pool import Database, Reader
from db.scoped import ScopedDatabase
from db.secrets import shared_secret
from db.writing.data_sets import searched_only
from model.attributes import Level
from model.cursors import Cursors
from model.dicom_json import DataSet
from model.errors import EventsExpired
from reads.directory import Directory
from reads.subscribers import Subscribers
from refresh.live import Live
from refresh.on_demand import OnDemand
from refresh.once import Once
from resolvers.archives.archive import Count
from resolvers.cohort_scope import person_of
from resolvers.info import Info
from resolvers.pace import Pace, is_below_a_list, is_plain
from resolvers.records.loaders import Loaders, VersionLists
from resolvers.records.values import has_all


@dataclass(slots=True)
class RulesNow:
    """What archives.toml says of networks, as of its last good state."""

    now: AccessRules


@dataclass(frozen=True, slots=True)
class Services:
    """What lives as long as the process."""

    owner: Database
    database: ScopedDatabase
    archives: Archives
    settings: Settings
    directory: Directory
    cursors: Cursors
    small_counts_secret: bytes
    small_counts: Policies
    on_demand: OnDemand
    live: Live
    subscribers: Subscribers
    rules: "RulesNow"
    pace: Pace = field(default_factory=Pace)

    @classmethod
    async def open(
        cls, owner: Database, archives: Archives, settings: Settings, rules: AccessRules | None = None
    ) -> "Services":
        """Reads the directory of archives and the key of cursors; `archives` are registered already.

        rules: what each ERN says in archives.toml, at first (`follow`).

        `owner` writes what is fetched on demand. Viewers read within the session scope, on connections opened here.
        Raises DatabaseUnreachable.
        """
        directory = Directory(owner)
        await directory.refresh()

        def client_of(archive_id: int) -> ArchiveClient:
            client = archives.get(directory.code_of(archive_id) or "")
            if client is None:
                raise NotSupported("the archive was removed or changed just now; ask again")
            return client

        key = await shared_secret(owner, "cursors", Cursors.new_key)
        timeout_ms = round(settings.statement_timeout * 1000)
        return cls(
            owner,
            await ScopedDatabase.open(
                owner.url, size=settings.read_pool_size, statement_timeout_ms=timeout_ms
            ),
            archives,
            settings,
            directory,
            Cursors(key, settings.cursor_lifetime_hours),
            await shared_secret(owner, "small_counts", new_secret),
            _small_counts(settings, rules or AccessRules()),
            OnDemand(owner, client_of),
            Live(owner, client_of),
            Subscribers.of(owner, settings),
            RulesNow(rules or AccessRules()),
        )

    def follow(self, rules: AccessRules) -> None:
        """What ERNs say has changed: its thresholds of small counts hold from now on, and streams of those who may
        see something else by now end."""
        self.rules.now = rules
        self.small_counts.follow(_own_policies(self.settings, rules))
        self.subscribers.listener.ring_all()

    async def close(self) -> None:
        await self.subscribers.close()
        await self.on_demand.close()
        await self.live.close()
        await self.database.close()


def _access_scope(services: Services, viewer: Viewer) -> AccessScope:
    return access_scope_of(
        viewer, (ScopedArchive(row.archive_id, row.code, row.ern) for row in services.directory)
    )


def _small_counts(settings: Settings, rules: AccessRules) -> Policies:
    default = Policy(settings.small_count, settings.small_count_deviation)
    return Policies(default, _own_policies(settings, rules))


def _own_policies(settings: Settings, rules: AccessRules) -> dict[str, Policy]:
    return {
        ern: Policy(threshold, settings.small_count_deviation)
        for ern, threshold in rules.small_counts.items()
    }


@dataclass(slots=True)
class Context:
    """One request."""

    services: Services
    viewer: Viewer
    access_scope: AccessScope
    database: Reader
    loaders: dict[Projection, Loaders]
    viewer_now: Callable[[], Viewer] | None = None
    """What the same person may see by now; None where nothing changes that."""
    warnings: dict[str, str] = field(default_factory=dict)
    slow: set[str] = field(
        default_factory=set
    )  # attributes that filters of this request look at without an index
    unasked: dict[str, set[str]] = field(default_factory=dict)
    """Codes of archives that were not asked, by the code of the reason."""
    made: int = 0
    """Nodes of the answer so far."""
    _plain: dict[int, bool] = field(default_factory=dict)
    cursors: Cursors = field(init=False)
    """Of pages of lists, for this viewer alone."""
    declared: Once[list[DeclaredState]] = field(init=False)
    """Declared attributes and how far their indexes are."""
    archives: Once[dict[int, ArchiveRow]] = field(init=False)
    """The visible archives by archive_id, as the database has them now."""
    totals: dict[Level, Once[dict[str, Count]]] = field(init=False)
    """How many nodes each archive has, by its code (coverage.py)."""
    represented: dict[Level, Once[dict[str, Count]]] = field(init=False)
    """Of how many a representative tells."""
    removals: Once[dict[int, Waiting]] = field(init=False)
    """What waits to be confirmed, by archive_id: for administrators."""
    version_lists: VersionLists = field(init=False)
    cohort_by_id: DataLoader[UUID, cohorts.Cohort | None] = field(init=False)
    """By the key of a cohort or of one of its versions; None where the viewer may not open it."""
    shares_by_cohort: DataLoader[UUID, list[tuple[str, str]]] = field(init=False)
    """With whom each of the viewer's own cohorts is shared."""
    _index_states: Once[dict[int, IndexState]] = field(init=False)
    _job_states: Once[dict[int, JobState]] = field(init=False)
    _searched_only: Once[dict[int, int]] = field(init=False)

    def __post_init__(self) -> None:
        self.cursors = self.services.cursors.of(self.viewer.subject)
        self._begin()

    def _begin(self) -> None:
        self.declared = Once(partial(declared_states, self.database))
        self.archives = Once(self._read_archives)
        self.totals = {}
        self.removals = Once(partial(waiting, self.services.owner))
        self.represented = {}
        self.version_lists = VersionLists(self.database)
        self.cohort_by_id = DataLoader(load_fn=self._read_cohorts)
        self.shares_by_cohort = DataLoader(load_fn=self._read_shares)
        self._index_states = Once(partial(index_states, self.database, SCOPED))
        self._job_states = Once(partial(job_states, self.database))
        self._searched_only = Once(partial(searched_only, self.database, SCOPED))

    @classmethod
    def for_request(
        cls, services: Services, viewer: Viewer, viewer_now: Callable[[], Viewer] | None = None
    ) -> "Context":
        """`viewer`: who is asking, as the server found out (api/identity/auth.py)."""
        access_scope = _access_scope(services, viewer)
        database = services.database.within(access_scope)
        touched = Touched()
        loaders = {
            scope.projection: Loaders(database, scope, services.on_demand, touched)
            for scope in access_scope.projections
        }
        return cls(services, viewer, access_scope, database, loaders, viewer_now)

    @property
    def touched(self) -> Touched:
        """What the answer shows so far, for its audit line."""
        return self.loaders[Projection.IDENTIFIED].touched

    def still_holds(self) -> bool:
        """False where the viewer may by now see more or less than when this began."""
        now = self.viewer_now() if self.viewer_now is not None else self.viewer
        return now == self.viewer and _access_scope(self.services, now) == self.access_scope

    def renew(self) -> None:
        """Forgets what was read, for the next event of a stream. Raises EventsExpired where the viewer may by
        now see more or less than when it began."""
        if not self.still_holds():
            raise EventsExpired("What you may see has changed: list again, then subscribe anew.")
        for scope in self.access_scope.projections:
            self.loaders[scope.projection] = Loaders(
                self.database, scope, self.services.on_demand, self.loaders[scope.projection].touched
            )
        self.warnings.clear()
        self.slow.clear()
        self.unasked.clear()
        self._begin()

    def may_wait(self, info: Info) -> bool:
        """Whether the nodes of the list that is being answered may be made later than those of other lists."""
        raw = info._raw_info
        if not is_below_a_list(raw.path):
            return True
        if (known := self._plain.get(id(raw.field_nodes[0]))) is None:
            known = all(is_plain(each.selection_set, raw.fragments) for each in raw.field_nodes)
            self._plain[id(raw.field_nodes[0])] = known
        return known

    def loaders_of(self, row: Row) -> Loaders:
        """The loaders of the projection that a node's row belongs to."""
        return self.loaders[Projection(row["projection"])]

    async def data_set_of_instance(self, row: Row, names: Sequence[str] | None) -> DataSet:
        """The data set of an instance, whole where a name asks for more than the index holds."""
        loaders, key = self.loaders_of(row), key_of(row, Level.INSTANCE)
        copies = await loaders.data_sets[Level.INSTANCE].load(key)
        known = data_set(copies[0]) if copies else {}
        if names is not None and has_all(known, names):
            return known
        whole, error = await loaders.whole_data_set_by_instance.load(key)
        if error is not None:
            why = (
                error.message
                if Projection(row["projection"]) is Projection.IDENTIFIED
                else "the archive did not answer as it should."
            )
            self.warnings[error.code] = f"Some attributes of instances are missing: {why}"
        return whole

    async def index_state(self, archive_id: int) -> IndexState:
        """How far an archive's index has come; read once a request."""
        return (await self._index_states()).get(archive_id, IndexState())

    async def job_state(self, archive_id: int) -> JobState:
        """When an archive is due, and its job; read once a request."""
        return (await self._job_states()).get(archive_id, JobState())

    async def searched_only(self) -> dict[int, int]:
        """By archive: instances of which the index has no whole data set; read once a request."""
        return await self._searched_only()

    async def _read_cohorts(self, keys: list[UUID]) -> list[cohorts.Cohort | None]:
        found = await cohorts.opened(self.services.owner, person_of(self.viewer), keys)
        by_key = {
            key: each for each in found for key in (each.cohort_id, *(v.version_id for v in each.versions))
        }
        return [by_key.get(key) for key in keys]

    async def _read_shares(self, cohort_ids: list[UUID]) -> list[list[tuple[str, str]]]:
        found = await cohorts.shares(self.services.owner, person_of(self.viewer), cohort_ids)
        return [found[each] for each in cohort_ids]

    async def _read_archives(self) -> dict[int, ArchiveRow]:
        access_scope = self.access_scope
        visible = {*access_scope.full_ids, *access_scope.pseudonymised_ids, *access_scope.counted_ids}
        rows = await list_archives(self.database, SCOPED)
        return {row.archive_id: row for row in rows if row.archive_id in visible}
