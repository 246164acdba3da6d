"""What lives as long as the process, and is read through by every request."""

from dataclasses import dataclass, field

from access.scope import AccessScope, ScopedArchive, Viewer, access_scope_of
from access.small_counts import Policies, Policy, new_secret
from archives.client import ArchiveClient
from archives.errors import NotSupported
from archives.registry import Archives
from config.access_file import AccessRules
from config.settings import Settings
from config.viewer import ViewerLinks
from db.pool import Database
from db.scoped import ScopedDatabase
from db.secrets import shared_secret
from model.cursors import Cursors
from reads.directory import Directory
from reads.pace import Pace
from reads.subscribers import Subscribers
from refresh.live import Live
from refresh.on_demand import OnDemand


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
    rules: RulesNow
    viewer_links: ViewerLinks | None = None
    """What opens a study in a viewer of images; None where no viewer is installed."""
    pace: Pace = field(default_factory=Pace)

    @classmethod
    async def open(
        cls,
        owner: Database,
        archives: Archives,
        settings: Settings,
        rules: AccessRules | None = None,
        viewer_links: ViewerLinks | None = None,
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
            viewer_links,
        )

    def access_scope_of(self, viewer: Viewer) -> AccessScope:
        """What a viewer may see of the archives that there are now."""
        return access_scope_of(
            viewer, (ScopedArchive(row.archive_id, row.code, row.ern) for row in self.directory)
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


def _small_counts(settings: Settings, rules: AccessRules) -> Policies:
    default = Policy(settings.small_count, settings.small_count_deviation)
    return Policies(default, _own_policies(settings, rules))


def _own_policies(settings: Settings, rules: AccessRules) -> dict[str, Policy]:
    return {
        ern: Policy(threshold, settings.small_count_deviation)
        for ern, threshold in rules.small_counts.items()
    }
