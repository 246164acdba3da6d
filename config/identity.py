"""The settings ERNFED_AUTH_*, checked against each other: which provider says who somebody is."""

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from config.settings import Settings, SettingsError


@dataclass(frozen=True, slots=True)
class Client:
    """Signing in with a browser: what the provider knows this server as."""

    client_id: str
    secret: str | None = field(repr=False)
    scopes: str
    resource: str | None


@dataclass(frozen=True, slots=True)
class Provider:
    """An OpenID provider whose access tokens are taken.

    public_url: where browsers reach this server; None on loopback, where their own word is taken.
    plain_jwt: access tokens need not say that they are some (RFC 9068, `typ`).
    """

    issuer: str
    audience: str
    jwks_url: str | None = None
    groups_claim: str | None = None
    plain_jwt: bool = False
    client: Client | None = None
    public_url: str | None = None


def provider_of(settings: Settings) -> Provider | None:
    """None without ERNFED_AUTH_ISSUER. Raises SettingsError."""
    if settings.auth_issuer is None:
        for name in ("audience", "jwks_url", "client_id", "groups_claim"):
            if getattr(settings, f"auth_{name}") is not None:
                raise SettingsError(
                    f"ERNFED_AUTH_{name.upper()}: has no effect without ERNFED_AUTH_ISSUER; set that too"
                )
        return None
    if not settings.auth_audience:
        raise SettingsError(
            "ERNFED_AUTH_AUDIENCE: is needed with ERNFED_AUTH_ISSUER: the `aud` that the provider writes "
            "into access tokens for this server. Without it, tokens meant for other services would be taken."
        )
    for name in ("auth_issuer", "auth_jwks_url", "public_url"):
        _check_url(name, getattr(settings, name))
    return Provider(
        issuer=settings.auth_issuer,
        audience=settings.auth_audience,
        jwks_url=settings.auth_jwks_url,
        groups_claim=settings.auth_groups_claim,
        plain_jwt=settings.auth_plain_jwt,
        client=_client(settings),
        public_url=settings.public_url.rstrip("/") if settings.public_url else None,
    )


def is_safe_url(url: str) -> bool:
    """https, or http to this machine: a key or a token that comes over plain HTTP can be anybody's."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback_name(host))


def _is_loopback_name(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_url(name: str, url: str | None) -> None:
    if url is not None and not is_safe_url(url):
        raise SettingsError(
            f"ERNFED_{name.upper()}: expected an https:// URL (http:// to this machine only), "
            "without credentials and #"
        )
    if url is not None and name == "public_url" and urlsplit(url).path.strip("/"):
        raise SettingsError("ERNFED_PUBLIC_URL: expected a URL without a path: cookies are for a whole host")


def _client(settings: Settings) -> Client | None:
    if settings.auth_client_id is None:
        return None
    if settings.public_url is None and not _is_loopback_name(settings.host):
        raise SettingsError(
            "ERNFED_PUBLIC_URL: is needed with ERNFED_AUTH_CLIENT_ID: the https:// URL that browsers use; "
            "the provider sends them back to <that>/auth/callback"
        )
    secret = _secret(
        "ERNFED_AUTH_CLIENT_SECRET", settings.auth_client_secret, settings.auth_client_secret_file
    )
    if "openid" not in settings.auth_scopes.split():
        raise SettingsError('ERNFED_AUTH_SCOPES: expected "openid" among them, such as "openid profile"')
    return Client(settings.auth_client_id, secret, settings.auth_scopes, settings.auth_resource)


def _secret(name: str, value: SecretStr | None, file: Path | None) -> str | None:
    if value is not None:
        return value.get_secret_value()
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{name}_FILE: cannot read {file}: {error.strerror}") from None
