"""What requests to /graphql may ask for by the settings, and what that comes to for one request.

Limits that are no settings are limits.py's.
"""

from contextvars import ContextVar
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection
from strawberry import Schema

from api.document.introspection import Introspection, may_introspect
from api.document.limits import MAX_BODY_BYTES, MAX_COST
from api.document.persisted import Persisted, persisted_of
from config.persisted_operations import load_persisted_operations
from config.settings import Settings
from resolvers.engine import core_schema

COST_HEADER = "x-ernfed-cost"


@dataclass(frozen=True, slots=True)
class Permit:
    """What the request that this task answers may. tells_cost: its answer says what it cost."""

    introspection: bool = False
    any_document: bool = False
    tells_cost: bool = False


permit: ContextVar[Permit] = ContextVar("permit", default=Permit())  # noqa: B039  it is frozen
"""Set for each request to /graphql and each operation of a WebSocket, once it is known who asks."""


@dataclass(frozen=True, slots=True)
class Rules:
    """max_cost: of one operation (cost.py). max_body: bytes of a request, or of a message of a WebSocket."""

    max_cost: int = MAX_COST
    max_body: int = MAX_BODY_BYTES
    introspection: Introspection = "on"
    persisted: Persisted = field(default_factory=Persisted)

    def permit(self, connection: HTTPConnection) -> Permit:
        return Permit(
            introspection=may_introspect(self.introspection, connection),
            any_document=self.persisted.takes_any(connection),
            tells_cost=connection.headers.get(COST_HEADER) == "1",
        )


def rules_of(settings: Settings, schema: Schema) -> Rules:
    """Raises SettingsError."""
    documents = load_persisted_operations(settings)
    by_issuer: Introspection = "on" if settings.auth_issuer is None else "signed-in"
    return Rules(
        max_cost=settings.max_cost,
        max_body=settings.max_body_bytes,
        introspection=settings.introspection or by_issuer,
        persisted=persisted_of(documents, settings.operations, core_schema(schema)),
    )
