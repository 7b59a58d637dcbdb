"""A file of claims: cut into chunks, answered line by line, gone on with after a kill."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import orjson
import polars as pl
import pytest

from campaigns.claiming.making import claims
from claims.run import cut as cutting
from claims.run.cut import cut
from claims.run.job import Job
from claims.run.run import run
from fhir_profiles.errors import FhirError
from fhir_profiles.validate import check

ON = "2026-07-01"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of few and short lines."""
    monkeypatch.setattr(cutting, "LINES", 3)
    monkeypatch.setattr(cutting, "MOST_BYTES", 100)
    monkeypatch.setattr(cutting, "_BLOCK", 7)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_chunks_hold_every_line_once(tmp_path: Path, end: bytes) -> None:
    """Whatever the lengths of lines and of blocks: the parts together are the file, and lines are never broken."""
    dice = random.Random(1)
    for _ in range(40):
        lines = [b"x" * dice.choice((0, 5, 30, 60, 99, 140)) for _ in range(dice.randrange(1, 20))]
        lines[-1] = b"last"
        file = tmp_path / "f"
        body = b"\n".join(lines) + end
        file.write_bytes(body)
        chunks = list(cut(file))
        assert b"".join(body[c.offset : c.offset + c.length] for c in chunks) == body
        assert [c.number for c in chunks] == list(range(len(chunks)))
        assert [c.first for c in chunks] == [1 + sum(c.lines for c in chunks[:n]) for n in range(len(chunks))]
        assert sum(c.lines for c in chunks) == len(lines)
        assert all(c.lines <= 3 and (c.length <= 100 or c.lines == 1) for c in chunks)


def _file(path: Path, count: int) -> Path:
    """Claims, every tenth with a defect, and two lines that are none."""
    lines = [orjson.dumps(one) for one in claims(count)]
    for n in range(0, count, 10):
        lines[n] = lines[n].replace(b'"item":[{"sequence":1', b'"item":[{"sequence":1,"factor":2')
    lines.insert(5, b'{"resourceType":"Patient"}')
    lines.insert(9, b"no JSON")
    path.write_bytes(b"\n".join(lines) + b"\n\n")
    return path


def test_findings_prices_and_answers_come_out(tmp_path: Path) -> None:
    """Each claim has a valid ClaimResponse, each defect a row with the number of its line, each bad line its number."""
    out = tmp_path / "out"
    counts = run(Job(_file(tmp_path / "f.ndjson", 60), out, tmp_path / "data", None, ON))
    assert (counts.claims, counts.rejected, counts.lines) == (60, 2, 63)
    answers = [orjson.loads(line) for line in (out / "responses" / "000000.ndjson").read_bytes().splitlines()]
    assert len(answers) == 60 and check(answers[0]) == check(answers[11]) == []
    found = pl.read_parquet(out / "findings").filter(pl.col("rule") == "CHG-002")
    assert found["line"].to_list() == [n + 1 + (n >= 5) + (n >= 9) for n in range(0, 60, 10)]
    assert found["severity"].unique().to_list() == ["error"] and found["sequence"].unique().to_list() == [1]
    assert len(pl.read_parquet(out / "prices")) == 180
    rejected = [json.loads(line)["line"] for line in (out / "rejected" / "000000.ndjson").read_bytes().splitlines()]
    assert rejected == [6, 10]
    assert json.loads((out / "summary.json").read_text())["not_run"]


def test_output_of_another_run_is_not_touched(tmp_path: Path) -> None:
    """Another file, another day, or a folder with something else in it: refused."""
    file, out = _file(tmp_path / "f.ndjson", 12), tmp_path / "out"
    run(Job(file, out, tmp_path / "data", None, ON))
    with pytest.raises(FhirError, match="another"):
        run(Job(file, out, tmp_path / "data", None, "2026-07-02"))
    with pytest.raises(FhirError, match="another"):
        run(Job(_file(tmp_path / "g.ndjson", 13), out, tmp_path / "data", None, ON))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(FhirError, match="not empty"):
        run(Job(file, tmp_path / "full", tmp_path / "data", None, ON))


