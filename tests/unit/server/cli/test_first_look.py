"""What somebody meets who tries a command for the first time, with a place or a file that is not there."""

import pytest

from server.cli import main as frame
from server.cli.exits import Exit
from server.cli.reference import cli_page
from server.cli.terminal import building


def test_no_backup_is_no_whole_backup(tmp_path, capsys):
    """`backup verify` of a place without any is a no: a wrong name must not look like a drill that went well."""
    assert frame.run(["backup", "verify", str(tmp_path / "nowhere")]) == Exit.FAILED
    assert "no backup" in capsys.readouterr().err


def test_a_corpus_that_is_not_there_is_told_at_once(tmp_path, capsys):
    """Before anything is built: the data directory stays as it was."""
    asked = ["eval", "--corpus", str(tmp_path / "nowhere"), "--data", str(tmp_path / "data")]
    assert frame.run(asked) == Exit.REFUSED
    assert "icd10cm_codiesp.jsonl" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_missing_unit_costs_are_told_with_the_way_to_them(tmp_path, capsys):
    """What was asked for, and the command that makes it."""
    assert frame.run(["plan", "--pages-per-day", "9", "--costs", str(tmp_path / "none.toml")]) == Exit.REFUSED
    said = capsys.readouterr().err
    assert "--costs" in said
    assert "benchmarks.scale" in said


def test_what_is_built_is_told_once(capsys):
    """Each thing has one line when it begins, so that a first start is not silent in a log."""
    told = building()
    for done in range(3):
        told("ICD-10-CM 2026", done, 3)
    told("LOINC", 0, 0)
    assert capsys.readouterr().err.splitlines() == ["building ICD-10-CM 2026 …", "building LOINC …"]


@pytest.mark.parametrize("stray", ["--install-completion", "INPUT_"])
def test_the_reference_tells_only_what_is_ours(stray):
    """No option of the library, and no name of a Python variable."""
    assert stray not in cli_page()
