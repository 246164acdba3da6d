"""Who may ask: the settings and archives.toml made into the Identity of a server, also the demo's."""

from collections.abc import Callable, Iterable

import structlog

from api.identity.auth import Identity
from api.identity.opening import Routes, open_identity
from api.identity.sealing import Sealer
from cli.demo.issuer import DemoIssuer
from config.access_file import AccessRules
from config.identity import provider_of
from config.settings import Settings
from db.pool import Database
from db.secrets import shared_secret
from resolvers.context import Services

_log = structlog.get_logger(__name__)


async def identity_of(
    settings: Settings,
    database: Database,
    services: Services,
    rules: Callable[[], AccessRules],
    issuer: DemoIssuer | None,
) -> tuple[Identity, Routes]:
    """Who is asking, and the routes for signing in. With the demo's `issuer` nobody needs to. Raises SettingsError."""

    def erns() -> Iterable[str]:
        return (row.ern for row in services.directory)

    provider = issuer.provider() if issuer else provider_of(settings)
    key = await shared_secret(database, "sessions", Sealer.new_key)
    identity, routes = open_identity(erns, provider, rules, key, open_here=issuer is not None)
    # Not asked of the demo's own, which answers with this server. Another may come later: the start goes on.
    if provider is not None and issuer is None and (problem := await identity.problem()) is not None:
        _log.error(
            "auth.issuer_not_ready",
            issuer=provider.issuer,
            problem=problem,
            hint="nobody is let in until it answers: check ERNFED_AUTH_ISSUER, and that this machine reaches it",
        )
    return identity, (*routes, *(issuer.routes() if issuer else ()))
