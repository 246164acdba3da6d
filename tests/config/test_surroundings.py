"""Settings of proxies and scrapers: what they mean, and that a wrong one stops the start by its name."""

from pathlib import Path

import pytest

from config.settings import SettingsError, load_settings
from config.surroundings import metrics_address, metrics_token, public_host, trusted_proxies


@pytest.mark.parametrize(
    ("given", "found"),
    [(None, []), ("", []), ("127.0.0.1", ["127.0.0.1/32"]), ("10.0.0.0/8, ::1", ["10.0.0.0/8", "::1/128"])],
)
def test_proxies(given: str | None, found: list[str]) -> None:
    assert [str(network) for network in trusted_proxies(load_settings(trusted_proxies=given))] == found


@pytest.mark.parametrize("given", ["*", "nginx", "10.0.0.1/8", "127.0.0.1;::1", "10.0.0"])
def test_what_is_no_proxy(given: str) -> None:
    with pytest.raises(SettingsError, match="ERNFED_TRUSTED_PROXIES"):
        trusted_proxies(load_settings(trusted_proxies=given))


def test_tokens(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("0123456789abcdef\n", encoding="ascii")
    assert metrics_token(load_settings(metrics_token_file=file)) == "0123456789abcdef"
    assert metrics_token(load_settings()) is None
    file.write_text("short", encoding="ascii")
    for wrong in (file, tmp_path / "none"):
        with pytest.raises(SettingsError, match="ERNFED_METRICS_TOKEN_FILE"):
            metrics_token(load_settings(metrics_token_file=wrong))


@pytest.mark.parametrize(
    ("given", "found"),
    [(None, None), ("127.0.0.1:9464", ("127.0.0.1", 9464)), ("[::1]:9464", ("::1", 9464))],
)
def test_addresses_of_metrics(given: str | None, found: tuple[str, int] | None) -> None:
    assert metrics_address(load_settings(metrics_listen=given)) == found


@pytest.mark.parametrize("given", ["9464", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:99999", ":9464", ""])
def test_what_is_no_address(given: str) -> None:
    with pytest.raises(SettingsError, match="ERNFED_METRICS_LISTEN"):
        metrics_address(load_settings(metrics_listen=given))


def test_the_public_name() -> None:
    assert public_host(load_settings()) == frozenset()
    assert public_host(load_settings(public_url="https://ernfed.example.org")) == {"ernfed.example.org"}