def test_a_summary_tells_what_each_rule_found(tmp_path: Path) -> None:
    """Findings, claims and cents by rule add up to those of the tables; rules about most money stand first."""
    out = tmp_path / "out"
    run(Job(_file(tmp_path / "f.ndjson", 60), out, tmp_path / "data", None, ON))
    summary = json.loads((out / "summary.json").read_text())
    found = pl.read_parquet(out / "findings")
    assert sum(one["findings"] for one in summary["by_rule"]) == summary["counts"]["findings"] == len(found)
    (one,) = (one for one in summary["by_rule"] if one["rule"] == "CHG-002")
    charges = [round(c["item"][0]["net"]["value"] * 100) for n, c in enumerate(claims(60)) if n % 10 == 0]
    assert (one["findings"], one["claims"], one["charged"]) == (6, 6, sum(charges))
    assert [one["charged"] for one in summary["by_rule"]] == sorted(o["charged"] for o in summary["by_rule"])[::-1]


def test_findings_alone_are_the_same_findings(tmp_path: Path) -> None:
    """Without answers every other file has the same bytes, and there is no folder for answers."""
    file = _file(tmp_path / "f.ndjson", 60)
    run(Job(file, tmp_path / "whole", tmp_path / "data", None, ON))
    run(Job(file, tmp_path / "brief", tmp_path / "data", None, ON, responses=False))
    whole, brief = ({n: b for n, b in _tree(tmp_path / name).items() if n != "run.json"} for name in ("whole", "brief"))
    assert brief == {name: body for name, body in whole.items() if not name.startswith("responses")}
    with pytest.raises(FhirError, match="another"):
        run(Job(file, tmp_path / "brief", tmp_path / "data", None, ON))


def test_ends_of_lines_and_marks_change_nothing(tmp_path: Path) -> None:
    """A mark of UTF-8, CRLF, or gzip: the same findings, prices and answers."""
    body = b"\n".join(orjson.dumps(one) for one in claims(30)) + b"\n"
    forms = {"plain": body, "windows": b"\xef\xbb\xbf" + body.replace(b"\n", b"\r\n"), "packed": gzip.compress(body)}
    trees = []
    for name, form in forms.items():
        (tmp_path / name).write_bytes(form)
        run(Job(tmp_path / name, tmp_path / f"{name}.out", tmp_path / "data", None, ON))
        trees.append({n: b for n, b in _tree(tmp_path / f"{name}.out").items() if n != "run.json"})
    assert trees[0] == trees[1] == trees[2]


def test_lines_that_stand_twice_are_told(tmp_path: Path) -> None:
    """The number of each line that repeats an earlier one byte for byte, with that of the first."""
    lines = [orjson.dumps(one) for one in claims(12)]
    (file := tmp_path / "f").write_bytes(b"\n".join([*lines, lines[3], b"", lines[3], lines[0]]))
    run(Job(file, tmp_path / "out", tmp_path / "data", None, ON))
    told = [json.loads(line) for line in (tmp_path / "out" / "repeated.ndjson").read_bytes().splitlines()]
    assert told == [{"line": 13, "first": 4}, {"line": 15, "first": 4}, {"line": 16, "first": 1}]
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["counts"]["repeated"] == 3


def test_a_fault_of_the_tables_is_told_as_it_is(tmp_path: Path) -> None:
    """What stops a process from beginning is told, and is not taken for a process that was ended from outside."""
    (folder := tmp_path / "data" / "claims" / "ptp@x").mkdir(parents=True)
    (folder / "manifest.json").write_text("no JSON")
    with pytest.raises(FhirError, match="load it again"):
        run(Job(_file(tmp_path / "f.ndjson", 12), tmp_path / "out", tmp_path / "data", None, ON))


def _tree(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}
