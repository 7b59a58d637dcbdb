"""`serve` refuses what would let strangers in, and a port that is taken."""

import socket

import pytest

from fhir_profiles.errors import FhirError
from server.cli.exits import Exit
from server.cli.main import run
from server.cli.serve import _listen, check_reach
from server.settings import Settings, SettingsError


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.org"])
def test_a_reachable_address_is_refused_without_authorization(host):
    """With `--open`, only loopback may be listened on; with authorization, any address."""
    check_reach(Settings(host=host))
    with pytest.raises(SettingsError, match="can be reached by other machines"):
        check_reach(Settings(host=host, open=True))


def test_the_command_says_so_and_exits_3(capsys):
    """`serve --open --host 0.0.0.0` does not start; the message names the way out."""
    assert run(["serve", "--open", "--host", "0.0.0.0"]) == Exit.SETTINGS
    assert "FHIRWRIGHT_OPEN_NETWORK=true" in capsys.readouterr().err


def test_a_container_may_ask_by_name_and_is_warned(capsys):
    """The setting for containers lets it pass, loudly."""
    check_reach(Settings(host="0.0.0.0", open=True, open_network=True))
    assert "without authorization" in capsys.readouterr().err


def test_loopback_is_let_pass(capsys):
    """The default needs no setting at all."""
    check_reach(Settings())
    assert not capsys.readouterr().err


def test_a_taken_port_exits_4(tmp_path, capsys):
    """The port is tried before anything slow is done, and nothing is left behind."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        data = tmp_path / "var"
        code = run(["serve", "--port", str(taken.getsockname()[1]), "--data", str(data)])
    assert code == Exit.UNAVAILABLE
    assert "Choose another --port" in capsys.readouterr().err
    assert not (data / "fhirwright.db").exists()


def test_a_port_is_taken_from_the_start():
    """While a server still prepares, a second one is told, and who connects waits and is not refused."""
    first = _listen(Settings(port=0))
    port = first.getsockname()[1]
    early = socket.create_connection(("127.0.0.1", port), timeout=5)
    with first, early, pytest.raises(FhirError, match="Choose another"):
        _listen(Settings(port=port))
