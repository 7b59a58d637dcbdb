"""`fhirwright doors ccda`, `folder` and `sftp` as an operator calls them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from server.cli.exits import Exit
from server.cli.main import run

SAMPLES = Path(__file__).parents[2] / "unit" / "doors" / "ccda_samples"


def test_folder_once(tmp_path: Path) -> None:
    """What is there is stored; what is damaged is told by the exit code too; stdout holds nothing but the JSON."""
    for name in ("ccd", "entity_bomb"):
        (tmp_path / f"{name}.xml").write_bytes((SAMPLES / f"{name}.xml").read_bytes())
    options = ["--once", "--quiet", "0", "--json", "--data", str(tmp_path / "var")]
    command = [sys.executable, "-m", "server.cli", "doors", "folder", str(tmp_path), *options]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == Exit.REFUSED
    told = {(one["state"], one["reason"]) for one in json.loads(done.stdout)}
    assert told == {("stored", ""), ("quarantined", "security")}


def test_check_stores_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """It tells what documents would become, and the reason of those that would not."""
    files = [str(SAMPLES / f"{name}.xml") for name in ("ccd", "two_patients")]
    assert run(["doors", "ccda", "--check", "--json", *files]) == Exit.REFUSED
    checked = json.loads(capsys.readouterr().out)
    assert (checked[0]["resources"]["Condition"], checked[1]["reason"]) == (3, "business-rule")


def test_what_is_no_ccda_is_not_stored_as_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A letter has its own doors; this one puts it into quarantine, under its own name, with the reason."""
    (tmp_path / "letter.txt").write_text("Assessment: Type 2 diabetes mellitus.")
    where = ["--data", str(tmp_path / "var")]
    assert run(["doors", "ccda", str(tmp_path / "letter.txt"), *where]) == Exit.REFUSED
    assert "letter.txt quarantined structure" in capsys.readouterr().err
    assert run(["doors", "list", "--door", "ccda", *where]) == Exit.OK
    assert "1 quarantined" in capsys.readouterr().err


@pytest.mark.parametrize("pattern", ["(", "x"])
def test_a_pattern_that_cannot_work_is_told(tmp_path: Path, pattern: str) -> None:
    """Before anything is read."""
    assert run(["doors", "folder", str(tmp_path), "--pattern", pattern]) == Exit.USAGE


def test_sftp_settings_that_cannot_work_are_told(tmp_path: Path) -> None:
    """A file without a known host key is refused."""
    (tmp_path / "s.toml").write_text('host = "h"\nuser = "u"\nknown_hosts = "none"\nfolder = "/"\nkey = "k"\n')
    assert run(["doors", "sftp", str(tmp_path / "s.toml"), "--once"]) == Exit.REFUSED
    assert run(["doors", "sftp", str(tmp_path / "none.toml")]) == Exit.USAGE
