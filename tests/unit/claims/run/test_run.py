"""A file of claims: cut into chunks, answered line by line, gone on with after a kill."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import polars as pl
import pytest

from campaigns.claiming.making import claim, claims
from claims.run import cut as cutting
from claims.run.cut import cut
from claims.run.run import Job, run
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


def _tree(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    """Killed with SIGKILL several times at random, the run ends with every byte of one that was let alone."""
    lines = [orjson.dumps(claim(random.Random(n), n)) for n in range(400)]
    file = tmp_path / "f.ndjson"
    file.write_bytes(b"\n".join(lines * 40))
    command = [sys.executable, "-m", "server.cli", "claims", "run", str(file), "--data", str(tmp_path / "data")]
    command += ["--on", ON, "--processes", "2", "--out"]
    subprocess.run([*command, str(tmp_path / "whole")], check=True, capture_output=True)
    out, dice, kills = tmp_path / "out", random.Random(5), 0
    for _ in range(12):
        process = subprocess.Popen([*command, str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if kills < 3:
            _wait_for(process, out, kills)
            time.sleep(dice.random() * 0.5)
        if kills < 3 and process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
            continue
        assert process.wait() == 0
        break
    assert kills >= 1
    assert _tree(out) == _tree(tmp_path / "whole")


def _wait_for(process: subprocess.Popen[bytes], out: Path, chunks: int) -> None:
    """Until the run has finished so many chunks, or all."""
    while process.poll() is None and not (out / "chunks").exists():
        time.sleep(0.05)
    while process.poll() is None and len(list((out / "chunks").glob("*.json"))) < chunks:
        time.sleep(0.05)
