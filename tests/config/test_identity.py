"""ERNFED_AUTH_*: what goes together, and which URLs are safe to ask."""

from pathlib import Path
from typing import Any

import pytest

from config.identity import is_safe_url, provider_of
from config.settings import Settings, SettingsError, load_settings

ISSUER = {"auth_issuer": "https://login.example.org", "auth_audience": "ernfed"}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ERNFED_{name.upper()}", raising=False)


def test_no_issuer_no_provider() -> None:
    assert provider_of(load_settings()) is None


def test_an_issuer_with_its_audience() -> None:
    provider = provider_of(load_settings(**ISSUER))
    assert provider is not None
    assert (provider.issuer, provider.audience, provider.client) == (
        "https://login.example.org",
        "ernfed",
        None,
    )


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"auth_issuer": "https://login.example.org"}, "ERNFED_AUTH_AUDIENCE"),
        ({"auth_issuer": "https://login.example.org", "auth_audience": ""}, "ERNFED_AUTH_AUDIENCE"),
        ({"auth_audience": "ernfed"}, "ERNFED_AUTH_AUDIENCE"),
        ({"auth_client_id": "x"}, "ERNFED_AUTH_CLIENT_ID"),
        ({**ISSUER, "auth_issuer": ""}, "ERNFED_AUTH_ISSUER"),
        ({**ISSUER, "auth_issuer": "http://login.example.org"}, "ERNFED_AUTH_ISSUER"),
        ({**ISSUER, "auth_issuer": "https://user:pass@login.example.org"}, "ERNFED_AUTH_ISSUER"),
        ({**ISSUER, "auth_jwks_url": "http://login.example.org/keys"}, "ERNFED_AUTH_JWKS_URL"),
        ({**ISSUER, "public_url": "http://ernfed.example.org"}, "ERNFED_PUBLIC_URL"),
        ({**ISSUER, "public_url": "https://example.org/ernfed"}, "ERNFED_PUBLIC_URL"),
        ({**ISSUER, "auth_client_id": "x", "host": "0.0.0.0"}, "ERNFED_PUBLIC_URL"),  # noqa: S104
        ({**ISSUER, "auth_client_id": "x", "auth_scopes": "profile"}, "ERNFED_AUTH_SCOPES"),
        (
            {**ISSUER, "auth_client_id": "x", "auth_client_secret_file": "/nowhere/at/all"},
            "ERNFED_AUTH_CLIENT_SECRET_FILE",
        ),
    ],
)
def test_what_does_not_go_together(given: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        provider_of(load_settings(**given))


def test_the_secret_of_the_client(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush\n", encoding="utf-8")
    client: Any = {**ISSUER, "auth_client_id": "x", "public_url": "https://ernfed.example.org/"}
    from_file = provider_of(load_settings(**client, auth_client_secret_file=tmp_path / "secret"))
    given = provider_of(load_settings(**client, auth_client_secret="hush"))  # noqa: S106
    for provider in (from_file, given):
        assert provider is not None
        assert provider.client is not None
        assert provider.client.secret == "hush"  # noqa: S105
        assert provider.public_url == "https://ernfed.example.org"
        assert "hush" not in repr(provider)


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://login.example.org/x", True),
        ("http://127.0.0.1:8080/x", True),
        ("http://[::1]/", True),
        ("http://localhost:1", True),
        ("http://login.example.org", False),
        ("http://127.0.0.1.example.org", False),
        ("http://localhost.example.org", False),
        ("http://10.0.0.1/", False),
        ("ftp://login.example.org", False),
        ("file:///etc/passwd", False),
        ("https://", False),
        ("https://a@login.example.org", False),
        ("https://login.example.org/#x", False),
        ("https://[::1", False),
        ("", False),
    ],
)
def test_safe_urls(url: str, safe: bool) -> None:
    assert is_safe_url(url) is safe
