"""What somebody meets who tries a command for the first time, with a place or a file that is not there."""

import gzip
import io
from pathlib import Path

import pytest

from server.cli import main as frame
from server.cli.exits import Exit
from server.cli.reference import cli_page
from server.cli.terminal import building


def commands(name, command):
    """Each command with its full name."""
    for part, inner in getattr(command, "commands", {}).items():
        yield from commands(f"{name} {part}", inner)
    if not hasattr(command, "commands"):
        yield name, command


def test_what_is_read_must_be_there():
    """A path is one that is written, or the command line is wrong where it names nothing: one rule, no exceptions."""
    written = ("out", "errors", "folder", "output", "proofs", "staging", "cluster", "bin_", "data")
    erased = {("patient erase", "proof")}
    found = [
        (full, one.name)
        for name in frame.COMMANDS
        for full, command in commands(name, frame.load_command(name))
        for one in command.params
        if (told := getattr(one, "type_descriptor", None)) and told.annotation in (Path, list[Path])
        if not (told.parameter_info.exists or told.parameter_info.callback) and one.name not in written
    ]
    assert set(found) == erased


@pytest.mark.parametrize(
    "asked",
    [
        ["code", "NONE"],
        ["code", "--jsonl", "NONE"],
        ["import", "NONE"],
        ["load", "loinc", "NONE"],
        ["claims", "run", "NONE", "--out", "made"],
        ["bulk", "code", "NONE", "--output", "made"],
        ["bulk", "claims", "NONE", "--output", "made"],
        ["backup", "list", "NONE"],
        ["backup", "verify", "NONE"],
        ["restore", "NONE", "--data", "made"],
        ["doors", "ccda", "NONE"],
        ["doors", "folder", "NONE"],
        ["eval", "--corpus", "NONE"],
        ["plan", "--pages-per-day", "9", "--costs", "NONE"],
    ],
    ids=" ".join,
)
def test_what_is_not_there_is_a_wrong_command_line(asked, tmp_path, monkeypatch, capsys):
    """Exit code 2 names what is missing, and nothing is made."""
    monkeypatch.chdir(tmp_path)
    assert frame.run(["nowhere.x" if word == "NONE" else word for word in asked]) == Exit.USAGE
    assert "nowhere.x" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_standard_input_is_always_there(monkeypatch, tmp_path, capsys):
    """`-` is no file that is missing."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"resourceType": "Patient"}')))
    assert frame.run(["claims", "explain", "-", "--data", str(tmp_path)]) == Exit.REFUSED
    assert "A Claim" in capsys.readouterr().err


def test_an_unexpected_fault_tells_its_kind_and_no_more(monkeypatch, capsys):
    """No traceback, and nothing of the words of the fault: they may hold what a document says."""

    def fail(**_):
        raise ValueError("Secretname")

    monkeypatch.setattr("server.cli.doctor.read_settings", fail)
    assert frame.run(["doctor"]) == Exit.FAILED
    said = capsys.readouterr().err
    assert "unexpected ValueError at" in said
    assert "Secretname" not in said


@pytest.mark.parametrize(("name", "content"), [("scan.pdf", b"%PDF-1.7\n\xff\x00"), ("many.json", b'[{"id": "1"}]')])
def test_what_is_no_note_is_not_handed_on_as_one(name, content, tmp_path, capsys):
    """Names in the bytes of a scan cannot be found, so `deidentify` refuses them."""
    (tmp_path / name).write_bytes(content)
    assert frame.run(["deidentify", str(tmp_path / name), "--data", str(tmp_path)]) == Exit.REFUSED
    assert not capsys.readouterr().out


def test_a_packed_file_that_is_cut_is_refused(tmp_path, capsys):
    """`import` tells which, without a traceback."""
    whole = gzip.compress(b'{"resourceType": "Patient", "id": "1"}\n')
    (tmp_path / "cut.ndjson.gz").write_bytes(whole[:-9])
    assert frame.run(["import", str(tmp_path / "cut.ndjson.gz"), "--data", str(tmp_path)]) == Exit.REFUSED
    assert "cut.ndjson.gz" in capsys.readouterr().err


def test_no_backup_is_no_whole_backup(tmp_path, capsys):
    """`backup verify` of a place without any is a no: a wrong name must not look like a drill that went well."""
    assert frame.run(["backup", "verify", str(tmp_path)]) == Exit.FAILED
    assert "no backup" in capsys.readouterr().err


def test_a_corpus_that_is_not_there_is_told_at_once(tmp_path, capsys):
    """Before anything is built: the data directory stays as it was."""
    asked = ["eval", "--corpus", str(tmp_path), "--data", str(tmp_path / "data")]
    assert frame.run(asked) == Exit.REFUSED
    assert "icd10cm_codiesp.jsonl" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_wrong_unit_costs_are_told_with_the_way_to_them(tmp_path, capsys):
    """What was wrong, and the command that makes the file."""
    (tmp_path / "costs.toml").write_text("")
    assert frame.run(["plan", "--pages-per-day", "9", "--costs", str(tmp_path / "costs.toml")]) == Exit.REFUSED
    said = capsys.readouterr().err
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
