"""The command line: every command exists, exit codes are as documented, help imports nothing heavy."""

import subprocess
import sys

import pytest

from fhir_profiles.errors import Category, FhirError
from server.cli import main as frame
from server.cli.exits import MEANING, Exit
from server.settings import SettingsError


def test_every_exit_code_has_a_meaning():
    """The page of exit codes is complete."""
    assert set(MEANING) == set(Exit)


@pytest.mark.parametrize("name", frame.COMMANDS)
def test_every_command_exists(name):
    """What the table lists can be loaded and says what it does."""
    assert frame.load_command(name).help


@pytest.mark.parametrize("name", [*frame.COMMANDS, None])
def test_every_help_is_shown(name, capsys):
    """`fhirwright COMMAND --help` exits 0."""
    assert frame.run([*([name] if name else []), "--help"]) == Exit.OK
    assert "Usage: fhirwright" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["nope"], ["--nope"], ["serve", "--nope"], ["serve", "extra"]])
def test_a_wrong_command_line_exits_2(arguments, capsys):
    """The message is on stderr and stdout stays empty."""
    assert frame.run(arguments) == Exit.USAGE
    said = capsys.readouterr()
    assert "Error: " in said.err
    assert not said.out


def test_a_wrong_setting_exits_3(capsys):
    """A bound that is broken on the command line is told by the name of its setting."""
    assert frame.run(["serve", "--port", "99999"]) == Exit.SETTINGS
    assert "FHIRWRIGHT_PORT" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsError("x"), Exit.SETTINGS),
        (FhirError.of(Category.UNAVAILABLE, "transient", "x"), Exit.UNAVAILABLE),
        (FhirError.of(Category.BUSY, "conflict", "x"), Exit.UNAVAILABLE),
        (FhirError.of(Category.INCORRECT, "structure", "x"), Exit.REFUSED),
        (PermissionError(13, "Permission denied", "out.part"), Exit.UNAVAILABLE),
        (KeyboardInterrupt(), Exit.INTERRUPTED),
    ],
)
def test_errors_become_exit_codes(monkeypatch, error, code):
    """Whatever a command raises on purpose ends in its documented code."""

    def fail(**_):
        raise error

    monkeypatch.setattr("server.cli.doctor.read_settings", fail)
    assert frame.run(["doctor"]) == code


def test_packages_of_strangers_are_refused(monkeypatch, capsys):
    """A command does not run on another distribution's `claims`; doctor runs and tells it."""
    monkeypatch.setattr("server.place.strangers", lambda: {"claims": "/elsewhere"})
    assert frame.run(["migrate", "--help"]) == Exit.SETTINGS
    assert "/elsewhere" in capsys.readouterr().err
    assert frame.run(["doctor", "--help"]) == Exit.OK


def test_the_version_is_told(capsys):
    """`--version` prints one line."""
    assert frame.run(["--version"]) == Exit.OK
    assert capsys.readouterr().out.startswith("fhirwright ")


@pytest.mark.parametrize(
    "module", ["fastapi", "rich.console", "sqlalchemy", "pydantic", "server.settings", "spacy", "cv2"]
)
def test_help_imports_nothing_heavy(module):
    """`--help` answers in a moment because it loads no command (benchmarks/cli.py measures it)."""
    code = f"import sys; from server.cli.main import run; run(['--help']); sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


@pytest.mark.parametrize(
    ("name", "code", "expected"), [("pos", "11", Exit.OK), ("POS", "xx", Exit.FAILED), ("nope", "1", Exit.USAGE)]
)
def test_a_code_system_is_asked_by_its_short_name(built, name, code, expected):
    """Whatever is loaded has the name it was loaded by."""
    assert frame.run(["validate-code", name, code, "--data", str(built)]) == expected
