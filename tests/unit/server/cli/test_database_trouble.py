"""A database that is away or damaged ends a command with exit code 4 and words, never with a traceback."""

import sqlite3
from contextlib import closing

import pytest
from psycopg import errors

from server.cli import main as frame
from server.cli.exits import Exit
from server.store.trouble import told

COMMANDS = (["migrate"], ["user", "list"], ["export", "out"], ["audit", "verify"])


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_database_that_does_not_answer_is_told(command, tmp_path, monkeypatch, capsys):
    """What, where and what to do; the password of the URL is not repeated."""
    monkeypatch.chdir(tmp_path)
    url = "postgresql://somebody:a-secret@127.0.0.1:1/records"
    assert frame.run([*command, "--data", "data", "--database", url]) == Exit.UNAVAILABLE
    said = capsys.readouterr().err
    assert "cannot be reached" in said
    assert "127.0.0.1" in said
    assert "FHIRWRIGHT_DATABASE" in said
    assert "a-secret" not in said


def test_a_file_that_is_no_database_is_told(tmp_path, capsys):
    """Bytes of something else under the name of the database."""
    (tmp_path / "fhirwright.db").write_bytes(b"something else " * 100)
    assert frame.run(["user", "list", "--data", str(tmp_path)]) == Exit.UNAVAILABLE
    assert "not a SQLite database" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["audit", "verify"], ["audit", "export", "out"], ["backup", "create", "out"]])
def test_a_place_without_a_database_is_told(command, tmp_path, monkeypatch, capsys):
    """What looks after a database does not make an empty one where somebody mistyped the place."""
    monkeypatch.chdir(tmp_path)
    assert frame.run([*command, "--data", "mistyped"]) != Exit.OK
    assert "no database" in capsys.readouterr().err
    assert not (tmp_path / "mistyped" / "fhirwright.db").exists()


def test_a_database_of_something_else_is_told(tmp_path, capsys):
    """It has none of our tables."""
    with closing(sqlite3.connect(tmp_path / "fhirwright.db")) as made:
        made.execute("CREATE TABLE x (y)")
    assert frame.run(["audit", "verify", "--data", str(tmp_path)]) == Exit.UNAVAILABLE
    assert "no database of fhirwright" in capsys.readouterr().err


def test_values_in_errors_of_the_database_are_not_told():
    """A missing right is told in our words; what the database says of rows is nobody's to print."""
    told_of = told(errors.InsufficientPrivilege("permission denied for table x"))
    assert told_of is not None
    assert "role" in str(told_of)
    assert "table x" not in str(told_of)
    assert told(errors.UniqueViolation("Key (name)=(Doe) already exists")) is None
