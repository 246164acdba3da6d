"""What a request has at hand: the services of the process, who asks, and the loaders of this request."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from access.audit import Touched
from access.scope import Scope, ScopedArchive, Viewer, scope_of
from archives.client import ArchiveClient
from archives.errors import NotSupported
from archives.registry import Archives
from config.settings import Settings
from db.archives import ArchiveRow, list_archives
from db.nodes import data_set
from db.pool import Database
from db.secrets import shared_secret
from model.cursors import Cursors
from model.dicom_json import DataSet
from resolvers.loaders import Loaders
from resolvers.on_demand import OnDemand
from resolvers.values import has_all


@dataclass(frozen=True, slots=True)
class Services:
    """What lives as long as the process."""

    database: Database
    archives: Archives
    settings: Settings
    directory: tuple[ArchiveRow, ...]
    cursors: Cursors
    on_demand: OnDemand

    @classmethod
    async def open(cls, database: Database, archives: Archives, settings: Settings) -> "Services":
        """Reads the directory of archives and the key of cursors; `archives` are registered already."""
        directory = tuple(row for row in await list_archives(database) if row.enabled)
        codes = {row.archive_id: row.code for row in directory}

        def client_of(archive_id: int) -> ArchiveClient:
            client = archives.get(codes[archive_id])
            if client is None:
                raise NotSupported("this process has no connection to the archive; restart it")
            return client

        key = await shared_secret(database, "cursors", Cursors.new_key)
        return cls(
            database,
            archives,
            settings,
            directory,
            Cursors(key, settings.cursor_lifetime_hours),
            OnDemand(database, client_of),
        )

    async def close(self) -> None:
        await self.on_demand.close()


@dataclass(slots=True)
class Context:
    """One request."""

    services: Services
    viewer: Viewer
    scope: Scope
    loaders: Loaders
    warnings: dict[str, str] = field(default_factory=dict)
    _archives: "asyncio.Task[dict[int, ArchiveRow]] | None" = field(default=None)

    @classmethod
    def for_request(cls, services: Services, viewer: Viewer) -> "Context":
        """`viewer`: who is asking, as the server found out (api/auth.py)."""
        scope = scope_of(
            viewer, (ScopedArchive(row.archive_id, row.code, row.ern) for row in services.directory)
        )
        loaders = Loaders(services.database, scope, services.on_demand)
        return cls(services, viewer, scope, loaders)

    @property
    def touched(self) -> Touched:
        """What the answer shows so far, for its audit line."""
        return self.loaders.touched

    async def archives(self) -> dict[int, ArchiveRow]:
        """The visible archives by archive_id, as the database has them now; read once a request."""
        if self._archives is None:
            self._archives = asyncio.ensure_future(self._read_archives())
        return await self._archives

    async def data_set_of_instance(self, uid: str, names: Sequence[str] | None) -> DataSet:
        """The data set of an instance, whole where a name asks for more than the index holds."""
        copies = await self.loaders.data_sets_by_instance.load(uid)
        known = data_set(copies[0]) if copies else {}
        if names is not None and has_all(known, names):
            return known
        whole, error = await self.loaders.whole_data_set_by_instance.load(uid)
        if error is not None:
            self.warnings[error.code] = f"Some attributes of instances are missing: {error.message}"
        return whole

    async def _read_archives(self) -> dict[int, ArchiveRow]:
        visible = set(self.scope.visible_ids)
        rows = await list_archives(self.services.database)
        return {row.archive_id: row for row in rows if row.archive_id in visible}
