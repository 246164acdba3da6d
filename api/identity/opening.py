"""Putting it together: from settings to the Identity of a server, and the paths for signing in."""

from collections.abc import Awaitable, Callable, Iterable

from starlette.routing import BaseRoute

from api.identity.auth import Identity
from api.identity.jwks import ProviderKeys
from api.identity.login import SignIn
from api.identity.provider import Fetch, discover, get_json
from api.identity.sealing import Sealer
from api.identity.sessions import Sessions
from api.identity.tokens import Tokens
from config.access_file import AccessRules
from config.identity import Provider

Routes = tuple[BaseRoute, ...]


def open_identity(
    erns: Callable[[], Iterable[str]],
    provider: Provider | None,
    rules: Callable[[], AccessRules],
    session_key: bytes,
    *,
    open_here: bool = False,
    fetch: Fetch = get_json,
) -> tuple[Identity, Routes]:
    """Who is asking, and the routes that this needs.

    erns, rules: the ERNs of the federation and what they let whom see, as they are now.
    provider: None for a server on loopback where everyone is everyone_here.
    session_key: 32 bytes that all processes share (api.identity.sealing.Sealer.new_key, db.secrets.shared_secret).
    open_here: somebody without a token is everyone_here, also with a provider: for the demo.
    """
    if provider is None:
        return Identity(erns), ()
    tokens = Tokens(provider, ProviderKeys(_key_url(provider, fetch), fetch))
    if provider.client is None:
        return Identity(erns, rules=rules, provider=provider, tokens=tokens, open_here=open_here), ()
    sessions = Sessions(Sealer(session_key), provider)
    identity = Identity(
        erns, rules=rules, provider=provider, tokens=tokens, sessions=sessions, open_here=open_here
    )
    return identity, SignIn(provider, provider.client, tokens, sessions).routes()


def _key_url(provider: Provider, fetch: Fetch) -> Callable[[], Awaitable[str]]:
    async def url() -> str:
        return provider.jwks_url or (await discover(provider.issuer, fetch)).jwks_url

    return url
