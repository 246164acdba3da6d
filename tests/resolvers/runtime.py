"""The whole service in this process: the served schema over HTTP on a loaded index, and what an ask costs."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from access.scope import AccessLevel, Grant, Viewer, everyone_here
from api.app import create_app
from archives.client import ArchiveClient
from archives.meter import metered as upstream_metered
from archives.registry import Archives
from config.access_file import AccessRules
from config.archives_file import ArchiveConfig
from config.settings import Settings
from db.pool import Connection, Database
from db.pool import metered as database_metered
from db.writing import ingest
from model.attributes import Level
from model.dicom_json import parse
from reads.services import Services
from resolvers.context import Context
from resolvers.schema import schema
from tests.federation import Federation
from tests.resolvers.memory_archive import MemoryArchive

CONFIGS = [
    ArchiveConfig(code=f"a{n}", ern=ern, title=f"Archive of {ern}", kind="folder")
    for n, ern in enumerate(("ERN-EYE", "ERN-RND", "VASCERN"))
]
KEY = bytes(range(64))
"""The key of cursors, fixed so that golden answers are."""


@dataclass(slots=True)
class Answer:
    """What came back, and what it cost: statements by name and upstream requests by archive."""

    status: int
    body: dict[str, Any]
    statements: list[str]
    requests: dict[str, int]

    @property
    def data(self) -> Any:
        return self.body.get("data")

    @property
    def errors(self) -> list[dict[str, Any]]:
        return self.body.get("errors") or []

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.errors]


@dataclass
class Runtime:
    """Services on a database. `access`: what the asker may see of the ERN of an archive, by code; else FULL.

    viewer: who asks, where that is somebody in particular.
    """

    services: Services
    archives: list[MemoryArchive] = field(default_factory=list)
    access: dict[str, AccessLevel] = field(default_factory=dict)
    viewer: Viewer | None = None

    def __post_init__(self) -> None:
        app = create_app(schema, self._context, readiness=self._ready)
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://ernfed.test", timeout=60
        )

    def without(self, *codes: str) -> "Runtime":
        """The same services for somebody who may not see these archives."""
        return self.seeing(**dict.fromkeys(codes, AccessLevel.NONE))

    def seeing(self, **access: AccessLevel) -> "Runtime":
        """The same services for somebody with this access to archives, by code."""
        return replace(self, access=access)

    def asked_by(self, viewer: Viewer) -> "Runtime":
        """The same services for this person."""
        return replace(self, viewer=viewer)

    async def ask(self, query: str, variables: dict[str, Any] | None = None) -> Answer:
        """One request through the application as it is served."""
        content = json.dumps({"query": query, "variables": variables})
        async with database_metered() as database:
            with upstream_metered() as upstream:
                response = await self._client.post(
                    "/graphql", content=content, headers={"Content-Type": "application/json"}
                )
        return Answer(response.status_code, response.json(), database.statements, dict(upstream.by_archive))

    async def data(self, query: str, variables: dict[str, Any] | None = None) -> Any:
        """The data of an ask that has no errors."""
        answer = await self.ask(query, variables)
        assert answer.errors == [], answer.errors
        return answer.data

    def archive_id(self, code: str) -> int:
        return next(row.archive_id for row in self.services.directory if row.code == code)

    async def _context(self, _request: object) -> Context:
        if self.viewer is not None:
            return Context.for_request(self.services, self.viewer)
        grants = tuple(
            Grant(row.ern, level)
            for row in self.services.directory
            if (level := self.access.get(row.code, AccessLevel.FULL)) is not AccessLevel.NONE
        )
        if not self.access:
            return Context.for_request(self.services, everyone_here(grant.ern for grant in grants))
        return Context.for_request(self.services, Viewer("tester", None, grants))

    async def _ready(self) -> dict[str, str]:
        return {}


async def open_services(
    database: Database, clients: Iterable[ArchiveClient] = (), rules: AccessRules | None = None
) -> Services:
    """Services whose cursors have the fixed key."""
    await database.execute("secret", "insert into secret values ('cursors', $1) on conflict do nothing", KEY)
    return await Services.open(database, Archives(clients), Settings(statement_timeout=60), rules)


async def load_down_to(database: Database, made: Federation, level: Level) -> None:
    """Writes a federation to the index as a run that stops at `level` would."""
    levels = list(Level)[: list(Level).index(level) + 1]

    async def work(connection: Connection) -> None:
        for archive_id in made.archive_ids:
            for each in levels:
                records, _ = parse(each, made.rows.get((archive_id, each), []))
                await _STORES[each](connection, archive_id, records)
        await ingest.derive(connection, made.study_uids())
        stamps: Sequence[str] = (
            "study set series_synced_at = now()",
            "series set instances_synced_at = now()",
        )
        for stamp in stamps[: len(levels) - 1]:
            await connection.execute(f"update {stamp}")
        await connection.execute("update archive set last_completed_at = now()")

    await ingest.write(database, "load", work)


_STORES: dict[Level, Any] = {
    Level.STUDY: ingest.store_studies,
    Level.SERIES: ingest.store_series,
    Level.INSTANCE: ingest.store_instances,
}
