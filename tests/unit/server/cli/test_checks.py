"""`doctor`: each check says what is wrong and what to do."""

import json

from server.cli import checks
from server.cli.exits import Exit
from server.cli.main import run
from server.settings import Settings


def _named(results):
    return {check.name: check for check in results}


def test_an_empty_data_directory_is_not_ready(tmp_path):
    """A database without our tables and a missing terminology are told with the command that mends them."""
    found = _named(checks.run_checks(Settings(data=tmp_path)))
    assert not found["database"].ok
    assert "fhirwright migrate" in found["database"].text
    assert not found["terminology"].ok
    assert "fhirwright" in found["terminology"].text
    assert found["python"].ok and found["packages"].ok and found["data directory"].ok and found["versions"].ok


def test_migrate_mends_the_database(tmp_path, capsys):
    """What doctor advises works."""
    assert run(["migrate", "--data", str(tmp_path), "--json"]) == Exit.OK
    assert json.loads(capsys.readouterr().out)["changed"] is True
    assert _named(checks.run_checks(Settings(data=tmp_path)))["database"].ok


def test_doctor_exits_1_when_something_is_missing(tmp_path, capsys):
    """Scripts can rely on the exit code and read the rest as JSON."""
    assert run(["doctor", "--data", str(tmp_path), "--json"]) == Exit.FAILED
    result = json.loads(capsys.readouterr().out)
    assert result["ok"] is False
    assert {"name", "ok", "text", "why", "do"} == set(result["checks"][0])


def test_a_database_that_cannot_be_reached_is_one_line(tmp_path):
    """A refused connection is a finding, not a traceback."""
    url = "postgresql://nobody@127.0.0.1:1/none"
    found = _named(checks.run_checks(Settings(data=tmp_path, database=url)))
    assert not found["database"].ok


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    """Less than the least free space is a finding."""
    monkeypatch.setattr(checks, "LEAST_FREE_BYTES", 1 << 62)
    found = _named(checks.run_checks(Settings(data=tmp_path)))
    assert "free" in found["data directory"].text
    assert not found["data directory"].ok


def test_tesseract_is_found(tmp_path):
    """Both OCR backends and their language data are there in this environment."""
    found = _named(checks.run_checks(Settings(data=tmp_path)))
    assert found["tesseract"].ok, found["tesseract"].text
    assert "tesserocr" in found["tesseract"].text
