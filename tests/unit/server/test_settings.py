"""Settings: wrong ones are told clearly at start, and travel to child processes unchanged."""

import pytest

from server.settings import Settings, SettingsError, read_settings, to_environment


def test_no_setting_is_needed():
    """The server starts with nothing set at all."""
    settings = Settings()
    assert settings.host == "127.0.0.1"
    assert settings.database_url == "sqlite:///var/fhirwright.db"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("port", "99999", "less than or equal to 65535"),
        ("database", "mysql://host/db", "match pattern"),
        ("max_body_bytes", "1", "greater than or equal to 1024"),
        ("base_url", "example.org/fhir", "match pattern"),
        ("log_format", "xml", "'console' or 'json'"),
    ],
)
def test_a_wrong_setting_names_its_variable_and_its_bound(monkeypatch, name, value, expected):
    """The message names the variable as it is written in the environment and what it may be."""
    monkeypatch.setenv(f"FHIRWRIGHT_{name.upper()}", value)
    with pytest.raises(SettingsError) as caught:
        read_settings()
    assert f"FHIRWRIGHT_{name.upper()}: " in str(caught.value)
    assert expected in str(caught.value)


def test_every_wrong_setting_is_told_at_once():
    """Two mistakes are two lines."""
    with pytest.raises(SettingsError) as caught:
        read_settings(port=-1, workers=0)
    assert str(caught.value).count("\n") == 1


def test_a_wrong_value_is_not_repeated():
    """A database URL may hold a password, so that no message quotes it."""
    with pytest.raises(SettingsError) as caught:
        read_settings(database="mysql://user:secret-493@host/db")
    assert "secret-493" not in str(caught.value)


def test_settings_that_disagree_are_refused():
    """A default page larger than the largest page makes no sense."""
    with pytest.raises(SettingsError, match="default_count must not be larger than max_count"):
        read_settings(default_count=500, max_count=100)


def test_an_option_that_is_absent_leaves_the_variable(monkeypatch):
    """None on the command line is not a value."""
    monkeypatch.setenv("FHIRWRIGHT_PORT", "8123")
    assert read_settings(port=None).port == 8123
    assert read_settings(port=8124).port == 8124


def test_settings_travel_through_the_environment(monkeypatch):
    """A child process that reads the variables gets the same settings."""
    settings = Settings(port=8125, open=True, data="/tmp/somewhere-71", coding_categories=("a|b", "c|d"))
    for name, value in to_environment(settings).items():
        monkeypatch.setenv(name, value)
    assert read_settings() == settings


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("127.8.9.1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.4", False),
        ("localhost.example.org", False),
    ],
)
def test_loopback_is_known(host, loopback):
    """Only addresses that never leave the machine are loopback; names other than localhost are not trusted."""
    assert Settings(host=host).is_loopback is loopback
