"""Settings: names that mean nothing, and words in any case."""

from pathlib import Path

import pytest

from config.settings import Settings, SettingsError, load_settings


@pytest.fixture(autouse=True)
def archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of an archives.toml that is not there; no settings else."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"ERNFED_{name.upper()}", raising=False)
    monkeypatch.setenv("ERNFED_ARCHIVES", str(tmp_path / "archives.toml"))
    return tmp_path / "archives.toml"


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("ERNFED_DATABSE_URL", "did you mean ERNFED_DATABASE_URL?"),
        ("ERNFED_ARCHIVE", "did you mean ERNFED_ARCHIVES?"),
        ("ernfed_log_levle", "did you mean ERNFED_LOG_LEVEL?"),
        ("ERNFED_ISSUER", "did you mean ERNFED_AUTH_ISSUER?"),
        ("ERNFED_DATABASE_URL_FILES", "did you mean ERNFED_DATABASE_URL_FILE?"),
        ("ERNFED_QUUX", "unset it"),
    ],
)
def test_a_name_that_is_no_setting_stops_the_start(
    name: str, near: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "a secret of somebody")
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert f"{name}: no setting has this name" in str(raised.value)
    assert near in str(raised.value)
    assert "a secret of somebody" not in str(raised.value)


def test_every_such_name_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERNFED_HOSTS", "127.0.0.1")
    monkeypatch.setenv("ERNFED_PROT", "8000")
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert len(str(raised.value).splitlines()) == 2


def test_secrets_that_the_file_names_are_no_slips(archives: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERNFED_EYE_PASSWORD", "hush")
    monkeypatch.setenv("ERNFED_RND_PASSWORD_FILE", "/run/secrets/rnd")
    with pytest.raises(SettingsError, match="ERNFED_EYE_PASSWORD"):
        load_settings()
    archives.write_text(
        '[[archive]]\npassword_env = "ERNFED_EYE_PASSWORD"\n'
        '[[archive]]\npassword_env = "ERNFED_RND_PASSWORD"\n[[archive]]\ncode = "three"\n'
    )
    assert load_settings().archives == archives


@pytest.mark.parametrize("text", ["[[archive", "archive = 3", "archive = ['x']", '[[archive]]\ncode = "ä"\n'])
def test_a_file_that_cannot_be_read_has_its_own_mistakes_first(
    text: str, archives: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ERNFED_EYE_PASSWORD", "hush")
    archives.write_bytes(text.encode("latin-1"))
    load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ERNFED_SERVICE_HOST", "10.0.0.1"),
        ("ERNFED_SERVICE_PORT_HTTP", "80"),
        ("ERNFED_PORT_8000_TCP", "tcp://10.0.0.1:8000"),
        ("ERNFED_PORT_8000_TCP_ADDR", "10.0.0.1"),
        ("ERNFED_DB_PORT", "tcp://10.0.0.1:5432"),
        ("ERNFED_DB_SERVICE_PORT", "5432"),
    ],
)
def test_what_kubernetes_sets_for_services_is_no_slip(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    load_settings()


def test_kubernetes_own_port_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERNFED_PORT", "tcp://10.0.0.1:80")
    with pytest.raises(SettingsError, match="enableServiceLinks: false"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("log_level", "WARNING", "warning"),
        ("log_level", " Info ", "info"),
        ("introspection", "Signed-In", "signed-in"),
        ("operations", "PERSISTED-FOR-BROWSERS", "persisted-for-browsers"),
        ("auth_plain_jwt", "True", True),
        ("auth_plain_jwt", "OFF", False),
    ],
)
def test_words_in_any_case(name: str, value: str, meant: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"ERNFED_{name.upper()}", value)
    assert getattr(load_settings(), name) == meant


def test_a_word_that_is_none_of_them_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ERNFED_LOG_LEVEL", "verbose")
    with pytest.raises(SettingsError, match=r"ERNFED_LOG_LEVEL: .*'debug', 'info', 'warning' or 'error'"):
        load_settings()
