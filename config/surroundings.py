"""The settings of what stands around the server: proxies in front of it, and who scrapes its metrics."""

import ipaddress
from urllib.parse import urlsplit

from config.settings import Settings, SettingsError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_LEAST_TOKEN = 16  # characters


def trusted_proxies(settings: Settings) -> list[Network]:
    """Raises SettingsError for what is no address or network."""
    found: list[Network] = []
    for each in filter(None, (part.strip() for part in (settings.trusted_proxies or "").split(","))):
        try:
            found.append(ipaddress.ip_network(each))
        except ValueError:
            raise SettingsError(
                f"ERNFED_TRUSTED_PROXIES: {each!r} is no address and no network. Expected such as "
                "127.0.0.1, 10.1.2.0/24, ::1."
            ) from None
    return found


def metrics_token(settings: Settings) -> str | None:
    """Raises SettingsError."""
    file = settings.metrics_token_file
    if file is None:
        return None
    try:
        token = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"ERNFED_METRICS_TOKEN_FILE: cannot read {file}: {type(error).__name__}"
        ) from None
    if len(token) < _LEAST_TOKEN:
        raise SettingsError(
            f"ERNFED_METRICS_TOKEN_FILE: {file} holds fewer than {_LEAST_TOKEN} characters; "
            "make one with: openssl rand -hex 24"
        )
    return token


def metrics_address(settings: Settings) -> tuple[str, int] | None:
    """Host and port of ERNFED_METRICS_LISTEN. Raises SettingsError."""
    if settings.metrics_listen is None:
        return None
    try:
        parts = urlsplit(f"//{settings.metrics_listen}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or port is None:
        raise SettingsError(
            f"ERNFED_METRICS_LISTEN: {settings.metrics_listen!r}: expected host:port, such as 127.0.0.1:9464"
        )
    return host, port


def public_host(settings: Settings) -> frozenset[str]:
    """The name under which browsers reach the server, where it is set. Raises SettingsError."""
    try:
        name = urlsplit(settings.public_url or "").hostname
    except ValueError:
        raise SettingsError("ERNFED_PUBLIC_URL: expected a URL such as https://ernfed.example.org") from None
    return frozenset([name] if name else ())
