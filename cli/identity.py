"""Who may ask: the settings and archives.toml made into the Identity of a server, also the demo's."""

from collections.abc import Callable, Iterable

from api.auth import Identity
from api.demo_issuer import DemoIssuer
from api.identity import Routes, open_identity
from api.sealing import Sealer
from config.access_file import AccessRules
from config.identity import provider_of
from config.settings import Settings
from db.pool import Database
from db.secrets import shared_secret
from resolvers.context import Services


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
    return identity, (*routes, *(issuer.routes() if issuer else ()))
