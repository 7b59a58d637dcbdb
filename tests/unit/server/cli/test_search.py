"""`fhirwright search` answers a coder, in words and as JSON."""

import json
from pathlib import Path

import pytest

from server.cli import main as frame
from server.cli.exits import Exit


def _run(built: Path, *words: str) -> int:
    return frame.run(["search", *words, "--data", str(built)])


def test_a_lay_phrase_finds_codes(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """ICD-10-CM by default or by name; the table has code, mark and title."""
    for words in (["sugar diabetes kidney"], ["icd10cm", "sugar diabetes kidney"], ["sugar", "diabetes", "kidney"]):
        assert _run(built, *words) == Exit.OK
        said = capsys.readouterr()
        assert "E11.21" in said.out and "$" in said.out and "$ may be billed" in said.err


def test_json_tells_all_of_a_hit(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Code, name, why, path, and notes where asked for."""
    assert _run(built, "pnemonia", "--json", "--notes", "--count", "1", "--billable") == Exit.OK
    answer = json.loads(capsys.readouterr().out)
    hit = answer["hits"][0]
    assert answer["corrected"] == {"pnemonia": "pneumonia"} and answer["total"] > 1
    assert (hit["code"], hit["billable"], hit["why"]) == ("J18.9", True, "whole name")
    assert [c["code"] for c in hit["path"]] == ["chapter-10", "J09-J18", "J18"]
    assert {"excludes1", "excludes2", "code-first"} <= {n["kind"] for n in hit["notes"] if n["at"] == "J18"}


def test_a_misspelling_and_what_is_left_out_are_told(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, so that the table stays a table."""
    assert _run(built, "pnemonia xyzzyqq") == Exit.OK
    said = capsys.readouterr().err
    assert "searched for pneumonia instead of pnemonia" in said and "left out: xyzzyqq" in said


def test_nothing_found_exits_1(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And says so."""
    assert _run(built, "xyzzyqq") == Exit.FAILED
    assert "nothing found" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong", [["--on", "yesterday"], ["--version", "1999"], ["--under", "E99.9"], ["--count", "0"], ["--count", "9999"]]
)
def test_a_wrong_option_exits_2(built: Path, wrong: list[str]) -> None:
    """A date that is none, an edition and a code that do not exist, a number out of bounds."""
    assert _run(built, "asthma", *wrong) == Exit.USAGE


def test_a_date_chooses_the_edition(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """G35.A is of the edition of October 2025."""
    for day, code, left_out in (("2026-05-01", "G35.A", []), ("2024-12-01", "G35", ["g35.a"])):
        assert _run(built, "g35.a", "--on", day, "--json") == Exit.OK
        answer = json.loads(capsys.readouterr().out)
        assert answer["hits"][0]["code"] == code and answer["leftOut"] == left_out
