"""The people who ask, and the application as it is served to them: an issuer, audit lines, logs, metrics."""

import functools
import io
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from access.scope import AccessLevel
from api.app import create_app
from api.identity.auth import Connection, viewer_of_request
from api.identity.opening import open_identity
from api.identity.sealing import Sealer
from api.logging import configure_logging
from config.access_file import AccessRules, ErnPolicy
from config.identity import Client
from db.audit.log import AUDIT_SESSION, AuditLog
from db.pool import Database
from db.pool import metered as database_metered
from db.ready import problems
from resolvers.context import Context
from resolvers.schema import schema
from tests.api.identity.signing import FakeProvider, bearer, token_of
from tests.leaks.seeded import ERNS, Seeded

_EURACAN, _RND, _EYE, _VASC = ERNS
_WORDS = {
    "counts": dict.fromkeys(ERNS, "counts"),
    "pseudonymised": dict.fromkeys(ERNS, "pseudonymised"),
    "mixed": {_EYE: "full", _RND: "pseudonymised", _VASC: "counts"},
    "full": dict.fromkeys(ERNS, "full"),
    "another": dict.fromkeys(ERNS, "full"),
}
PEOPLE = ("nobody", "counts", "pseudonymised", "mixed", "full")
"""nobody: without a token. mixed: FULL, PSEUDONYMISED, COUNTS and nothing, each on one network."""


def access_of(person: str) -> Mapping[str, AccessLevel]:
    return {ern: AccessLevel(word.upper()) for ern, word in _WORDS.get(person, {}).items()}


@dataclass(frozen=True, slots=True)
class Reply:
    """Everything that came back, and the names of the statements it took."""

    status: int
    body: bytes
    head: str
    statements: tuple[str, ...]


@dataclass
class Served:
    """The application; `logs` is what it wrote so far."""

    client: httpx.AsyncClient
    logs: io.StringIO
    audit: AuditLog

    async def send(self, person: str, method: str, path: str, **more: Any) -> Reply:
        headers = dict(more.pop("headers", {}))
        if person in _WORDS:
            headers |= bearer(_token(person))
        async with database_metered() as database:
            answer = await self.client.request(method, path, headers=headers, **more)
        return Reply(answer.status_code, answer.content, repr(answer.headers), tuple(database.statements))

    async def ask(self, person: str, query: str, variables: dict[str, Any] | None = None) -> Reply:
        stream = {"accept": "text/event-stream"} if query.startswith("subscription") else {}
        asked = {"query": query, "variables": variables}
        return await self.send(person, "POST", "/graphql", json=asked, headers=stream)


@functools.cache
def _token(person: str) -> str:
    grants = {ern: [word, "admin", "export"] for ern, word in _WORDS[person].items()}
    return token_of(sub=person, name=person, ern_grants=grants)


@asynccontextmanager
async def served(seeded: Seeded) -> AsyncIterator[Served]:
    """The application of `ernfed serve` with an issuer, in this process; logging is for the caller to reset."""
    logs = io.StringIO()
    configure_logging("debug", logs)
    fake = FakeProvider(client=Client("explorer", None, "openid", None), public_url="https://ernfed.test")
    rules = AccessRules(ErnPolicy(others="none"))
    identity, routes = open_identity(
        lambda: ERNS, fake.provider, lambda: rules, Sealer.new_key(), fetch=fake.fetch
    )

    async def context(request: Connection) -> Context:
        return Context.for_request(seeded.services, viewer_of_request(request))

    lines = await Database.open(seeded.database.url, max_size=1, session=AUDIT_SESSION)
    audit = await AuditLog.open(lines)
    ready = functools.partial(problems, seeded.database)
    app = create_app(schema, context, identity=identity, readiness=ready, audit=audit, routes=routes)
    transport = httpx.ASGITransport(app, client=("192.0.2.77", 5))
    async with httpx.AsyncClient(transport=transport, base_url="https://ernfed.test", timeout=60) as client:
        yield Served(client, logs, audit)
    await audit.close()
    await lines.close()
